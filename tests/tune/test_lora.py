"""LoRA: la base no se mueve, B = 0 no cambia nada, fundir tampoco, y las pérdidas son las de peft."""

import copy
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

from utils.cost.empty_models import FLAN_T5_BASE, empty_model
from utils.model.config import TransformerConfig
from utils.model.surgery import trained_parameters, untie
from utils.model.transformer import Transformer
from utils.tune.lora import (
    Adapter,
    LoRAConfig,
    LoRALinear,
    adapter_disabled,
    adapter_names,
    add_lora,
    base_fingerprint,
    lora_layers,
    merge,
    set_adapter,
    unload,
    unmerge,
)
from utils.tune.lora_cost import lora_parameters

T5 = T5Config(vocab_size=40, d_model=16, d_kv=8, num_heads=2, d_ff=24, num_layers=2, decoder_start_token_id=0,
    feed_forward_proj="gated-gelu")  # fmt: skip
LLAMA = LlamaConfig(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2)


def t5() -> T5ForConditionalGeneration:
    torch.manual_seed(0)
    return T5ForConditionalGeneration(T5).eval()


def llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(LLAMA).eval()


def tied_llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**LLAMA.to_diff_dict() | {"tie_word_embeddings": True})).eval()


def batch(seed: int = 0) -> dict:
    ids = torch.randint(3, 40, (4, 7), generator=torch.Generator().manual_seed(seed))
    return {"input_ids": ids, "labels": ids}


def shake(model: nn.Module, seed: int = 1) -> nn.Module:
    """Pone B al azar: un adaptador que sí cambia la salida."""
    generator = torch.Generator().manual_seed(seed)
    for layer in lora_layers(model).values():
        for adapter in layer.adapters.values():
            adapter.B.data.normal_(generator=generator)
    return model


