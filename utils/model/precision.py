"""Las cuentas delicadas, en 32 bits como poco: normas, softmax y pérdidas de modelos en media precisión.

Un float16 llega a 65 504, así que el cuadrado de 300 ya no cabe, y un bfloat16 solo guarda dos o tres cifras. Por eso
los modelos de 16 bits guardan así sus números, pero calculan en float32 las medias y las exponenciales, y vuelven a 16
bits al acabar. Fuente: Micikevicius et al. (2018), sección 3.3.

Lo que NO hace: los productos de matrices, que quedan en la precisión del modelo, como en las demás bibliotecas.
"""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """El mismo tensor si ya es de 32 o 64 bits; si es de 16, una copia en float32. Error si no es de reales.

    >>> at_least_float32(torch.tensor(300.0, dtype=torch.float16)).square().item()
    90000.0
    """
    if not x.is_floating_point():
        raise ValueError(f"Se esperaban números reales y el tensor es {x.dtype}: conviértelo antes con .float().")
    return x.to(torch.promote_types(x.dtype, torch.float32))
