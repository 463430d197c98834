"""Leyes de escala: qué pérdida se espera de N parámetros y D tokens, y cómo repartir un presupuesto de cómputo C.

La ley es la de Hoffmann et al. (2022), L(N, D) = E + A/N^α + B/D^β, y el coste, C = 6ND. De ahí sale, sin buscar, el
tamaño que deja la pérdida más baja con C operaciones. Están las constantes publicadas y su corrección.

Lo que NO hace: ajustar las constantes a unos entrenamientos (`utils.cost.power_law`).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from utils.cost.flops import training_flops

#: La regla que dejó Chinchilla: 1,4 billones de tokens para 70 000 millones de parámetros.
TOKENS_PER_PARAMETER = 20


@dataclass(frozen=True)
class Allocation:
    """Un reparto: N parámetros y D tokens, cada uno de los cuales cuesta 6N operaciones.

    >>> Allocation(70e9, 1.4e12).tokens_per_parameter
    20.0
    """

    parameters: float
    tokens: float

    @property
    def tokens_per_parameter(self) -> float:
        return self.tokens / self.parameters

    @property
    def flops(self) -> float:
        """El coste de entrenar, 6ND."""
        return training_flops(self.parameters, self.tokens)


@dataclass(frozen=True)
class LossLaw:
    """L(N, D) = E + A/N^α + B/D^β, en nats por token.

    E es la pérdida irreducible; A/N^α, lo que cuesta que el modelo sea finito; B/D^β, lo que cuesta que lo sean los
    datos. Error si alguna constante no es positiva. Fuente: Hoffmann et al. (2022), ecuación 2.

    >>> round(HOFFMANN_2022.loss(70e9, 1.4e12), 3)
    1.937
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        # E puede ser 0: una ley sin pérdida irreducible es la potencia pura.
        if self.E < 0 or min(self.A, self.B, self.alpha, self.beta) <= 0:
            raise ValueError(f"Las constantes de la ley deben ser positivas (E puede ser 0) y son {self}.")

    def loss(self, parameters, tokens):
        """Pérdida esperada, en nats por token, con N parámetros y D tokens; admite arrays."""
        return self.E + self.A / parameters**self.alpha + self.B / tokens**self.beta

    @property
    def exponent(self) -> float:
        """a de N_óptimo ∝ C^a: a = β / (α + β). El de los tokens es 1 - a.

        >>> round(BESIROGLU_2024.exponent, 3)
        0.513
        """
        return self.beta / (self.alpha + self.beta)

    def optimum(self, flops: float) -> Allocation:
        """El N y el D que dejan la pérdida más baja con C = 6ND operaciones.

        Sale de igualar a cero la derivada: α · A/N^α = β · B/D^β. Es decir, N = G · (C/6)^a con
        G = (αA / βB)^(1/(α+β)). Error si `flops` no es positivo. Fuente: Hoffmann et al. (2022), ecuación 4.

        >>> best = BESIROGLU_2024.optimum(5.76e23)  # el presupuesto de Chinchilla
        >>> round(best.parameters / 1e9), round(best.tokens / 1e12, 2), round(best.tokens_per_parameter)
        (72, 1.33, 18)
        """
        _positive("flops", flops)
        g = (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))
        parameters = float(g * (flops / 6) ** self.exponent)
        return Allocation(parameters, float(flops / 6 / parameters))

    def tokens_for(self, loss: float, parameters: float) -> float:
        """Cuántos tokens necesita un modelo de N parámetros para llegar a esa pérdida; infinito, si no llega nunca.

        >>> f"{HOFFMANN_2022.tokens_for(HOFFMANN_2022.loss(7e9, 2e12), 7e9):.2g}"
        '2e+12'
        """
        gap = loss - self.E - self.A / parameters**self.alpha
        return (self.B / gap) ** (1 / self.beta) if gap > 0 else math.inf

    def inference_optimum(self, loss: float, inference_tokens: float) -> Allocation:
        """El modelo que llega a `loss` con el menor coste total: 6ND para entrenarlo y 2N por cada token servido.

        `inference_tokens` son los que se leerán y escribirán en toda la vida del modelo; con 0, es el óptimo de
        entrenamiento. Cuanto más se use, más pequeño conviene y más datos pide. Error si la pérdida no se puede
        alcanzar. Fuente: Sardana et al. (2024), sección 2.

        >>> law = BESIROGLU_2024
        >>> chinchilla = law.optimum(5.76e23)
        >>> same = law.inference_optimum(law.loss(chinchilla.parameters, chinchilla.tokens), 0)
        >>> round(same.parameters / chinchilla.parameters, 3)
        1.0
        """
        if not loss > self.E:
            raise ValueError(f"Ningún modelo baja de E = {self.E} con esta ley y pides {loss}: pide una pérdida mayor.")
        if inference_tokens < 0:
            raise ValueError(f"Los tokens servidos no pueden ser negativos y son {inference_tokens}.")
        smallest = (self.A / (loss - self.E)) ** (1 / self.alpha)  # con infinitos tokens

        def slope(extra: float) -> float:
            """Signo de la derivada del coste respecto a ln N, con N = smallest · e^extra."""
            n = smallest * math.exp(extra)
            d = self.tokens_for(loss, n)
            # d ln D / d ln N a pérdida constante
            exchange = -(self.alpha * self.A / n**self.alpha) / (self.beta * self.B / d**self.beta)
            return 6 * d * (1 + exchange) + 2 * inference_tokens

        best = smallest * math.exp(brentq(slope, 1e-6, 60))
        return Allocation(best, self.tokens_for(loss, best))


#: Los valores del artículo de Chinchilla, redondeados como allí (Hoffmann et al. 2022, ecuación 10).
HOFFMANN_2022 = LossLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
#: Los de su réplica, que corrige un ajuste parado antes de tiempo (Besiroglu et al. 2024).
BESIROGLU_2024 = LossLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)


def chinchilla_optimum(flops: float, tokens_per_parameter: float = TOKENS_PER_PARAMETER) -> Allocation:
    """El reparto de la regla de Chinchilla, D = 20N: N = √(C / 120).

    Error si alguno no es positivo. Fuente: Hoffmann et al. (2022), tabla 3, donde la razón ronda 20.

    >>> best = chinchilla_optimum(training_flops(70e9, 1.4e12))
    >>> round(best.parameters / 1e9), round(best.tokens / 1e12, 2)
    (70, 1.4)
    """
    _positive("flops", flops)
    _positive("tokens_per_parameter", tokens_per_parameter)
    parameters = math.sqrt(flops / (6 * tokens_per_parameter))
    return Allocation(parameters, tokens_per_parameter * parameters)


def total_flops(parameters: float, tokens: float, inference_tokens: float) -> float:
    """Coste de toda la vida de un modelo: 6ND al entrenarlo y 2N por token servido.

    >>> f"{total_flops(8e9, 15e12, 1e13):.2e}"  # Llama 3 8B tras servir 10 billones de tokens
    '8.80e+23'
    """
    return training_flops(parameters, tokens) + 2 * parameters * inference_tokens


def budgets(low: float = 1e21, high: float = 1e25, per_decade: int = 1) -> np.ndarray:
    """Presupuestos repartidos por igual en escala logarítmica, con los dos extremos.

    >>> [f"{c:.0e}" for c in budgets()]
    ['1e+21', '1e+22', '1e+23', '1e+24', '1e+25']
    """
    return np.geomspace(low, high, round(math.log10(high / low) * per_decade) + 1)


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name} debe ser mayor que 0 y es {value}.")
