"""Mide en bytes lo que de verdad ocupa un entrenamiento: pesos, gradientes, optimizador y activaciones guardadas.

Se cuenta almacenamiento (*storage*), no tensores: dos vistas de los mismos bytes se cuentan una vez.

Lo que NO hace: medir temporales ni la fragmentación del reservador de memoria; en una GPU, eso lo dice
`torch.cuda.max_memory_allocated`.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks


def storage_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes que ocupan unos tensores, contando una vez los que comparten almacenamiento.

    >>> x = torch.zeros(10); storage_bytes([x, x[:5], torch.zeros(1)])
    44
    """
    return sum({t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}.values())


def measured_bytes(model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> dict[str, int]:
    """Bytes de los pesos, los gradientes que haya y los estados del optimizador.

    Antes del primer `optimizer.step()` no hay estados: se crean al dar el paso.

    >>> layer = nn.Linear(3, 2); measured_bytes(layer)
    {'pesos': 32, 'gradientes': 0, 'optimizador': 0}
    """
    states = (
        [] if optimizer is None else [t for s in optimizer.state.values() for t in s.values() if torch.is_tensor(t)]
    )
    return {
        "pesos": storage_bytes(model.parameters()),
        "gradientes": storage_bytes(p.grad for p in model.parameters() if p.grad is not None),
        "optimizador": storage_bytes(states),
    }


class SavedTensors:
    """Cuenta lo que la pasada hacia delante guarda para la pasada hacia atrás, sin contar los pesos.

    PyTorch llama a un gancho (*hook*) cada vez que guarda un tensor; este apunta su almacenamiento. Se usa con `with`
    alrededor de la pasada hacia delante, y `bytes` da la suma. `largest(k)` dice cuáles son los mayores. Con
    *activation checkpointing* cuenta lo que queda guardado entre las dos pasadas, no lo que se rehace después.

    >>> layer = nn.Linear(3, 2); x = torch.ones(5, 3)
    >>> with SavedTensors(layer) as saved:
    ...     y = layer(x).exp()
    >>> saved.bytes  # x (5, 3) y la exponencial (5, 2), a 4 bytes
    100
    """

    def __init__(self, model: nn.Module):
        self._owned = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
        self._kept: dict[int, Tensor] = {}  # guardar el tensor, hasta salir, impide que su dirección se reutilice
        self._sizes: list[tuple[tuple[int, ...], int]] = []
        self._hooks = saved_tensors_hooks(self._pack, lambda tensor: tensor)

    def _pack(self, tensor: Tensor) -> Tensor:
        # Sin `detach`, una salida se guardaría a sí misma con su grafo: un ciclo que el recolector de Python no ve.
        loose = tensor.detach()
        address = loose.untyped_storage().data_ptr()
        if address not in self._owned and address not in self._kept:
            self._kept[address] = loose
            self._sizes.append((tuple(loose.shape), loose.untyped_storage().nbytes()))
        return loose

    def __enter__(self) -> "SavedTensors":
        self._hooks.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._hooks.__exit__(*error)
        self._kept.clear()

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self._sizes)

    def largest(self, k: int = 5) -> list[tuple[tuple[int, ...], int]]:
        """Los `k` mayores, como (forma, bytes)."""
        return sorted(self._sizes, key=lambda item: -item[1])[:k]
