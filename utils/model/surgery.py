"""Cirugía de modelos: cambiar capas, saber qué se entrena, reconocer los pesos y separar los compartidos.

Es lo que hacen LoRA, NF4, los adaptadores y los prompts blandos: tomar un modelo ya hecho y cambiarlo en su sitio. Una
capa se nombra con su ruta, la de `model.named_modules()`; para congelarlo todo basta `model.requires_grad_(False)`.

Muchos modelos usan la matriz de embeddings también como capa de salida. Cambiarla en su sitio por un lado la cambia por
los dos, así que quien quiera mover solo una tiene que separarlas antes (`untie`).

Lo que NO hace: copiar el modelo (usa `deepcopy` si quieres conservarlo) ni reconocer dos pesos distintos que guardan
los mismos números.
"""

import hashlib
from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn


def linear_layers(model: nn.Module, skip: Collection[str] = ()) -> dict[str, nn.Linear]:
    """Las capas lineales de `model` por su ruta, menos las que se llaman como dice `skip`. Error si no queda ninguna.

    >>> model = nn.ModuleDict({"body": nn.Linear(2, 2), "norm": nn.LayerNorm(2), "lm_head": nn.Linear(2, 5)})
    >>> list(linear_layers(model, skip=("lm_head",)))
    ['body']
    """
    found = {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, nn.Linear) and path.rpartition(".")[2] not in skip
    }
    if not found:
        raise ValueError("El modelo no tiene capas lineales que cambiar: ¿lo están ya, o llevan otro nombre?")
    return found


def replace_layers(model: nn.Module, layers: Mapping[str, nn.Module]) -> None:
    """Pone cada capa de `layers` en su ruta, entrenando o en evaluación como la que había. Error si la ruta no existe.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
    >>> replace_layers(model, {"1": nn.GELU()})
    >>> model[1], model[1].training
    (GELU(approximate='none'), False)
    """
    known = dict(model.named_modules(remove_duplicate=False))
    if unknown := [path for path in layers if path not in known or not path]:
        raise ValueError(f"El modelo no tiene ninguna capa «{unknown[0]}» que cambiar: mira model.named_modules().")
    for path, layer in layers.items():
        model.set_submodule(path, layer.train(known[path].training))


def trained_parameters(model: nn.Module) -> tuple[int, int]:
    """(parámetros que se entrenan, parámetros en total, con lo añadido). Una matriz compartida cuenta una vez.

    >>> model = nn.Sequential(nn.Linear(2, 3).requires_grad_(False), nn.Linear(3, 1))
    >>> trained_parameters(model)
    (4, 13)
    """
    counts = [(p.numel() * p.requires_grad, p.numel()) for p in model.parameters()]
    return sum(trained for trained, _ in counts), sum(total for _, total in counts)


def trained_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Una copia de los pesos que se entrenan, por su nombre: lo que hay que guardar si la base está congelada."""
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def fingerprint(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 de unos tensores con sus nombres, como `model.state_dict()`: cambia si lo hace un solo bit.

    >>> zero, other = ({"w": torch.tensor([number])} for number in (0.0, -0.0))
    >>> fingerprint(zero) == fingerprint({"w": torch.zeros(1)}), fingerprint(zero) == fingerprint(other)
    (True, False)
    """
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(name.encode() + tensor.detach().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def sharers(model: nn.Module, path: str) -> list[str]:
    """Los demás nombres que en `model` tiene el peso de la capa `path`: lista vacía si no lo comparte.

    >>> model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
    >>> model[1].weight = model[0].weight
    >>> sharers(model, "1")
    ['0.weight']
    """
    weight = model.get_submodule(path).weight
    names = [name for name, parameter in model.named_parameters(remove_duplicate=False) if parameter is weight]
    return [name for name in names if name != f"{path}.weight"]


def require_own_weight(model: nn.Module, path: str) -> None:
    """Error si el peso de la capa `path` lo usa también otra: sumarle algo en su sitio cambiaría las dos."""
    if others := sharers(model, path):
        raise ValueError(
            f"«{path}» comparte su matriz con «{others[0]}» y cambiarla cambiaría las dos. "
            f'Sepáralas antes con untie(model, "{path}"), de utils.model.surgery.'
        )


@torch.no_grad()
def untie(model: nn.Module, path: str) -> None:
    """Da a la capa `path` una copia propia de su peso. El modelo calcula lo mismo y ocupa esa copia más.

    Un modelo de transformers queda con `tie_word_embeddings=False`, para que al guardarlo y cargarlo no se vuelvan a
    unir.

    >>> model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
    >>> model[1].weight = model[0].weight
    >>> untie(model, "1")
    >>> sharers(model, "1")
    []
    """
    layer = model.get_submodule(path)
    layer.weight = nn.Parameter(layer.weight.clone(), requires_grad=layer.weight.requires_grad)
    config = getattr(model, "config", None)
    if getattr(config, "tie_word_embeddings", False):
        config.tie_word_embeddings = False
