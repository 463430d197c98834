"""Los números escritos en español dicen el número que son, con las cifras pedidas."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.course.env import repo_root
from utils.course.numerals import comma, in_words, number, show, thousands

UNITS = {"millón": 1e6, "millones": 1e6, "billón": 1e12, "billones": 1e12}
DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−,", "-0123456789-.")


def read(text: str) -> float:
    number, _, unit = text.partition(" ")
    mantissa, _, power = number.translate(DIGITS).replace("\xa0", "").partition("·10")
    return float(mantissa) * 10.0 ** int(power or 0) * UNITS.get(unit, 1)


@given(st.floats(-1e300, 1e300, allow_subnormal=False), st.integers(2, 12))
def test_the_text_is_the_number(value, digits):
    assert read(show(value, digits)) == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits), abs=1e-307)


@given(st.floats(0, 1e20), st.integers(3, 12))
def test_the_words_are_the_number(value, digits):
    assert read(in_words(value, digits)) == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits), abs=1e-307)


def test_spanish_signs():
    assert [show(x) for x in (math.inf, -math.inf, math.nan, -0.0)] == ["∞", "−∞", "NaN", "−0"]
    assert show(1234.5, 5) == "1234,5" and show(12345) == "12\xa0300"  # con cuatro cifras no se separan
    assert in_words(1.4e12) == "1,4 billones"  # errata 15: no «1,4 trillones»


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_a_fixed_number_of_decimals(value, decimals):
    plain = f"{value:.{decimals}f}"
    assert comma(value, f".{decimals}f") == plain.replace(".", ",")
    assert number(value, decimals).translate(DIGITS).replace("\xa0", "") == plain


@given(st.integers(-(10**15), 10**15))
def test_thousands_are_separated_from_five_digits_on(value):
    groups = thousands(value).lstrip("−").split(" ")
    assert "".join(groups) == str(abs(value)) and all(len(group) == 3 for group in groups[1:])
    assert len(groups) > 1 or abs(value) < 10_000
    assert number(value, 0) == thousands(value).replace(" ", "\xa0")


def test_numbers_are_written_only_here():
    """Quien cambie a mano el punto por la coma olvidará los millares o el signo."""
    by_hand = re.compile(r"""replace\((["'])[.]\1, *(["']),\2|replace\((["']),\3, *["']( |\\xa0)?["']\)""")
    found = [
        path.relative_to(repo_root()).as_posix()
        for folder in ("utils", "scripts", "benchmarks", "_ext")
        for path in (repo_root() / folder).rglob("*.py")
        if by_hand.search(path.read_text("utf-8"))
    ]
    assert found == ["utils/course/numerals.py"], "Usa number, show, comma o thousands, de utils.course.numerals."
