"""El mapa de atención: enseña lo que calculan los minis, con ratón, con teclado y sin JavaScript."""

import json
from statistics import mean

import pytest
from widgets.attention_map import EXAMPLES, KINDS, SCALE, examples

from tests.mechanisms.looks import EVERY_VIEW, fits, serious_violations
from tests.mechanisms.tiny_book import ROOT

STORED = ROOT / "_static" / "course" / "widgets" / "attention-map.json"
PAGE = """# Mapa

```{widget} attention-map
examples: [traducir, la frase del libro]
```
"""
BAD_BODIES = [({"examples": ["bailar"]}, "falta `examples: "), ({}, "falta `examples: ")]


@pytest.fixture(scope="module")
def stored() -> dict[str, dict]:
    return {example["title"]: example for example in json.loads(STORED.read_text(encoding="utf-8"))}


def decimal(weight: int) -> str:
    return f"{weight / SCALE:.2f}".replace(".", ",")


def looks(page) -> list[str]:
    return page.locator(".am-value").all_inner_texts()


def close(shown: list[str], weights: list[int]) -> bool:
    """Los números de la página son los del archivo, salvo cómo redondea cada lenguaje el último decimal."""
    values = [float(text.replace(",", ".")) for text in shown]
    return values == pytest.approx([weight / SCALE for weight in weights], abs=0.0051)


def test_file_is_small_and_every_row_sums_one(stored):
    assert STORED.stat().st_size <= 60 * 1024
    assert [(e["title"], e["kind"]) for e in stored.values()] == [(t, KINDS[k]) for t, _, k, _ in EXAMPLES]
    for example in stored.values():
        for heads in example["weights"]:
            for rows in heads:
                assert len(rows) == len(example["rows"])
                for row in rows:
                    assert len(row) == len(example["columns"]) and abs(sum(row) - SCALE) <= len(row)


def test_the_decoder_never_looks_ahead(stored):
    for heads in stored["lo ya escrito"]["weights"]:
        for rows in heads:
            assert all(row[t + 1 :] == [0] * (len(row) - t - 1) for t, row in enumerate(rows))


def test_what_the_chapter_says_about_the_map_is_what_it_shows(stored):
    cross = stored["traducir"]
    best = [cross["columns"][max(range(len(row)), key=row.__getitem__)] for row in cross["weights"][1][2]]
    assert best.count("inglés") >= len(best) - 2
    for heads in stored["lo ya escrito"]["weights"]:
        assert mean([row[t - 1] for t, row in enumerate(heads[3]) if t]) > 0.8 * SCALE
    for title in ("la frase del libro", "el banco del río"):
        close_by = [mean([sum(row[max(t - 1, 0) : t + 2]) for t, row in enumerate(rows)])
                    for heads in stored[title]["weights"] for rows in heads]  # fmt: skip
        assert sorted(range(len(close_by)), key=close_by.__getitem__)[-2:] in ([5, 7], [7, 5])  # capa 2, cabezas 2 y 4
        assert min(close_by[5], close_by[7]) > SCALE / 2


@pytest.mark.slow
def test_file_is_what_the_minis_compute_now(stored):
    for new in examples():
        old = stored[new["title"]]
        assert old | {"weights": 0} == new | {"weights": 0}, "ejecuta scripts/export_widgets.py"
        for old_heads, new_heads in zip(old["weights"], new["weights"], strict=True):
            for old_rows, new_rows in zip(old_heads, new_heads, strict=True):
                for a, b in zip(old_rows, new_rows, strict=True):
                    assert a == pytest.approx(b, abs=2), "ejecuta scripts/export_widgets.py"


def test_layers_heads_and_words_show_the_exported_numbers(page, stored):
    example = stored["traducir"]
    words = page.get_by_role("group", name="Token que mira").get_by_role("button")
    assert words.all_inner_texts() == example["rows"]
    for layer, head, row in ((0, 0, 1), (1, 3, 2), (0, 2, 0)):
        page.get_by_role("combobox", name="Capa").select_option(index=layer)
        page.get_by_role("combobox", name="Cabeza").select_option(index=head)
        words.nth(row).hover()
        weights = example["weights"][layer][head][row]
        assert close(looks(page), weights)
        best = max(range(len(weights)), key=weights.__getitem__)
        message = f"«{example['rows'][row]}» mira sobre todo a «{example['columns'][best]}»"
        assert page.locator(".am-status").inner_text().startswith(message)
        cells = page.locator(f".am-cell[data-row='{row}']")
        opacity = cells.evaluate_all("cells => cells.map((cell) => Number(cell.getAttribute('fill-opacity')))")
        assert opacity == pytest.approx([weight / SCALE for weight in weights], abs=1e-9)


def test_hovering_the_map_and_the_mean_of_the_heads(page, stored):
    example = stored["traducir"]
    page.get_by_role("combobox", name="Cabeza").select_option(value="media")
    page.locator(".am-cell[data-row='2']").first.hover()
    heads = example["weights"][0]
    mean = [sum(rows[2][s] for rows in heads) / len(heads) for s in range(len(example["columns"]))]
    assert close(looks(page), mean)


def test_keyboard_and_another_sentence(page, stored):
    page.get_by_role("combobox", name="Frase").select_option(value="1")
    example = stored["la frase del libro"]
    words = page.get_by_role("group", name="Token que mira").get_by_role("button")
    words.nth(1).focus()
    last = len(example["rows"]) - 1
    for key, row in (("ArrowRight", 2), ("ArrowLeft", 1), ("End", last), ("ArrowRight", last), ("Home", 0)):
        page.keyboard.press(key)
        assert words.nth(row).get_attribute("aria-pressed") == "true"
        assert close(looks(page), example["weights"][0][0][row])


@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    assert fits(page)
    assert serious_violations(page, "attention-map") == []


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_static_table_without_javascript(page, stored):
    rows = page.locator("attention-map table tbody tr")
    example = stored["traducir"]
    assert rows.count() == len(example["rows"])
    first = example["weights"][0][0][0]
    assert decimal(max(first)) in rows.first.inner_text()
