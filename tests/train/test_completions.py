"""Aprender solo lo del asistente: máscaras, empaquetado que no cambia la pérdida y notas iguales a generar."""

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from utils.model.decoding import generate
from utils.train.completions import CompletionLM, pack_masked, score_completions

V, PAD, EOS = 40, 0, 1


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=V, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    return LlamaForCausalLM(config).eval()


def examples(count: int = 12, seed: int = 0) -> list[dict]:
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        prompt, answer = (rng.integers(2, V, rng.integers(2, 9)).tolist() for _ in range(2))
        mask = [0] * len(prompt) + [1] * (len(answer) + 1)
        rows.append({"input_ids": [*prompt, *answer, EOS], "assistant_masks": mask})
    return rows


def test_labels_are_the_masked_tokens_and_never_the_first():
    rows = [{"input_ids": [5, 6, 7], "assistant_masks": [1, 0, 1]}, {"input_ids": [8, 9], "assistant_masks": [0, 1]}]
    batch = CompletionLM(PAD)(rows)
    assert batch["labels"].tolist() == [[-100, -100, 7], [-100, 9, -100]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]


def test_packing_loses_nothing():
    rows = examples()
    packed = pack_masked(rows, 30)
    learned = lambda items: sorted(i for r in items for i, m in zip(r["input_ids"], r["assistant_masks"]) if m)  # noqa: E731, B905
    assert sum(len(r["input_ids"]) for r in packed) == sum(len(r["input_ids"]) for r in rows)
    assert learned(packed) == learned(rows)
    assert all(len(r["input_ids"]) <= 30 for r in packed) and len(packed) < len(rows)
    batch = CompletionLM(PAD)(packed)
    assert (batch["labels"] != -100).sum() == (CompletionLM(PAD)(rows)["labels"] != -100).sum()


def test_a_packed_batch_costs_the_same_as_its_examples_alone(model):
    rows = examples()
    with torch.no_grad():
        together = model(**CompletionLM(PAD)(pack_masked(rows, 30))).loss
        padded = model(**CompletionLM(PAD)(rows)).loss
    nats, _ = score_completions(model, rows, PAD)
    sizes = [sum(r["assistant_masks"]) for r in rows]
    assert together.item() == pytest.approx(padded.item(), abs=1e-5)
    assert together.item() == pytest.approx(np.average(nats, weights=sizes), abs=1e-5)


def test_nobody_looks_at_the_neighbour(model):
    rows = pack_masked(examples(2), 40)
    batch = CompletionLM(PAD)(rows)
    batch.pop("labels")
    second = int((batch["position_ids"][0] == 0).nonzero()[1])
    changed = batch | {"input_ids": batch["input_ids"].clone()}
    changed["input_ids"][0, 1] = 33
    with torch.no_grad():
        before, after = model(**batch).logits[0], model(**changed).logits[0]
    assert torch.equal(before[second:], after[second:]) and not torch.equal(before[:second], after[:second])


def test_packed_training_has_finite_gradients(model):
    rows = pack_masked(examples(7), 25)  # la última fila lleva relleno
    batch = CompletionLM(PAD)(rows)
    assert any(len(r["input_ids"]) < batch["input_ids"].shape[1] for r in rows)
    model(**batch).loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    model.zero_grad()


def test_exact_is_what_greedy_generation_gives(model):
    rows = examples(20, seed=1)
    for row in rows[:10]:  # la mitad, con la respuesta que el modelo daría
        length = row["assistant_masks"].index(1)
        prompt = torch.tensor([row["input_ids"][:length]])
        own = generate(model, prompt, max_new_tokens=4)[0].tolist()
        row.update(input_ids=[*row["input_ids"][:length], *own], assistant_masks=[0] * length + [1] * len(own))
    _, exact = score_completions(model, rows, PAD, batch_size=6)
    for row, right in zip(rows, exact, strict=True):
        length = row["assistant_masks"].index(1)
        own = generate(model, torch.tensor([row["input_ids"][:length]]), max_new_tokens=len(row["input_ids"]) - length)
        assert (own[0].tolist() == row["input_ids"][length:]) == right
    assert exact[:10].all() and not exact[10:].all()


def test_bad_input(model):
    with pytest.raises(ValueError, match="número 0 mide 5 tokens y la fila, 4"):
        pack_masked([{"input_ids": [1] * 5, "assistant_masks": [1] * 5}], 4)
    with pytest.raises(ValueError, match="nada que puntuar"):
        score_completions(model, [{"input_ids": [3, 4], "assistant_masks": [1, 0]}], PAD)
    with pytest.raises(ValueError, match="empaquetados y sin empaquetar"):
        CompletionLM(PAD)([*examples(1), *pack_masked(examples(1), 40)])
