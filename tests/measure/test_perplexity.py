"""Perplejidad: igual que la pérdida de transformers, sin que influyan el relleno ni el orden, y por ventanas."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from utils.measure.perplexity import TextScore, _windows, bits_per_byte, perplexity, score_texts

V = 50


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=V, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=32,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)  # que prediga con convicción: un modelo casi uniforme no distingue errores
    return model


def _ids(length, seed=0):
    return torch.randint(0, V, (length,), generator=torch.Generator().manual_seed(seed)).tolist()


def test_equals_transformers_loss(model):
    ids = torch.tensor([_ids(20)])
    with torch.no_grad():
        loss = model(input_ids=ids, labels=ids).loss.item()
    (score,) = score_texts(model, ids.tolist())
    assert score.tokens == 19
    assert score.perplexity == pytest.approx(math.exp(loss), rel=1e-5)


def test_padding_batches_and_order_do_not_matter(model):
    texts = [_ids(n, n) for n in (31, 2, 9, 17, 80)]
    alone = [score_texts(model, [ids])[0] for ids in texts]
    for size in (1, 3, 8):
        together = score_texts(model, texts, batch_size=size)
        assert [s.tokens for s in together] == [len(ids) - 1 for ids in texts]
        assert [s.nats for s in together] == pytest.approx([s.nats for s in alone], rel=1e-5)


@given(st.integers(2, 200), st.integers(2, 40), st.data())
def test_windows_predict_every_token_once_with_enough_context(length, window, data):
    stride = data.draw(st.integers(1, window - 1))
    predicted = []
    for number, (start, end, first) in enumerate(_windows(length, window, stride)):
        assert 0 <= start < first < end <= length and end - start <= window
        assert number == 0 or first - start >= window - stride
        predicted += range(first, end)
    assert predicted == list(range(1, length))


@pytest.mark.parametrize("stride", [1, 5, 11])
def test_sliding_window_equals_one_token_at_a_time(model, stride):
    ids, window = _ids(40), 12
    nats = 0.0
    for start, end, first in _windows(len(ids), window, stride):
        for target in range(first, end):
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([ids[start:target]])).logits[0, -1]
            nats -= logits.log_softmax(-1)[ids[target]].item()
    (score,) = score_texts(model, [ids], window=window, stride=stride)
    assert score.nats == pytest.approx(nats, rel=1e-5)


def test_a_model_that_knows_nothing_doubts_among_the_whole_vocabulary(model):
    import copy

    blank = copy.deepcopy(model)
    torch.nn.init.zeros_(blank.lm_head.weight)
    scores = score_texts(blank, [_ids(10), _ids(50)])
    assert perplexity(scores) == pytest.approx(V, rel=1e-5)
    # 58 tokens predichos a log2(50) bits cada uno, entre 116 bytes
    assert bits_per_byte(scores, ["a" * 16, "ñ" * 50]) == pytest.approx(58 * math.log2(V) / 116, rel=1e-5)


def test_the_whole_is_weighted_by_tokens():
    scores = [TextScore(nats=9.0, tokens=9), TextScore(nats=3.0, tokens=1)]
    assert perplexity(scores) == pytest.approx(math.exp(1.2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "ningún texto"),
        (([[]],), "tiene 0 tokens"),
        (([[3]],), "tiene 1 tokens"),
        (([[1, 2], [3, V]],), "número 1 tiene ids fuera"),
        (([[1, -1]],), "ids fuera"),
    ],
)
def test_bad_texts(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        score_texts(model, *arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"window": 33}, "entre 2 y 32"), ({"window": 1}, "entre 2 y 32"), ({"window": 8, "stride": 8}, "entre 1 y 7"),
     ({"stride": 0}, "entre 1 y 31")],
)  # fmt: skip
def test_bad_windows(model, options, message):
    with pytest.raises(ValueError, match=message):
        score_texts(model, [[1, 2, 3]], **options)


def test_bad_bytes():
    with pytest.raises(ValueError, match="una por texto"):
        bits_per_byte([], ["hola"])
    with pytest.raises(ValueError, match="vacíos"):
        bits_per_byte([TextScore(1.0, 1)], [""])
    with pytest.raises(ValueError, match="ningún texto puntuado"):
        perplexity([])
