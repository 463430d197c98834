"""Cada regla de los labs: un cuaderno correcto pasa y, estropeado de una sola manera, el aviso es el suyo."""

import base64
import io

import nbformat
import nbformat.v4 as v4
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from scripts.lint_notebooks import badge_urls, check_file, check_notebook, setup_cell
from utils.course.plots import use_style

NAME = "lab-90-prueba.ipynb"


def good_notebook():
    """Un lab mínimo que cumple todas las reglas."""
    colab, kaggle = badge_urls(NAME)
    header = f"# Lab 90 · Prueba\n\n[Colab]({colab}) [Kaggle](https://www.{kaggle})\n\n"
    header += "**Objetivo**, **tiempo**, **memoria**, **descarga** y **prerrequisitos**."
    cells = [v4.new_markdown_cell(header), v4.new_code_cell(setup_cell("lab-90"))]
    for n in (1, 2, 3):
        cells.append(v4.new_markdown_cell("## Ejercicio\n\n¿Qué esperas ver?"))
        cells.append(v4.new_code_cell(f'comprobar("90.{n}", ...)'))
    titles = ("Con modelos reales", "Resumen", "Autoevaluación", "Para saber más")
    cells += [v4.new_markdown_cell(f"## {title}") for title in titles]
    code = [cell for cell in cells if cell.cell_type == "code"]
    for n, cell in enumerate(code, 1):
        cell.execution_count = n
        cell.outputs = [v4.new_output("stream", name="stdout", text="todavía no\n")]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def problems(notebook, name=NAME):
    return [what for _, what, _ in check_notebook(name, notebook)]


def test_good_notebook_has_no_problems():
    assert problems(good_notebook()) == []


def replace(old, new):
    """Cambia un texto en todas las celdas de Markdown."""

    def spoil(notebook):
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = cell.source.replace(old, new)

    return spoil


def code_cell(notebook, n=1):
    return [cell for cell in notebook.cells if cell.cell_type == "code"][n]


def output(kind, **fields):
    """Añade una salida a la segunda celda de código."""
    return lambda notebook: code_cell(notebook).outputs.append(v4.new_output(kind, **fields))


def source(text):
    return lambda notebook: code_cell(notebook).update(source=text)


def long_median(notebook):
    for n in (1, 2, 3):
        code_cell(notebook, n).source += "\nx = 1" * 9


def png(size=0, alpha=255):
    """Un PNG de un píxel, con los bytes que le falten hasta `size` detrás."""
    file = io.BytesIO()
    Image.new("RGBA", (1, 1), (0, 0, 0, alpha)).save(file, "PNG")
    return {"image/png": base64.b64encode(file.getvalue().ljust(size, b"\0")).decode()}


def svg(background):
    """Una figura de matplotlib con ese fondo."""
    with plt.rc_context():
        use_style(background)
        figure, file = plt.figure(), io.StringIO()
        figure.add_subplot().plot([0, 1])
        figure.savefig(file, format="svg")
        plt.close(figure)
    return {"image/svg+xml": file.getvalue()}


SPOILED = {
    "no empieza por un título": replace("# Lab 90", "Lab 90"),
    "insignia de Colab": replace("colab.research.google.com", "ejemplo.org"),
    "insignia de Kaggle": replace("kernels/welcome", "otro"),
    "a la ficha le falta: memoria": replace("**memoria**", ""),
    "no es la de preparación": lambda notebook: code_cell(notebook, 0).update(source="import utils"),
    "falta «¿Qué esperas ver?»": replace("¿Qué esperas ver?", "Mira."),
    "falta el apartado «Con modelos reales»": replace("## Con modelos reales", "Con modelos reales"),
    "falta el apartado «Resumen»": replace("Resumen", "Fin"),
    "falta el apartado «Autoevaluación»": replace("Autoevaluación", "Preguntas"),
    "falta el apartado «Para saber más»": replace("Para saber más", "Enlaces"),
    "hay 2 ejercicio(s)": source('comprobar("90.2", ...)'),
    "la celda tiene 26 líneas": source('comprobar("90.1", ...)' + "\nx = 1" * 25),
    "la línea 2 tiene 121 caracteres": source('comprobar("90.1", ...)\nx = "' + "a" * 115 + '"'),
    "la mediana de las celdas": long_median,
    "celdas de código seguidas": lambda notebook: notebook.cells.pop(2) and notebook.cells.pop(3),
    "está vacía": lambda notebook: notebook.cells.append(v4.new_code_cell("")),
    "no se ejecutó en su orden": lambda notebook: code_cell(notebook).update(execution_count=7),
    "no tiene salidas": lambda notebook: [code_cell(notebook, n).update(outputs=[]) for n in range(4)],
    "acaba en un error": output("error", ename="ValueError", evalue="x", traceback=[]),
    "avisos o barras de progreso": output("stream", name="stderr", text="aviso"),
    "barras de progreso": output("stream", name="stdout", text=" 50%|#####     | 1/2\n"),
    "un widget": output("display_data", data={"application/vnd.jupyter.widget-view+json": {"model_id": "a"}}),
    "la figura ocupa": output("display_data", data=png(151 * 1024)),
    "la figura es transparente": output("display_data", data=svg("none")),
    "en un fondo oscuro no se lee": output("display_data", data=png(alpha=254)),
    "el núcleo no es python3": lambda notebook: notebook.metadata.kernelspec.update(name="conda-env"),
    "metadata.widgets": lambda notebook: notebook.metadata.update(widgets={}),
    "el id repetido": lambda notebook: notebook.cells[1].update(id=notebook.cells[0].id),
    "una ruta de una máquina": output("stream", name="stdout", text="en /home/ana/x"),
    "(C:\\Users)": replace("¿Qué", "C:\\Users\\ana ¿Qué"),
}


@pytest.mark.parametrize("expected", SPOILED)
def test_each_rule_catches_its_defect(expected):
    notebook = good_notebook()
    SPOILED[expected](notebook)
    assert any(expected in what for what in problems(notebook)), problems(notebook)


def test_figures_within_the_limit_and_with_background_are_accepted():
    notebook = good_notebook()
    output("display_data", data=png(150 * 1024))(notebook)
    output("display_data", data=svg("white"))(notebook)
    assert problems(notebook) == []


def test_a_line_may_fill_the_width():
    notebook = good_notebook()
    code_cell(notebook).source += '\nx = "' + "a" * 114 + '"'
    assert problems(notebook) == []


def test_badges_must_be_those_of_the_file():
    assert len(problems(good_notebook(), name="lab-90-otro.ipynb")) == 2


def test_message_points_to_the_line_of_the_cell(tmp_path):
    notebook = good_notebook()
    code_cell(notebook).execution_count = 7
    path = tmp_path / NAME
    nbformat.write(notebook, path)
    (problem,) = check_file(path)
    assert code_cell(notebook).id in path.read_text("utf-8").splitlines()[problem.line - 1]
    assert "celda 4" in problem.what


def test_broken_file_is_reported_not_raised(tmp_path):
    path = tmp_path / NAME
    path.write_text("{ esto no es JSON", "utf-8")
    (problem,) = check_file(path)
    assert "no es un cuaderno válido" in problem.what
