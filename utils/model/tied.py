"""Matrices compartidas: qué capas usan el mismo peso y cómo darle a una el suyo.

Muchos modelos usan la matriz de embeddings también como capa de salida. Cambiarla en su sitio por un lado la cambia por
los dos, así que quien quiera mover solo una tiene que separarlas antes.

Lo que NO hace: reconocer dos pesos distintos que guardan los mismos números.
"""

import torch
from torch import nn


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
            f'Sepáralas antes con untie(model, "{path}"), de utils.model.tied.'
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
