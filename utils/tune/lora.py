"""LoRA: ajustar un modelo sin tocar sus pesos, sumando a algunas capas un producto de dos matrices pequeñas.

Una capa lineal calcula W x. Con LoRA calcula W x + (alpha / r) · B A x, con A de r filas y B de r columnas: W queda
congelada y solo se entrenan A y B. B empieza en cero, así que el modelo empieza siendo el mismo. `add_lora` cambia
las capas de un modelo en su sitio (haz antes una copia si quieres conservarlo), `merge` suma B A a los pesos para que
usarlo no cueste nada y `adapter_disabled` deja ver la base. Una base puede llevar varios adaptadores, con nombre.

Lo que NO hace: guardar en disco (`lora_io`), decir lo que cuesta (`lora_cost`), las variantes (DoRA, rsLoRA) ni
capas que no sean lineales. Fuente: Hu et al. (2021), sección 4.1.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from utils.model.surgery import fingerprint, replace_layers, require_own_weight


@dataclass(frozen=True)
class LoRAConfig:
    """Las decisiones de un adaptador: rango, escala alpha, dropout de la rama y a qué capas se le pone.

    `targets` son finales de nombres de capas: ("q", "v") en un T5, ("q_proj", "v_proj") en un Llama.

    >>> LoRAConfig(rank=8, alpha=16).scaling
    2.0
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ("q", "v")

    def __post_init__(self):
        if not isinstance(self.rank, int) or self.rank < 1:
            raise ValueError(f"El rango es un entero de 1 en adelante y es {self.rank!r}.")
        if not self.alpha > 0:
            raise ValueError(f"alpha debe ser positiva y es {self.alpha}: con 0 el adaptador no haría nada.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout es una fracción de [0, 1) y es {self.dropout}.")
        if isinstance(self.targets, str) or not self.targets:
            raise ValueError('targets es una tupla de nombres de capas, como ("q", "v").')

    @property
    def scaling(self) -> float:
        """El factor alpha / r que multiplica a B A."""
        return self.alpha / self.rank


class Adapter(nn.Module):
    """La rama (alpha / r) · B A de una capa de `in_features` (k) a `out_features` (d).

    >>> _ = torch.manual_seed(0)
    >>> branch = Adapter(k := 64, d := 512, LoRAConfig(rank=8))
    >>> branch.B.shape, branch.A.shape, branch(torch.ones(1, 64)).abs().max().item()
    (torch.Size([512, 8]), torch.Size([8, 64]), 0.0)
    """

    def __init__(self, in_features: int, out_features: int, config: LoRAConfig, device: torch.device | None = None):
        super().__init__()
        self.config = config
        self.A = nn.Parameter(torch.empty(config.rank, in_features, device=device))  # (r, k)
        self.B = nn.Parameter(torch.zeros(out_features, config.rank, device=device))  # (d, r)
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))  # uniforme en ±1/√k, como peft

    def forward(self, x: Tensor) -> Tensor:
        x = F.dropout(x.to(self.A.dtype), self.config.dropout, self.training)  # (..., k)
        return self.config.scaling * F.linear(F.linear(x, self.A), self.B)  # (..., d)

    def delta_weight(self) -> Tensor:
        """Lo que el adaptador suma a W: (alpha / r) · B A, de forma (d, k)."""
        return self.config.scaling * self.B @ self.A  # (d, k)


class LoRALinear(nn.Module):
    """Una capa lineal con sus adaptadores: `base(x)` más la rama activa, si la hay.

    `base` es cualquier módulo con `in_features` y `out_features`; para fundir, además, con `weight`.
    """

    def __init__(self, base: nn.Module):
        super().__init__()
        self.base, self.in_features, self.out_features = base, base.in_features, base.out_features
        self.adapters = nn.ModuleDict()
        self.active: str | None = None  # el adaptador que se usa, o ninguno
        self.merged: str | None = None  # el que está sumado a los pesos, o ninguno

    @property
    def weight(self) -> Tensor:  # T5 mira el tipo de los pesos de algunas capas
        return self.base.weight

    def add(self, name: str, config: LoRAConfig) -> None:
        """Añade un adaptador, apagado."""
        device = next((t.device for t in [*self.base.parameters(), *self.base.buffers()]), None)
        self.adapters[name] = Adapter(self.in_features, self.out_features, config, device)

    def forward(self, x: Tensor) -> Tensor:
        out = self.base(x)  # (..., d)
        if self.active is None or self.merged:
            return out
        return out + self.adapters[self.active](x).to(out.dtype)  # (..., d)

    @torch.no_grad()
    def merge(self) -> None:
        """W ← W + (alpha / r) · B A: la rama activa pasa a los pesos."""
        self._add_to_weight(self.active, +1)
        self.merged = self.active

    @torch.no_grad()
    def unmerge(self) -> None:
        """W ← W − (alpha / r) · B A, salvo el redondeo de haber sumado y restado."""
        self._add_to_weight(self.merged, -1)
        self.merged = None

    def _add_to_weight(self, name: str, sign: int) -> None:
        if not isinstance(self.base, nn.Linear):
            raise ValueError(f"Una {type(self.base).__name__} no admite sumas y no se puede fundir: déjala como está.")
        self.base.weight += sign * self.adapters[name].delta_weight().to(self.base.weight.dtype)  # (d, k)


