"""Los entrenamientos de escala: se repiten, cuentan bien, y con los guardados se predicen los reservados."""

import math

import numpy as np
import pytest
import torch

from scripts.run_scaling import STUDY
from utils.corpus.grammar import FactGrammar
from utils.cost.power_law import fit_loss_law
from utils.studies.scaling_run import Run, evaluate, held_out, make_model, parameter_counts, recall, train_run

WORLD = FactGrammar()
ROWS = STUDY.rows()
torch.set_num_threads(1)


@pytest.mark.parametrize("width", [8, 12, 16, 24, 32, 48, 64, 96, 128])
def test_counts_match_the_real_model(width):
    model = make_model(width, WORLD.vocab_size)
    total = sum(p.numel() for p in model.parameters())
    assert parameter_counts(width, WORLD.vocab_size) == (total, total - model.embedding.weight.numel())


def test_same_seed_same_loss_and_other_seed_another():
    run = Run(width=8, tokens=20_000)
    first, second = (train_run(run, WORLD)[0].loss for _ in range(2))
    assert first == second != train_run(Run(width=8, tokens=20_000, seed=1), WORLD)[0].loss


def test_training_goes_from_ln_v_towards_the_entropy():
    newborn = evaluate(make_model(16, WORLD.vocab_size), WORLD)
    assert newborn == pytest.approx(math.log(WORLD.vocab_size), rel=0.02)
    seen = []
    outcome, model = train_run(Run(width=16, tokens=60_000), WORLD, lambda step, steps: seen.append((step, steps)))
    assert WORLD.entropy < outcome.loss < newborn - 3 and not model.training
    assert seen[-1] == (len(seen), len(seen)) == (117, 117)
    assert outcome.tokens == 117 * 64 * 8 and outcome.flops == 6 * outcome.parameters * outcome.tokens


def test_a_perfect_model_would_lose_exactly_the_entropy():
    ids, luck = held_out(WORLD)
    perfect = -WORLD.log_probability(ids.numpy()).mean() / (WORLD.length - 1)
    assert perfect - luck == pytest.approx(WORLD.entropy) and abs(luck) < 0.02


def test_an_untrained_model_knows_no_facts():
    hits = recall(make_model(16, WORLD.vocab_size), WORLD, np.arange(2000), relation=3)
    assert hits.shape == (2000,) and hits.mean() < 0.1


@pytest.mark.parametrize("width", [0, 7, 34])
def test_impossible_widths_say_what_to_do(width):
    with pytest.raises(ValueError, match="no se reparte"):
        make_model(width, WORLD.vocab_size)


# El archivo


def test_stored_runs_spend_their_budget_and_fit_in_five_minutes():
    for row in ROWS:
        total, blocks = parameter_counts(int(row["width"]), WORLD.vocab_size)
        assert (int(row["parameters"]), int(row["non_embedding"])) == (total, blocks)
        assert 6 * total * int(row["tokens"]) == pytest.approx(float(row["budget"]), rel=0.01)
        assert float(row["loss"]) > WORLD.entropy and int(row["seconds"]) <= 300


def test_sizes_span_a_decade_and_a_half_and_the_reserved_run_is_the_largest():
    sizes = [int(row["parameters"]) for row in ROWS if row["use"] == "ajuste"]
    assert math.log10(max(sizes) / min(sizes)) >= 1.5
    assert max(int(row["parameters"]) for row in ROWS if row["use"] == "reserva") > max(sizes)


def test_the_law_predicts_the_reserved_runs_within_one_percent():
    def columns(use):
        names = ("parameters", "tokens", "loss")
        return (np.array([float(row[name]) for row in ROWS if row["use"] == use]) for name in names)

    n, d, loss = columns("reserva")
    assert fit_loss_law(*columns("ajuste")).loss(n, d) == pytest.approx(loss, rel=0.01)
