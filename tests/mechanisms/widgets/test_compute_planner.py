"""El planificador de cómputo: da lo mismo que `utils` y sirve con teclado, en el teléfono y sin JavaScript."""

import random

import pytest

from tests.mechanisms.looks import EVERY_VIEW, fits, read_table, serious_violations
from utils.cost.flops import PEAK_TFLOPS, gpu_hours, petaflop_days, training_flops
from utils.cost.scaling import BESIROGLU_2024, HOFFMANN_2022, chinchilla_optimum
from utils.course.numerals import in_words, show

PAGE = """# Planificador

```{widget} compute-planner
parameters: 175e9
tokens: 300e9
gpu: A100
gpus: 1024
mfu: 40
```
"""
BAD_BODIES = [
    ({"flops": 1}, "sobra la clave `flops`"),
    ({"gpu": "TPU"}, "elige entre: V100"),
    ({"parameters": "mucho"}, "`parameters` vale 'mucho'; debe ser un número"),
    ({"mfu": 0}, "`mfu` vale 0"),
    ({"gpus": 1.5}, "debe ser un número entero"),
]

RUN = """
(m, [cases, laws]) =>
  cases.map(({ plan: [parameters, tokens], peak, mfu }) => {
    const flops = m.trainingFlops(parameters, tokens);
    const optima = [m.ruleOptimum(20, flops), ...laws.map((law) => m.lawOptimum(law, flops))];
    return [flops, m.petaflopDays(flops), m.gpuHours(flops, peak, mfu),
            ...laws.map((law) => m.loss(law, { parameters, tokens })),
            ...optima.flatMap((o) => [o.parameters, o.tokens])];
  })
"""


