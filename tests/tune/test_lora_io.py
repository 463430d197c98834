"""El formato de los adaptadores: lo que guarda peft lo cargamos nosotros, y al revés."""

import dataclasses
import json
import warnings

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file

from tests.tune.test_lora import batch, llama, logits, shake, t5, tied_llama
from utils.tune.lora import LoRAConfig, add_lora, lora_layers, set_adapter
from utils.tune.lora_io import HONOURED, IRRELEVANT, load_adapter, read_config, save_adapter

CASES = [(t5, ("q", "v")), (llama, ("q_proj", "v_proj"))]


@pytest.mark.parametrize(("build", "targets"), CASES)
def test_peft_loads_ours(build, targets, tmp_path):
    ours = shake(add_lora(build(), LoRAConfig(3, 5, 0.1, targets)))
    path = save_adapter(ours, tmp_path / "a", base="mini")
    theirs = PeftModel.from_pretrained(build(), path.parent).eval()
    torch.testing.assert_close(logits(theirs), logits(ours), atol=1e-6, rtol=0)
    assert theirs.peft_config["default"].lora_alpha == 5


@pytest.mark.parametrize(("build", "targets"), CASES)
def test_we_load_peft(build, targets, tmp_path):
    theirs = get_peft_model(
        build(), LoraConfig(r=3, lora_alpha=5, target_modules=list(targets), init_lora_weights=False)
    )
    theirs.save_pretrained(tmp_path)
    ours = load_adapter(build(), tmp_path)
    torch.testing.assert_close(logits(ours), logits(theirs.eval()), atol=1e-6, rtol=0)
    assert not torch.equal(logits(ours), logits(build()))
    assert read_config(tmp_path) == LoRAConfig(3, 5, 0.0, targets)


def test_round_trip_under_another_name(tmp_path):
    ours = shake(add_lora(t5(), LoRAConfig(2, 4), "uno"))
    save_adapter(ours, tmp_path, "uno")
    again = load_adapter(add_lora(t5(), LoRAConfig(), "otro"), tmp_path, "mismo")
    assert torch.equal(logits(again), logits(ours))
    set_adapter(again, "otro")
    assert torch.equal(logits(again), logits(t5()))
    size = sum(tensor.numel() for tensor in load_file(tmp_path / "adapter_model.safetensors").values())
    assert size == 6 * 2 * 2 * (16 + 16)  # 6 atenciones, q y v, rango 2, de 16 a 16
    assert again(**batch()).loss.requires_grad


def test_bad_folders_say_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"falta adapter_config.json y adapter_model"):
        load_adapter(t5(), tmp_path)
    with pytest.raises(ValueError, match="«otro» que guardar; los que hay: default"):
        save_adapter(add_lora(t5(), LoRAConfig()), tmp_path, "otro")
    save_adapter(add_lora(llama(), LoRAConfig(targets=("q_proj",))), tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())

    def rewrite(**changes):
        (tmp_path / "adapter_config.json").write_text(json.dumps(config | changes))

    for changes, message in (
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias"),
        ({"target_modules": "all-linear"}, "expresión"),
        ({"peft_type": "IA3"}, "IA3"),
    ):
        rewrite(**changes)
        with pytest.raises(ValueError, match=message):
            load_adapter(llama(), tmp_path)
    rewrite(target_modules=["q"])
    with pytest.raises(ValueError, match="no es de este modelo"):
        load_adapter(t5(), tmp_path)
    rewrite(r=2)
    with pytest.raises(ValueError, match="no es de este modelo"):
        load_adapter(llama(), tmp_path)


# --- cada campo de la configuración de peft ------------------------------------------------------

