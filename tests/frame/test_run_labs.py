"""`make labs` sobre cuadernos de juguete: guarda solo lo que va bien y lo deja limpio."""

import json

import nbformat
import nbformat.v4 as v4
import pytest

from scripts.run_labs import clean_outputs, main, normalise


@pytest.fixture
def lab(tmp_path):
    """Escribe un lab con las celdas dadas y lo devuelve."""

    def build(*sources):
        cells = [v4.new_markdown_cell("# Lab 90 · Juguete"), *map(v4.new_code_cell, sources)]
        path = tmp_path / "lab-90-juguete.ipynb"
        nbformat.write(v4.new_notebook(cells=cells, metadata={"widgets": {}}), path)
        return path

    return build


@pytest.mark.slow
def test_good_lab_is_stored_with_its_measures(lab, monkeypatch):
    monkeypatch.setenv("CURSO_SEMILLA", "7")
    path = lab(
        "import os, sys\nprint(os.environ['CURSO_ESCALA'], os.environ.get('CURSO_SEMILLA'))",
        "from pathlib import Path\nprint(Path('lab-90-juguete.ipynb').exists())\nx = b'x' * 200 * 2**20",
    )
    ids = [cell.id for cell in nbformat.read(path, 4).cells]
    assert main(["lab-90"], path.parent) == 0
    notebook = nbformat.read(path, 4)
    assert [cell.id for cell in notebook.cells] == ids
    assert [cell.outputs[0].text for cell in notebook.cells[1:]] == ["mini None\n", "True\n"]
    assert [cell.execution_count for cell in notebook.cells[1:]] == [1, 2]
    assert notebook.metadata.kernelspec.name == "python3" and "widgets" not in notebook.metadata
    state = json.loads((path.parent / "estado.json").read_text("utf-8"))["lab-90"]
    assert set(state) == {"title", "seconds", "peak_mb", "date", "python", "torch", "cores"}
    assert state["title"] == "Lab 90 · Juguete" and 200 < state["peak_mb"] < 2000 and state["seconds"] > 0
    assert not list(path.parent.glob("*.tmp"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\n1 / 0", "la celda 3 ha fallado"),
        ("print('/home/ana/datos')", "rutas de esta máquina: /home/ana/datos"),
        ("import os; os._exit(1)", "el núcleo ha muerto"),
    ],
)
def test_failed_lab_leaves_the_file_untouched(lab, capsys, source, expected):
    path = lab("y = 1", source)
    before = path.read_bytes()
    assert main([], path.parent) == 1
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert expected in capsys.readouterr().err


def test_unknown_lab_says_which_there_are(lab, capsys):
    assert main(["lab-33"], lab("x = 1").parent) == 1
    assert "No existe lab-33. Hay: lab-90-juguete." in capsys.readouterr().err


def test_without_labs_there_is_nothing_to_do(tmp_path):
    assert main([], tmp_path) == 0


def test_outputs_lose_their_litter():
    widget = {"application/vnd.jupyter.widget-view+json": {}}
    outputs = [
        v4.new_output("stream", name="stdout", text="\x1b[31muno\x1b[0m\n 10%|# | 1/9\r"),
        v4.new_output("stream", name="stderr", text="aviso\n"),
        v4.new_output("stream", name="stdout", text=" 90%|###| 9/9\ndos\n"),
        v4.new_output("display_data", data=widget),
        v4.new_output("display_data", data={"text/plain": "tres"}),
    ]
    kept = clean_outputs(outputs)
    assert [output.get("text") or output.data["text/plain"] for output in kept] == ["uno\ndos\n", "tres"]


def test_metadata_is_the_same_everywhere():
    cell = v4.new_code_cell("x", metadata={"tags": ["a"], "execution": {"iopub": "hoy"}, "collapsed": True})
    kernel = {"name": "a", "display_name": "A"}
    notebook = v4.new_notebook(cells=[cell], metadata={"widgets": {}, "kernelspec": kernel})
    normalise(notebook)
    assert notebook.cells[0].metadata == {"tags": ["a"]}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
