"""`make semillas`: qué se apunta de cada lab y semilla, y que lo guardado en labs/semillas.csv se cumple siempre."""

import nbformat
import nbformat.v4 as v4
import pytest

from scripts.run_labs import LABS, lab_id
from scripts.run_seeds import add, main, read_table, row

TABLE = read_table(LABS / "semillas.csv")
MEASURED = sorted({found["lab"] for found in TABLE})
SEEDS = 10


@pytest.fixture
def lab(tmp_path):
    cells = [
        "import os\nfrom utils.course.claims import claim\nseed = int(os.environ['CURSO_SEMILLA'])",
        "claim('Siempre', True)\nassert seed >= 0",
        "claim('Solo las pares', seed % 2 == 0)\nclaim('Ya no se mira', True)",
        "small = seed < 2\nassert small",
        "x = {}['falta'] if seed == 3 else 1",
        "assert x == 1",
    ]
    path = tmp_path / "lab-90-juguete.ipynb"
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(source) for source in cells]), path)
    return path


@pytest.mark.slow
def test_each_seed_says_what_fails_and_is_measured_once(lab, monkeypatch):
    monkeypatch.setenv("CURSO_GUARDAR", "1")
    before = lab.read_bytes()
    assert main(["lab-90", "--seeds", "2"], lab.parent) == 1
    add(lab.parent / "semillas.csv", {"lab": "lab-90", "seed": "2", "checks": "0", "failed": "", "date": "hoy"})
    assert main(["--seeds", "4"], lab.parent) == 1
    table = {int(found["seed"]): found for found in read_table(lab.parent / "semillas.csv")}
    assert [(table[seed]["checks"], table[seed]["failed"]) for seed in range(4)] == [
        ("6", ""),
        ("4", "Solo las pares"),
        ("0", ""),  # ya estaba apuntada: no se repite
        ("2", "Solo las pares | assert small | KeyError: 'falta' | NameError: name 'x' is not defined"),
    ]
    assert lab.read_bytes() == before
    assert main([], lab.parent) == 1 and len(read_table(lab.parent / "semillas.csv")) == 10


def test_an_unrun_notebook_has_nothing_to_say():
    notebook = v4.new_notebook(cells=[v4.new_code_cell("x = 1"), v4.new_markdown_cell("assert")])
    assert row(notebook, "lab-90", 3) | {"date": ""} == {
        "lab": "lab-90", "seed": "3", "checks": "0", "failed": "", "date": ""
    }  # fmt: skip


@pytest.mark.parametrize("name", MEASURED)
def test_every_claim_of_a_lab_holds_at_every_seed(name):
    rows = [found for found in TABLE if found["lab"] == name]
    assert len({found["seed"] for found in rows}) == len(rows) >= SEEDS
    assert not {found["seed"]: found["failed"] for found in rows if found["failed"]}
    assert min(int(found["checks"]) for found in rows) > 0


def test_only_labs_that_exist_are_in_the_table():
    assert set(MEASURED) <= {lab_id(path) for path in LABS.glob("lab-*.ipynb")}
