"""Los optimizadores con que se entrenan los modelos del curso.

Por ahora solo Adafactor, el de T5 (Shazeer y Stern, 2018). Con `scale_parameter` el paso es relativo al tamaño de cada
matriz de pesos; sin eso, un T5 pequeño aprende la forma de las respuestas y no a copiar de la entrada.
"""

import torch
from transformers import Adafactor


def adafactor(model: torch.nn.Module, learning_rate: float) -> torch.optim.Optimizer:
    """Adafactor con paso relativo a los pesos: `learning_rate` = 0.01 mueve cada matriz un 1 % de su norma por paso."""
    return Adafactor(model.parameters(), lr=learning_rate, scale_parameter=True, relative_step=False)
