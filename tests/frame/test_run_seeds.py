"""`make semillas`: qué se apunta de cada lab y semilla, y que lo guardado en labs/semillas.csv se cumple siempre."""

from dataclasses import replace

import nbformat
import nbformat.v4 as v4
import pytest

from scripts.run_seeds import SEEDS, STUDY, Planned, execute, plan, row
from scripts.study import main

TABLE = STUDY.rows()
MEASURED = sorted({found["lab"] for found in TABLE})


@pytest.fixture
def lab(tmp_path):
    cells = [
        "import os\nfrom utils.course.claims import claim\nseed = int(os.environ['CURSO_SEMILLA'])\n"
        "stored = {'1': seed}[os.environ['CURSO_EFECTOS']]  # se guardan los efectos de las primeras semillas",
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
def test_each_seed_says_what_fails_and_is_measured_once(lab, monkeypatch, capsys):
    monkeypatch.setenv("CURSO_GUARDAR", "1")
    before, folder = lab.read_bytes(), lab.parent
    table = folder / "semillas.csv"
    study = replace(STUDY, csv=table, plan=lambda rows: plan(rows, folder), execute=lambda p: execute(p, folder))
    study.add(Planned("lab-90", 2), [{"lab": "lab-90", "seed": "2", "checks": "0", "failed": "", "date": "hoy"}])
    for seed in (3, 0, 1, 2):
        main(study, ["--minutos", "0", "--solo", "lab=lab-90", f"seed={seed}"])
    assert [(found["seed"], found["checks"], found["failed"]) for found in study.rows()] == [
        ("0", "6", ""),
        ("1", "4", "Solo las pares"),
        ("2", "0", ""),  # ya estaba apuntada: no se repite
        ("3", "2", "Solo las pares | assert small | KeyError: 'falta' | NameError: name 'x' is not defined"),
    ]
    assert "falla     Solo las pares\n" in capsys.readouterr().out
    assert lab.read_bytes() == before and len(study.missing()) == len(SEEDS) - 4
    assert main(study, ["--repite", "2"]) == 0 and main(study, ["--repite", "3"]) == 1


def test_an_unrun_notebook_has_nothing_to_say():
    notebook = v4.new_notebook(cells=[v4.new_code_cell("x = 1"), v4.new_markdown_cell("assert")])
    assert row(notebook, "lab-90", 3) | {"date": ""} == {
        "lab": "lab-90", "seed": "3", "checks": "0", "failed": "", "date": ""
    }  # fmt: skip


@pytest.mark.parametrize("name", MEASURED)
def test_every_claim_of_a_lab_holds_at_every_seed(name):
    """Con las semillas apuntadas hasta hoy, que pueden no ser todas."""
    rows = [found for found in TABLE if found["lab"] == name]
    assert not {found["seed"]: found["failed"] for found in rows if found["failed"]}
    assert min(int(found["checks"]) for found in rows) > 0
