"""El explorador de muestreo: da lo mismo que `utils` y sirve con teclado, en el teléfono y sin JavaScript."""

import json
import re

import pytest
import torch

from scripts.export_golden import GOLDEN, golden_cases
from tests.mechanisms.looks import serious_violations
from tests.mechanisms.tiny_book import ROOT
from utils.model.decoding import probabilities

TOKENS = ["sofá", "suelo", "tejado", "jardín", "cesto", "coche", "horno", "mar", "lunes", "</script>"]
#: Los módulos que carga cada mecanismo y los KB que puede pesar en total.
WEIGHTS = [
    (("bpe.mjs", "bpe-merges.mjs"), 12),
    (("form.mjs", "planner.mjs", "compute-planner.mjs"), 24),
    (("form.mjs", "memory.mjs", "memory-calculator.mjs"), 24),
    (("form.mjs", "formats.mjs", "number-formats.mjs"), 24),
    (("form.mjs", "lora.mjs", "lora-calculator.mjs"), 24),
    (("form.mjs", "overlap.mjs", "overlap-metrics.mjs"), 24),
]
LOGITS = [4.5, 3.75, 3.0, 2.25, 1.5, 0.75, 0.0, -0.75, -1.5, -3.0]

RUN_GOLDEN = """
(cases) => import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))).then((module) =>
  cases.map(({ logits, temperature, top_k: topK, top_p: topP }) =>
    module.probabilities(logits.map((x) => (x === null ? -Infinity : x)), { temperature, topK, topP })))
"""
RUN_COUNTS = """
(draws) => import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))).then((module) => {
  const grid = (n) => { let i = 0; return () => (i++ + 0.5) / n; };
  return [module.sampleCounts([0.5, 0, 0.25, 0.25], draws, grid(draws)),
          module.sampleCounts([0.1, 0.2, 0.7, 0], 3, () => 0.9999999999999999)];
})
"""


@pytest.fixture(scope="module")
def golden() -> list[dict]:
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


def _with_module(script: str) -> str:
    source = (ROOT / "_static" / "course" / "widgets" / "sampling.mjs").read_text(encoding="utf-8")
    return script.replace("SOURCE", json.dumps(source))


def _final(page) -> dict[str, str]:
    rows = page.locator("sampling-explorer tbody tr")
    return dict(zip(rows.locator("th").all_inner_texts(), rows.locator(".se-value").all_inner_texts(), strict=True))


def _expected(temperature, top_k, top_p) -> list[str]:
    probs = probabilities(torch.tensor(LOGITS), temperature, top_k, top_p).tolist()
    return [f"{prob:.4f}".replace(".", ",") if prob else "fuera" for prob in probs]


def test_golden_file_is_up_to_date(golden):
    cases = golden_cases()
    assert len(golden) == len(cases) >= 40
    for stored, now in zip(golden, cases, strict=True):
        assert stored["probabilities"] == pytest.approx(now["probabilities"], abs=2e-7), now["name"]
        assert stored | {"probabilities": None} == now | {"probabilities": None}, "ejecuta scripts/export_golden.py"


def test_golden_covers_the_traps():
    trap = {case["top_p"]: case["probabilities"] for case in golden_cases() if case["name"] == "trampa 0,60 + 0,30"}
    assert trap[0.9][2] == 0 and trap[0.8999][2] == 0
    assert trap[0.9001][2] > 0
    equal = [case for case in golden_cases() if case["name"] == "trampa de diez iguales"]
    assert [sum(prob > 0 for prob in case["probabilities"]) for case in equal] == list(range(1, 10))
    settings = {(case["temperature"], case["top_k"] == 1, case["top_p"]) for case in golden_cases()}
    assert {(0.1, False, None), (3.0, False, None), (1.0, True, None), (1.0, False, 0.01)} <= settings


def test_browser_equals_utils_on_every_golden_case(open_page, golden):
    page = open_page("intro")
    results = page.evaluate(_with_module(RUN_GOLDEN), golden)
    assert len(results) == len(golden)
    for case, result in zip(golden, results, strict=True):
        expected = case["probabilities"]
        worst = max(abs(got - want) for got, want in zip(result, expected, strict=True))
        assert worst < 1e-6, case
        assert [got == 0 for got in result] == [want == 0 for want in expected] or min(filter(None, result)) < 1e-9, (
            case
        )


def test_counts_follow_the_probabilities(open_page):
    exact, edge = open_page("intro").evaluate(_with_module(RUN_COUNTS), 100)
    assert exact == [50, 0, 25, 25]
    assert edge == [0, 0, 3, 0]  # el redondeo nunca cae en un token imposible


