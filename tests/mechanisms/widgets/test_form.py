"""Los números de los widgets con campos: el navegador los escribe como `utils` y los lee como los escribe la gente."""

from utils.course.numerals import in_words, show

#: Devuelve los casos en que el navegador no escribe lo mismo.
WRITE = """
({ show, inWords }, cases) =>
  cases.filter(([value, digits, text, words]) => show(value, digits) !== text || inWords(value, digits) !== words)
"""
READ = "({ readNumber }, texts) => texts.map(readNumber)"

NUMBERS = (
    0.0, 1.0, -0.00134, 0.00009999, 0.0001, 9.9996e-5, 0.1, 9999.0, 12345.678, 999.96, 9999999.0, 1e7, 7e9, 1e6, 1.4e12,
    2e17, 3.15e23, 5.96e-8, 1e300, -123456.0, 999.9996e6, 65504.0,
)  # fmt: skip


def golden_cases() -> list[list]:
    """Cómo se escribe cada número, como [número, cifras, texto, texto con palabras]."""
    return [[value, digits, show(value, digits), in_words(value, digits)] for value in NUMBERS for digits in (2, 3, 9)]


def test_browser_equals_utils_on_every_golden_case(run_module, golden):
    assert run_module("form.mjs", WRITE, golden) == []


def test_numbers_are_read_as_people_write_them(run_module):
    good = {"3,14": 3.14, "-0.5": -0.5, "−2": -2, "1e-8": 1e-8, "2 · 10⁻³": 2e-3, "70 000": 70000, ",5": 0.5,
            "70 mil millones": 70e9, "1,4 billones": 1.4e12, "7\u00a0millones": 7e6, "3 mil": 3000, "5×10^9": 5e9,
            "1 millón": 1e6, "pi": 3.141592653589793, "+4": 4, "1E3": 1000}  # fmt: skip
    assert run_module("form.mjs", READ, list(good)) == list(good.values())
    bad = ["", "hola", "1.000,5", "7B", "1,2,3", "--1", "0x10", "e5"]
    assert run_module("form.mjs", READ, bad) == [None] * len(bad)
