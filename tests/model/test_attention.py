"""La atención y sus piezas, iguales a las de torch, estables y con errores claros."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from utils.model.attention import (
    MultiHeadAttention,
    attention,
    causal_mask,
    cross_entropy,
    padding_mask,
    softmax,
)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# --- softmax y entropía cruzada -------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=20))
def test_softmax_equals_torch_up_to_ten_thousand(values):
    scores = torch.tensor(values)
    torch.testing.assert_close(softmax(scores), torch.softmax(scores, -1), atol=1e-6, rtol=1e-5)


def test_naive_softmax_would_overflow_and_ours_does_not():
    scores = torch.tensor([1e4, 1e4 - 1, -1e4])
    assert (scores.exp() / scores.exp().sum()).isnan().any()
    assert softmax(scores).tolist() == pytest.approx([1 / (1 + math.exp(-1)), 1 / (1 + math.e), 0.0])


def test_softmax_of_nothing_to_look_at_is_zero_with_zero_gradient():
    scores = torch.full((2, 3), -math.inf, requires_grad=True)
    softmax(scores).sum().backward()
    assert softmax(scores).tolist() == [[0.0] * 3] * 2
    assert scores.grad.tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
def test_cross_entropy_equals_torch(scale):
    logits = (randn(2, 5, 7) * scale).requires_grad_()
    targets = torch.randint(0, 7, (2, 5), generator=torch.Generator().manual_seed(0))
    targets[0, 1] = targets[1, 4] = -100
    ours = cross_entropy(logits, targets)
    theirs = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    (expected,) = torch.autograd.grad(theirs, logits, retain_graph=True)
    (got,) = torch.autograd.grad(ours, logits)
    torch.testing.assert_close(got, expected, atol=1e-6, rtol=1e-5)


def test_cross_entropy_is_finite_where_the_logarithm_of_softmax_is_not():
    logits = torch.tensor([[1e4, 0.0]])
    assert softmax(logits).log()[0, 1].item() == -math.inf
    assert cross_entropy(logits, torch.tensor([1])).item() == 1e4


# --- la atención ----------------------------------------------------------------------------------

MASKS = {
    "ninguna": None,
    "causal (T, S)": causal_mask(5, 7),
    "relleno (B, 1, 1, S)": padding_mask(torch.tensor([[1] * 7, [1] * 4 + [0] * 3])),
    "las dos (B, 1, T, S)": causal_mask(5, 7) & padding_mask(torch.tensor([[1] * 7, [1] * 4 + [0] * 3])),
    "por cabeza (H, T, S)": randn(3, 5, 7) > -1,
    "entera (B, H, T, S)": randn(2, 3, 5, 7, seed=1) > -1,
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_attention_equals_torch(mask):
    query, key, value = randn(2, 3, 5, 8), randn(2, 3, 7, 8, seed=1), randn(2, 3, 7, 4, seed=2)
    mixed, weights = attention(query, key, value, mask)
    expected = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(mixed, expected, atol=1e-5, rtol=1e-5)
    assert weights.shape == (2, 3, 5, 7)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 5))
    if mask is not None:
        assert (weights[~mask.expand_as(weights)] == 0).all()


def test_a_bias_is_added_to_the_scores():
    query, key, value, bias = randn(2, 3, 5, 8), randn(2, 3, 7, 8, seed=1), randn(2, 3, 7, 8, seed=2), randn(3, 5, 7)
    expected = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.expand(2, 3, 5, 7))
    torch.testing.assert_close(attention(query, key, value, bias=bias)[0], expected, atol=1e-5, rtol=1e-5)


def test_gradient_check():
    query, key, value = (randn(1, 2, 3, 4, seed=s).double().requires_grad_() for s in range(3))
    mask = causal_mask(3)
    assert torch.autograd.gradcheck(lambda q, k, v: attention(q, k, v, mask)[0], (query, key, value))


def test_attention_ignores_the_order_of_what_it_looks_at():
    query, key, value = randn(4, 8), randn(6, 8, seed=1), randn(6, 8, seed=2)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        attention(query, key[order], value[order])[0], attention(query, key, value)[0], atol=1e-6, rtol=1e-5
    )


def test_causal_mask_with_more_keys_than_queries_is_its_last_rows():
    assert torch.equal(causal_mask(2, 5), causal_mask(5)[-2:])


def test_multi_head_equals_torch():
    ours, theirs = MultiHeadAttention(12, 3, bias=True), torch.nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
        theirs.out_proj.load_state_dict(ours.output.state_dict())
    x, memory = randn(2, 5, 12), randn(2, 7, 12, seed=1)
    for source in (x, memory):
        expected, expected_weights = theirs(x, source, source, average_attn_weights=False)
        got, weights = ours(x, None if source is x else memory)
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(weights, expected_weights, atol=1e-6, rtol=1e-5)


def test_grouped_queries_are_many_heads_with_repeated_keys():
    grouped, full = MultiHeadAttention(16, 4, kv_heads=2), MultiHeadAttention(16, 4)
    state = grouped.state_dict()
    for name in ("key.weight", "value.weight"):
        state[name] = state[name].unflatten(0, (2, 4)).repeat_interleave(2, dim=0).flatten(0, 1)
    full.load_state_dict(state)
    x = randn(2, 5, 16)
    torch.testing.assert_close(grouped(x)[0], full(x)[0])
    assert grouped.key.weight.numel() * 2 == full.key.weight.numel()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: attention(randn(3, 4), randn(3, 5), randn(3, 5)), "comparten la última dimensión"),
        (lambda: attention(randn(3, 4), randn(3, 4), randn(2, 4)), "clave y valor, la penúltima"),
        (lambda: attention(randn(3, 4), randn(5, 4), randn(5, 4), torch.ones(3, 4).bool()), "no se difunde"),
        (lambda: attention(randn(3, 4), randn(5, 4), randn(5, 4), torch.ones(2, 3, 5).bool()), "no se difunde"),
        (lambda: attention(randn(3, 4), randn(5, 4), randn(5, 4), torch.ones(3, 5)), "mask.bool"),
        (lambda: MultiHeadAttention(10, 3), "3 cabezas no dividen a la dimensión 10"),
        (lambda: MultiHeadAttention(12, 4, kv_heads=3), "3 cabezas de clave no dividen a 4"),
        (lambda: causal_mask(3, 2), "no hay máscara causal"),
        (lambda: padding_mask(torch.ones(3)), r"debe ser \(B, S\)"),
        (lambda: cross_entropy(randn(2, 4), torch.tensor([1])), "una por posición"),
        (lambda: cross_entropy(randn(1, 4), torch.tensor([4])), "fuera del vocabulario"),
        (lambda: cross_entropy(randn(1, 4), torch.tensor([-100])), "no hay nada que aprender"),
    ],
)
def test_bad_input_says_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
