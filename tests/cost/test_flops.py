"""Las cuentas de operaciones, frente al contador de torch sobre mini-gpt y otro con consultas agrupadas."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM

from utils.cost.flops import (
    PEAK_TFLOPS,
    PETAFLOP_DAY,
    forward_flops,
    gpu_hours,
    model_flops_utilization,
    petaflop_days,
    training_flops,
)
from utils.course.env import repo_root

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


def test_a_petaflop_day_of_the_errata():
    # Errata 11: ocho V100, sí; pero 3,2 A100, no dos, y eso aprovechándolas del todo.
    assert gpu_hours(PETAFLOP_DAY, PEAK_TFLOPS["V100"], mfu=1) == 8 * 24
    assert gpu_hours(PETAFLOP_DAY, PEAK_TFLOPS["A100"], mfu=1) / 24 == pytest.approx(3.205, abs=0.001)
    assert gpu_hours(PETAFLOP_DAY, 2 * 312, mfu=1) / 24 == pytest.approx(1.6, abs=0.01)  # el anuncio con ceros
    assert gpu_hours(PETAFLOP_DAY, PEAK_TFLOPS["A100"], mfu=0.4) / 24 == pytest.approx(8.0, abs=0.02)


def test_hours_and_utilization_undo_each_other():
    hours = gpu_hours(2.36e23, 312, mfu=0.37)
    assert model_flops_utilization(2.36e23, hours, 312) == pytest.approx(0.37)
    # El artículo de BloombergGPT dice 102 TFLOP/s por GPU.
    assert 312 * model_flops_utilization(2.36e23, 512 * 53 * 24, 312) == pytest.approx(102, rel=0.02)


@pytest.mark.parametrize("mfu", [0, -0.1, 1.01, 40, float("nan")])
def test_bad_mfu(mfu):
    with pytest.raises(ValueError, match="entre 0 y 1, y es"):
        gpu_hours(1e20, 312, mfu)


def test_bad_hours():
    with pytest.raises(ValueError, match="deben ser mayores que 0"):
        gpu_hours(0, 312, 0.4)
    with pytest.raises(ValueError, match="deben ser mayores que 0"):
        gpu_hours(1e20, -1, 0.4)
    with pytest.raises(ValueError, match="Las horas de GPU deben ser más de 0"):
        model_flops_utilization(1e20, 0, 312)
