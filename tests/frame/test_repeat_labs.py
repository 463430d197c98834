"""Repetir celdas sobre cuadernos de juguete: lo que cambia se ve, y lo guardado en labs/repetidas.json no cambia."""

import json

import nbformat
import nbformat.v4 as v4
import pytest

from scripts import repeat_labs
from scripts.repeat_labs import main
from scripts.run_labs import LABS, lab_id

STORED = json.loads((LABS / "repetidas.json").read_text("utf-8")) if (LABS / "repetidas.json").exists() else {}
GROWTH = 1.10


@pytest.fixture
def lab(tmp_path):
    """Escribe un lab con las celdas dadas, repite sus celdas y devuelve lo apuntado y el código de salida."""

    def build(*sources, tag=None):
        cells = [v4.new_code_cell(source, metadata={"tags": [tag] if tag else []}) for source in sources]
        nbformat.write(v4.new_notebook(cells=cells), tmp_path / "lab-90-juguete.ipynb")
        state = main(["lab-90"], tmp_path)
        return json.loads((tmp_path / "repetidas.json").read_text("utf-8"))["lab-90"], state

    return build


@pytest.mark.slow
def test_a_repeatable_lab_has_nothing_to_report(lab):
    slow = "import time\nfor _ in range(30):\n    time.sleep(0.1)\nx = [1]\nprint(object())"
    found, state = lab("values = []", "values = [*values[:0], 1]\nprint(values)", slow, "print(x)")
    assert (found["changed"], state) == ([], 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("values = []", "values.append(1)\nprint(values)"), (2, "al repetirla", "[1]", "[1, 1]")),
        (("x = 1", "print(x)\ndel x"), (2, "al repetirla", "1", "NameError: name 'x' is not defined")),
        (
            (
                "import itertools",
                "try:\n    count\nexcept NameError:\n    count = itertools.count()",
                "print(next(count))",
            ),
            (3, "en la segunda vuelta", "0", "1"),
        ),
        (
            ("%matplotlib inline\nfrom matplotlib import pyplot as plt\nys = [1, 2]", "plt.plot(ys);\nys.append(9)"),
            (2, "al repetirla", None, None),
        ),
    ],
)
def test_what_changes_is_told(lab, monkeypatch, sources, expected):
    monkeypatch.setattr(repeat_labs, "SLOW", 3600)  # en una máquina ocupada, hasta importar parece lento
    found, state = lab(*sources)
    first = found["changed"][0]
    assert state == 1 and (first["cell"], first["when"]) == expected[:2]
    assert expected[2] is None or (first["before"].strip(), first["after"].strip()) == expected[2:]


@pytest.mark.slow
def test_a_measure_may_change(lab):
    assert lab("import time\nprint(time.perf_counter())", tag="medida")[1] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keep", "grows"), [("kept = b'x' * 200 * 2**20", False), ("sys.kept.append(b'x' * 200 * 2**20)", True)]
)
def test_a_leak_is_told_from_what_has_a_name(lab, keep, grows):
    found, _ = lab("import sys\nsys.kept = getattr(sys, 'kept', [])", keep)
    _, second, third = found["peak_mb"]
    assert (third > GROWTH * second) == grows


@pytest.mark.parametrize("name", sorted(STORED))
def test_stored_run_of_a_lab_changes_nothing_and_keeps_its_memory(name):
    assert STORED[name]["changed"] == []
    _, second, third = STORED[name]["peak_mb"]
    assert third <= GROWTH * second


def test_only_labs_that_exist_are_stored():
    assert set(STORED) <= {lab_id(path) for path in LABS.glob("lab-*.ipynb")}
