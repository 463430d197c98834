"""El bucle: lotes, tasa de aprendizaje, evaluación, errores; y que un paso es el de PyTorch y el de Trainer."""

import copy
import itertools
import os

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.train.resumable import EOS, PAD, VOCAB, pairs, run, tiny_t5
from utils.model.batching import IGNORE, attention_mask, pad, to_device
from utils.model.logprobs import label_logprobs, sequence_sum
from utils.studies.hf_trainer import fit_with_trainer
from utils.train.loop import (
    BUCKET_BATCHES,
    apply_gradients,
    epoch_batches,
    evaluate_loss,
    step,
    train,
    useful_tokens,
)
from utils.train.objectives import CausalLM, Seq2Seq
from utils.train.optim import adafactor
from utils.train.schedule import Schedule, learning_rate_factor

OBJECTIVE = Seq2Seq(PAD)
#: De `run(None)`: las pérdidas de los pasos 0, 20 y 40, la validación de los pasos 7, 35 y 60 y los tokens.
STORED_LOSSES = [11.57404613494873, 8.013269424438477, 5.589315414428711]
STORED_VALIDATION = [10.066642312442555, 5.850525884067311, 5.400397973902085]
STORED_TOKENS = 5505


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=400), st.integers(1, 9), st.integers(0, 99), st.integers(0, 5)
)
def test_epoch_batches(lengths, size, seed, epoch):
    batches = epoch_batches(lengths, size, seed, epoch)
    used = [i for batch in batches for i in batch]
    assert len(set(used)) == len(used) and set(used) <= set(range(len(lengths)))
    assert all(len(batch) == size for batch in batches)
    assert len(batches) == len(lengths) // size  # solo sobra lo que no llena un lote
    assert batches == epoch_batches(lengths, size, seed, epoch)
    if len(lengths) <= size * BUCKET_BATCHES:  # un solo grupo: los lotes, ordenados, no se solapan en longitud
        spans = sorted((min(lengths[i] for i in batch), max(lengths[i] for i in batch)) for batch in batches)
        assert all(high <= low for (_, high), (low, _) in itertools.pairwise(spans))


def test_epochs_are_shuffled_differently_and_padding_shrinks():
    lengths = np.random.default_rng(0).integers(5, 200, 1000).tolist()
    assert epoch_batches(lengths, 10, 0, 0) != epoch_batches(lengths, 10, 0, 1) != epoch_batches(lengths, 10, 1, 1)

    def padding(batches):
        return sum(max(lengths[i] for i in b) * len(b) - sum(lengths[i] for i in b) for b in batches)

    plain = [list(range(i, i + 10)) for i in range(0, 1000, 10)]
    assert padding(epoch_batches(lengths, 10, 0, 0)) < 0.2 * padding(plain)


@given(st.integers(1, 500), st.integers(0, 50))
def test_learning_rate_rises_in_a_line_and_falls_to_zero(total, warmup):
    warmup = min(warmup, total)
    factors = [learning_rate_factor(step, total, warmup) for step in range(total + 1)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors[:warmup] == [(step + 1) / warmup for step in range(warmup)]
    falling = factors[warmup:]
    assert falling[0] == 1 and all(a >= b for a, b in itertools.pairwise(falling))
    assert warmup == total or falling[-1] == pytest.approx(0)


def causal():
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(vocab_size=VOCAB, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, pad_token_id=PAD, eos_token_id=EOS, bos_token_id=2)).eval()  # fmt: skip


@pytest.mark.parametrize(("build", "objective"), [(tiny_t5, OBJECTIVE), (causal, CausalLM(PAD))])
def test_evaluate_loss_is_the_mean_over_tokens_computed_one_by_one(build, objective):
    model, examples = build().eval(), pairs(11)
    total, count = 0.0, 0
    for example in examples:
        batch = objective([example], None)
        tokens = int((batch["labels"] != -100).sum())
        total += model(**batch).loss.item() * tokens
        count += tokens
    for size in (1, 4, 11):
        assert evaluate_loss(model, examples, objective, size) == pytest.approx(total / count, rel=1e-5)


