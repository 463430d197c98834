"""Las soluciones plegadas de los labs, como código que una prueba puede ejecutar.

En un lab, la solución de un ejercicio es un bloque de Python dentro de <details> y acaba con `comprobar`:

    <details><summary>Solución</summary>

    ```python
    answer = 2 + 2
    comprobar("lab-04.1", answer)
    ```

    </details>

Aquí solo se extrae el código: no se ejecuta ni se decide si es correcto.
"""

import json
import re
from pathlib import Path

_SOLUTION = re.compile(r"<details[^>]*>\s*<summary>\s*Solución[^<]*</summary>(.*?)</details>", re.DOTALL)
_FENCE = re.compile(r"^```python[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_CHECK = re.compile(r"""^comprobar\(\s*["']([^"']+)["']""", re.MULTILINE)


def hidden_solutions(notebook_path: str | Path) -> dict[str, str]:
    """El código de cada «Solución» de un cuaderno, por identificador de ejercicio y en orden de aparición.

    El identificador es el de la llamada a `comprobar` que cierra la solución: así quien la copia la ve
    corregida. Error: `ValueError` si una solución no tiene bloque de Python, no llama a `comprobar` o repite
    un ejercicio.
    """
    path = Path(notebook_path)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    solutions: dict[str, str] = {}
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "markdown":
            continue
        for block in _SOLUTION.findall("".join(cell["source"])):
            where = f"{path.name}, celda {number}"
            code = "\n".join(_FENCE.findall(block))
            if not code:
                raise ValueError(
                    f"{where}: la solución no tiene un bloque ```python con líneas en blanco alrededor."
                )
            ids = set(_CHECK.findall(code))
            if len(ids) != 1:
                raise ValueError(
                    f'{where}: la solución debe acabar con una sola llamada comprobar("lab-NN.n", ...).'
                )
            exercise_id = ids.pop()
            if exercise_id in solutions:
                raise ValueError(f"{where}: ya hay otra solución del ejercicio {exercise_id}.")
            solutions[exercise_id] = code
    return solutions
