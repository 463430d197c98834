"""Las cifras de BloombergGPT que da el capítulo 13, con las cuentas que las enlazan (erratas 17 y 18)."""

import re

import pytest

from utils.cost.flops import PEAK_TFLOPS, model_flops_utilization, training_flops
from utils.cost.scaling import chinchilla_optimum
from utils.course.env import repo_root

CHAPTER = (repo_root() / "chapters" / "semana-1" / "13-adaptacion-al-dominio.md").read_text("utf-8")
hours = 512 * 53 * 24
published, parameters, seen, available = 2.36e23, 50.6e9, 569e9, 708.9e9


def table(name: str) -> dict[str, float]:
    line = re.search(rf"^{name} = (\{{.*\}})$", CHAPTER, re.MULTILINE)[1]
    return {source: float(share) for source, share in re.findall(r'"([^"]+)": ([\d.]+)', line)}


def test_the_two_halves_of_finpile_add_up():
    """Wu et al. (2023), tabla 1."""
    finance, public = table("finance"), table("public")
    assert sorted(finance.values()) == [0.70, 1.21, 2.04, 5.31, 42.01]
    assert public == {"The Pile": 25.90, "C4": 19.48, "Wikipedia": 3.35}
    assert sum(finance.values()) == pytest.approx(51.27) and sum(public.values()) == pytest.approx(48.73)


def test_without_the_pile_the_public_half_does_not_add_up():
    public = table("public")
    assert public["C4"] + public["Wikipedia"] == pytest.approx(22.83)
    copied = {"C4": 26, "Wikipedia": 20}  # lo que dan los resúmenes: cada fuente con la cifra de la anterior
    assert sum(copied.values()) != 49
    assert copied["C4"] == round(public["The Pile"])


def test_the_published_total_is_not_a_rate():
    """2,36e23 operaciones en 53 días son unos 52 petaFLOP/s entre todas, y 101 TFLOP/s por GPU: el artículo da 102."""
    assert published / (53 * 86_400) == pytest.approx(51.5e15, rel=0.01)
    assert published / (hours * 3600) == pytest.approx(102e12, rel=0.02)
    rounded, peta = 230e6, 1e15
    assert rounded * peta == pytest.approx(published, rel=0.03)


def test_recomputing_activations_explains_the_gap_with_6nd():
    useful = training_flops(parameters, seen)
    assert useful == pytest.approx(1.73e23, rel=0.01) and 8 / 6 * useful == pytest.approx(published, rel=0.03)
    assert model_flops_utilization(published, hours, PEAK_TFLOPS["A100"]) == pytest.approx(0.32, abs=0.005)
    assert model_flops_utilization(useful, hours, PEAK_TFLOPS["A100"]) == pytest.approx(0.236, abs=0.005)


def test_chinchilla_agrees_on_the_size_and_not_on_the_tokens():
    best = chinchilla_optimum(0.75 * 1.3e6 * 3600 * 102e12)
    assert best.parameters == pytest.approx(parameters, rel=0.1)
    assert seen / parameters == pytest.approx(11.2, abs=0.1) and available / parameters < 15 < 20
    assert seen / available == pytest.approx(0.80, abs=0.005)
