"""El explorador de muestreo: da lo mismo que `utils` y sirve con teclado, en el teléfono y sin JavaScript."""

import math
import random
import re

import pytest
import torch

from tests.mechanisms.looks import serious_violations
from utils.model.decoding import probabilities

TOKENS = ["sofá", "suelo", "tejado", "jardín", "cesto", "coche", "horno", "mar", "lunes", "</script>"]
LOGITS = [4.5, 3.75, 3.0, 2.25, 1.5, 0.75, 0.0, -0.75, -1.5, -3.0]
#: El modelo de `utils` calcula en float32, y cada máquina lo redondea a su manera.
GOLDEN_MARGIN = 2e-7
BAD_BODIES = [
    ({"token": ["a", "b"]}, "sobra la clave `token`"),
    ({"tokens": ["a"], "logits": [1]}, "al menos dos textos"),
    ({"tokens": ["a", "b"], "logits": [1]}, "una lista de 2 números finitos"),
    ({"tokens": ["a", "b"], "logits": [1, 2], "temperature": 0}, "`temperature` vale 0"),
    ({"tokens": ["a", "b"], "logits": [1, 2], "top_k": 3}, "un entero entre 1 y 2"),
    ({"tokens": ["a", "b"], "logits": [1, 2], "top_p": 0}, "`top_p` vale 0"),
]

# Los logits son múltiplos de 1/8: así son exactos en float32 y el margen mide solo las fórmulas.
GOLDEN_LOGITS = {
    "erratas": [10.0, 5.0, 2.0],
    "capítulo": [4.5, 3.75, 3.0, 2.25, 1.5, 0.75, 0.0, -0.75, -1.5, -3.0],
    "empates": [2.0, 1.0, 1.0, 1.0, 0.5, 0.5],
    "todos iguales": [1.0] * 8,
    "empate en cabeza": [3.0, 3.0, 3.0, -1.0],
    "uno solo": [0.0],
    "muy grandes": [1000.0, 999.0, -1000.0],
    "uno imposible": [1.0, -math.inf, 0.5],
}
# La trampa de erratas: en binario 0.60 + 0.30 < 0.90, y aun así el tercero sale.
TRAP = [math.log(p) for p in (0.60, 0.30, 0.10)]
# La misma trampa con diez tokens iguales: sumar 0.1 ocho o nueve veces se queda corto también en float64.
EQUAL = [0.0] * 10

RUN = """
(m, cases) =>
  cases.map(({ logits, temperature, top_k: topK, top_p: topP }) =>
    m.probabilities(logits.map((x) => (x === null ? -Infinity : x)), { temperature, topK, topP }))
"""
RUN_COUNTS = """
(m, draws) => {
  const grid = (n) => { let i = 0; return () => (i++ + 0.5) / n; };
  return [m.sampleCounts([0.5, 0, 0.25, 0.25], draws, grid(draws)),
          m.sampleCounts([0.1, 0.2, 0.7, 0], 3, () => 0.9999999999999999)];
}
"""


def _settings(size: int) -> list[tuple[float, int | None, float | None]]:
    """Ajustes (temperatura, top_k, top_p) para un vocabulario de `size` tokens, con todos los extremos."""
    return [
        (1.0, None, None), (0.1, None, None), (0.5, None, None), (2.0, None, None), (3.0, None, None),
        (1.0, 1, None), (1.0, size, 1.0), (1.0, None, 0.01), (1.0, None, 0.5), (0.7, (size + 1) // 2, 0.9),
        (3.0, max(1, size - 1), 0.95), (0.1, (size + 1) // 2, 0.999),
    ]  # fmt: skip


def golden_cases() -> list[dict]:
    """Los casos con las probabilidades que calcula `utils` ahora mismo."""
    cases = [(name, logits, *setting) for name, logits in GOLDEN_LOGITS.items() for setting in _settings(len(logits))]
    cases += [("trampa 0,60 + 0,30", TRAP, 1.0, None, p) for p in (0.6, 0.8999, 0.9, 0.9001, 1.0)]
    cases += [("trampa de diez iguales", EQUAL, 1.0, None, p / 10) for p in range(1, 10)]
    generator = random.Random(0)
    for number in range(20):
        logits = [generator.randint(-48, 48) / 8 for _ in range(generator.randint(3, 40))]
        top_k = generator.choice([None, generator.randint(1, len(logits))])
        top_p = generator.choice([None, generator.uniform(0.05, 1)])
        cases.append((f"al azar {number}", logits, generator.uniform(0.1, 3), top_k, top_p))
    return [_case(*case) for case in cases]


def _case(name: str, logits: list[float], temperature: float, top_k: int | None, top_p: float | None) -> dict:
    probs = probabilities(torch.tensor(logits, dtype=torch.float64), temperature, top_k, top_p)  # (V,)
    return {
        "name": name,
        "logits": [None if math.isinf(logit) else logit for logit in logits],  # JSON no tiene -inf
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "probabilities": [round(prob, 9) for prob in probs.double().tolist()],
    }


def _final(page) -> dict[str, str]:
    rows = page.locator("sampling-explorer tbody tr")
    return dict(zip(rows.locator("th").all_inner_texts(), rows.locator(".se-value").all_inner_texts(), strict=True))


def _expected(temperature, top_k, top_p) -> list[str]:
    probs = probabilities(torch.tensor(LOGITS), temperature, top_k, top_p).tolist()
    return [f"{prob:.4f}".replace(".", ",") if prob else "fuera" for prob in probs]


def test_golden_covers_the_traps(golden):
    trap = {case["top_p"]: case["probabilities"] for case in golden if case["name"] == "trampa 0,60 + 0,30"}
    assert trap[0.9][2] == 0 and trap[0.8999][2] == 0
    assert trap[0.9001][2] > 0
    equal = [case for case in golden if case["name"] == "trampa de diez iguales"]
    assert [sum(prob > 0 for prob in case["probabilities"]) for case in equal] == list(range(1, 10))
    settings = {(case["temperature"], case["top_k"] == 1, case["top_p"]) for case in golden}
    assert {(0.1, False, None), (3.0, False, None), (1.0, True, None), (1.0, False, 0.01)} <= settings


def test_browser_equals_utils_on_every_golden_case(run_module, golden):
    results = run_module("sampling.mjs", RUN, golden)
    for case, result in zip(golden, results, strict=True):
        expected = case["probabilities"]
        worst = max(abs(got - want) for got, want in zip(result, expected, strict=True))
        assert worst < 1e-6, case
        assert [got == 0 for got in result] == [want == 0 for want in expected] or min(filter(None, result)) < 1e-9, (
            case
        )


def test_counts_follow_the_probabilities(run_module):
    exact, edge = run_module("sampling.mjs", RUN_COUNTS, 100)
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
    used, other = ((book / "chapters" / f"{name}.html").read_text(encoding="utf-8") for name in ("uno", "dos"))
    assert "widgets/sampling-explorer.js" in used and "widgets/" not in other


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
