"""La receta común: se repite, no toca el modelo de partida y mueve lo que dice."""

import pytest
import torch

from tests.tune.test_lora import t5
from utils.model.surgery import trained_parameters
from utils.studies.lora_run import tune
from utils.train.objectives import Seq2Seq
from utils.tune.lora import LoRAConfig, adapter_names, base_fingerprint

EXAMPLES = [{"input_ids": [3 + i % 9, 5, 1], "labels": [3 + i % 9, 1]} for i in range(40)]
RECIPE = {"learning_rate": 1e-2, "steps": 6, "batch_size": 4, "warmup": 1}


@pytest.mark.parametrize("lora", [None, LoRAConfig(rank=2)])
def test_repeats_and_leaves_the_base_alone(lora):
    base = t5()
    before = base_fingerprint(base)
    first, history = tune(base, EXAMPLES, Seq2Seq(0), lora=lora, seed=3, **RECIPE)
    second, again = tune(base, EXAMPLES, Seq2Seq(0), lora=lora, seed=3, **RECIPE)
    _, other = tune(base, EXAMPLES, Seq2Seq(0), lora=lora, seed=4, **RECIPE)
    assert history.losses == again.losses != other.losses
    assert base_fingerprint(base) == before and not first.training
    assert (base_fingerprint(first) == before) == (lora is not None)
    for ours, theirs in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_moves_everything_or_only_the_adapter():
    whole, _ = tune(t5(), EXAMPLES, Seq2Seq(0), lora=None, **RECIPE)
    assert len(set(trained_parameters(whole))) == 1
    small, _ = tune(t5(), EXAMPLES, Seq2Seq(0), lora=LoRAConfig(rank=2), name="ficha", **RECIPE)
    assert trained_parameters(small)[0] == 6 * 2 * 2 * 32 and adapter_names(small) == ["ficha"]


def test_a_missing_layer_says_so():
    with pytest.raises(ValueError, match="Ninguna capa"):
        tune(t5(), EXAMPLES, Seq2Seq(0), lora=LoRAConfig(targets=("q_proj",)), **RECIPE)
