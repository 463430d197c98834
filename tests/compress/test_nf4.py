"""NF4: la tabla publicada, los bits medidos, el error acotado y LoRA que entrena encima."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import T5Config, T5ForConditionalGeneration

from utils.compress.formats import NF4
from utils.compress.nf4 import NF4Linear, nearest_codes, normal_float_levels, pack, quantize_linears, unpack
from utils.model.surgery import trained_parameters
from utils.tune.lora import LoRAConfig, LoRALinear, add_lora, base_fingerprint, lora_layers, merge


def linear(inputs: int = 256, outputs: int = 128, bias: bool = False, seed: int = 0) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(inputs, outputs, bias=bias)


def small_t5() -> T5ForConditionalGeneration:
    torch.manual_seed(0)
    config = T5Config(vocab_size=40, d_model=32, d_kv=16, num_heads=2, d_ff=48, num_layers=2, decoder_start_token_id=0)
    return T5ForConditionalGeneration(config).eval()


def test_levels_are_the_published_table():
    assert normal_float_levels() == pytest.approx(NF4.levels, abs=2e-7)
    assert normal_float_levels()[7] == 0 and len(set(normal_float_levels())) == 16


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40))
def test_codes_are_the_nearest_level(values):
    """Los mismos códigos que el formato escrito con `float` de Python, o el de al lado si está igual de cerca."""
    for value, code in zip(values, nearest_codes(torch.tensor(values)).tolist(), strict=True):
        assert abs(NF4.levels[code] - value) == pytest.approx(abs(NF4.decode(NF4.encode(value)) - value), abs=1e-7)


@given(st.lists(st.integers(0, 15), max_size=30).filter(lambda codes: len(codes) % 2 == 0))
def test_packing_round_trip(codes):
    tensor = torch.tensor(codes, dtype=torch.uint8)
    assert pack(tensor).numel() == len(codes) / 2 and unpack(pack(tensor)).tolist() == codes


def test_bits_are_those_of_qlora():
    """4 + 8/64 + 32/(64 · 256) bits, más los 32 de la media, repartidos entre todos los pesos."""
    weights = 1024 * 512
    expected = 4 + 8 / 64 + 32 / (64 * 256) + 32 / weights
    assert NF4Linear(linear(512, 1024)).bits_per_parameter() == pytest.approx(expected, abs=1e-9)
    assert expected == pytest.approx(4.127, abs=5e-4)


@pytest.mark.parametrize("shape", [(256, 128), (65, 3), (1, 7)])
def test_error_is_at_most_half_a_gap(shape):
    layer = linear(*shape)
    error = (NF4Linear(layer).weight - layer.weight).abs().flatten()
    largest_gap = np.diff(NF4.levels).max()
    blocks = torch.nn.functional.pad(layer.weight.detach().flatten(), (0, -layer.weight.numel() % 64)).view(-1, 64)
    absmax = blocks.abs().amax(1).repeat_interleave(64)[: error.numel()]
    # Además, el absmax guardado se aparta del verdadero: media mantisa de E4M3 de lo que dista de la media.
    assert (error <= absmax * largest_gap / 2 + (absmax - absmax.mean()).abs().max() * 0.07).all()


def test_beats_sixteen_equal_steps_on_normal_weights():
    """El motivo de NF4: con pesos normales yerra menos que 16 niveles equidistantes."""
    layer = linear(512, 512)
    nn.init.normal_(layer.weight)
    blocks = layer.weight.detach().view(-1, 64)
    absmax = blocks.abs().amax(1, keepdim=True)
    even = (blocks / absmax * 7).round() / 7 * absmax
    assert (NF4Linear(layer).weight - layer.weight).square().mean() < 0.9 * (even - blocks).square().mean()


def test_forward_is_the_dequantized_layer():
    layer = linear(bias=True)
    x = torch.randn(3, 256)
    compact = NF4Linear(layer)
    torch.testing.assert_close(compact(x), x @ compact.weight.T + layer.bias)
    assert compact(x.double()).dtype == torch.float64
    constant = nn.Linear(64, 4, bias=False)
    nn.init.zeros_(constant.weight)
    assert not NF4Linear(constant).weight.any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(64, 64), (63, 1), (65, 3), (1, 1), (100, 700)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 6e4])
def test_any_precision_any_size_and_blocks_of_zeros(dtype, shape, scale):
    """Bloques enteros a cero, tamaños que no llenan el último y pesos de 16 bits grandes y pequeños."""
    layer = linear(*shape).to(dtype)
    layer.weight.data = (torch.randn(layer.weight.shape, dtype=torch.float64).clamp(-1, 1) * scale).to(dtype)
    layer.weight.data.flatten()[: 2 * 64] = 0
    compact = NF4Linear(layer)
    error = (compact.weight.double() - layer.weight.double()).abs()
    largest = layer.weight.double().abs().max()
    assert (error <= largest * (np.diff(NF4.levels).max() / 2 + 0.07)).all()
    assert not compact.weight[layer.weight == 0].any()
    out = compact(torch.ones(2, shape[0], dtype=dtype) / shape[0])
    assert out.dtype == dtype and out.isfinite().all()
    assert nearest_codes(torch.tensor([-1.0, 0.01, 0.3], dtype=dtype)).tolist() == [0, 7, 11]


def test_lora_trains_on_top_and_the_base_does_not_move():
    model = small_t5()
    names = quantize_linears(model)
    assert "lm_head" not in names and len(names) == 6 * 4 + 4 * 2
    add_lora(model, LoRAConfig(rank=4, targets=("q", "v", "wo")))
    before = base_fingerprint(model)
    trained, _ = trained_parameters(model)
    assert trained == sum(p.numel() for layer in lora_layers(model).values() for p in layer.adapters.parameters())
    ids = torch.randint(3, 40, (4, 6))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-2)
    losses = []
    for _ in range(30):
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0] and base_fingerprint(model) == before
    with pytest.raises(ValueError, match="no se puede fundir"):
        merge(model)


def test_gradient_is_that_of_the_dequantized_weights():
    """El gradiente de A y B a través de la base en NF4 es el de una base normal con los pesos ya redondeados."""
    compact = NF4Linear(linear())
    plain = linear()
    plain.weight.data = compact.weight
    grads = []
    for base in (compact, plain):
        layer = LoRALinear(base)
        torch.manual_seed(0)
        layer.add("a", LoRAConfig(rank=2))
        layer.active = "a"
        layer.adapters["a"].B.data.fill_(0.1)
        x = torch.ones(2, 256, requires_grad=True)
        layer(x).square().sum().backward()
        grads.append((layer.adapters["a"].A.grad, x.grad))
    for ours, reference in zip(*grads, strict=True):
        torch.testing.assert_close(ours, reference)


def test_state_dict_round_trip():
    first, second = NF4Linear(linear(seed=0)), NF4Linear(linear(seed=1))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert torch.equal(first.weight, second.weight)


def test_bad_input_says_what_to_do():
    with pytest.raises(ValueError, match="de dos en dos"):
        pack(torch.zeros(3, dtype=torch.uint8))
    layer = linear()
    layer.weight.data[0, 0] = float("nan")
    with pytest.raises(ValueError, match="no son números finitos"):
        NF4Linear(layer)
    with pytest.raises(ValueError, match="no tiene capas lineales"):
        quantize_linears(nn.LayerNorm(3))
    with pytest.raises(ValueError, match="no tiene capas lineales"):
        quantize_linears(nn.Sequential(NF4Linear(linear())))
