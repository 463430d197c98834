"""Las afirmaciones de los labs se exigen a escala mini y solo se cuentan a escala gpu."""

import pytest

from utils.course.claims import claim


def test_a_false_claim_stops_a_mini_lab(capsys, monkeypatch):
    monkeypatch.setenv("CURSO_ESCALA", "mini")
    with pytest.raises(AssertionError, match="El efecto existe"):
        claim("El efecto existe", False)
    assert capsys.readouterr().out == "El efecto existe: no\n"


def test_a_false_claim_is_only_told_on_the_gpu_scale(capsys, monkeypatch):
    monkeypatch.setattr("utils.course.claims.by_scale", lambda mini, gpu: gpu)
    claim("El efecto existe", False)
    assert capsys.readouterr().out == "El efecto existe: no\n"
