"""El preentrenamiento: pérdida inicial ln V en los tres objetivos, y las mismas cuentas que transformers."""

import math

import numpy as np
import pytest
import torch

from utils.course.hub import load_model, load_tokenizer
from utils.model.attention import IGNORE
from utils.model.config import TransformerConfig
from utils.model.load import from_huggingface
from utils.model.transformer import Transformer
from utils.train.objectives import CausalLM, MaskedLM, Seq2Seq, SpanCorruption
from utils.train.pretraining import Pretraining

PAD, END, MASK, VOCAB = 0, 1, 3, 500
SENTINELS = tuple(range(4, 20))
ROWS = [{"input_ids": np.random.default_rng(i).integers(20, VOCAB, 60).tolist()} for i in range(16)]
OBJECTIVES = {
    "causal": (CausalLM(PAD), 0, 2),
    "tapadas": (MaskedLM(PAD, MASK, VOCAB, frozenset(range(20))), 2, 0),
    "trozos": (SpanCorruption(PAD, END, SENTINELS), 1, 1),
}


def build(name: str) -> Pretraining:
    _, encoder, decoder = OBJECTIVES[name]
    shape = {"encoder_layers": encoder, "decoder_layers": decoder, "masked_lm": name == "tapadas"}
    config = TransformerConfig(vocab=VOCAB, dim=64, **shape)
    return Pretraining(Transformer(config), PAD)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_loss_starts_at_ln_v(name, seed):
    torch.manual_seed(seed)
    batch = OBJECTIVES[name][0](ROWS, np.random.default_rng(seed))
    assert build(name)(**batch).loss.item() == pytest.approx(math.log(VOCAB), rel=0.02)


def test_without_the_extra_layer_of_bert_the_loss_starts_below_ln_v():
    """El 10 % que se deja igual está a la vista, y con los embeddings atados cada token se señala a sí mismo."""
    torch.manual_seed(0)
    batch = OBJECTIVES["tapadas"][0](ROWS, np.random.default_rng(0))
    model = Pretraining(Transformer(TransformerConfig(vocab=VOCAB, dim=64, encoder_layers=2)), PAD)
    nats, shown = model.token_losses(**batch), batch["input_ids"] == batch["labels"]
    hidden = (batch["labels"] != IGNORE) & ~shown
    assert nats[hidden].mean().item() == pytest.approx(math.log(VOCAB), rel=0.02)
    assert nats[shown].mean().item() < 0.9 * math.log(VOCAB)


def test_a_large_initialisation_starts_above_ln_v():
    torch.manual_seed(0)
    model, batch = build("causal"), CausalLM(PAD)(ROWS)
    torch.nn.init.normal_(model.transformer.embedding.weight, std=1.0)  # la de fábrica de nn.Embedding
    assert model(**batch).loss.item() > 1.5 * math.log(VOCAB)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_token_losses_average_to_the_loss(name):
    torch.manual_seed(0)
    model, batch = build(name), OBJECTIVES[name][0](ROWS, np.random.default_rng(0))
    nats = model.token_losses(**batch)
    assert nats.shape == batch["labels"].shape
    counted = batch["labels"] != IGNORE
    assert (nats[~counted] == 0).all()
    assert nats[counted].mean().item() == pytest.approx(model(**batch).loss.item(), rel=1e-5)


@pytest.mark.parametrize(("role", "name"), [("causal", "causal"), ("encoder", "tapadas"), ("seq2seq-base", "trozos")])
def test_same_loss_as_transformers_with_the_mini_models(role, name):
    tokenizer, theirs = load_tokenizer(role), load_model(role).eval()
    texts = ["Ana: Hola, quería reservar una mesa.\nLuis: ¿Para cuántos?", "Luis: El viernes a las cinco."]
    rows = [{"input_ids": ids} for ids in tokenizer(texts)["input_ids"]]
    pad = tokenizer.pad_token_id
    sentinels = tuple(tokenizer.convert_tokens_to_ids(f"<extra_id_{i}>") for i in range(32))
    special = frozenset(tokenizer.all_special_ids)
    objective = {
        "causal": CausalLM(pad),
        "tapadas": MaskedLM(pad, tokenizer.mask_token_id, len(tokenizer), special, rate=0.4),
        "trozos": SpanCorruption(pad, tokenizer.eos_token_id, sentinels),
    }[name]
    batch = objective(rows, np.random.default_rng(0))
    ours = Pretraining(from_huggingface(theirs), pad).eval()
    assert ours(**batch).loss.item() == pytest.approx(theirs(**batch).loss.item(), rel=1e-4)


def test_packing_needs_one_half():
    batch = Seq2Seq(PAD)([{"input_ids": [30], "labels": [31]}])
    with pytest.raises(ValueError, match="una sola mitad"):
        build("trozos")(**batch, position_ids=torch.zeros(1, 1, dtype=torch.long))
