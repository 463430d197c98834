"""Las cuentas de operaciones, frente al contador de torch sobre mini-gpt y otro con consultas agrupadas."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM

from utils.course.env import repo_root
from utils.measure.flops import forward_flops, petaflop_days, training_flops

#: transformers calcula los ángulos de RoPE con un producto de matrices que nuestra fórmula no cuenta.
TOLERANCE = 0.002


def _mini_gpt():
    return AutoConfig.from_pretrained(repo_root() / "models" / "mini-gpt")


def _grouped():
    return LlamaConfig(
        vocab_size=300, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2,
    )  # fmt: skip


@pytest.mark.parametrize("config", [_mini_gpt(), _grouped()], ids=["mini-gpt", "GQA"])
@pytest.mark.parametrize(("batch", "length"), [(1, 7), (2, 64)])
def test_forward_equals_the_torch_counter(config, batch, length):
    config._attn_implementation = "eager"  # el contador no conoce el núcleo fusionado de la CPU
    model = LlamaForCausalLM(config).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(input_ids=torch.zeros(batch, length, dtype=torch.long))
    d_head = config.hidden_size // config.num_attention_heads
    ours = forward_flops(
        layers=config.num_hidden_layers, d_model=config.hidden_size, d_ff=config.intermediate_size,
        vocab_size=config.vocab_size, length=length, batch=batch, d_kv=config.num_key_value_heads * d_head, gated=True,
    )  # fmt: skip
    assert ours == pytest.approx(counter.get_total_flops(), rel=TOLERANCE)
    assert ours <= counter.get_total_flops()


def test_six_n_d_is_three_forward_passes_without_attention():
    sizes = {"layers": 12, "d_model": 768, "d_ff": 3072, "vocab_size": 1}
    parameters = 12 * (4 * 768**2 + 2 * 768 * 3072)
    one_token = forward_flops(**sizes, length=1)
    assert 3 * one_token == pytest.approx(training_flops(parameters, 1), rel=0.001)


def test_attention_is_the_only_quadratic_part():
    sizes = {"layers": 2, "d_model": 32, "d_ff": 64, "vocab_size": 100}
    per_token = [forward_flops(**sizes, length=n) / n for n in (100, 200, 300)]
    assert per_token[1] - per_token[0] == per_token[2] - per_token[1] == 2 * 4 * 100 * 32


def test_gpt3_of_the_errata():
    assert training_flops(175e9, 300e9) == pytest.approx(3.15e23)
    assert petaflop_days(3.15e23) == pytest.approx(3645.8, abs=0.1)


@pytest.mark.parametrize("wrong", [{"length": 0}, {"layers": -1}, {"d_model": 1.5}, {"batch": True}, {"d_kv": 0}])
def test_bad_sizes(wrong):
    sizes = {"layers": 2, "d_model": 32, "d_ff": 64, "vocab_size": 100, "length": 4}
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} debe ser un entero mayor que 0"):
        forward_flops(**(sizes | wrong))


@pytest.mark.parametrize("wrong", [(0, 10), (10, -1), (float("nan"), 1)])
def test_bad_training(wrong):
    with pytest.raises(ValueError, match="mayores que 0"):
        training_flops(*wrong)
