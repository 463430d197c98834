"""El widget de formatos numéricos: da lo mismo que `utils` y sirve con teclado, en el teléfono y sin JavaScript."""

import math
import random
from dataclasses import replace

import pytest

from tests.mechanisms.looks import EVERY_VIEW, fits, read_table, serious_violations
from utils.compress.formats import E4M3, E5M2, FORMATS, FP16, INT8, NF4, NumberFormat

PAGE = """# Formatos

```{widget} number-formats
value: 3.141592
format: FP16
```
"""
BAD_BODIES = [
    ({"valor": 3}, "sobra la clave `valor`"),
    ({"format": "FP64"}, "elige entre: FP32, FP16"),
    ({"value": "hola"}, "debe ser un número"),
    ({"scale": 0}, "`scale` vale 0"),
]

#: Devuelve los casos en que el navegador no da exactamente lo mismo; Object.is distingue −0 y reconoce NaN.
RUN = """
({ FORMATS }, cases) => {
  const number = (x) => (x === null ? null : Number(x));
  return cases.filter((item) => {
    const base = FORMATS.find(({ name }) => name === item[0]);
    if (item.length === 2) return item[1].some((value, code) => !Object.is(base.decode(code), number(value)));
    const [, scale, value, code, bits, ...decoded] = item;
    const format = scale === null ? base : base.withScale(scale);
    const got = [format.decode(code), ...format.neighbours(code)];
    return format.encode(number(value)) !== code || format.pattern(code).join(" ") !== bits
      || decoded.some((x, i) => !Object.is(got[i], number(x)));
  });
}
"""

NUMBERS = (
    0.0, -0.0, 1.0, 3.141592, math.pi, 0.1, 1 / 3, -2.5, 0.5, 1.5, 127.5, -127.5, 448.0, 464.0, 465.0, 65504.0, 65519.0,
    65520.0, -61440.0, 3.4028235677973366e38, 1e300, 1e-7, 2.0**-24, 2.0**-25, 1.5 * 2.0**-24, 1e-45, 5e-324, math.inf,
    -math.inf, math.nan,
)  # fmt: skip


def golden_cases() -> list[list]:
    """Números en cada formato, como [formato, escala, número, código, bits, lo que guarda, anterior, siguiente].

    Y los formatos de 8 bits o menos, enteros: [formato, todos sus valores].
    """
    generator = random.Random(0)
    values = [*NUMBERS, *(generator.choice([-1, 1]) * 2 ** generator.uniform(-30, 20) for _ in range(15))]
    scaled = [replace(fmt, scale=scale) for fmt in (INT8, NF4) for scale in (0.02, 0.7)]
    cases = []
    for fmt in (*FORMATS.values(), *scaled):
        usable = [value for value in values if not (math.isnan(value) and fmt.name in ("INT8", "NF4"))]
        cases += [_case(fmt, value) for value in usable]
    return cases + [
        [fmt.name, [_plain(fmt.decode(code)) for code in range(1 << fmt.bits)]] for fmt in (E4M3, E5M2, INT8, NF4)
    ]


def _case(fmt: NumberFormat, value: float) -> list:
    code = fmt.encode(value)
    around = (None, None) if math.isnan(fmt.decode(code)) else fmt.neighbours(code)
    numbers = [_plain(number) for number in (fmt.decode(code), *around)]
    return [fmt.name, getattr(fmt, "scale", None), _plain(value), code, fmt.pattern(code), *numbers]


def _plain(number: float | None) -> float | str | None:
    """JSON no tiene infinitos ni NaN: van como textos, que JavaScript convierte con Number."""
    if number is None or math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def pattern(page) -> str:
    fields = page.locator(".nf-row").all()
    return " ".join("".join(field.locator("button").all_inner_texts()) for field in fields)


def stored(page) -> dict[str, tuple[str, str]]:
    return {name: tuple(cells[1:]) for name, cells in read_table(page, "number-formats").items()}


def test_browser_equals_utils_on_every_golden_case(run_module, golden):
    assert len(golden) > 400
    assert run_module("formats.mjs", RUN, golden) == []


