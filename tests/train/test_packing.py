"""Empaquetar: cada documento entero y en su sitio, y ningún token que mire fuera del suyo, en la atención de verdad."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from utils.model.attention import IGNORE
from utils.model.config import TransformerConfig
from utils.model.transformer import Transformer
from utils.train.loop import evaluate_loss, train
from utils.train.objectives import CausalLM, MaskedLM
from utils.train.packing import document_mask, pack, padding_share
from utils.train.pretraining import Pretraining

PAD, END, VOCAB = 0, 1, 40
DOCUMENTS = [list(range(10, 15)), list(range(20, 27)), list(range(30, 33)), [35, 36]]


def ours(positions="rope", encoder=0, decoder=2):
    torch.manual_seed(0)
    shape = {"encoder_layers": encoder, "decoder_layers": decoder, "positions": positions}
    model = Pretraining(Transformer(TransformerConfig(vocab=VOCAB, dim=32, heads=4, **shape)), PAD)
    for parameter in model.parameters():  # pesos grandes: que una fuga se note
        parameter.data.mul_(3)
    return model.eval()


def llama():
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, pad_token_id=PAD, attn_implementation="eager")  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    for parameter in model.parameters():
        parameter.data.mul_(3)
    return model


def one_row() -> dict[str, torch.Tensor]:
    rows = pack(DOCUMENTS, length=32, end_id=END)
    assert len(rows) == 1
    return CausalLM(PAD)(rows)


def additive(visible: torch.Tensor) -> torch.Tensor:
    """La máscara que suma la atención «eager» de transformers: una booleana la sumaría como 0 y 1."""
    return torch.zeros(visible.shape).masked_fill(~visible, torch.finfo(torch.float32).min)


def bounds(positions: torch.Tensor) -> list[slice]:
    starts = [*(positions == 0).nonzero().flatten().tolist(), len(positions)]
    return [slice(a, b) for a, b in itertools.pairwise(starts)]


def cut(text: list[int], length: int) -> list[list[int]]:
    """Las partes de un documento: de `length` tokens salvo la última, que nunca se queda con uno solo."""
    whole = len(text) // length * length
    if whole and len(text) - whole == 1:
        whole -= 1
        return [*cut(text[: whole - length + 1], length), text[whole - length + 1 : whole], text[whole:]]
    return [text[i : i + length] for i in range(0, len(text), length)]


documents = st.lists(st.lists(st.integers(4, 90), min_size=1, max_size=40), min_size=1, max_size=12)


@given(documents, st.integers(8, 50))
def test_every_document_is_kept_once_and_whole_if_it_fits(texts, length):
    rows = pack(texts, length, end_id=END)
    pieces = [row["input_ids"][part] for row in rows for part in bounds(torch.tensor(row["position_ids"]))]
    closed = [[*text, END] for text in texts]
    expected = [part for text in closed for part in cut(text, length)]
    assert sorted(pieces) == sorted(expected)
    assert all(len(row["input_ids"]) <= length and len(row["input_ids"]) == len(row["position_ids"]) for row in rows)


def test_packing_uses_few_rows():
    rng = np.random.default_rng(0)
    texts = [[5] * int(n) for n in rng.integers(5, 60, 400)]
    rows, total = pack(texts, 64), sum(map(len, texts))
    assert len(rows) <= 1.1 * total / 64  # casi sin huecos
    alone = padding_share([len(text) for text in texts], 16)
    assert padding_share([len(row["input_ids"]) for row in rows], 16) < 0.1 and alone > 0.4


@pytest.mark.parametrize("positions", ["rope", "relative"])
@pytest.mark.parametrize("causal", [True, False])
def test_our_attention_weights_stay_in_the_document(positions, causal):
    model = ours(positions, encoder=0 if causal else 2, decoder=2 if causal else 0)
    batch, stack = one_row(), model.transformer.decoder if causal else model.transformer.encoder
    visible = document_mask(batch["input_ids"], batch["attention_mask"], batch["position_ids"], causal=causal)
    _, weights, _ = stack(model.transformer.embed(batch["input_ids"]), visible)
    document = (batch["position_ids"][0] == 0).cumsum(0)
    outside = document[:, None] != document[None, :]
    for layer in weights:  # (1, H, T, T)
        assert layer[..., outside].abs().max() == 0
        torch.testing.assert_close(layer.sum(-1), torch.ones_like(layer[..., 0]))
        assert (layer[..., ~outside] > 0).float().mean() > (0.5 if causal else 0.99)


def test_llama_attention_weights_stay_in_the_document():
    batch, model = one_row(), llama()
    ids, positions = batch["input_ids"], batch["position_ids"]
    document = (positions[0] == 0).cumsum(0)
    outside = document[:, None] != document[None, :]
    block = additive(document_mask(ids, batch["attention_mask"], positions, causal=True))

    def leak(**options) -> tuple[float, torch.Tensor]:
        """El mayor peso de atención fuera del documento, y los logits."""
        output = model(input_ids=ids, position_ids=positions, output_attentions=True, **options)
        return max(layer[..., outside].max().item() for layer in output.attentions), output.logits

    (blocked, logits), (deduced, same) = leak(attention_mask=block), leak(use_cache=False)
    assert blocked == deduced == 0  # sin máscara ni caché, transformers deduce los documentos de position_ids
    torch.testing.assert_close(logits, same)
    # Las trampas que cuenta el lab: con la máscara de dos dimensiones o con la caché encendida ya no los deduce.
    assert leak(attention_mask=batch["attention_mask"], use_cache=False)[0] > 0.01
    assert leak(use_cache=True)[0] > 0.01


def test_sdpa_takes_the_boolean_mask():
    batch, model = one_row(), llama()
    block = document_mask(batch["input_ids"], batch["attention_mask"], batch["position_ids"], causal=True)
    eager = model(batch["input_ids"], attention_mask=additive(block), position_ids=batch["position_ids"]).logits
    model.set_attn_implementation("sdpa")
    sdpa = model(batch["input_ids"], attention_mask=block, position_ids=batch["position_ids"]).logits
    torch.testing.assert_close(eager, sdpa, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("family", ["causal", "encoder", "llama"])
def test_changing_one_document_moves_no_logit_of_another(family):
    batch = one_row()
    ids, positions = batch["input_ids"], batch["position_ids"]

    def logits(ids):
        visible = document_mask(ids, batch["attention_mask"], positions, causal=family != "encoder")
        if family == "llama":
            return llama()(input_ids=ids, attention_mask=additive(visible), position_ids=positions).logits[0]
        model = ours(encoder=2, decoder=0) if family == "encoder" else ours()
        stack = model.transformer.encoder if family == "encoder" else model.transformer.decoder
        return model.transformer.logits(stack(model.transformer.embed(ids), visible)[0])[0]

    before = logits(ids)  # (T, V)
    parts = bounds(positions[0])
    for changed in parts:
        other = ids.clone()
        other[0, changed.start] = 9
        moved = (logits(other) != before).any(-1)  # (T,)
        assert moved[changed].any()
        moved[changed] = False
        assert not moved.any()


def test_packed_losses_are_those_of_each_document_alone():
    batch = one_row()
    parts, ids = bounds(batch["position_ids"][0]), batch["input_ids"]
    for model in (ours("rope"), ours("relative")):
        packed = model.token_losses(**batch)[0]
        for part in parts:
            alone = model.token_losses(ids[:, part], ids[:, part])[0]
            torch.testing.assert_close(packed[part], alone, rtol=1e-4, atol=1e-4)
    theirs = llama()
    block = additive(document_mask(ids, batch["attention_mask"], batch["position_ids"], causal=True))
    packed = theirs(
        input_ids=ids, attention_mask=block, position_ids=batch["position_ids"], labels=batch["labels"]
    ).loss
    sums = [theirs(input_ids=ids[:, p], labels=ids[:, p]).loss * (p.stop - p.start - 1) for p in parts]
    torch.testing.assert_close(packed, sum(sums) / (ids.shape[1] - len(parts)), rtol=1e-4, atol=1e-4)


def test_packed_masked_losses_are_those_of_each_document_alone():
    rows = pack(DOCUMENTS, 32, END)
    special = frozenset({PAD, END, 2, 3})
    batch = MaskedLM(PAD, 3, VOCAB, special, rate=0.5)(rows, np.random.default_rng(0))
    model = ours("relative", encoder=2, decoder=0)
    packed = model.token_losses(**batch)[0]
    for part in bounds(batch["position_ids"][0]):
        if (batch["labels"][0, part] != IGNORE).any():
            alone = model.token_losses(batch["input_ids"][:, part], batch["labels"][:, part])[0]
            torch.testing.assert_close(packed[part], alone, rtol=1e-4, atol=1e-4)


def test_the_first_token_of_each_document_is_not_predicted():
    batch = one_row()
    assert (batch["labels"][batch["position_ids"] == 0] == IGNORE).all()
    assert (batch["labels"] != IGNORE).sum() == sum(map(len, DOCUMENTS))


def test_the_loop_trains_on_packed_rows():
    rows = pack(DOCUMENTS * 4, length=16, end_id=END)
    torch.manual_seed(0)
    model = Pretraining(Transformer(TransformerConfig(vocab=VOCAB, dim=16, heads=2, decoder_layers=1)), PAD)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    history = train(model, rows, CausalLM(PAD), steps=30, batch_size=4, optimizer=optimizer, seed=0)
    assert history.losses[0] == pytest.approx(np.log(VOCAB), rel=0.02)
    assert evaluate_loss(model, rows, CausalLM(PAD), 4) < history.losses[0] / 2


def test_bad_input_is_explained():
    with pytest.raises(ValueError, match="El documento número 1 está vacío"):
        pack([[1], []], 8)
    with pytest.raises(ValueError, match="length es 1"):
        pack([[1]], 1)
    with pytest.raises(ValueError, match="al menos un ejemplo"):
        padding_share([], 4)
    with pytest.raises(ValueError, match="empaquetados y sin empaquetar"):
        CausalLM(PAD)([{"input_ids": [4]}, {"input_ids": [4], "position_ids": [0]}])
    with pytest.raises(ValueError, match="posiciones rope o relative"):
        ours("learned")(**one_row())