TARGETS = ["q_proj", "v_proj"]
#: Campo de peft que aquí no se calcula -> valores con los que se rechaza por su nombre. Un 0 o un número cuentan.
REFUSED = {
    "exclude_modules": (["layers.0.self_attn.q_proj"], ".*layers.0.*"),
    "fan_in_fan_out": (True,),
    "bias": ("all", "lora_only"),
    "use_rslora": (True,),
    "modules_to_save": (["lm_head"],),
    "layers_to_transform": (0, [0], [1]),
    "layers_pattern": ("layers",),
    "rank_pattern": ({"q_proj": 2},),
    "alpha_pattern": ({"q_proj": 2},),
    "megatron_config": ({"hidden_size": 8},),
    "trainable_token_indices": ([0], {"embed_tokens": [0]}),
    "use_dora": (True,),
    "velora_config": ({"num_groups": 1},),
    "alora_invocation_tokens": ([5, 7],),
    "use_qalora": (True,),
    "monteclora_config": ({"num_samples": 8},),
    "layer_replication": ([[0, 2], [1, 2]],),
    "runtime_config": ({"ephemeral_gpu_offload": True},),
    "lora_bias": (True,),
    "target_parameters": (["weight"],),
    "use_bdlora": ({"nblocks": 2},),
    "arrow_config": ({"top_k": 1},),
    "kasa_config": ({"beta": 1.0},),
    "ensure_weight_tying": (True,),
}
#: Campo que da igual -> un valor distinto del de siempre con el que peft calcula lo mismo.
HARMLESS = {
    "task_type": "CAUSAL_LM",
    "auto_mapping": {"base_model_class": "LlamaForCausalLM", "parent_library": "transformers"},
    "peft_version": "0.99.0",
    "base_model_name_or_path": "otro/modelo",
    "revision": "main",
    "inference_mode": False,
    "megatron_core": "otro.core",
    "qalora_group_size": 8,
    "loftq_config": {"loftq_bits": 4},
    "eva_config": {"rho": 2.0},
    "corda_config": {"corda_method": "ipm"},
    "lora_ga_config": {"direction": "ArBr"},
}


def save_with_peft(folder, build=llama, **options):
    """Guarda con peft un adaptador que ya no está en el punto de partida y devuelve el modelo de peft."""
    torch.manual_seed(1)
    with warnings.catch_warnings(action="ignore"):  # peft avisa de que guarda también los embeddings
        theirs = get_peft_model(build(), LoraConfig(**{"r": 2, "lora_alpha": 6, "target_modules": TARGETS} | options))
        for name, parameter in theirs.named_parameters():
            if "lora_" in name:
                parameter.data += 0.1 * torch.randn_like(parameter)
        theirs.save_pretrained(folder)
    return theirs.eval()


def rewrite(folder, **changes):
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_every_field_of_peft_is_honoured_irrelevant_or_refused():
    """Si falla con un peft nuevo, ha llegado un campo: decide qué se hace con él y añádelo a su lista."""
    fields = {field.name for field in dataclasses.fields(LoraConfig)}
    assert set(HONOURED) | set(IRRELEVANT) | REFUSED.keys() == fields
    assert len(HONOURED) + len(IRRELEVANT) + len(REFUSED) == len(fields)
    assert HARMLESS.keys() == set(IRRELEVANT)


def test_what_peft_saves_by_default_loads(tmp_path):
    theirs = save_with_peft(tmp_path)
    assert json.loads((tmp_path / "adapter_config.json").read_text()).keys() >= REFUSED.keys() - {"runtime_config"}
    torch.testing.assert_close(logits(load_adapter(llama(), tmp_path)), logits(theirs), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in REFUSED.items() for value in values])
def test_a_field_we_do_not_compute_is_refused_by_name(field, value, tmp_path):
    save_with_peft(tmp_path)
    rewrite(tmp_path, **{field: value})
    model = llama()
    with pytest.raises(ValueError, match=rf"usa {field}, que aquí no se calcula: cárgalo con peft"):
        load_adapter(model, tmp_path)
    assert not lora_layers(model)


def test_a_field_of_a_later_peft_is_refused_by_name(tmp_path):
    save_with_peft(tmp_path)
    rewrite(tmp_path, use_lora_2030=None)
    load_adapter(llama(), tmp_path)
    rewrite(tmp_path, use_lora_2030=True)
    with pytest.raises(ValueError, match="usa use_lora_2030"):
        load_adapter(llama(), tmp_path)


