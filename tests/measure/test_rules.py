"""Las reglas que se comprueban con un programa, pass@k y la kappa de Cohen."""

from itertools import combinations

import pytest
from sklearn.metrics import cohen_kappa_score

from utils.measure.kappa import cohen_kappa
from utils.measure.pass_at_k import pass_at_k
from utils.measure.rules import RULES, ask, follows

#: Por regla, un texto que la cumple y otro que no.
CASES = {
    "una palabra": ("Niño.", "un niño"),
    "menos de diez": ("a b c", "a b c d e f g h i j"),
    "sin comas": ("sí y no", "sí, no"),
    "mayúsculas": ("ÁREA 3", "ÁREA x"),
    "punto final": ("Sí. ", "Sí"),
    "comillas": ("«sí»", "sí «no»"),
    "principio": ("Claro: sí", "Sí, claro"),
}


def test_each_rule_accepts_what_obeys_and_rejects_what_does_not():
    assert set(CASES) == set(RULES)
    for rule, (good, bad) in CASES.items():
        assert follows([good, bad, "", " "], rule) == [1, 0, 0, 0], rule


def test_the_request_goes_before_the_prompt():
    for rule in RULES:
        assert ask(["Di el tema."], rule) == [f"{RULES[rule].request}\nDi el tema."]


@pytest.mark.parametrize("call", [follows, ask])
def test_an_unknown_rule_is_named(call):
    with pytest.raises(ValueError, match="No hay una regla «rimar»"):
        call(["x"], "rimar")


def test_pass_at_k_counts_the_groups_with_a_good_try():
    for n in range(1, 7):
        for c in range(n + 1):
            for k in range(1, n + 1):
                groups = list(combinations([True] * c + [False] * (n - c), k))
                assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, groups)) / len(groups))


@pytest.mark.parametrize(("n", "c", "k"), [(5, 6, 1), (5, -1, 1), (5, 2, 0), (5, 2, 6)])
def test_pass_at_k_rejects_impossible_counts(n, c, k):
    with pytest.raises(ValueError, match="Hacen falta"):
        pass_at_k(n, c, k)


KAPPA = [("AABB", "ABBB"), ("AAAB", "ABBA"), ("ABC" * 4, "ACB" * 4), ("AB", "BA")]


@pytest.mark.parametrize(("first", "second"), KAPPA)
def test_kappa_is_that_of_sklearn(first, second):
    assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(list(first), list(second)))


BAD = [("A", "AB", "1 etiquetas y 2"), ("", "", "0"), ("AA", "AA", "siempre")]


@pytest.mark.parametrize(("first", "second", "message"), BAD)
def test_kappa_rejects_what_it_cannot_measure(first, second, message):
    with pytest.raises(ValueError, match=message):
        cohen_kappa(first, second)
