"""Los adaptadores de Houlsby: empiezan sin hacer nada, se entrenan solos y se quitan sin dejar rastro."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from utils.tune.adapters import BottleneckAdapter, add_adapters, output_projections, remove_adapters

T5 = dict(vocab_size=32, d_model=16, d_kv=8, d_ff=24, num_heads=2, num_layers=2, decoder_start_token_id=0)
LLAMA = dict(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2)


@pytest.fixture(params=["t5", "llama"])
def model(request) -> nn.Module:
    torch.manual_seed(0)
    if request.param == "t5":
        return T5ForConditionalGeneration(T5Config(**T5)).eval()
    return LlamaForCausalLM(LlamaConfig(**LLAMA)).eval()


def batch(model: nn.Module) -> dict[str, torch.Tensor]:
    ids = torch.tensor([[3, 5, 7, 9], [4, 6, 8, 1]])
    return {"input_ids": ids, "labels": ids}


def excite(model: nn.Module) -> None:
    """Mueve los adaptadores de su cero, para que se note si están o no."""
    for module in model.modules():
        if isinstance(module, BottleneckAdapter):
            nn.init.normal_(module.up.weight)


@torch.no_grad()  # con gradientes en la base, PyTorch usa otra rutina y cambia la última cifra
def test_a_new_adapter_leaves_the_logits_bit_for_bit(model):
    before = model(**batch(model)).logits
    after = add_adapters(deepcopy(model), bottleneck=4)(**batch(model)).logits
    assert torch.equal(before, after)


def test_there_is_one_adapter_after_each_attention_and_each_ffn(model):
    places = output_projections(model)
    assert len(places) == (2 * 2 + 2 * 3 if model.config.is_encoder_decoder else 2 * 2)
    adapted = add_adapters(deepcopy(model), bottleneck=4)
    trained = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert trained == len(places) * (2 * 16 * 4 + 4 + 16)


def test_equals_a_model_with_the_adapter_written_in_sequence(model):
    adapted = add_adapters(deepcopy(model), bottleneck=4)
    excite(adapted)
    by_hand = deepcopy(model)
    for name in output_projections(model):
        parent, _, child = name.rpartition(".")
        source = adapted.get_submodule(name)
        sequence = nn.Sequential(by_hand.get_submodule(name), source.adapter)
        sequence.weight = source.weight  # T5 mira el tipo de los pesos de wo
        setattr(by_hand.get_submodule(parent), child, sequence)
    torch.testing.assert_close(adapted(**batch(model)).logits, by_hand(**batch(model)).logits)


def test_training_moves_the_adapters_and_never_the_base(model):
    adapted = add_adapters(deepcopy(model), bottleneck=4)
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(5):
        loss = adapted(**batch(model)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    base = model.state_dict()
    after = {name: t for name, t in adapted.state_dict().items() if ".adapter." not in name}
    assert base.keys() == after.keys() and all(torch.equal(base[name], after[name]) for name in base)


@torch.no_grad()
def test_adapters_are_swapped_on_one_base_and_removed(model):
    expected = model(**batch(model)).logits
    adapted = add_adapters(deepcopy(model), bottleneck=4)
    zero = deepcopy(adapted.state_dict())
    excite(adapted)
    changed = adapted(**batch(model)).logits
    task = {name: tensor.clone() for name, tensor in adapted.state_dict().items() if ".adapter." in name}
    assert not torch.allclose(changed, expected)
    adapted.load_state_dict(zero)
    assert torch.equal(adapted(**batch(model)).logits, expected)
    adapted.load_state_dict(task, strict=False)
    assert torch.equal(adapted(**batch(model)).logits, changed)
    clone = remove_adapters(deepcopy(adapted))
    assert torch.equal(clone(**batch(model)).logits, expected)
    assert not any(".adapter." in name for name in clone.state_dict())
    assert torch.equal(adapted(**batch(model)).logits, changed)  # quitarlos de la copia no toca el original


def test_bad_input_says_what_to_do(model):
    with pytest.raises(ValueError, match="al menos 1"):
        add_adapters(model, bottleneck=0)
    add_adapters(model, bottleneck=2)
    with pytest.raises(ValueError, match="ya tiene adaptadores"):
        add_adapters(model, bottleneck=2)
    bert = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=16)
    with pytest.raises(ValueError, match="usa un T5 o un Llama"):
        add_adapters(BertForMaskedLM(bert), bottleneck=2)
