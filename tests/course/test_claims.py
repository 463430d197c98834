"""Los efectos se exigen a escala mini y solo se cuentan a escala gpu; los invariantes se exigen en las dos."""

import pytest

from utils.course.claims import claim, invariant


def test_a_false_claim_stops_a_mini_lab(capsys, monkeypatch):
    monkeypatch.setenv("CURSO_ESCALA", "mini")
    with pytest.raises(AssertionError, match="El efecto existe"):
        claim("El efecto existe", False)
    assert capsys.readouterr().out == "El efecto existe: no\n"


def test_a_false_claim_is_only_told_on_the_gpu_scale(capsys, monkeypatch):
    monkeypatch.setattr("utils.course.claims.by_scale", lambda mini, gpu: gpu)
    claim("El efecto existe", False)
    assert capsys.readouterr().out == "El efecto existe: no\n"


@pytest.mark.parametrize("mini", [True, False])
def test_a_false_invariant_stops_any_lab(mini, capsys, monkeypatch):
    monkeypatch.setattr("utils.course.claims.by_scale", lambda **scales: scales["mini" if mini else "gpu"])
    with pytest.raises(AssertionError, match="La máscara tapa"):
        invariant("La máscara tapa", False)
    assert capsys.readouterr().out == "La máscara tapa: no\n"