def facts(page) -> dict[str, str]:
    names, values = (page.locator(f".cp-facts {tag}").all_inner_texts() for tag in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


def plans(page) -> dict[str, list[str]]:
    return read_table(page, ".cp-table")


def golden_cases() -> list[dict]:
    """El coste y los repartos óptimos de entrenamientos al azar, de los de un portátil a los mayores."""
    generator = random.Random(0)
    cases = []
    for _ in range(40):
        n, d = 10 ** generator.uniform(6, 13), 10 ** generator.uniform(6, 15)
        gpu, mfu, flops = generator.choice(list(PEAK_TFLOPS)), generator.uniform(0.05, 1), training_flops(n, d)
        optima = [chinchilla_optimum(flops), HOFFMANN_2022.optimum(flops), BESIROGLU_2024.optimum(flops)]
        hours = gpu_hours(flops, PEAK_TFLOPS[gpu], mfu)
        numbers = [flops, petaflop_days(flops), hours, HOFFMANN_2022.loss(n, d), BESIROGLU_2024.loss(n, d)]
        numbers += [number for best in optima for number in (best.parameters, best.tokens)]
        cases.append({"plan": [n, d], "peak": PEAK_TFLOPS[gpu], "mfu": mfu, "numbers": numbers})
    return cases


def test_browser_equals_utils_on_every_golden_case(run_module, golden):
    laws = [vars(law) for law in (HOFFMANN_2022, BESIROGLU_2024)]
    for case, result in zip(golden, run_module("planner.mjs", RUN, [golden, laws]), strict=True):
        assert result == pytest.approx(case["numbers"], rel=1e-12)


def test_gpt3_of_the_errata(page):
    # Erratas 11 y 12: 3646 petaFLOP/s-día; al 100 %, 3,2 A100 hacen uno cada día.
    assert facts(page)["Operaciones, 6ND"] == "3,15\xa0·\xa010²³ FLOP" and facts(page)["petaFLOP/s-día"] == "3646"
    assert "Coste" not in facts(page)
    page.get_by_role("textbox", name="Cuántas GPU").fill("1000")
    page.get_by_role("textbox", name="Aprovechamiento").fill("100")
    assert facts(page)["Tiempo"] == f"{show(3645.83 / (1000 * 0.312))}\xa0días"
    page.get_by_role("combobox", name="GPU").select_option("V100")
    assert facts(page)["Tiempo"] == f"{show(3645.83 / (1000 * 0.125))}\xa0días"
    assert page.get_by_role("combobox").locator("option").count() == len(PEAK_TFLOPS)
    price = page.get_by_role("textbox", name="Precio")
    price.fill("2,5")
    hours = 3.15e23 / 125e12 / 3600
    assert facts(page)["Horas de GPU"] == in_words(hours) and facts(page)["Coste"] == in_words(2.5 * hours)
    price.fill("")
    assert "Coste" not in facts(page) and page.locator(".wf-error:visible").count() == 0


def test_the_optimal_splits_of_that_budget(page):
    flops = 3.15e23
    for name, best in (
        ("Regla de 20", chinchilla_optimum(flops)),
        ("Hoffmann 2022", HOFFMANN_2022.optimum(flops)),
        ("Besiroglu 2024", BESIROGLU_2024.optimum(flops)),
    ):
        expected = [in_words(best.parameters), in_words(best.tokens), show(best.tokens_per_parameter)]
        assert plans(page)[name][:3] == expected
    losses = {name: float(cells[3].replace(",", ".")) for name, cells in plans(page).items()}
    assert losses["Besiroglu 2024"] <= min(losses.values())
    label = page.locator(".cp-plot svg").get_attribute("aria-label")
    assert all(f"{name}: {cells[0]}" in label for name, cells in plans(page).items())


def test_examples_and_verdicts(page):
    status = page.locator(".wf-status")
    status.filter(has_text="un modelo más pequeño y más datos darían menos pérdida").wait_for()
    page.get_by_role("button", name="Llama 3 8B").press("Enter")
    assert page.get_by_role("textbox", name="Parámetros").input_value() == "8000 millones"
    assert page.get_by_role("textbox", name="Tokens").input_value() == "15 billones"
    status.filter(has_text="barato de usar").wait_for()
    page.get_by_role("button", name="Chinchilla").press("Enter")
    status.filter(has_text="cerca del reparto óptimo").wait_for()
    assert plans(page)["Tu plan"][2] == "20"


def test_the_points_are_where_they_should(page):
    """El punto del lector cae sobre la recta de igual coste, y los tres óptimos, sobre la misma recta y la suya."""
    where = page.evaluate("""() => [...document.querySelectorAll('.cp-mark')].map((mark) => {
      const [x, y] = mark.getAttribute('transform').match(/[\\d.]+/g).map(Number);
      return [mark.getAttribute('class').split('-').at(-1), x, y];
    })""")
    ends = page.locator(".cp-same").get_attribute("d").replace("M", "").replace("L", " ").split()
    x0, y0, x1, y1 = map(float, ends)
    for _, x, y in where:
        assert (y - y0) / (x - x0) == pytest.approx((y1 - y0) / (x1 - x0), rel=1e-6)
    assert [name for name, *_ in sorted(where, key=lambda mark: mark[1])] == ["hoffmann", "rule", "besiroglu", "plan"]


def test_a_bad_value_says_what_to_do_and_loses_nothing(page):
    before = facts(page), plans(page)
    errors = page.locator(".wf-error:visible")
    for name, text, message in (
        ("Parámetros", "7B", "No entiendo «7B»: escribe un número como 7e9 o 7000 millones"),
        ("Parámetros", "-1", "Tiene que estar entre 1000 y"),
        ("Tokens", "", "Escribe un número, como 2e12"),
        ("Cuántas GPU", "2,5", "un entero entre 1 y 10 millones"),
        ("Aprovechamiento", "140", "Es un porcentaje"),
        ("Precio", "-3", "no puede ser negativo"),
    ):
        box = page.get_by_role("textbox", name=name)
        good = box.input_value()
        box.fill(text)
        assert message in errors.inner_text() and box.input_value() == text
        assert (facts(page), plans(page)) == before
        box.fill(good)
        assert errors.count() == 0


@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    page.get_by_role("textbox", name="Precio").fill("gratis")
    assert fits(page)
    assert serious_violations(page, "compute-planner") == []
    page.get_by_role("textbox", name="Parámetros").fill("1e15")
    page.get_by_role("textbox", name="Tokens").fill("1000")
    assert page.locator(".cp-plot text").count() <= 2 * 7 + 2
    assert fits(page)


def test_with_and_without_javascript_say_the_same(page, plain):
    assert {name: value for name, (value,) in read_table(plain, ".cp-cost").items()} == facts(page)
    assert plans(plain) == plans(page)
    assert plain.locator("compute-planner input").count() == 0