def test_typing_a_number(page):
    assert pattern(page) == FP16.pattern(FP16.encode(3.141592))
    assert stored(page)["FP16"] == ("3,140625", "−0,000967") and stored(page)["INT8"] == ("3", "−0,142")
    box = page.get_by_role("textbox", name="Número")
    box.fill("65 520")
    assert stored(page)["FP16"] == ("∞", "se desborda") and stored(page)["BF16"] == ("65\xa0536", "+16")
    assert stored(page)["FP8 E4M3"] == ("448", "−65\xa0100 (tope)")
    box.fill("1e-9")
    assert stored(page)["FP16"][1].endswith("(se anula)")
    box.fill("nan")
    assert stored(page)["INT8"] == ("nada", "no admite NaN")
    page.get_by_role("textbox", name="Escala").fill("0,05")
    box.fill("3,14")
    assert stored(page)["INT8"] == ("3,15", "+0,01")


def test_a_bad_value_says_what_to_do_and_loses_nothing(page):
    before = pattern(page), stored(page)
    box = page.get_by_role("textbox", name="Número")
    for text, message in (
        ("hola", "No entiendo «hola»"),
        ("", "Escribe un número, como 3,14"),
        ("1.000,5", "No entiendo"),
    ):
        box.fill(text)
        assert message in page.get_by_role("alert").first.inner_text()
        assert box.get_attribute("aria-invalid") == "true" and box.input_value() == text
        assert (pattern(page), stored(page)) == before
    page.get_by_role("textbox", name="Escala").fill("0")
    assert "La escala tiene que ser un número mayor que 0" in page.get_by_role("alert").last.inner_text()
    box.fill("0,5")
    assert page.locator(".wf-error:visible").count() == 1  # queda el de la escala
    assert stored(page)["FP32"] == ("0,5", "ninguno") and box.get_attribute("aria-invalid") == "false"


def test_bits_with_the_keyboard(page):
    first = page.get_by_role("button", name="Bit 15, signo: 0")
    assert page.locator(".nf-bit[tabindex='0']").count() == 1
    first.focus()
    page.keyboard.press("Space")
    assert stored(page)["FP16"] == ("−3,140625", "ninguno") and stored(page)["INT8"] == ("−3", "+0,141")
    assert page.get_by_role("textbox", name="Número").input_value() == "−3,140625"
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name="Bit 0, mantisa: 1").get_attribute("aria-pressed") == "true"
    assert stored(page)["FP16"][0] == "−3,14257813"
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert "Bit 5, mantisa" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.get_by_role("button", name="Siguiente").press("Enter")
    assert stored(page)["FP16"][0] == "−3,140625"
    for bit in range(10, 15):  # el exponente, todo unos
        node = page.get_by_role("button", name=f"Bit {bit}, exponente")
        if node.get_attribute("aria-pressed") == "false":
            node.click()
    assert stored(page)["FP16"][0] == "NaN" and "reservado" in page.locator(".nf-formula").inner_text()
    assert page.get_by_role("button", name="Siguiente").get_attribute("aria-disabled") == "true"


def test_every_format_shows_its_bits_and_its_range(page):
    for name, fmt in FORMATS.items():
        page.get_by_role("radio", name=name).check()
        assert page.locator(".nf-bit").count() == fmt.bits
        assert pattern(page) == fmt.pattern(fmt.encode(3.141592))
    page.get_by_role("radio", name="FP16").check()
    facts = page.locator(".nf-facts").inner_text()
    assert all(
        text in facts for text in ("65\xa0504", "6,10351563\xa0·\xa010⁻⁵", "5,96046448\xa0·\xa010⁻⁸", "0,0009765625")
    )
    message = "FP16 guarda 3,140625. Error: −0,000967, un 0,0308\xa0% del número."
    page.locator(".wf-status", has_text=message).wait_for()  # llega con un poco de retraso, a propósito


@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    page.get_by_role("radio", name="FP32").check()
    page.get_by_role("textbox", name="Escala").fill("hola")
    assert fits(page)
    assert serious_violations(page, "number-formats") == []


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_static_table_without_javascript(page):
    assert stored(page)["FP32"] == ("3,14159203", "+2,58\xa0·\xa010⁻⁸")
    assert stored(page)["NF4"] == ("1", "−2,14 (tope)")
    assert page.locator("number-formats input").count() == 0
    assert fits(page)


def test_with_and_without_javascript_say_the_same(page, plain):
    assert stored(plain) == stored(page)
