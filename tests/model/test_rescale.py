"""La misma función con números más grandes: cabe en FP32 y BF16 y no en FP16 (errata 10)."""

import copy

import pytest
import torch

from utils.course.hub import load_model
from utils.model.rescale import scale_residual_stream

IDS = torch.tensor([[605, 418, 503, 962, 325, 1], [637, 352, 636, 49, 1, 0]])
LABELS = torch.tensor([[418, 503, 1], [352, 1, -100]])


@pytest.fixture(scope="module")
def t5():
    return load_model("seq2seq")


@torch.no_grad()
def run(model):
    return model(input_ids=IDS, attention_mask=(IDS != 0).long(), labels=LABELS, output_hidden_states=True)


@pytest.mark.parametrize("factor", [2.0**8, 2.0**16])
def test_logits_do_not_change_and_the_stream_does(t5, factor):
    before, after = run(t5), run(scale_residual_stream(t5, factor))
    assert (after.logits - before.logits).abs().max() < 1e-4
    assert torch.allclose(after.encoder_hidden_states[1] / factor, before.encoder_hidden_states[1], atol=1e-4)


def test_leaves_the_original_alone(t5):
    weight = t5.shared.weight.clone()
    scaled = scale_residual_stream(t5, 4.0)
    assert torch.equal(t5.shared.weight, weight) and torch.equal(scaled.lm_head.weight, t5.lm_head.weight)


def test_errata_10_float16_overflows_and_bfloat16_does_not(t5):
    scaled = scale_residual_stream(t5, 2.0**16)
    assert not torch.isfinite(run(copy.deepcopy(scaled).half()).loss)
    for factor in (1.0, 2.0**16):
        small = run(scale_residual_stream(t5, factor).bfloat16())
        assert torch.isfinite(small.logits).all()
        assert abs(small.loss.float() - run(t5).loss) < 0.05


def test_errata_10_the_clamp_of_transformers_hides_it_and_wo_in_float32_avoids_it(t5):
    scaled = scale_residual_stream(t5, 2.0**10).half()
    right, clamped = run(t5).loss.item(), run(scaled).loss.item()
    assert clamped == pytest.approx(clamped) and abs(clamped - right) > 0.005  # finita y equivocada
    for name, module in scaled.named_modules():
        if name.endswith(".wo"):
            module.float()  # lo que hace from_pretrained(dtype=torch.float16) con _keep_in_fp32_modules
    assert run(scaled).loss.item() == pytest.approx(right, abs=0.003)


def test_bad_input_says_what_to_do(t5):
    with pytest.raises(ValueError, match="factor debe ser positivo"):
        scale_residual_stream(t5, 0)
    with pytest.raises(ValueError, match="Solo sé hacerlo con T5"):
        scale_residual_stream(load_model("causal"), 2)
