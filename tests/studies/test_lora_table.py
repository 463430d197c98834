"""La tabla del lab 13: sus parámetros son los de la fórmula y la tasa es la elegida."""

import pytest

from scripts.run_lora import EVERYTHING, FULL_RATE, LORA_RATE, STUDY
from utils.course.hub import load_model
from utils.model.surgery import trained_parameters
from utils.tune.lora import LoRAConfig, add_lora
from utils.tune.lora_cost import lora_parameters

ROWS = STUDY.rows()


def test_scores_are_fractions():
    assert all(0 <= float(row[column]) <= 1 for row in ROWS for column in ("validation", "accuracy"))


def test_parameters_are_those_of_the_formula():
    model = load_model("seq2seq")
    for row in ROWS:
        if row["seed"] == "0" and row["use"] in ("rango", "capas"):
            targets = tuple(row["targets"].split())
            layers = [m for n, m in model.named_modules() if n.rpartition(".")[2] in targets]
            expected = sum(lora_parameters(m.out_features, m.in_features, int(row["rank"])) for m in layers)
            assert int(row["parameters"]) == expected
    row = next(row for row in ROWS if row["rank"] == "8" and row["targets"] == EVERYTHING)
    config = LoRAConfig(8, 16, targets=tuple(EVERYTHING.split()))
    assert trained_parameters(add_lora(model, config))[0] == int(row["parameters"])


@pytest.mark.parametrize(("targets", "rank", "chosen"), [(EVERYTHING, "8", LORA_RATE), ("", "0", FULL_RATE)])
def test_learning_rate_is_the_best_in_validation(targets, rank, chosen):
    tried = [r for r in ROWS if (r["targets"], r["rank"], r["seed"]) == (targets, rank, "0")]
    assert len(tried) == 3
    best = max(float(row["validation"]) for row in tried)
    assert best == next(float(row["validation"]) for row in tried if float(row["learning_rate"]) == chosen)
