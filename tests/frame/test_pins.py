"""Lo fijado sirve en todo lo que promete el README: el rango sale de ello y se pregunta bien al índice."""

import re

import pytest

from scripts.check_pins import PLATFORMS, PYTHONS, installed_range, python_range, read_lines, refused
from scripts.check_python import accepted_range, check
from scripts.lint_common import ROOT
from utils.course import MIN_PYTHON


def test_the_range_is_the_one_of_the_installed_packages():
    assert accepted_range() == installed_range()


def test_everyone_names_the_same_minimum():
    minimum = re.match(r">=(\d+)\.(\d+)", accepted_range()).groups()
    text = ".".join(minimum)
    assert tuple(map(int, minimum)) == MIN_PYTHON and PYTHONS[0] == f"{text}.0"
    for name in ("README.md", "Makefile"):
        promised = re.findall(r"Python (3\.\d+) (?:o posterior|or later)", (ROOT / name).read_text("utf-8"))
        assert promised and set(promised) == {text}, name


@pytest.mark.parametrize(
    ("version", "accepted", "expected"),
    [
        ((3, 11, 2), ">=3.11.5", "necesita Python 3.11.5 o posterior y este es 3.11.2"),
        ((3, 10, 9), ">=3.11,<4", "3.11 o posterior y este es 3.10.9"),
        ((2, 7, 18), ">=3.11,<4", "«make ... PYTHON=python3.11»"),
        ((3, 14, 1), ">=3.11,!=3.14.1,<4", "no admite Python 3.14.1"),
        ((4, 0, 0), ">=3.11,<4", "no admite Python 4.0.0"),
        ((3, 11, 2), ">=3.11,<4", ""),
        ((3, 14, 2), ">=3.11,!=3.14.1,<4", ""),
    ],
)
def test_each_python_gets_its_sentence(version, accepted, expected):
    said = check(version, True, accepted)
    assert expected in said and bool(said) == bool(expected)


def test_python_without_venv():
    assert "python3-venv" in check((3, 11, 2), False, ">=3.11,<4")


def test_range_of_contradicting_lows_is_the_highest():
    assert python_range([">=3.11", ">=3.11.5", "!=3.14.1,>=3.11"]) == ">=3.11.5,!=3.14.1"


def fake_pip(bad: set[str]):
    """Un pip que, como el de verdad, se para en la primera versión que no encuentra."""

    def ask(pins, python, tags):
        lost = next((pin for pin in pins if pin in bad), None)
        reason = f"ERROR: Ignored: requires a different python\nERROR: No matching distribution found for {lost}"
        return reason if lost else ""

    return ask


def test_every_refused_pin_is_reported_and_not_only_the_first():
    pins = ["a==1", "soupsieve==4.1.1", "b==2", "networkx==3.6.1"]
    found = refused(pins, "3.11.0", [], ask=fake_pip({"soupsieve==4.1.1", "networkx==3.6.1"}))
    assert list(found) == ["soupsieve==4.1.1", "networkx==3.6.1"] and "requires a different" in found["networkx==3.6.1"]


def test_without_network_it_does_not_say_that_all_is_well():
    with pytest.raises(RuntimeError, match=r"¿hay red\?"):
        refused(["a==1"], "3.11.0", [], ask=lambda *_: "ERROR: connection failed")


def test_every_pin_is_asked_about_except_what_is_only_source():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    assert set(read_lines()) | {"rouge_score==0.1.2"} == {line for line in lines if "==" in line}
    assert len(PLATFORMS) == 3 and "manylinux_2_28_aarch64" in PLATFORMS["Linux ARM"]
