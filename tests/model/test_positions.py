"""Las posiciones: la fórmula de Vaswani, RoPE y las casillas de T5, iguales a transformers."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb
from transformers.models.t5.modeling_t5 import T5Attention

from utils.model.positions import check_length, relative_buckets, rope, sinusoidal


def test_sinusoidal_is_the_formula_of_the_paper():
    table = sinusoidal(50, 16)
    for t in (0, 1, 7, 49):
        for i in range(8):
            angle = t / 10000 ** (2 * i / 16)
            assert table[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert table[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_a_shift_is_a_rotation_that_does_not_depend_on_the_place():
    """Lo que dice el artículo: PE(t + k) es una función lineal de PE(t), la misma para todo t."""
    table = sinusoidal(80, 8).double()
    shift = torch.linalg.lstsq(table[:70], table[5:75]).solution
    torch.testing.assert_close(table[:70] @ shift, table[5:75], atol=1e-5, rtol=0)


@pytest.mark.parametrize("base", [10000.0, 500000.0])
def test_rope_equals_llama(base):
    config = LlamaConfig(
        hidden_size=64, num_attention_heads=4, rope_parameters={"rope_type": "default", "rope_theta": base}
    )
    x = torch.randn(2, 4, 11, 16, generator=torch.Generator().manual_seed(0))
    positions = torch.stack((torch.arange(11), torch.arange(11) + 30))  # (B, T)
    cos, sin = LlamaRotaryEmbedding(config)(x, positions)
    expected, _ = apply_rotary_pos_emb(x, x, cos, sin)
    torch.testing.assert_close(rope(x, positions, base), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(rope(x, None, base)[0], expected[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(rope(x, torch.arange(11), base)[0], expected[0], atol=1e-6, rtol=0)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 300))
def test_rope_scores_depend_only_on_the_distance(m, n, shift):
    generator = torch.Generator().manual_seed(1)
    query, key = (torch.randn(1, 1, 1, 32, generator=generator).double() for _ in range(2))

    def score(i, j):
        return (rope(query, torch.tensor([i])) * rope(key, torch.tensor([j]))).sum().item()

    assert score(m, n) == pytest.approx(score(m + shift, n + shift), abs=2e-3)
    assert rope(query, torch.tensor([m])).norm().item() == pytest.approx(query.norm().item(), rel=1e-6)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("buckets", "distance"), [(32, 128), (8, 20), (64, 256)])
def test_buckets_equal_t5(causal, buckets, distance):
    offset = torch.arange(300)[None, :] - torch.arange(300)[:, None]
    expected = T5Attention._relative_position_bucket(offset, not causal, buckets, distance)
    assert torch.equal(relative_buckets(300, 300, causal=causal, buckets=buckets, max_distance=distance), expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_length(5, 4), "llega a 5 tokens y el modelo tiene 4 posiciones"),
        (lambda: sinusoidal(0, 4), "al menos una posición"),
        (lambda: sinusoidal(3, 5), "debe ser par"),
        (lambda: rope(torch.zeros(1, 1, 2, 3)), "debe ser par"),
        (lambda: rope(torch.zeros(2, 3, 4)), "reparte antes en cabezas"),
        (lambda: rope(torch.zeros(1, 1, 2, 4), torch.arange(3)), "Las posiciones deben tener forma"),
        (lambda: relative_buckets(0, 3, causal=True), "al menos una consulta"),
        (lambda: relative_buckets(3, 3, causal=False, buckets=2), "casillas"),
    ],
)
def test_bad_input_says_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