def add_lora(model: nn.Module, config: LoRAConfig, name: str = "default") -> nn.Module:
    """Pone un adaptador nuevo a las capas de `config.targets`, congela lo demás y lo deja activo. Devuelve `model`.

    Cambia `model` en su sitio; los pesos de la base son los mismos tensores. El azar de A es el global de torch
    (`torch.manual_seed`). Error si ninguna capa coincide, si no es lineal o si el nombre ya existe o no vale.
    """
    if not name.isidentifier() or hasattr(nn.ModuleDict, name):
        raise ValueError(f"«{name}» no sirve de nombre de adaptador: usa letras y «_», y no un método como «items».")
    if name in adapter_names(model):
        raise ValueError(f"El modelo ya tiene un adaptador «{name}»: elige otro nombre o quita el LoRA con unload.")
    _require_unmerged(model)
    found = target_layers(model, config.targets)
    model.requires_grad_(False)
    layers = {path: module if isinstance(module, LoRALinear) else LoRALinear(module) for path, module in found.items()}
    for layer in layers.values():
        layer.add(name, config)
    replace_layers(model, layers)
    set_adapter(model, name)
    return model


def target_layers(model: nn.Module, targets: tuple[str, ...]) -> dict[str, nn.Module]:
    """Las capas cuyo nombre es un objetivo o acaba en «.objetivo», como en peft. Error si no hay o no son lineales."""
    inside = tuple(path + "." for path in lora_layers(model))
    modules = {path: module for path, module in model.named_modules() if not path.startswith(inside)}
    linear = {path for path, module in modules.items() if hasattr(module, "in_features")}
    found = {path: m for path, m in modules.items() if any(f".{path}".endswith(f".{t}") for t in targets)}
    if not found:
        names = ", ".join(sorted({path.rpartition(".")[2] for path in linear}))
        raise ValueError(f"Ninguna capa se llama {' ni '.join(targets)}; las lineales son: {names}.")
    if wrong := sorted(found.keys() - linear):
        raise ValueError(f"{wrong[0]} no es una capa lineal: quítala de targets.")
    return found


def lora_layers(model: nn.Module) -> dict[str, LoRALinear]:
    """Las capas con LoRA, por su nombre en el modelo original."""
    return {path: module for path, module in model.named_modules() if isinstance(module, LoRALinear)}


def adapter_names(model: nn.Module) -> list[str]:
    """Los adaptadores que lleva el modelo, por orden de llegada."""
    return list(dict.fromkeys(name for layer in lora_layers(model).values() for name in layer.adapters))


def set_adapter(model: nn.Module, name: str) -> None:
    """Activa un adaptador y apaga los demás: los pesos de la base no se mueven. Error si no existe."""
    if name not in adapter_names(model):
        known = ", ".join(adapter_names(model)) or "ninguno"
        raise ValueError(f"No hay un adaptador «{name}»; los que hay: {known}.")
    _require_unmerged(model)
    for layer in lora_layers(model).values():
        layer.active = name if name in layer.adapters else None
        for other, adapter in layer.adapters.items():
            adapter.requires_grad_(other == name)


@contextmanager
def adapter_disabled(model: nn.Module) -> Iterator[nn.Module]:
    """Dentro del `with`, el modelo es la base: la referencia sale del mismo modelo, sin una segunda copia."""
    _require_unmerged(model)
    layers = lora_layers(model).values()
    before = [layer.active for layer in layers]
    try:
        for layer in layers:
            layer.active = None
        yield model
    finally:
        for layer, active in zip(layers, before, strict=True):
            layer.active = active


def merge(model: nn.Module) -> None:
    """Suma el adaptador activo a los pesos de la base: la salida es la misma, sin multiplicaciones de más.

    Error si una capa comparte su matriz con otra (`lm_head` con los embeddings): sumarle B A cambiaría las dos.
    """
    _require_unmerged(model)
    active = {path: layer for path, layer in lora_layers(model).items() if layer.active}
    for path in active:
        require_own_weight(model, f"{path}.base")
    for layer in active.values():
        layer.merge()


def unmerge(model: nn.Module) -> None:
    """Deshace `merge`. Los pesos vuelven salvo un redondeo: no son los mismos bit a bit."""
    for layer in lora_layers(model).values():
        if layer.merged:
            layer.unmerge()


def unload(model: nn.Module) -> nn.Module:
    """Quita las capas LoRA y deja las suyas de siempre: la base o, después de `merge`, el modelo ya fundido."""
    replace_layers(model, {path: layer.base for path, layer in lora_layers(model).items()})
    return model


def base_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Los tensores de la base, sin los adaptadores, con los nombres de antes de `add_lora`."""
    wrapped = tuple(f"{path}.base." for path in lora_layers(model))
    tensors = {name: tensor for name, tensor in model.state_dict().items() if ".adapters." not in name}
    return {name.replace(".base.", ".") if name.startswith(wrapped) else name: t for name, t in tensors.items()}


def base_fingerprint(model: nn.Module) -> str:
    """SHA-256 de todos los tensores de la base, sin los adaptadores: el mismo antes y después de `add_lora`."""
    return fingerprint(base_tensors(model))


def _require_unmerged(model: nn.Module) -> None:
    if any(layer.merged for layer in lora_layers(model).values()):
        raise ValueError("El adaptador está fundido en los pesos: deshazlo antes con unmerge(model).")
