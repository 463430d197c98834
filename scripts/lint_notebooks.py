"""Revisa los labs guardados: marco común, largo de las celdas y salidas de una sola ejecución ordenada.

No los ejecuta (eso es `make labs`) ni juzga lo que cuentan.
"""

import base64
import io
import re
import statistics
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image

from scripts.lint_common import ROOT, Problem, machine_paths, report
from scripts.run_labs import PROGRESS, WIDGET, lab_id, visible_text
from utils.course.setup_cell import setup_cell
from utils.course.version import REPO_URL, TAG

CARD = ("objetivo", "tiempo", "memoria", "descarga", "prerrequisitos")
SECTIONS = ("Con modelos reales", "Resumen", "Autoevaluación", "Para saber más")
MAX_LINES, MEDIAN_LINES, MAX_RUN = 25, 8, 2
MAX_WIDTH = 120  # caracteres, como en el resto del código
MIN_EXERCISES = 3
MAX_FIGURE = 150 * 1024  # bytes

# Un hallazgo: número de celda (desde 1; 0, el cuaderno entero), qué pasa y cómo se arregla.
Found = Iterator[tuple[int, str, str]]


def badge_urls(name: str) -> tuple[str, str]:
    """Devuelve las direcciones de Colab y Kaggle que corresponden a un archivo de labs/.

    >>> badge_urls("lab-04-prompts.ipynb")[0].rsplit("/", 2)[1:]
    ['labs', 'lab-04-prompts.ipynb']
    """
    blob = f"{REPO_URL}/blob/{TAG}/labs/{name}"
    return (
        blob.replace("https://github.com", "https://colab.research.google.com/github"),
        f"kaggle.com/kernels/welcome?src={blob}",
    )


def check_frame(name: str, cells: list[NotebookNode]) -> Found:
    """Revisa lo que todo lab lleva: título, insignias, ficha, preparación, apartados y ejercicios."""
    if not cells or not re.match(r"# \S", cells[0].source):
        yield 1, "el cuaderno no empieza por un título", "Pon «# Lab NN · ...» en la primera línea."
    code = [i for i, cell in enumerate(cells, 1) if cell.cell_type == "code"]
    first = code[0] if code else len(cells) + 1
    header = "\n".join(cell.source for cell in cells[: first - 1])
    for site, url in zip(("Colab", "Kaggle"), badge_urls(name), strict=True):
        if url not in header:
            yield 1, f"falta la insignia de {site} con la ruta y la etiqueta de este lab", f"Usa {url}."
    missing = [word for word in CARD if word not in header.lower()]
    if missing:
        yield 1, f"a la ficha le falta: {', '.join(missing)}", "Va antes de la primera celda."
    expected = setup_cell(lab_id(Path(name)))
    if not code or cells[first - 1].source.strip() != expected.strip():
        fix = f"Ponla con «make version VERSION={TAG.removeprefix('v')}», la versión de hoy."
        yield first if code else 0, "la primera celda de código no es la de preparación", fix
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    if "¿Qué esperas ver?" not in prose:
        yield 0, "falta «¿Qué esperas ver?»", "Ponlo antes de cada resultado."
    for section in SECTIONS:
        if not re.search(rf"^##+ .*{section}", prose, re.MULTILINE):
            yield 0, f"falta el apartado «{section}»", "Es parte del marco de todos los labs."
    sources = "\n".join(cells[i - 1].source for i in code)
    exercises = set(re.findall(r"^comprobar\(\s*[\"']([^\"']+)", sources, re.MULTILINE))
    if len(exercises) < MIN_EXERCISES:
        yield 0, f"hay {len(exercises)} ejercicio(s) con comprobar(...)", f"Escribe al menos {MIN_EXERCISES}."


def check_shape(cells: list[NotebookNode]) -> Found:
    """Revisa el ritmo: celdas de código cortas, de líneas cortas, y nunca más de dos seguidas sin texto."""
    lengths = []
    for i, cell in enumerate(cells, 1):
        if cell.cell_type != "code":
            continue
        lengths.append(len(cell.source.splitlines()))
        if lengths[-1] > MAX_LINES:
            yield i, f"la celda tiene {lengths[-1]} líneas y el tope son {MAX_LINES}", "Pártela."
        for number, line in enumerate(cell.source.splitlines(), 1):
            if len(line) > MAX_WIDTH:
                what = f"la línea {number} tiene {len(line)} caracteres y el tope son {MAX_WIDTH}"
                yield i, what, "Pártela sin juntar dos instrucciones."
        if not cell.source.strip():
            yield i, "la celda de código está vacía", "Bórrala."
    # La de preparación no cuenta: es la misma en todos.
    if lengths[1:] and (median := statistics.median(lengths[1:])) > MEDIAN_LINES:
        yield 0, f"la mediana de las celdas es {median:g} líneas y el tope, {MEDIAN_LINES}", "Acórtalas."
    position = 1
    for kind, group in groupby(cell.cell_type for cell in cells):
        size = len(list(group))
        if kind == "code" and size > MAX_RUN:
            yield position + MAX_RUN, f"hay {size} celdas de código seguidas", "Intercala texto."
        position += size


