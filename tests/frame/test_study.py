"""Los estudios: se cortan y siguen, avisan de una tabla estropeada, se repiten, y lo guardado es lo que harían hoy."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from importlib import import_module

import pytest

from scripts.lint_common import ROOT
from scripts.study import main
from tests.frame.toy_study import PLAN, execute, toy_study

HEADER = "name,part,size,rate,loss\n"
WHOLE = (
    HEADER + '"uno, dos",1,1,0.5,1.125\n"uno, dos",2,1,0.5,1.25\n"uno, dos",1,2,0.5,2.125\n"uno, dos",2,2,0.5,2.25\n'
    "tres,1,1,10000000000.0,1.125\ntres,2,1,10000000000.0,1.25\n"
)
NAMES = [path.stem for path in sorted(ROOT.glob("scripts/run_*.py")) if "STUDY = Study(" in path.read_text("utf-8")]


@pytest.fixture
def table(tmp_path):
    return tmp_path / "nueva" / "tabla.csv"


@pytest.fixture
def study(table):
    table.parent.mkdir()
    table.write_text(WHOLE, "utf-8")
    return toy_study(table)


@pytest.mark.parametrize(("moment", "done"), [("running", 4), ("writing", 2)])
def test_a_killed_study_continues_where_it_was(table, moment, done):
    command = [sys.executable, "-m", "tests.frame.toy_study", str(table), moment]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    killed = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert killed.returncode == -signal.SIGKILL
    assert table.with_suffix(".tmp").exists() == (moment == "writing")
    assert len(toy_study(table).rows()) == done  # ejecuciones enteras
    again = []
    assert main(toy_study(table, execute=lambda toy: again.append(toy) or execute(toy)), []) == 0
    assert again == PLAN[done // 2 :] and table.read_text("utf-8") == WHOLE


def test_a_deleted_run_goes_back_to_its_place(study, capsys):
    lines = WHOLE.splitlines(keepends=True)
    study.csv.write_text("".join(lines[:3] + lines[5:]), "utf-8")
    main(study, [])
    assert study.csv.read_text("utf-8") == WHOLE
    assert capsys.readouterr().out == "hecho     name=uno, dos size=2 rate=0.5\n"


def test_the_plan_may_depend_on_what_came_out(table):
    main(toy_study(table, plan=lambda rows: PLAN[: len(rows) // 2 + 1]), [])
    assert table.read_text("utf-8") == WHOLE


def test_only_what_is_asked_and_no_more_after_the_time(table, capsys):
    study = toy_study(table)
    main(study, ["--solo", "name=uno, dos", "size=2"])
    main(study, ["--minutos", "0"])
    assert [study.run_of(row) for row in study.rows()[::2]] == PLAN[:2]
    capsys.readouterr()
    main(replace(study, plan=lambda rows: PLAN[1:]), ["--lista"])
    assert capsys.readouterr().out.splitlines() == [
        "fila 3    name=uno, dos size=2 rate=0.5",
        "falta     name=tres size=1 rate=1e+10",
        "fila 1    name=uno, dos size=1 rate=0.5 (fuera del plan)",
    ]
    with pytest.raises(SystemExit, match=r"Nada cumple size=7: mira con --lista"):
        main(study, ["--solo", "size=7"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"tabla\.csv: las columnas deben ser name part size rate loss"),
        ("name,size\n", "Recupera el archivo con git"),
        (HEADER + "tres,1,1\n", "fila 1: está cortada"),
        (HEADER + "tres,1,1,1e10,1.125,3\n", "fila 1: está cortada"),
        (HEADER + "tres,1,1,1e10,1\ntres,2,1.5,1e10,1\n", "fila 2: .* un número mal escrito"),
        (HEADER + "tres,1,1,1e10,1\ntres,1,1,10000000000,2\n", "fila 2: repite la fila 1. Borra una"),
    ],
)
@pytest.mark.parametrize("order", [[], ["--lista"], ["--repite", "1"]])
def test_a_bad_table_is_left_alone_and_says_what_to_do(study, text, message, order):
    study.csv.write_text(text, "utf-8")
    with pytest.raises(SystemExit, match=message):
        main(study, order)
    assert study.csv.read_text("utf-8") == text


def test_repeating_compares_and_writes_nothing(study, capsys):
    def slightly_off(toy):
        return [row | {"loss": row["loss"] + 0.2 * (toy.size == 2)} for row in execute(toy)]

    assert main(study, ["--repite", "1", "6"]) == 0
    assert main(replace(study, execute=slightly_off), ["--repite", "4", "1"]) == 1
    assert main(replace(study, execute=lambda toy: execute(toy)[:1]), ["--repite", "5"]) == 1
    assert main(replace(study, execute=lambda toy: [row | {"loss": "nan"} for row in execute(toy)]), ["--repite", "1"])
    assert capsys.readouterr().out.splitlines()[:5] == [
        "fila 1    name=uno, dos size=1 rate=0.5: coincide (cambia: nada)",
        "fila 6    name=tres size=1 rate=1e+10: coincide (cambia: nada)",
        "fila 4    name=uno, dos size=2 rate=0.5: loss: apuntado 2.125, ahora 2.325; "
        "loss: apuntado 2.25, ahora 2.45 (cambia: loss)",
        "fila 1    name=uno, dos size=1 rate=0.5: coincide (cambia: nada)",
        "fila 5    name=tres size=1 rate=1e+10: hay 2 filas apuntadas y ahora salen 1",
    ]
    for absent in ("0", "7"):
        with pytest.raises(SystemExit, match=f"La fila {absent} no existe: hay 6"):
            main(study, ["--repite", absent])
    assert study.csv.read_text("utf-8") == WHOLE


@pytest.mark.parametrize(
    "results",
    [
        lambda toy: [],
        lambda toy: [{"part": 1}],
        lambda toy: [{"part": 1, "loss": 1, "otra": 1}],
        lambda toy: [{"part": 1, "loss": 1, "rate": "0.49"}],  # al seguir no se reconocería: se repetiría sin fin
    ],
)
def test_results_that_are_not_rows_of_the_run_are_not_stored(table, results):
    with pytest.raises(ValueError, match="debe dar filas suyas, con las columnas name part size rate loss"):
        main(toy_study(table, execute=results), [])
    assert not table.exists()


# Las tablas del curso


def stored(name):
    return import_module(f"scripts.{name}").STUDY


def check_stored(study, table):
    """La tabla de un estudio tiene lo que pide su plan y, escrita otra vez en `table`, es la misma."""
    rows = study.rows()
    runs = list(dict.fromkeys(map(study.run_of, rows)))
    assert set(runs) <= set(study.plan(rows)) and (study.partial or not study.missing())
    copy = replace(study, csv=table, plan=lambda rows: runs)
    for run in runs:
        copy.add(run, [row for row in rows if study.run_of(row) == run])
    assert not rows or table.read_bytes() == study.csv.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_stored_tables_are_complete_and_would_be_written_the_same(name, table):
    check_stored(stored(name), table)


def test_only_a_partial_study_may_store_less_than_its_plan(study, tmp_path):
    check_stored(study, tmp_path / "otra.csv")
    for text in (None, HEADER, "".join(WHOLE.splitlines(keepends=True)[:3])):
        study.csv.unlink() if text is None else study.csv.write_text(text, "utf-8")
        (tmp_path / "otra.csv").unlink(missing_ok=True)
        check_stored(replace(study, partial=True), tmp_path / "otra.csv")
        with pytest.raises(AssertionError):
            check_stored(study, tmp_path / "otra.csv")
    with pytest.raises(AssertionError):
        check_stored(replace(study, partial=True, plan=lambda rows: PLAN[1:]), tmp_path / "otra.csv")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("run_hard_prompts", "run_seeds")])  # minutos
def test_the_shortest_stored_run_can_be_redone(name):
    seconds = [float(row.get("seconds", 0)) for row in stored(name).rows()]
    assert main(stored(name), ["--repite", str(1 + seconds.index(min(seconds)))]) == 0
