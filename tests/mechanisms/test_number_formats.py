"""El widget de formatos numéricos: da lo mismo que `utils` y sirve con teclado, en el teléfono y sin JavaScript."""

import importlib
import json

import pytest

from scripts.export_golden import FORMATS_GOLDEN, TEXT_GOLDEN, format_cases, text_cases
from tests.mechanisms.looks import EVERY_VIEW, fits, serious_violations
from tests.mechanisms.tiny_book import ROOT
from utils.compress.formats import FORMATS, FP16

PAGE = """# Formatos

```{widget} number-formats
value: 3.141592
format: FP16
```
"""
WIDGETS = ROOT / "_static" / "course" / "widgets"

#: Devuelve los casos en que el navegador no da exactamente lo mismo; Object.is distingue −0 y reconoce NaN.
RUN_FORMATS = """
(cases) => import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))).then(({ FORMATS }) => {
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
})
"""
RUN_TEXTS = """
(cases) => import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))).then(({ show, inWords }) =>
  cases.filter(([value, digits, text, words]) => show(value, digits) !== text || inWords(value, digits) !== words))
"""
RUN_READ = """
(texts) => import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))).then(({ readNumber }) =>
  texts.map(readNumber))
"""


def evaluate(page, script: str, module: str, argument):
    source = (WIDGETS / module).read_text(encoding="utf-8")
    return page.evaluate(script.replace("SOURCE", json.dumps(source)), argument)


def pattern(page) -> str:
    fields = page.locator(".nf-row").all()
    return " ".join("".join(field.locator("button").all_inner_texts()) for field in fields)


def stored(page) -> dict[str, tuple[str, str]]:
    rows = page.locator("number-formats tbody tr").all()
    return {row.locator("th").inner_text(): tuple(row.locator("td").all_text_contents()[1:]) for row in rows}


def test_golden_files_are_up_to_date():
    for path, cases in ((FORMATS_GOLDEN, format_cases()), (TEXT_GOLDEN, text_cases())):
        now = json.loads(json.dumps(cases))
        assert json.loads(path.read_text(encoding="utf-8")) == now, "ejecuta scripts/export_golden.py"
    assert len(format_cases()) > 400


@pytest.mark.slow
def test_browser_equals_utils_on_every_golden_case(page):
    assert evaluate(page, RUN_FORMATS, "formats.mjs", json.loads(FORMATS_GOLDEN.read_text(encoding="utf-8"))) == []
    assert evaluate(page, RUN_TEXTS, "form.mjs", json.loads(TEXT_GOLDEN.read_text(encoding="utf-8"))) == []


@pytest.mark.slow
def test_numbers_are_read_as_people_write_them(page):
    good = {"3,14": 3.14, "-0.5": -0.5, "−2": -2, "1e-8": 1e-8, "2 · 10⁻³": 2e-3, "70 000": 70000, ",5": 0.5,
            "70 mil millones": 70e9, "1,4 billones": 1.4e12, "7\u00a0millones": 7e6, "3 mil": 3000, "5×10^9": 5e9,
            "1 millón": 1e6, "pi": 3.141592653589793, "+4": 4, "1E3": 1000}  # fmt: skip
    assert evaluate(page, RUN_READ, "form.mjs", list(good)) == list(good.values())
    assert (
        evaluate(page, RUN_READ, "form.mjs", ["", "hola", "1.000,5", "7B", "1,2,3", "--1", "0x10", "e5"]) == [None] * 8
    )


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    page.get_by_role("radio", name="FP32").check()
    page.get_by_role("textbox", name="Escala").fill("hola")
    assert fits(page)
    assert serious_violations(page, "number-formats") == []


@pytest.mark.slow
@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_static_table_without_javascript(page):
    assert stored(page)["FP32"] == ("3,14159203", "+2,58\xa0·\xa010⁻⁸")
    assert stored(page)["NF4"] == ("1", "−2,14 (tope)")
    assert page.locator("number-formats input").count() == 0
    assert fits(page)


@pytest.mark.slow
def test_with_and_without_javascript_say_the_same(page, plain):
    assert stored(plain) == stored(page)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"valor": 3}, "sobra la clave `valor`"),
        ({"format": "FP64"}, "los formatos son: FP32, FP16"),
        ({"value": "hola"}, "debe ser un número"),
        ({"scale": 0}, "`scale` vale 0"),
    ],
)
def test_bad_bodies_are_told_in_spanish(monkeypatch, body, message):
    monkeypatch.syspath_prepend(ROOT / "_ext")
    with pytest.raises(ValueError, match=message):
        importlib.import_module("widget_formats").formats_spec(body)
