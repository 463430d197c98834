"""Modelado de lenguaje por permutación, el objetivo de XLNet: predecir los tokens en un orden sorteado.

No se desordena el texto ni cambia la arquitectura: cada token conserva su posición, y lo que se sortea es en qué orden
se predicen. La permutación solo decide una máscara, distinta en cada ejemplo. Con el orden de lectura sale el modelo
causal de siempre. Fuente: Yang et al. (2019), §2.2 y §2.3.

Lo que NO hace: las dos corrientes de atención de XLNet (la de contenido y la de consulta) ni entrenarlo.
"""

from collections.abc import Sequence

import torch


def permutation_mask(order: Sequence[int]) -> torch.Tensor:
    """Qué ve cada posición al predecirse: (T, T), verdadero en [i, j] si j se predice antes que i.

    `order` es una permutación de 0..T-1: `order[0]` es la posición que se predice primero, sin ver nada. La diagonal
    es falsa, porque ningún token se ve a sí mismo al predecirse. Lanza `ValueError` si `order` no es una permutación.

    >>> permutation_mask([2, 0, 1]).int().tolist()  # la 2 no ve nada; la 0 ve la 2; la 1 ve las dos
    [[0, 0, 1], [1, 0, 1], [0, 0, 0]]
    """
    if sorted(order) != list(range(len(order))) or not len(order):
        raise ValueError(
            f"order debe llevar cada posición de 0 a {max(len(order), 1) - 1} una sola vez, y es {list(order)}."
        )
    turn = torch.empty(len(order), dtype=torch.long)  # (T,): en qué turno se predice cada posición
    turn[torch.tensor(list(order))] = torch.arange(len(order))
    return turn[None, :] < turn[:, None]  # (T, T)
