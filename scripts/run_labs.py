"""Ejecuta los labs de arriba abajo, a escala mini, y guarda sus salidas en el propio cuaderno.

Cada lab estrena núcleo, y su archivo solo se reescribe, de una vez, si todas las celdas han ido bien.
Anota en labs/estado.json el tiempo y la memoria medidos. No ejecuta la escala gpu ni toca el texto.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbformat import NotebookNode

from scripts.lint_common import ROOT, machine_paths
from utils.course.numerals import number

LABS = ROOT / "labs"
CELL_TIMEOUT = 1800  # segundos: evita un cuelgue, no mide la velocidad
WIDGET = "application/vnd.jupyter.widget"
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PROGRESS = re.compile(r"^.*\d+ ?%\|.*\|.*$\n?", re.MULTILINE)  # una barra de tqdm

# La memoria la mide el propio núcleo al acabar. En Linux no sirve ru_maxrss: un proceso recién creado hereda el máximo
# de su padre. VmHWM viene en KiB; en macOS, ru_maxrss, en bytes.
PEAK_MB = (
    "__import__('resource').getrusage(0).ru_maxrss / 2**20"
    if sys.platform == "darwin"
    else "int(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0]) / 2**10"
)


class LabError(Exception):
    """Un lab que no ha terminado bien; el mensaje dice qué celda y por qué."""


def lab_id(path: Path) -> str:
    """Devuelve el identificador corto de un lab.

    >>> lab_id(Path("labs/lab-04-prompts.ipynb"))
    'lab-04'
    """
    return "-".join(path.stem.split("-")[:2])


def clean_stream(text: str) -> str:
    """Deja un texto como quedaría en un terminal: sin colores, retrocesos de línea ni barras de progreso.

    >>> clean_stream("a 1\\ra 2\\n 50%|###   | 1/2\\nfin\\n")
    'a 2\\nfin\\n'
    """
    text = ANSI.sub("", text).replace("\r\n", "\n")
    text = re.sub(r"[^\n]*\r", "", text)
    return PROGRESS.sub("", text)


def clean_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Quita stderr y los widgets, limpia el texto y junta los trozos seguidos de stdout."""
    cleaned: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                continue
            if cleaned and cleaned[-1].output_type == "stream":
                cleaned[-1].text += output.text
                continue
        elif any(mime.startswith(WIDGET) for mime in output.get("data", {})):
            continue
        cleaned.append(output)
    for output in cleaned:
        if output.output_type == "stream":
            output.text = clean_stream(output.text)
    return [output for output in cleaned if output.output_type != "stream" or output.text]