def logits(model: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model(**batch()).logits


def scores(model: nn.Module) -> torch.Tensor:
    """Los logits también de nuestro transformer, que los devuelve sin envolver."""
    if not isinstance(model, Transformer):
        return logits(model)
    with torch.no_grad():
        return model(batch()["input_ids"])


def train_steps(model: nn.Module, steps: int) -> list[float]:
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    model.train()
    for step in range(steps):
        torch.manual_seed(step)  # el mismo dropout en los dos modelos
        loss = model(**batch(step)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    model.eval()
    return losses


def to_peft(model: nn.Module) -> dict[str, torch.Tensor]:
    return {
        f"base_model.model.{path}.lora_{letter}.weight": getattr(layer.adapters["default"], letter).data.clone()
        for path, layer in lora_layers(model).items()
        for letter in "AB"
    }


@pytest.mark.parametrize(("build", "targets"), [(t5, ("q", "v", "wo")), (llama, ("q_proj", "v_proj", "down_proj"))])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_same_losses_as_peft(build, targets, dropout):
    """El mismo inicio da las mismas 20 pérdidas y los mismos A y B que peft."""
    ours = add_lora(build(), LoRAConfig(4, 6, dropout, targets))
    theirs = get_peft_model(build(), LoraConfig(r=4, lora_alpha=6, lora_dropout=dropout, target_modules=list(targets)))
    set_peft_model_state_dict(theirs, to_peft(ours))
    assert train_steps(ours, 20) == pytest.approx(train_steps(theirs, 20), abs=1e-5)
    state = dict(theirs.named_parameters())
    for key, tensor in to_peft(ours).items():
        torch.testing.assert_close(tensor, state[key.replace(".weight", ".default.weight")].data, atol=1e-5, rtol=1e-4)
    assert trained_parameters(ours) == theirs.get_nb_trainable_parameters()


def test_initial_a_has_the_law_of_peft():
    """A es uniforme en ±1/√k, con la misma desviación que en peft, y B es cero."""
    torch.manual_seed(0)
    ours = Adapter(400, 300, LoRAConfig(rank=64))
    assert ours.A.abs().max() <= 400**-0.5 and not ours.B.any()
    peft = get_peft_model(nn.Sequential(nn.Linear(400, 300)), LoraConfig(r=64, target_modules=["0"]))
    theirs = dict(peft.named_parameters())["base_model.model.0.lora_A.default.weight"]
    assert ours.A.std().item() == pytest.approx(theirs.std().item(), rel=0.02)


@pytest.mark.parametrize(("build", "targets"), [(t5, ("q", "v")), (llama, ("q_proj", "o_proj"))])
def test_zero_b_changes_nothing(build, targets):
    model = build()
    before = logits(model)
    add_lora(model, LoRAConfig(targets=targets))
    assert torch.equal(logits(model), before)


def test_training_leaves_the_base_bit_identical():
    model = t5()
    before, names = base_fingerprint(model), [n for n, _ in model.named_parameters()]
    add_lora(model, LoRAConfig())
    assert base_fingerprint(model) == before
    train_steps(model, 5)
    assert base_fingerprint(model) == before
    assert shake(model) and base_fingerprint(model) == before
    assert [n for n, _ in unload(model).named_parameters()] == names and base_fingerprint(model) == before


def test_fingerprint_sees_one_changed_weight():
    model = add_lora(t5(), LoRAConfig())
    before = base_fingerprint(model)
    lora_layers(model)["encoder.block.0.layer.0.SelfAttention.q"].base.weight.data[0, 0] += 1e-6
    assert base_fingerprint(model) != before


def test_merge_keeps_the_output_and_unmerge_returns():
    model = shake(add_lora(t5(), LoRAConfig(rank=3)))
    weight = model.encoder.block[0].layer[0].SelfAttention.q.base.weight
    loose, original = logits(model), weight.clone()
    merge(model)
    assert not torch.equal(weight, original)
    torch.testing.assert_close(logits(model), loose, atol=1e-5, rtol=0)
    unmerge(model)
    torch.testing.assert_close(weight, original, atol=1e-6, rtol=0)
    torch.testing.assert_close(logits(model), loose, atol=1e-5, rtol=0)
    merge(model)
    plain = unload(model)
    assert not lora_layers(plain) and type(plain.encoder.block[0].layer[0].SelfAttention.q) is nn.Linear
    torch.testing.assert_close(logits(plain), loose, atol=1e-5, rtol=0)


def ours_tied() -> Transformer:
    torch.manual_seed(0)
    return Transformer(TransformerConfig(vocab=40, dim=16, heads=2, decoder_layers=1)).eval()


@pytest.mark.parametrize(
    ("build", "head", "other"),
    [(tied_llama, "lm_head", "model.embed_tokens"), (t5, "lm_head", "shared"), (ours_tied, "head", "embedding")],
)
def test_merging_a_shared_matrix_is_refused_and_untying_is_the_way_out(build, head, other):
    model = shake(add_lora(build(), LoRAConfig(rank=2, targets=(head,))))
    embeddings, loose = model.get_submodule(other).weight, scores(model)
    before = embeddings.clone()
    with pytest.raises(
        ValueError, match=rf"«{head}.base» comparte su matriz con «{other}.weight».*untie\(model"
    ) as error:
        merge(model)
    assert torch.equal(embeddings, before) and torch.equal(scores(model), loose)  # no ha tocado nada
    (path,) = re.findall(r'untie\(model, "(.*?)"\)', str(error.value))
    untie(model, path)  # lo que manda hacer el mensaje
    merge(model)
    assert torch.equal(embeddings, before)
    torch.testing.assert_close(scores(model), loose, atol=1e-4, rtol=0)
    unmerge(model)
    torch.testing.assert_close(scores(model), loose, atol=1e-4, rtol=0)


def test_a_model_merged_after_untying_is_saved_and_loaded(tmp_path):
    model = shake(add_lora(tied_llama(), LoRAConfig(rank=2, targets=("lm_head", "q_proj"))))
    loose = logits(model)
    untie(model, "lm_head.base")
    merge(model)
    unload(model).save_pretrained(tmp_path)
    again = LlamaForCausalLM.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(logits(again), loose, atol=1e-4, rtol=0)


def test_one_shared_matrix_stops_the_merge_before_any_layer():
    model = shake(add_lora(tied_llama(), LoRAConfig(rank=2, targets=("q_proj", "lm_head"))))
    fingerprint = base_fingerprint(model)
    with pytest.raises(ValueError, match="comparte su matriz"):
        merge(model)
    assert base_fingerprint(model) == fingerprint and not any(layer.merged for layer in lora_layers(model).values())


def test_disabled_adapter_is_the_base_even_after_an_error():
    base = t5()
    model = shake(add_lora(copy.deepcopy(base), LoRAConfig()))
    tuned = logits(model)
    with adapter_disabled(model) as reference:
        assert torch.equal(logits(reference), logits(base))
    assert torch.equal(logits(model), tuned) and not torch.equal(tuned, logits(base))
    with pytest.raises(KeyError), adapter_disabled(model):
        raise KeyError
    assert torch.equal(logits(model), tuned)


def test_two_adapters_are_independent():
    model = shake(add_lora(t5(), LoRAConfig(rank=2), "uno"))
    first = logits(model)
    add_lora(model, LoRAConfig(rank=4, targets=("q", "o")), "dos")
    assert adapter_names(model) == ["uno", "dos"]
    train_steps(model, 3)
    second = logits(model)
    set_adapter(model, "uno")
    assert torch.equal(logits(model), first) and not torch.equal(first, second)
    assert all(p.requires_grad == (".adapters.uno." in n) for n, p in model.named_parameters())
    set_adapter(model, "dos")
    assert torch.equal(logits(model), second)


def test_gradient_reaches_only_the_active_adapter():
    model = add_lora(add_lora(t5(), LoRAConfig(), "uno"), LoRAConfig(), "dos")
    shake(model)
    model(**batch()).loss.backward()
    assert all((p.grad is not None) == (".adapters.dos." in n) for n, p in model.named_parameters())


def test_works_on_our_own_transformer():
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(vocab=40, dim=16, heads=2, encoder_layers=0, decoder_layers=2)).eval()
    before = model(batch()["input_ids"])
    add_lora(model, LoRAConfig(targets=("query", "value")))
    assert torch.equal(model(batch()["input_ids"]), before) and lora_layers(model)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 6), st.floats(0.5, 32))
