"""Guardar y cargar un adaptador LoRA con el formato de peft: lo que uno guarda, el otro lo carga.

Son dos archivos: `adapter_config.json`, con el rango, alpha y las capas, y `adapter_model.safetensors`, con A y B.
La base no se guarda: quien cargue el adaptador tiene que tenerla.

Lo que NO hace: leer las variantes de peft que `utils.tune.lora` no calcula (DoRA, rsLoRA, aLoRA, rangos por capa,
sesgos). De cada campo de la configuración se sabe si se respeta o si da igual; si el archivo usa cualquier otro, aunque
sea de un peft más nuevo, se rechaza por su nombre.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from utils.tune.lora import Adapter, LoRAConfig, adapter_names, add_lora, base_tensors, lora_layers, target_layers

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
PREFIX = "base_model.model."  # el envoltorio de peft alrededor del modelo
#: Los campos de peft que aquí se respetan.
HONOURED = ("peft_type", "r", "lora_alpha", "lora_dropout", "target_modules", "init_lora_weights")
#: Los que no cambian la cuenta: datos de la ficha y detalles de otras opciones, que sin ellas no hacen nada.
IRRELEVANT = (
    "task_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode",
    "megatron_core", "qalora_group_size", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
)  # fmt: skip
#: Las formas de empezar que dejan la base como estaba. Las demás (pissa, olora, corda, loftq…) la cambian, y A y B solo
#: sirven sobre la base cambiada, que no está en el archivo.
INITIAL_WEIGHTS = (True, False, "gaussian", "orthogonal", "eva", "mica")


def save_adapter(model: nn.Module, folder: Path, name: str = "default", base: str = "") -> Path:
    """Guarda el adaptador `name` en `folder` y devuelve la ruta de sus pesos. `base` dice sobre qué modelo va.

    Error si el modelo no lleva ese adaptador.
    """
    layers = adapters(model, name)
    config = next(iter(layers.values())).config
    folder.mkdir(parents=True, exist_ok=True)
    description = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": config.rank,
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
        "target_modules": sorted(config.targets),
        "bias": "none",
    }
    (folder / CONFIG_FILE).write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", "utf-8")
    tensors = {
        f"{PREFIX}{path}.lora_{letter}.weight": getattr(adapter, letter).detach().cpu().contiguous()
        for path, adapter in layers.items()
        for letter in "AB"
    }
    save_file(tensors, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    return folder / WEIGHTS_FILE


@torch.no_grad()
def load_adapter(model: nn.Module, folder: Path, name: str = "default") -> nn.Module:
    """Carga el adaptador de `folder` en `model` con el nombre `name`, lo deja activo y devuelve `model`.

    Error si falta un archivo, si usa algo que no sabemos calcular o si no es de un modelo como este.
    """
    config = read_config(folder)
    tensors = _without_base_copies(load_file(folder / WEIGHTS_FILE), base_tensors(model), folder.name)
    expected = {
        f"{PREFIX}{path}.lora_{letter}.weight": shape
        for path, layer in target_layers(model, config.targets).items()
        for letter, shape in (("A", (config.rank, layer.in_features)), ("B", (layer.out_features, config.rank)))
    }
    found = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    if wrong := sorted({key for key, _ in expected.items() ^ found.items()}):
        raise ValueError(f"El adaptador de «{folder.name}» no es de este modelo: no coincide {wrong[0]}.")
    add_lora(model, config, name)
    for path, adapter in adapters(model, name).items():
        for letter in "AB":
            getattr(adapter, letter).copy_(tensors[f"{PREFIX}{path}.lora_{letter}.weight"])
    return model


def adapters(model: nn.Module, name: str) -> dict[str, Adapter]:
    """Las ramas del adaptador `name`, por el nombre de su capa. Error si no existe."""
    found = {path: layer.adapters[name] for path, layer in lora_layers(model).items() if name in layer.adapters}
    if not found:
        known = ", ".join(adapter_names(model)) or "ninguno"
        raise ValueError(f"No hay un adaptador «{name}» que guardar; los que hay: {known}.")
    return found


def read_config(folder: Path) -> LoRAConfig:
    """Lee `adapter_config.json`. Error si falta o si pide algo que `utils.tune.lora` no calcula."""
    missing = [file for file in (CONFIG_FILE, WEIGHTS_FILE) if not (folder / file).is_file()]
    if missing:
        raise ValueError(f"En «{folder.name}» falta {' y '.join(missing)}: no es la carpeta de un adaptador.")
    found = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
    if found.get("peft_type") != "LORA":
        raise ValueError(f"El adaptador de «{folder.name}» es de tipo {found.get('peft_type')} y aquí se carga LORA.")
    extra = [key for key, value in found.items() if key not in (*HONOURED, *IRRELEVANT) and not _is_unset(value)]
    if extra or not isinstance(found["target_modules"], list):
        what = ", ".join(extra) or "target_modules como expresión"
        raise ValueError(f"El adaptador de «{folder.name}» usa {what}, que aquí no se calcula: cárgalo con peft.")
    if (start := found.get("init_lora_weights", True)) not in INITIAL_WEIGHTS:
        raise ValueError(
            f"El adaptador de «{folder.name}» empezó con init_lora_weights={start!r}, que cambia los pesos de la base: "
            "cárgalo con peft, o vuelve a guardarlo allí con path_initial_model_for_weight_conversion."
        )
    return LoRAConfig(found["r"], found["lora_alpha"], found["lora_dropout"], tuple(sorted(found["target_modules"])))


def _is_unset(value: object) -> bool:
    """Si un campo de peft está apagado. Un 0 no lo está: `layers_to_transform=0` es la primera capa."""
    return value is None or value is False or value in ({}, [], "none")


def _without_base_copies(tensors: dict[str, Tensor], base: dict[str, Tensor], folder: str) -> dict[str, Tensor]:
    """Quita las copias de la base: peft guarda la de `lm_head` si lleva adaptador. Error si no es la de este modelo."""
    kept = {}
    for key, tensor in tensors.items():
        mine = base.get(name := key.removeprefix(PREFIX).replace(".base_layer.", "."))
        if mine is None:
            kept[key] = tensor
        elif not torch.equal(tensor.to(mine.dtype), mine.cpu()):
            raise ValueError(
                f"El adaptador de «{folder}» trae su propia «{name}», distinta de la de este modelo: cárgalo sobre el "
                "modelo del que salió."
            )
    return kept
