"""Los entrenamientos de escala: se repiten, cuentan bien y el archivo guardado es el que haría el programa."""

import csv
import math

import numpy as np
import pytest
import torch

from scripts import run_scaling
from scripts.run_table import append_row, read_rows
from utils.corpus.grammar import FactGrammar
from utils.cost.power_law import fit_loss_law
from utils.studies.scaling_run import Run, evaluate, held_out, make_model, parameter_counts, recall, train_run

WORLD = FactGrammar()
ROWS = read_rows(run_scaling.CSV)
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


def test_every_planned_run_is_stored_once():
    planned = [(budget, run.width, run.seed) for _, budget, run in run_scaling.plan(WORLD)]
    assert sorted(map(run_scaling.key, ROWS)) == sorted(planned)
    assert len(ROWS) >= 13


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


@pytest.mark.slow
def test_a_stored_run_can_be_redone():
    """El más corto. En otra máquina cambian las sumas, así que se admite el ruido de una semilla."""
    row = min(ROWS, key=lambda row: int(row["seconds"]))
    budget, width, seed = run_scaling.key(row)
    (run,) = [p for p in run_scaling.plan(WORLD) if (p[1], p[2].width, p[2].seed) == (budget, width, seed)]
    assert train_run(run[2], WORLD)[0].loss == pytest.approx(float(row["loss"]), rel=0.02)


def test_a_cut_sweep_continues_where_it_was(tmp_path, monkeypatch):
    stored = tmp_path / "entrenamientos.csv"
    monkeypatch.setattr(run_scaling, "CSV", stored)
    planned = [("ajuste", 1e8, Run(8, 1e8 / 6 / 5232, seed)) for seed in range(3)]
    monkeypatch.setattr(run_scaling, "plan", lambda world: planned)
    monkeypatch.setattr("sys.argv", ["run_scaling"])
    append_row(stored, run_scaling.line(planned[0], train_run(planned[0][2], WORLD)[0]))
    before = stored.read_text("utf-8")
    run_scaling.main()
    assert stored.read_text("utf-8").startswith(before)
    with stored.open(encoding="utf-8") as file:
        assert [int(row["seed"]) for row in csv.DictReader(file)] == [0, 1, 2]
    monkeypatch.setattr("sys.argv", ["run_scaling", "--redo", "9"])
    with pytest.raises(SystemExit, match="La línea 9 no existe"):
        run_scaling.main()
