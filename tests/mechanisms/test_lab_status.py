"""La página de estado dice con cuántas semillas se sostiene cada lab, y no lo presume del que nadie ha repetido."""

import json

from _ext.lab_status import FIELDS, HEADER, read_status


def test_the_last_column_counts_the_seeds(tmp_path):
    row = dict.fromkeys(FIELDS, "x") | {"seconds": 1.0, "peak_mb": 2.0}
    (tmp_path / "estado.json").write_text(json.dumps({lab: row for lab in ("lab-90", "lab-91", "lab-92")}), "utf-8")
    table = "lab,seed,failed\nlab-90,0,\nlab-90,1,\nlab-91,0,\nlab-91,1,La caché ahorra\n"
    (tmp_path / "semillas.csv").write_text(table, "utf-8")
    rows = read_status(tmp_path / "estado.json")
    assert [found[-1] for found in rows] == [
        "sostenido en 2 semillas", "sostenido en 1 de 2 semillas", "con una semilla"
    ]  # fmt: skip
    assert {len(found) for found in rows} == {len(HEADER)}