def test_evaluate_loss_turns_dropout_off():
    model = tiny_t5(dropout=0.5).train()
    assert evaluate_loss(model, pairs(), OBJECTIVE, 4) == evaluate_loss(model, pairs(), OBJECTIVE, 4)
    assert not model.training


def fit(model, examples=None, steps=3, **options):
    optimizer = options.pop("optimizer", None) or adafactor(model, options.pop("rate", 1e-2))
    batch_size = options.pop("batch_size", 4)
    return train(
        model, examples or pairs(), OBJECTIVE, steps=steps, batch_size=batch_size, optimizer=optimizer, **options
    )


def test_training_learns_counts_tokens_and_ends_in_eval_mode():
    model = tiny_t5()
    history = fit(model, steps=60, batch_size=20, validation=pairs(5), validate_every=25)
    assert np.mean(history.losses[-5:]) < 0.9 * history.losses[0]
    assert not model.training
    assert [step for step, _ in history.validation] == [25, 50, 60]
    assert history.tokens == 60 * sum(len(e["input_ids"]) + len(e["labels"]) for e in pairs())
    assert history.tokens_per_second == history.tokens / history.seconds > 0


def test_too_few_examples_is_explained():
    with pytest.raises(ValueError, match="Hay 3 ejemplos y el lote pide 4: baja batch_size o añade datos"):
        fit(tiny_t5(), pairs(3))


def test_a_loss_that_is_not_finite_is_explained():
    model = tiny_t5()
    torch.nn.init.constant_(model.lm_head.weight, float("nan"))
    with pytest.raises(ValueError, match="La pérdida del paso 0 no es un número finito: baja la tasa de aprendizaje"):
        fit(model)


@pytest.mark.parametrize("build", [lambda m: adafactor(m, 1e-2), lambda m: torch.optim.AdamW(m.parameters(), lr=1e-2)])
def test_one_step_is_the_one_pytorch_would_take(build):
    ours, theirs = tiny_t5(), tiny_t5()
    history = fit(ours, steps=1, batch_size=20, optimizer=build(ours), warmup=4, max_grad_norm=0.05, seed=0)
    theirs.train()
    optimizer = build(theirs)
    for group in optimizer.param_groups:
        group["lr"] *= 1 / 4
    [indices] = epoch_batches([len(e["input_ids"]) for e in pairs()], 20, 0, 0)
    loss = theirs(**OBJECTIVE([pairs()[i] for i in indices])).loss
    loss.backward()
    gradients = [p.grad for p in theirs.parameters() if p.grad is not None]
    norm = torch.sqrt(sum((g**2).sum() for g in gradients))
    assert norm > 0.05  # el recorte actúa
    for gradient in gradients:
        gradient *= 0.05 / (norm + 1e-6)
    optimizer.step()
    assert history.losses == [loss.item()]
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_the_losses_are_those_of_always():
    """Las pérdidas de un T5 con dropout, apuntadas antes de que el paso y la pérdida se pudieran cambiar."""
    history = run(None)
    assert history.losses[::20] == pytest.approx(STORED_LOSSES, rel=1e-5)
    assert [loss for _, loss in history.validation[::4]] == pytest.approx(STORED_VALIDATION, rel=1e-5)
    assert history.tokens == STORED_TOKENS


# --- un paso suelto y otra pérdida ---------------------------------------------------------------


def weights() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor([3.0, 4.0], requires_grad=True), torch.tensor([0.0], requires_grad=True)


def test_a_step_clips_moves_and_forgets_and_the_schedule_says_how_much():
    w, still = weights()
    optimizer = torch.optim.SGD([{"params": [w], "lr": 2.0}, {"params": [still], "lr": 4.0}])
    schedule = Schedule(optimizer, total=4, warmup=2)
    assert step((w**2).sum() / 2 + still.sum() * 0, optimizer, 0, schedule, max_grad_norm=1.0) == pytest.approx(5)
    assert w.tolist() == pytest.approx([3 - 0.6, 4 - 0.8])  # media tasa, en la dirección del gradiente
    assert [group["lr"] for group in optimizer.param_groups] == [1.0, 2.0]
    assert w.grad is None and still.grad is None
    (w.sum() * 0 + still).backward()
    assert apply_gradients(optimizer, 3, schedule) == 1.0
    assert still.item() == pytest.approx(-4 * learning_rate_factor(3, 4, 2))


