"""El formato de los adaptadores: lo que guarda peft lo cargamos nosotros, y al revés."""

import json

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file

from tests.train.test_lora import batch, llama, logits, shake, t5
from utils.train.lora import LoRAConfig, add_lora, set_adapter
from utils.train.lora_io import load_adapter, read_config, save_adapter

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
