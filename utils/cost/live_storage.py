"""Mide el pico de memoria de un trozo de programa: el máximo de bytes de tensores vivos a la vez, temporales incluidos.

PyTorch avisa de cada operación (`TorchDispatchMode`); se apunta el almacenamiento de lo que devuelve y se descuenta
cuando se libera. Vale en CPU y en GPU, en la pasada hacia delante, en la de hacia atrás y en el paso del optimizador.

Lo que NO hace: ver lo que una operación pide y suelta por dentro, ni los huecos que deja el reservador de memoria; en
una GPU, eso lo dice `torch.cuda.max_memory_allocated`.
"""

import weakref
from collections.abc import Iterable

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveStorage(TorchDispatchMode):
    """Lleva la cuenta de los bytes vivos dentro del `with`: `now` son los de ahora y `peak`, el máximo.

    `already` son los tensores que ya estaban y también cuentan, como los pesos: de cada almacenamiento, una vez.

    >>> import torch
    >>> x = torch.zeros(1000)
    >>> with LiveStorage([x]) as live:
    ...     y = (x + 1).exp().sum()  # x, x + 1 y su exponencial, de 4000 bytes, a la vez
    >>> live.peak, live.now
    (12000, 4004)
    """

    def __init__(self, already: Iterable[Tensor] = ()):
        super().__init__()
        self.now = self.peak = 0
        self._alive: set[int] = set()
        for tensor in already:
            self._add(tensor)

    def _add(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._alive:
            return
        self._alive.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._free, key, size).atexit = False

    def _free(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self.now -= size

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._add(leaf)
        return result