@pytest.mark.parametrize(("field", "value"), HARMLESS.items())
def test_an_irrelevant_field_changes_nothing_in_peft_or_here(field, value, tmp_path):
    expected = logits(save_with_peft(tmp_path))
    rewrite(tmp_path, **{field: value})
    with warnings.catch_warnings(action="ignore"):  # peft avisa de que no usa el campo
        theirs = PeftModel.from_pretrained(llama(), tmp_path).eval()
    assert torch.equal(logits(theirs), expected)
    torch.testing.assert_close(logits(load_adapter(llama(), tmp_path)), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "options", [{"r": 3}, {"lora_alpha": 9}, {"lora_dropout": 0.5}, {"target_modules": ["o_proj"]}]
)
def test_an_honoured_field_is_the_one_of_peft(options, tmp_path):
    theirs = save_with_peft(tmp_path, **options)
    ours = load_adapter(llama(), tmp_path)
    torch.testing.assert_close(logits(ours), logits(theirs), atol=1e-6, rtol=0)
    config = LoRAConfig(2, 6, 0.0, tuple(TARGETS))
    names = {"r": "rank", "lora_alpha": "alpha", "lora_dropout": "dropout", "target_modules": "targets"}
    changed = {names[key]: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    assert read_config(tmp_path) == dataclasses.replace(config, **changed)


@pytest.mark.parametrize("start", [True, False, "gaussian", "orthogonal", "mica", "eva"])
def test_a_start_that_keeps_the_base_loads(start, tmp_path):
    with warnings.catch_warnings(action="ignore"):  # sin datos, eva avisa
        theirs = save_with_peft(tmp_path, init_lora_weights=start)
    torch.testing.assert_close(logits(load_adapter(llama(), tmp_path)), logits(theirs), atol=1e-6, rtol=0)


@pytest.mark.parametrize("start", ["pissa", "pissa_niter_4", "olora"])
def test_a_start_that_changes_the_base_is_refused_and_the_way_out_works(start, tmp_path):
    torch.manual_seed(1)
    theirs = get_peft_model(llama(), LoraConfig(r=2, lora_alpha=6, target_modules=TARGETS, init_lora_weights=start))
    theirs.peft_config["default"].init_lora_weights = True  # así se guarda el punto de partida que pide peft
    theirs.save_pretrained(tmp_path / "antes")
    theirs.peft_config["default"].init_lora_weights = start
    for name, parameter in theirs.named_parameters():
        if "lora_" in name:
            parameter.data += 0.1 * torch.randn_like(parameter)
    theirs.save_pretrained(tmp_path / "tal-cual")
    with pytest.raises(ValueError, match=rf"init_lora_weights='{start}', que cambia los pesos de la base"):
        load_adapter(llama(), tmp_path / "tal-cual")
    theirs.save_pretrained(tmp_path / "bien", path_initial_model_for_weight_conversion=tmp_path / "antes")
    torch.testing.assert_close(logits(load_adapter(llama(), tmp_path / "bien")), logits(theirs), atol=1e-5, rtol=0)


@pytest.mark.parametrize("start", ["corda", "loftq", "lora_ga", "algo_nuevo"])
def test_a_start_peft_cannot_run_here_is_refused_too(start, tmp_path):
    """CorDA y LoRA-GA piden datos, y LoftQ, bitsandbytes: basta con lo que dirían sus archivos."""
    save_with_peft(tmp_path)
    rewrite(tmp_path, init_lora_weights=start)
    with pytest.raises(ValueError, match=f"init_lora_weights='{start}'"):
        load_adapter(llama(), tmp_path)


# --- lm_head --------------------------------------------------------------------------------------

HEADS = [(llama, ["lm_head"]), (tied_llama, ["lm_head", "q_proj"]), (t5, ["lm_head", "q"])]


@pytest.mark.parametrize(("build", "targets"), HEADS)
def test_an_adapter_on_lm_head_travels_both_ways(build, targets, tmp_path):
    theirs = save_with_peft(tmp_path / "suyo", build, target_modules=targets)
    assert "base_model.model.lm_head.base_layer.weight" in load_file(tmp_path / "suyo" / "adapter_model.safetensors")
    ours = load_adapter(build(), tmp_path / "suyo")
    torch.testing.assert_close(logits(ours), logits(theirs), atol=1e-6, rtol=0)
    again = load_adapter(ours, tmp_path / "suyo", "segundo")  # lm_head ya lleva un adaptador
    torch.testing.assert_close(logits(again), logits(theirs), atol=1e-6, rtol=0)
    save_adapter(ours, tmp_path / "nuestro")
    back = PeftModel.from_pretrained(build(), tmp_path / "nuestro").eval()
    torch.testing.assert_close(logits(back), logits(theirs), atol=1e-6, rtol=0)


def test_a_copy_of_another_lm_head_is_refused_with_its_cause(tmp_path):
    save_with_peft(tmp_path, target_modules=["lm_head"])
    other = llama()
    other.lm_head.weight.data[0, 0] += 1
    with pytest.raises(ValueError, match=r"trae su propia «lm_head\.weight», distinta de la de este modelo"):
        load_adapter(other, tmp_path)
    assert not lora_layers(other)
    half = llama().bfloat16()  # la misma matriz, guardada con menos cifras
    assert lora_layers(load_adapter(half, tmp_path))