def check_outputs(cells: list[NotebookNode]) -> Found:
    """Revisa que las salidas sean de una ejecución en orden, sin errores, ruido ni figuras enormes."""
    rerun = "Ejecuta «make labs» para ese lab."
    code = [(i, c) for i, c in enumerate(cells, 1) if c.cell_type == "code" and c.source.strip()]
    counts = [cell.execution_count for _, cell in code]
    if counts != list(range(1, len(code) + 1)):
        wrong = next(n for n, count in enumerate(counts, 1) if count != n)
        yield code[wrong - 1][0], "la celda no se ejecutó en su orden, de arriba abajo", rerun
    if code and not any(cell.outputs for _, cell in code):
        yield 0, "el cuaderno no tiene salidas", rerun
    for i, cell in code:
        for output in cell.outputs:
            data, text = output.get("data", {}), output.get("text", "")
            if output.output_type == "error":
                yield i, f"la celda acaba en un error ({output.ename})", "Arréglala y ejecuta «make labs»."
            if output.get("name") == "stderr" or "\r" in text or PROGRESS.search(text):
                yield i, "hay avisos o barras de progreso en la salida", rerun
            if any(mime.startswith(WIDGET) for mime in data):
                yield i, "hay un widget que no se verá sin núcleo", "Usa una salida de texto o una figura."
            for mime, content in data.items():
                size = figure_size(mime, content)
                if size > MAX_FIGURE:
                    yield i, f"la figura ocupa {size // 1024} KB y el tope son 150", "Dibuja menos puntos."
                if size and not is_opaque(mime, content):
                    fix = "Deja el estilo que pone preparar() y ejecuta «make labs» para ese lab."
                    yield i, "la figura es transparente: en un fondo oscuro no se lee", fix


def figure_size(mime: str, content: str) -> int:
    """Devuelve los bytes que ocupa una figura (0 si la salida no es una imagen).

    >>> figure_size("image/svg+xml", "<svg/>"), figure_size("image/png", "AAAA"), figure_size("text/html", "")
    (6, 3, 0)
    """
    if not mime.startswith("image/"):
        return 0
    return len(content.encode() if mime == "image/svg+xml" else base64.b64decode(content))


def is_opaque(mime: str, content: str) -> bool:
    """Dice si una figura se ve igual sobre cualquier fondo: un PNG sin transparencia o un SVG que empieza por su fondo.

    >>> [is_opaque("image/svg+xml", f'<path style="fill: {color}"/>') for color in ("#ffffff", "none")]
    [True, False]
    """
    if mime == "image/svg+xml":
        # La primera pieza que pinta matplotlib es el fondo de la figura.
        first = re.search(r"<(?:path|rect|circle|text)\b[^>]*>", content.partition("</defs>")[2] or content)
        return bool(first and re.search(r"fill: #[0-9a-f]{6}", first[0]) and "opacity" not in first[0])
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        return image.convert("RGBA").getextrema()[3][0] == 255


def check_notebook(name: str, notebook: NotebookNode) -> Found:
    """Revisa un cuaderno entero; cada problema dice su celda (0 si es del cuaderno)."""
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield 0, "el núcleo no es python3", "Ejecuta «make labs» para ese lab."
    if "widgets" in notebook.metadata:
        yield 0, "guarda el estado de widgets (metadata.widgets)", "Ejecuta «make labs» para ese lab."
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) != len(ids):
        yield 0, "hay celdas sin id o con el id repetido", "Guárdalo con un JupyterLab reciente."
    for i, cell in enumerate(notebook.cells, 1):
        for path in machine_paths(visible_text(cell)):
            yield i, f"aparece una ruta de una máquina concreta ({path})", "Escríbela relativa a la raíz."
    yield from check_frame(name, notebook.cells)
    yield from check_shape(notebook.cells)
    yield from check_outputs(notebook.cells)


def check_file(path: Path) -> list[Problem]:
    """Revisa un archivo y traduce cada número de celda a su línea del .ipynb."""
    text = path.read_text("utf-8")
    try:
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except (nbformat.ValidationError, ValueError) as error:
        reason = str(error).splitlines()[0]
        return [Problem(path, 1, f"no es un cuaderno válido ({reason})", "Guárdalo desde JupyterLab.")]
    lines = text.splitlines()
    problems = []
    for cell, what, fix in check_notebook(path.name, notebook):
        mark = f'"id": "{notebook.cells[cell - 1].get("id")}"' if 0 < cell <= len(notebook.cells) else "{"
        line = next((n for n, content in enumerate(lines, 1) if mark in content), 1)
        problems.append(Problem(path, line, f"celda {cell}: {what}" if cell else what, fix))
    return problems


def check(root: Path = ROOT) -> list[Problem]:
    """Revisa todos los labs de una raíz."""
    return [problem for path in sorted(root.glob("labs/*.ipynb")) for problem in check_file(path)]


if __name__ == "__main__":
    sys.exit(report(check(), "Cuadernos"))