def test_initial_numbers_and_order_of_operations(open_page):
    page = open_page("chapters/uno")
    shown = _final(page)
    assert list(shown) == TOKENS
    assert [value.split(" ")[0] for value in shown.values()] == _expected(1.0, 6, 0.9)
    assert shown["jardín"] == "fuera (top-p)"
    assert shown["horno"] == "fuera (top-k)"
    steps = page.get_by_role("list", name="Orden de las operaciones").get_by_role("listitem").all_inner_texts()
    assert [step.split("\n")[0] for step in steps] == [
        "Logits",
        "Temperatura",
        "Top-k",
        "Top-p",
        "Renormalizar",
    ]
    assert steps[2].endswith("quedan 6") and steps[3].endswith("quedan 3")


def test_sliders_with_the_keyboard(open_page):
    page = open_page("chapters/uno")
    temperature, top_k, top_p = (page.get_by_role("slider", name=name) for name in ("Temperatura", "Top-k", "Top-p"))
    temperature.focus()
    page.keyboard.press("End")
    assert temperature.get_attribute("aria-valuetext") == "3,00"
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert top_k.get_attribute("aria-valuetext") == "sin filtro"
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert top_p.get_attribute("aria-valuetext") == "sin filtro"
    assert list(_final(page).values()) == _expected(3.0, None, None)
    page.keyboard.press("Home")
    assert top_p.get_attribute("aria-valuetext") == "0,05"
    message = "Queda 1 token de 10. El más probable es «sofá», con 1,0000."
    page.locator(".se-status", has_text=message).wait_for()  # llega con un poco de retraso, a propósito
    temperature.focus()
    page.keyboard.press("Home")
    assert temperature.get_attribute("aria-valuetext") == "0,10"
    page.get_by_role("button", name="Restablecer").press("Enter")
    assert [value.split(" ")[0] for value in _final(page).values()] == _expected(1.0, 6, 0.9)


def test_sampling_gives_100_draws_of_kept_tokens(open_page):
    page = open_page("chapters/uno")
    page.get_by_role("button", name="Muestrear 100 veces").press("Enter")
    counts = [int(count) for count in page.locator(".se-count").all_inner_texts()]
    assert sum(counts) == 100
    assert counts[3:] == [0] * 7
    text = page.locator(".se-status").inner_text()
    assert re.fullmatch(r"100 muestras: (\w+ \d+(, )?)+\.", text)
    page.get_by_role("slider", name="Temperatura").press("ArrowRight")
    assert page.locator(".se-count").all_inner_texts() == [""] * 10  # los recuentos eran de otra distribución


def test_it_fits_in_a_phone(open_page):
    page = open_page("chapters/uno", viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator("sampling-explorer").bounding_box()
    inner = page.evaluate(
        "Math.max(...[...document.querySelectorAll('sampling-explorer *')]"
        ".map((element) => element.getBoundingClientRect().right))"
    )
    assert inner <= box["x"] + box["width"]
    assert page.get_by_role("cell", name="0,5898").is_visible()


def test_static_table_without_javascript(open_page):
    page = open_page("chapters/uno", java_script_enabled=False)
    table = page.locator("sampling-explorer table")
    assert "La gata duerme en el…" in table.locator("caption").inner_text()
    rows = [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]
    assert [row[2] for row in rows] == _expected(1.0, None, None)
    assert [row[3] for row in rows] == _expected(2.0, None, None)
    assert [row[4] for row in rows] == _expected(1.0, 6, 0.9)
    assert page.locator("sampling-explorer input").count() == 0


def test_widget_script_only_where_it_is_used(book):
    assert "widgets/sampling-explorer.js" in (book / "chapters" / "uno.html").read_text(encoding="utf-8")
    script = (book / "_static" / "course" / "widgets" / "sampling-explorer.js").read_text(encoding="utf-8")
    assert not re.search(r"^(import|export) ", script, re.MULTILINE)
    assert len(script) <= 12 * 1024


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_no_serious_axe_violations(open_page, theme, width):
    page = open_page("chapters/uno", color_scheme=theme, viewport={"width": width, "height": 900})
    for question in page.locator(".quiz-question").all():
        question.locator("label").first.click()
        question.get_by_role("button").click()
    page.locator("article a", has_text="muestreo").first.focus()
    page.get_by_role("button", name="Muestrear 100 veces").click()
    page.wait_for_timeout(300)
    assert serious_violations(page, ".quiz", "sampling-explorer", ".progress-box", "a.glossary-link") == []


@pytest.mark.parametrize(("modules", "kilobytes"), WEIGHTS, ids=[modules[-1] for modules, _ in WEIGHTS])
def test_scripts_are_light(modules, kilobytes):
    folder = ROOT / "_static" / "course" / "widgets"
    assert sum((folder / name).stat().st_size for name in modules) <= kilobytes * 1024
