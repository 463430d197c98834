"""Ejecuta cada lab tres veces en el mismo núcleo, con cada celda cortada y repetida, y anota si algo cambia.

La primera vuelta es la de un lector que no se equivoca. En la segunda, cada celda lenta se corta a la mitad y luego
todas se ejecutan dos veces seguidas. La tercera es como la primera. Lo que enseña una celda, texto y figuras, tiene que
ser siempre lo de la primera vuelta, salvo si lleva la etiqueta `medida`, porque son tiempos o memoria.

Anota en labs/repetidas.json lo que cambia y el pico de memoria de cada vuelta. De la primera a la segunda sube lo que
el lab deja con nombre, que sigue ahí al volver a empezar; si de la segunda a la tercera aún sube, es que algo se
pierde sin liberarse. No toca los cuadernos.
"""

import argparse
import datetime
import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

from nbclient import NotebookClient
from nbformat import NotebookNode

from scripts.run_labs import (
    LABS,
    blank,
    clean_outputs,
    evaluate,
    kernel,
    lab_id,
    measure_peak,
    visible_text,
    write_atomic,
)

SLOW = 1.0  # segundos: cortar a la mitad una celda más corta sería casi siempre llegar tarde
# Lo que puede cambiar: las direcciones de memoria y el aviso de qué versión se ha bajado, que solo sale la primera vez.
NOISE = re.compile(r"\bat 0x[0-9a-f]+|^.*: rama main, commit .*\n", re.MULTILINE)

# IPython conserva la última traza, con todo lo que la celda cortada tenía a mano: un modelo a medio entrenar, quizá.
FORGET = "import sys; sys.last_value = sys.last_traceback = sys.last_exc = get_ipython().InteractiveTB.tb = None"


def shown(cell: NotebookNode) -> str:
    """Devuelve lo que enseña una celda, texto y figuras, o el error en que acaba."""
    outputs = clean_outputs(cell.outputs)
    for output in outputs:
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}"
    figures = [data for output in outputs for mime, data in output.get("data", {}).items() if mime.startswith("image/")]
    return NOISE.sub("", "\n".join([visible_text(NotebookNode(source="", outputs=outputs)), *figures])).strip()


def is_measure(cell: NotebookNode) -> bool:
    """Dice si una celda enseña tiempos o memoria, que no se repiten."""
    return "medida" in cell.metadata.get("tags", ())


def interrupt(client: NotebookClient, cell: NotebookNode, index: int, seconds: float) -> None:
    """Ejecuta una celda y la corta a los `seconds`, como el botón de parar de Jupyter."""
    timer = threading.Timer(seconds, os.killpg, (os.getpgid(client.km.provisioner.pid), signal.SIGINT))
    timer.start()
    client.execute_cell(cell, index)
    timer.cancel()
    evaluate(client, f"exec({FORGET!r})")


def repeat(path: Path) -> dict:
    """Ejecuta un lab las tres vueltas; devuelve lo que cambia y los picos de memoria, en MiB."""
    notebook = blank(path)
    cells = [(i, c) for i, c in enumerate(notebook.cells) if c.cell_type == "code" and c.source.strip()]
    first, seconds, changed, peaks = {}, {}, [], []
    with kernel(notebook, path.parent, keep_going=True) as client:
        for i, cell in cells:
            start = time.perf_counter()
            client.execute_cell(cell, i)
            first[i], seconds[i] = shown(cell), time.perf_counter() - start
        peaks.append(measure_peak(client))
        for rounds in (("en la segunda vuelta", "al repetirla"), ("en la tercera vuelta",)):
            for i, cell in cells:
                if len(rounds) == 2 and seconds[i] > SLOW:
                    interrupt(client, cell, i, seconds[i] / 2)
                for when in rounds:
                    client.execute_cell(cell, i)
                    again = shown(cell)
                    if again != first[i] and not is_measure(cell):
                        changed.append({"cell": i + 1, "when": when, "before": first[i], "after": again})
            peaks.append(measure_peak(client))
    return {
        "changed": changed,
        "peak_mb": [round(peak) for peak in peaks],
        "date": datetime.date.today().isoformat(),
    }


def main(arguments: list[str] | None = None, folder: Path = LABS) -> int:
    """Repite los labs pedidos (todos, si no se pide ninguno) y anota cada uno en cuanto acaba."""
    parser = argparse.ArgumentParser(description="Repite las celdas de los labs y anota si algo cambia.")
    parser.add_argument("lab", nargs="*", help="identificador, como lab-04; sin ninguno, todos")
    wanted = parser.parse_args(arguments).lab
    record = folder / "repetidas.json"
    failed = 0
    for path in sorted(folder.glob("lab-*.ipynb")):
        if wanted and lab_id(path) not in wanted:
            continue
        found = repeat(path)
        failed += bool(found["changed"])
        stored = json.loads(record.read_text("utf-8")) if record.exists() else {}
        stored[lab_id(path)] = found
        write_atomic(record, json.dumps(dict(sorted(stored.items())), ensure_ascii=False, indent=2) + "\n")
        print(lab_id(path), json.dumps(found, ensure_ascii=False), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
