"""Erratas 42 y 43: la longitud y el tamaño de la muestra, con las cuentas del capítulo de evaluación."""

import json
import math

import numpy as np
import pytest

from utils.course.env import repo_root
from utils.measure.rouge import rouge, rouge_corpus
from utils.measure.stats import bootstrap, paired_bootstrap

ROWS = [json.loads(line) for line in (repo_root() / "data/dialogos/test.jsonl").read_text("utf-8").splitlines()]
SUMMARIES = [row["summary"] for row in ROWS]
ONE, TWO = (["\n".join(row["dialogue"].split("\n")[:k]) for row in ROWS] for k in (1, 2))


def test_erratum_42_writing_more_gains_recall_and_f_and_loses_precision():
    assert round(0.4216 / 0.2334, 2) == 1.81 and round(32.0 / 15.8, 2) == 2.03 and round(0.345 / 0.348, 2) == 0.99
    parts = [
        [rouge(t, s, ("rouge1",))["rouge1"] for t, s in zip(texts, SUMMARIES, strict=True)] for texts in (ONE, TWO)
    ]
    gain = {field: paired_bootstrap(*([getattr(s, field) for s in side] for side in parts), n=2000)
            for field in ("precision", "recall", "fmeasure")}  # fmt: skip
    assert gain["recall"].low > 0 and gain["fmeasure"].low > 0 and gain["precision"].high < 0
    cut = [" ".join(b.split()[: len(a.split())]) for a, b in zip(ONE, TWO, strict=True)]
    assert rouge_corpus(cut, SUMMARIES)["rouge1"] == [s.fmeasure for s in parts[0]]


def test_erratum_43_ten_rows_cannot_see_0_0133():
    deviation = (0.0203 - 0.0063) / 2 / 1.96 * math.sqrt(500)
    assert deviation == pytest.approx(0.08, abs=0.001)
    assert 1.96 * deviation / math.sqrt(10) == pytest.approx(0.0495, abs=0.0005)
    assert math.ceil((1.96 * deviation / 0.0133) ** 2) == 139
    # Y con notas de esa desviación, el remuestreo de diez filas no excluye el cero casi nunca; el de 500, casi siempre.
    rng = np.random.default_rng(0)
    seen = {n: np.mean([bootstrap(rng.normal(0.0133, deviation, n), n=400, seed=i).excludes_zero() for i in range(60)])
            for n in (10, 500)}  # fmt: skip
    assert seen[10] < 0.35 and seen[500] > 0.85


def test_the_width_of_the_interval_falls_with_the_root_of_n():
    values = np.array(rouge_corpus(TWO, SUMMARIES)["rouge1"])
    widths = {
        n: np.mean([(i := bootstrap(values[:n], n=2000, seed=s)).high - i.low for s in range(5)]) for n in (100, 400)
    }
    assert widths[100] / widths[400] == pytest.approx(2, rel=0.2)
