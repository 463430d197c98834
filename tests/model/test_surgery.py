"""Cirugía: lo que se cambia, lo que se entrena y las huellas. Los pesos compartidos, en tests/tune/test_lora.py."""

import pytest
import torch
from torch import nn

from tests.model.test_half_precision import IDS, llama, t5
from utils.model.surgery import (
    fingerprint,
    linear_layers,
    replace_layers,
    sharers,
    trained_parameters,
    trained_tensors,
    untie,
)


class Doubled(nn.Module):
    """Una capa que da el doble que otra, y que dentro la lleva."""

    def __init__(self, base: nn.Module):
        super().__init__()
        self.base = base

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * self.base(x)


@pytest.mark.parametrize("build", [llama, t5])
def test_layers_go_in_and_out_and_only_they_change(build):
    model = build()
    before, names = fingerprint(model.state_dict()), [name for name, _ in model.named_modules()]
    inputs = {"input_ids": IDS} | ({"decoder_input_ids": IDS} if build is t5 else {})
    logits = model(**inputs).logits
    heads = {path: layer for path, layer in linear_layers(model).items() if path == "lm_head"}
    replace_layers(model, {path: Doubled(layer) for path, layer in heads.items()})
    assert torch.equal(model(**inputs).logits, 2 * logits)
    replace_layers(model, heads)
    assert torch.equal(model(**inputs).logits, logits)
    assert fingerprint(model.state_dict()) == before and [name for name, _ in model.named_modules()] == names


@pytest.mark.parametrize("training", [True, False])
def test_a_new_layer_works_in_the_mode_of_the_one_it_replaces(training):
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 2)), nn.ReLU()).train(training)
    replace_layers(model, {"0.0": nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))})
    assert all(module.training is training for module in model.modules())


@pytest.mark.parametrize("path", ["", "1", "0.weight", "cabeza"])
def test_a_layer_that_is_not_there_is_explained_and_nothing_is_changed(path):
    model = nn.Sequential(nn.Linear(2, 2))
    before = model[0]
    with pytest.raises(ValueError, match=f"ninguna capa «{path}»"):
        replace_layers(model, {"0": nn.Identity(), path: nn.Identity()})
    assert model[0] is before


def test_linear_layers_are_all_but_the_skipped_ones():
    names = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    found = linear_layers(llama(), skip=("lm_head",))
    assert len(found) == 2 * len(names) and {path.rpartition(".")[2] for path in found} == names
    assert linear_layers(llama()).keys() - found.keys() == {"lm_head"}
    with pytest.raises(ValueError, match="no tiene capas lineales"):
        linear_layers(nn.Sequential(nn.Embedding(3, 2), nn.Linear(2, 3)), skip=("1",))


def test_what_trains_is_counted_once_and_copied():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5))
    model[1].weight = model[0].weight
    assert trained_parameters(model) == (25, 25)
    model[0].requires_grad_(False)
    assert trained_parameters(model) == (5, 25)
    saved = trained_tensors(model)
    assert saved.keys() == {"1.bias"}
    expected = saved["1.bias"].clone()
    model[1].bias.data.add_(1)
    assert torch.equal(saved["1.bias"], expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.uint8])
def test_a_fingerprint_sees_names_bits_and_nothing_else(dtype):
    tensors = {"a": torch.arange(6, dtype=dtype).view(2, 3), "b": torch.tensor(1, dtype=dtype)}
    same = {"a": torch.arange(12, dtype=dtype).view(6, 2)[:, 0].div(2).to(dtype).view(2, 3), "b": tensors["b"].clone()}
    assert fingerprint(same) == fingerprint(tensors)
    moved = {**tensors, "b": tensors["b"] + 1}
    renamed = {"a": tensors["a"], "c": tensors["b"]}
    assert len({fingerprint(each) for each in (tensors, moved, renamed)}) == 3


def test_a_matrix_of_its_own_does_not_move_the_other():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
    model[1].weight = model[0].weight
    assert sharers(model, "1") == ["0.weight"] and sharers(model, "0") == ["1.weight"]
    untie(model, "1")
    before = model[0].weight.detach().clone()
    model[1].weight.data.add_(1)
    assert sharers(model, "1") == [] and torch.equal(model[0].weight, before)