def normalise(notebook: NotebookNode) -> None:
    """Deja los metadatos iguales para todos: núcleo python3, sin widgets ni tiempos, con ids y etiquetas."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    for cell in notebook.cells:
        for key in set(cell.metadata) - {"tags", "editable", "deletable", "jupyter", "mystnb"}:
            del cell.metadata[key]
        if cell.cell_type == "code":
            cell.outputs = clean_outputs(cell.outputs)


def failure(notebook: NotebookNode, error: Exception) -> str:
    """Explica en qué celda se ha parado un cuaderno, con el final de la traza."""
    if isinstance(error, CellExecutionError):
        broken = [any(o.output_type == "error" for o in cell.get("outputs", ())) for cell in notebook.cells]
        tail = "\n".join(ANSI.sub("", error.traceback).strip().splitlines()[-8:])
        return f"la celda {broken.index(True) + 1} ha fallado.\n{tail}"
    if isinstance(error, CellTimeoutError):
        return f"una celda ha pasado de {CELL_TIMEOUT} s: seguramente espera algo que no llega."
    return "el núcleo ha muerto, casi siempre por falta de memoria; cierra otros programas y repite."


def blank(path: Path) -> NotebookNode:
    """Lee un cuaderno y lo devuelve sin salidas."""
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Devuelve las celdas de código de un cuaderno, en orden."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@contextmanager
def kernel(
    notebook: NotebookNode, folder: Path, keep_going: bool = False, **variables: str
) -> Iterator[NotebookClient]:
    """Abre un núcleo en `folder`, a escala mini y con la semilla 0 si `variables` (de entorno) no traen otras.

    Da el cliente que ejecuta las celdas; con `keep_going`, una celda que falla no lanza nada: queda en su salida.
    """
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        startup_timeout=CELL_TIMEOUT,
        iopub_timeout=CELL_TIMEOUT,  # con la máquina ocupada, una salida puede llegar más de 4 s después que su celda
        kernel_name="python3",
        record_timing=False,
        allow_errors=keep_going,
        extra_arguments=["--log-level=ERROR"],
    )
    env = {name: value for name, value in os.environ.items() if name not in ("CURSO_SEMILLA", "CURSO_GUARDAR")}
    with client.setup_kernel(env=env | {"CURSO_ESCALA": "mini", **variables}, cwd=str(folder)):
        yield client


def execute(path: Path) -> tuple[NotebookNode, float, float]:
    """Ejecuta un cuaderno en un núcleo nuevo; devuelve el cuaderno, los segundos y el pico en MiB."""
    notebook = blank(path)
    start = time.perf_counter()
    try:
        # CURSO_GUARDAR: el lab deja también las cifras que citan los capítulos
        with kernel(notebook, path.parent, CURSO_GUARDAR="1") as client:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
            seconds = time.perf_counter() - start
            peak_mb = measure_peak(client)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise LabError(failure(notebook, error)) from None
    normalise(notebook)
    found = sorted({path for cell in notebook.cells for path in machine_paths(visible_text(cell))})
    if found:
        raise LabError(f"aparecen rutas de esta máquina: {', '.join(found)}. Muestra rutas relativas.")
    return notebook, seconds, peak_mb


def evaluate(client: NotebookClient, expression: str) -> str:
    """Evalúa una expresión en el núcleo, sin dejar rastro en el cuaderno, y devuelve lo que vale, en texto."""
    message = client.kc.execute("", silent=True, store_history=False, user_expressions={"value": expression})
    receive = run_sync(client.kc.get_shell_msg)
    while (reply := receive(timeout=CELL_TIMEOUT))["parent_header"].get("msg_id") != message:
        pass
    return reply["content"]["user_expressions"]["value"]["data"]["text/plain"]


def measure_peak(client: NotebookClient) -> float:
    """Pregunta al núcleo cuánta memoria llegó a ocupar (MiB)."""
    return float(evaluate(client, PEAK_MB))


def visible_text(cell: NotebookNode) -> str:
    """Devuelve el texto que un lector ve de una celda: su fuente y sus salidas de texto, sin las imágenes.

    >>> visible_text(nbformat.v4.new_markdown_cell("Hola"))
    'Hola'
    """
    parts = [cell.source]
    for output in cell.get("outputs", ()):
        parts.append(output.get("text", "") + "\n".join(output.get("traceback", ())))
        parts += [text for mime, text in output.get("data", {}).items() if mime.startswith("text/")]
    return "\n".join(parts)


def write_atomic(path: Path, text: str) -> None:
    """Escribe un archivo de una vez: o queda el nuevo entero o queda el que había."""
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        temporary.write_text(text, "utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def run(path: Path) -> None:
    """Ejecuta un lab, guarda sus salidas y anota la medida en el estado.json de su carpeta."""
    notebook, seconds, peak_mb = execute(path)
    headings = (cell.source.splitlines()[0] for cell in notebook.cells if cell.source.startswith("# "))
    title = next(headings, path.stem).lstrip("# ")
    state_path = path.with_name("estado.json")
    state = json.loads(state_path.read_text("utf-8")) if state_path.exists() else {}
    state[lab_id(path)] = {
        "title": title,
        "seconds": round(seconds, 1),
        "peak_mb": round(peak_mb),
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }
    write_atomic(path, nbformat.writes(notebook) + "\n")
    write_atomic(state_path, json.dumps(dict(sorted(state.items())), ensure_ascii=False, indent=2) + "\n")
    print(f"{path.stem}: {number(seconds, 1)} s, {number(peak_mb, 0)} MB")


def main(arguments: list[str] | None = None, folder: Path = LABS) -> int:
    """Ejecuta los labs pedidos (todos, si no se pide ninguno), uno detrás de otro."""
    parser = argparse.ArgumentParser(description="Ejecuta los labs y guarda sus salidas.")
    parser.add_argument("lab", nargs="*", help="identificador, como lab-04; sin ninguno, todos")
    wanted = parser.parse_args(arguments).lab
    available = {path.stem: path for path in sorted(folder.glob("lab-*.ipynb"))}
    known = available.keys() | {lab_id(path) for path in available.values()}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"No existe {', '.join(unknown)}. Hay: {', '.join(available) or 'ninguno'}.", file=sys.stderr)
        return 1
    chosen = [path for path in available.values() if not wanted or {path.stem, lab_id(path)} & set(wanted)]
    if not chosen:
        print("No hay labs todavía.")
    failed = 0
    for path in chosen:
        try:
            run(path)
        except (LabError, OSError) as error:
            failed += 1
            print(f"{path.stem}: {error}\nEl archivo queda como estaba.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
