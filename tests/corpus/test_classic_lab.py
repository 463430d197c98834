"""Las cifras del laboratorio clásico: las páginas citan las de la tabla, y dicen de dónde salen."""

import csv
import re

import pytest

from utils.course.env import repo_root

ROOT = repo_root()
TABLE = ROOT / "data" / "laboratorio-clasico" / "cifras.csv"
PAGES = {
    "semana-2/01-ajuste-fino-con-instrucciones.md": ("0,2334", "0,4216", "15,8", "32,0", "0,348", "0,345"),
    "semana-2/05-evaluacion.md": ("0,2334", "0,4216", "15,8", "32,0", "0,348", "0,345", "0,0133", "0,0063", "0,0203"),
    "semana-2/07-peft.md": ("23 de 25",),
    "semana-2/08-lora.md": ("0,0133", "0,0063", "0,0203", "23 de 25", "0,04"),
    "apendices/mitos-y-erratas.md": ("0,2334", "0,4216", "15,8", "32,0", "0,348", "0,345", "0,0133", "23 de 25"),
}


def table() -> dict[str, str]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["Cifra"]: row["Valor"] for row in csv.DictReader(file)}


def test_every_figure_says_how_it_is_known():
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["Cómo se sabe"] and row["Valor"] for row in rows)
    assert len(table()) == len(rows)


@pytest.mark.parametrize("page", PAGES)
def test_pages_cite_the_table(page):
    text = (ROOT / "chapters" / page).read_text("utf-8")
    values = set(table().values())
    assert "{ref}`laboratorio-clasico`" in text or "(laboratorio-clasico)=" in text, "no dice de dónde salen"
    for figure in PAGES[page]:
        assert figure in text and set(figure.split(" de ")) <= values, figure


def test_nobody_else_gives_these_figures():
    """Quien los cite nuevo, se apunta arriba: así no quedan páginas con una cifra que nadie sabe de dónde sale."""
    own = re.compile(r"0,0133|0,0203|23 de 25")
    chapters = ROOT / "chapters"
    pages = {str(p.relative_to(chapters)) for p in chapters.rglob("*.md") if own.search(p.read_text("utf-8"))}
    assert pages <= set(PAGES)
