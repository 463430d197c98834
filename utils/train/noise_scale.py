"""La escala del ruido del gradiente: a partir de qué lote deja de valer la pena repartir más datos.

El gradiente de un lote de B ejemplos es el de todos los datos más un ruido, y su norma al cuadrado vale de media
|G|² + tr(Σ) / B, donde Σ es la covarianza del gradiente de un ejemplo. El lote en que el ruido iguala a la señal es
tr(Σ) / |G|²: por debajo, duplicar el lote ahorra casi la mitad de los pasos; por encima, casi ninguno.

Lo que NO hace: contar la curvatura (es la versión sencilla del artículo) ni valer para siempre: crece al entrenar.
Fuente: McCandlish et al. (2018), ecuación 2.9 y apéndice A.1.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class NoiseScale:
    """La señal |G|², el ruido de un ejemplo tr(Σ) y el lote en que se igualan, en ejemplos."""

    signal: float
    noise: float

    @property
    def batch(self) -> float:
        return self.noise / self.signal

    def steps(self, batch: float) -> float:
        """Cuántas veces los pasos de un lote enorme hacen falta con lotes de `batch` ejemplos: 1 + ruido / lote.

        >>> NoiseScale(signal=1.0, noise=100.0).steps(50)
        3.0
        """
        return 1 + self.batch / batch


def noise_scale(gradients: Tensor, each: int) -> NoiseScale:
    """Estima la señal y el ruido con los gradientes de n lotes de `each` ejemplos: (n, P) -> `NoiseScale`.

    Compara la norma al cuadrado de cada lote con la de su media, que es un lote n veces mayor. Las dos estimaciones son
    insesgadas. Error con menos de dos lotes, o si la señal no asoma sobre el ruido: hacen falta más lotes.

    >>> noise_scale(torch.tensor([[2.0, 1.0], [2.0, -1.0]]), each=4)  # de señal 4 − 1, y el resto es ruido
    NoiseScale(signal=3.0, noise=8.0)
    """
    if gradients.dim() != 2 or len(gradients) < 2:
        raise ValueError("Hacen falta los gradientes de dos lotes o más, uno por fila: (n, P).")
    n = len(gradients)
    small = gradients.double().square().sum(1).mean().item()  # lotes de `each`
    big = gradients.double().mean(0).square().sum().item()  # uno de n · each
    noise = (small - big) / (1 / each - 1 / (n * each))
    signal = (n * big - small) / (n - 1)
    if signal <= 0:
        raise ValueError("La señal no se distingue del ruido: usa más lotes o lotes mayores.")
    return NoiseScale(signal, noise)


def flat_gradient(model: torch.nn.Module) -> Tensor:
    """El gradiente entero como un vector (P,), y lo borra del modelo. Los parámetros sin gradiente no cuentan.

    >>> layer = torch.nn.Linear(2, 1); layer(torch.ones(1, 2)).sum().backward(); flat_gradient(layer)
    tensor([1., 1., 1.])
    """
    vector = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    model.zero_grad(set_to_none=True)
    return vector