def test_only_what_the_optimizer_moves_counts_in_the_norm():
    w, other = weights()
    optimizer = torch.optim.SGD([w], lr=0.1)
    assert step(w.sum() + 100 * other.sum(), optimizer, 0) == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda w: w.sum() * float("inf"), "La pérdida del paso 7 no es un número finito: baja la tasa"),
        (lambda w: (w - w).norm() + (w - w).abs().sqrt().sum(), "El gradiente del paso 7 no es finito: baja la tasa"),
    ],
)
def test_a_step_that_is_not_finite_moves_nothing(loss, message):
    w, _ = weights()
    with pytest.raises(ValueError, match=message):
        step(loss(w), torch.optim.SGD([w], lr=0.1), 7)
    assert w.tolist() == [3.0, 4.0] and w.grad is None


def preferences(examples, rng=None):
    """Un lote de parejas, las preferidas delante: lo que pide una pérdida como la de DPO."""
    rows = [example[side] for side in ("chosen", "rejected") for example in examples]
    mask = attention_mask(rows)
    labels = pad(rows, PAD).masked_fill((mask == 0) | (mask.cumsum(1) < 2), IGNORE)
    return {"input_ids": pad(rows, PAD), "attention_mask": mask, "labels": labels}


def preference_loss(model, batch):
    logprob = sequence_sum(label_logprobs(model, **batch), batch["labels"] != IGNORE)  # (2B,)
    chosen, rejected = logprob.chunk(2)
    return -torch.nn.functional.logsigmoid(chosen - rejected).mean()


def test_another_loss_trains_validates_and_counts_its_own_things():
    rng = np.random.default_rng(0)
    examples = [
        {"chosen": [5, 9, *rng.integers(3, 9, 3)], "rejected": [5, 9, *rng.integers(9, 20, 2)]} for _ in range(8)
    ]
    model, seen = causal(), []

    def pairs_in(batch):
        seen.append(len(batch["labels"]) // 2)
        return seen[-1]

    options = {"loss": preference_loss, "counted": pairs_in}
    before = evaluate_loss(model, examples, preferences, 3, **options)
    assert seen == [3, 3, 2]
    whole = preference_loss(model, preferences(examples)).item()
    assert before == pytest.approx(whole, rel=1e-5)
    history = train(
        model, examples, preferences, steps=40, batch_size=4, optimizer=torch.optim.AdamW(model.parameters(), lr=1e-2),
        seed=0, validation=examples, validate_every=40, tokens=lambda batch: 1, **options,
    )  # fmt: skip
    assert history.tokens == 40
    assert history.losses[0] > 0.5 and history.validation[-1][1] < 0.05


def trainer(model, steps, batch_size, rate=1e-2):
    optimizer = adafactor(model, rate)
    return fit_with_trainer(
        model, pairs(), OBJECTIVE, steps=steps, batch_size=batch_size, optimizer=optimizer, warmup=4, seed=0
    )


def test_trainer_and_our_loop_take_the_same_first_step():
    ours, theirs = tiny_t5(), tiny_t5()
    losses = trainer(theirs, steps=1, batch_size=20)
    history = fit(ours, steps=1, batch_size=20, warmup=4)
    assert losses == pytest.approx(history.losses, rel=1e-5)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_trainer_learns_ends_in_eval_mode_and_leaves_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    model = tiny_t5()
    before = evaluate_loss(copy.deepcopy(model), pairs(), OBJECTIVE, 5)
    assert len(trainer(model, steps=60, batch_size=20)) == 60
    assert not model.training
    assert evaluate_loss(model, pairs(), OBJECTIVE, 5) < 0.9 * before
    assert os.listdir(tmp_path) == []


def test_useful_tokens_do_not_count_padding():
    batch = OBJECTIVE([{"input_ids": [5, 6, 7], "labels": [8, 1]}, {"input_ids": [5], "labels": [1]}])
    assert useful_tokens(batch) == 4 + 3
    assert to_device(batch, tiny_t5())["labels"].shape == (2, 2)
