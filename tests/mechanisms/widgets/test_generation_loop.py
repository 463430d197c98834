"""El bucle de generación: enseña los pasos de los minis, con botones, con teclado y sin JavaScript."""

import json

import pytest
from widgets.generation_loop import EXAMPLES, TOP, examples

from tests.mechanisms.looks import EVERY_VIEW, fits, serious_violations
from tests.mechanisms.tiny_book import ROOT

STORED = ROOT / "_static" / "course" / "widgets" / "generation-loop.json"
PAGE = """# Bucle

```{widget} generation-loop
examples: [traducir, continuar]
```
"""
BAD_BODIES = [({"examples": ["bailar"]}, "falta `examples: "), ({}, "falta `examples: ")]


@pytest.fixture(scope="module")
def stored() -> list[dict]:
    return json.loads(STORED.read_text(encoding="utf-8"))


def test_file_is_small_and_well_formed(stored):
    assert STORED.stat().st_size <= 40 * 1024
    assert [example["title"] for example in stored] == [title for title, *_ in EXAMPLES]
    for example in stored:
        assert example["start"] and example["steps"] and example["text"]
        for step in example["steps"]:
            names, probs = zip(*step["candidates"], strict=True)
            assert len(names) == TOP and 0 <= step["chosen"] < TOP
            assert all(0 <= p <= 1 for p in probs) and sum(probs) <= 1.001
            if example["method"] == "voraz":
                assert probs[step["chosen"]] == max(probs)


@pytest.mark.slow
def test_file_is_what_the_minis_generate_now(stored):
    for old, new in zip(stored, examples(), strict=True):
        assert old | {"steps": None} == new | {"steps": None}, "ejecuta scripts/export_widgets.py"
        for a, b in zip(old["steps"], new["steps"], strict=True):
            assert a["chosen"] == b["chosen"]
            assert [p for _, p in a["candidates"]] == pytest.approx([p for _, p in b["candidates"]], abs=2e-3)


def written(page) -> list[str]:
    return page.locator(".gl-token").all_text_contents()


def seen(token: str) -> str:
    return "·" + token[1:] if token.startswith(" ") else token


def test_steps_forward_and_back_show_the_exported_numbers(page, stored):
    example = stored[0]
    assert written(page) == [seen(token) for token in example["start"]]
    for number, step in enumerate(example["steps"]):
        rows = page.locator(".gl-table tbody tr")
        assert rows.locator("th").all_text_contents() == [seen(token) for token, _ in step["candidates"]]
        assert rows.nth(step["chosen"]).get_attribute("class") == "is-chosen"
        assert rows.locator(".gl-value").first.inner_text().endswith(" %")
        page.get_by_role("button", name="Paso").click()
        chosen = [s["candidates"][s["chosen"]][0] for s in example["steps"][: number + 1]]
        assert written(page)[len(example["start"]) :] == [seen(token) for token in chosen]
    assert page.get_by_role("button", name="Paso").get_attribute("aria-disabled") == "true"
    assert f"Fin en {len(example['steps'])} pasos" in page.locator(".gl-status").inner_text()
    page.get_by_role("button", name="Atrás").click()
    assert len(written(page)) == len(example["start"]) + len(example["steps"]) - 1
    page.get_by_role("button", name="Empezar").click()
    assert written(page) == [seen(token) for token in example["start"]]


def test_keyboard_and_play(page, stored):
    start, steps = len(stored[0]["start"]), len(stored[0]["steps"])
    page.get_by_role("button", name="Paso").focus()
    for key, count in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", steps), ("Home", 0)):
        page.keyboard.press(key)
        assert len(written(page)) == start + count
    play = page.get_by_role("button", name="Reproducir")
    play.press("Enter")
    page.wait_for_function(f"document.querySelectorAll('.gl-token').length >= {start + 2}")
    page.get_by_role("button", name="Pausa").press("Enter")
    stopped = len(written(page))
    page.wait_for_timeout(1500)
    assert len(written(page)) == stopped
    page.get_by_role("combobox", name="Ejemplo").select_option("1")
    assert written(page) == [seen(token) for token in stored[2]["start"]]


@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    page.get_by_role("button", name="Paso").click()
    assert fits(page)
    assert serious_violations(page, "generation-loop") == []


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_static_table_without_javascript(page, stored):
    rows = page.locator("generation-loop table tbody tr")
    assert rows.count() == len(stored[0]["steps"])
    step = stored[0]["steps"][0]
    token, prob = step["candidates"][step["chosen"]]
    assert f"{token.strip()} {100 * prob:.1f} %".replace(".", ",") in rows.first.inner_text()
