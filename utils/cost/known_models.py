"""Modelos conocidos: cuántos parámetros tienen, con cuántos tokens se entrenaron y cuánto cómputo costó.

Los parámetros y los tokens son los del artículo de cada uno (Brown et al., 2020; Rae et al., 2021; Zhang et al., 2022;
Hoffmann et al., 2022; BigScience, 2022; Touvron et al., 2023, los dos; Grattafiori et al., 2024); lo demás se calcula.
Lo que NO dice: cuántas horas ni cuánto dinero.
"""

from dataclasses import dataclass

from utils.cost.flops import petaflop_days
from utils.cost.scaling import Allocation


@dataclass(frozen=True)
class KnownModel(Allocation):
    """El reparto de un modelo publicado, con su nombre.

    >>> gpt3 = find_model("GPT-3")
    >>> round(gpt3.tokens_per_parameter, 1), round(gpt3.petaflop_days)
    (1.7, 3646)
    """

    name: str

    @property
    def petaflop_days(self) -> float:
        return petaflop_days(self.flops)


KNOWN_MODELS = (
    KnownModel(175e9, 300e9, "GPT-3"),
    KnownModel(280e9, 300e9, "Gopher"),
    KnownModel(175e9, 300e9, "OPT-175B"),  # su corpus es de 180e9: lo vio más de una vez
    KnownModel(70e9, 1.4e12, "Chinchilla"),
    KnownModel(176e9, 366e9, "BLOOM"),
    KnownModel(65e9, 1.4e12, "LLaMA-65B"),
    KnownModel(70e9, 2e12, "Llama-2-70B"),
    KnownModel(8e9, 15e12, "Llama-3-8B"),
    KnownModel(405e9, 15.6e12, "Llama-3.1-405B"),
)

#: Los óptimos del primer método de Hoffmann et al. (2022), tabla 3: parámetros, operaciones y tokens.
CHINCHILLA_TABLE_3 = (
    (400e6, 1.92e19, 8.0e9),
    (1e9, 1.21e20, 20.2e9),
    (10e9, 1.23e22, 205.1e9),
    (67e9, 5.76e23, 1.5e12),
    (175e9, 3.85e24, 3.7e12),
    (280e9, 9.90e24, 5.9e12),
    (520e9, 3.43e25, 11.0e12),
    (1e12, 1.27e26, 21.2e12),
    (10e12, 1.30e28, 216.2e12),
)


def find_model(name: str) -> KnownModel:
    """El modelo de ese nombre. Error si no está, con los que hay."""
    for model in KNOWN_MODELS:
        if model.name == name:
            return model
    raise ValueError(f"No conozco «{name}»: los que hay son {', '.join(model.name for model in KNOWN_MODELS)}.")
