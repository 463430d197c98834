"""El gradiente acumulado es el del lote entero, y promediar por trozos no lo es."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

from utils.train.accumulate import accumulated_backward, split_batch
from utils.train.objectives import CausalLM, Seq2Seq

ROWS = [list(range(3, 3 + n)) for n in (20, 19, 18, 16, 4, 3, 3, 2)]


def causal():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, use_cache=False
    )
    return LlamaForCausalLM(config), CausalLM(pad_id=0)([{"input_ids": row} for row in ROWS])


def seq2seq():
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=40, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0, dropout_rate=0
    )
    return T5ForConditionalGeneration(config), Seq2Seq(pad_id=0)([{"input_ids": r, "labels": r[::-1]} for r in ROWS])


def gradient(model, batches, weighting="token"):
    model.zero_grad(set_to_none=True)
    loss = accumulated_backward(model, batches, weighting)
    return loss, torch.cat([p.grad.flatten() for p in model.parameters() if p.requires_grad])


@pytest.mark.parametrize("make", [causal, seq2seq])
@pytest.mark.parametrize("pieces", [2, 4, 8])
def test_equals_the_full_batch(make, pieces):
    model, batch = make()
    model.zero_grad(set_to_none=True)
    loss = model(**batch).loss
    loss.backward()
    whole = torch.cat([p.grad.flatten() for p in model.parameters()])
    accumulated_loss, accumulated = gradient(model, split_batch(batch, pieces))
    assert accumulated_loss == pytest.approx(loss.item(), abs=1e-6)
    assert (accumulated - whole).abs().max() < 1e-6


def test_averaging_pieces_is_another_gradient_unless_they_count_the_same():
    model, batch = causal()
    _, right = gradient(model, [batch])
    _, wrong = gradient(model, split_batch(batch, 4), "batch")
    assert (wrong - right).norm() / right.norm() > 0.05
    even = CausalLM(pad_id=0)([{"input_ids": row[:2]} for row in ROWS])
    _, right = gradient(model, [even])
    _, same = gradient(model, split_batch(even, 4), "batch")
    assert (same - right).abs().max() < 1e-6


@pytest.mark.parametrize("weighting", ["token", "batch"])
def test_a_piece_where_nothing_counts_is_skipped(weighting):
    """Una máscara puede dejar un trozo sin etiquetas: no aporta, y su media, que no es un número, no lo estropea."""
    model, batch = causal()
    model.get_input_embeddings().requires_grad_(False)
    empty = batch | {"labels": torch.full_like(batch["labels"], -100)}
    loss, wanted = gradient(model, [batch], weighting)
    with_empty, same = gradient(model, [empty, batch, empty], weighting)
    assert with_empty == loss and torch.equal(same, wanted) and wanted.isfinite().all()


def test_bad_input_says_what_to_do():
    model, batch = causal()
    with pytest.raises(ValueError, match="8 filas no se reparten en 3 trozos"):
        split_batch(batch, 3)
    with pytest.raises(ValueError, match="elige entre token, batch"):
        accumulated_backward(model, [batch], "row")
    for batches in ([], [batch | {"labels": torch.full_like(batch["labels"], -100)}]):
        with pytest.raises(ValueError, match="No hay ninguna etiqueta que cuente: todas son -100"):
            accumulated_backward(model, batches)