def test_layer_is_the_formula(inputs, outputs, rank, alpha):
    """W x + (alpha / r) B A x, escrito con bucles de matrices en float64."""
    layer = LoRALinear(nn.Linear(inputs, outputs)).double()
    layer.add("a", LoRAConfig(rank, alpha))
    layer.double().active = "a"
    adapter = layer.adapters["a"]
    adapter.B.data.normal_()
    x = torch.randn(5, inputs, dtype=torch.float64)
    expected = x @ (layer.base.weight + alpha / rank * adapter.B @ adapter.A).T + layer.base.bias
    torch.testing.assert_close(layer(x), expected)
    assert sum(p.numel() for p in adapter.parameters()) == lora_parameters(outputs, inputs, rank)


def test_count_without_weights_is_the_count_with_them():
    for shapes, model, targets in ((T5, t5(), ("q", "v")), (LLAMA, llama(), ("q_proj",))):
        config = LoRAConfig(rank=4, targets=targets)
        assert trained_parameters(add_lora(empty_model(shapes), config)) == trained_parameters(add_lora(model, config))
    assert next(empty_model(T5).parameters()).is_meta


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 0}, "de 1 en adelante"),
        ({"rank": 2.5}, "de 1 en adelante"),
        ({"alpha": 0}, "no haría nada"),
        ({"dropout": 1}, "fracción"),
        ({"targets": "q"}, "tupla de nombres"),
        ({"targets": ()}, "tupla de nombres"),
    ],
)
def test_bad_config_says_what_to_do(options, message):
    with pytest.raises(ValueError, match=message):
        LoRAConfig(**options)


def test_bad_use_says_what_to_do():
    model = t5()
    with pytest.raises(ValueError, match=r"Ninguna capa se llama q_proj; las lineales son: .*q, v"):
        add_lora(model, LoRAConfig(targets=("q_proj",)))
    with pytest.raises(ValueError, match="no es una capa lineal"):
        add_lora(model, LoRAConfig(targets=("SelfAttention",)))
    with pytest.raises(ValueError, match="no sirve de nombre"):
        add_lora(model, LoRAConfig(), "keys")
    with pytest.raises(ValueError, match="los que hay: ninguno"):
        set_adapter(model, "uno")
    assert base_fingerprint(model) == base_fingerprint(t5()) and all(p.requires_grad for p in model.parameters())
    add_lora(model, LoRAConfig(), "uno")
    with pytest.raises(ValueError, match="ya tiene un adaptador"):
        add_lora(model, LoRAConfig(), "uno")
    merge(model)
    for forbidden in (lambda: set_adapter(model, "uno"), lambda: merge(model), adapter_disabled(model).__enter__):
        with pytest.raises(ValueError, match="unmerge"):
            forbidden()
    with pytest.raises(ValueError, match="de 1 en adelante"):
        lora_parameters(0, 4, 2)


def test_errata_22_and_24():
    """Las cifras que los apuntes dan y las que se dejan: 4608 y 85,9 %; 65 536 y 16,8 millones; 1,41 %."""
    assert lora_parameters(512, 64, 8) == 4608 and round(100 * (1 - 4608 / (512 * 64)), 1) == 85.9
    assert lora_parameters(4096, 4096, 8) == 65_536 and round(4096**2 / 1e6, 1) == 16.8
    trained, total = trained_parameters(add_lora(empty_model(FLAN_T5_BASE), LoRAConfig(rank=32)))
    assert (trained, total) == (3_538_944, 251_116_800) and round(100 * trained / total, 2) == 1.41
    names = [(name, p.numel()) for name, p in empty_model(FLAN_T5_BASE).named_parameters()]
    attention, mlp = (sum(n for name, n in names if mark in name) for mark in ("Attention.", "DenseReluDense"))
    assert mlp > attention


def test_a_merged_layer_does_one_product_and_a_loose_one_three():
    """Errata 23: suelto se hacen dos multiplicaciones más por capa; fundido, ninguna."""
    layer = LoRALinear(nn.Linear(64, 64, bias=False))
    layer.add("a", LoRAConfig())
    layer.active = "a"

    def products() -> int:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile, torch.no_grad():
            layer(torch.ones(2, 64))
        return sum(event.count for event in profile.key_averages() if event.key == "aten::mm")

    assert products() == 3
    layer.merge()
    assert products() == 1
