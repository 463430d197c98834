"""Lo que cuesta un ajuste fino en dinero: por horas de GPU, por tokens o por un servicio encendido.

Los precios son siempre datos de quien pregunta, nunca de este módulo: cambian cada pocos meses. Lo que NO hace: saber
precios, contar impuestos, almacenamiento o red, ni adivinar el aprovechamiento de tu GPU (`mfu`), que se mide.
"""

from dataclasses import dataclass

from utils.cost.flops import gpu_hours, training_flops

HOURS_PER_MONTH = 730


def tuning_flops(parameters: float, tokens: float, frozen_base: bool = False) -> float:
    """Operaciones de ajustar un modelo con `tokens` tokens, contando las repeticiones.

    Con todo el modelo son 6ND: 2 hacia delante, 2 por el gradiente de las activaciones y 2 por el de los pesos. Con la
    base congelada (LoRA, adaptadores) sobra casi todo lo último y quedan 4ND.

    >>> tuning_flops(8e9, 1e6, frozen_base=True) / tuning_flops(8e9, 1e6)
    0.6666666666666666
    """
    return training_flops(parameters, tokens) * (4 / 6 if frozen_base else 1)


@dataclass(frozen=True)
class Rental:
    """GPU alquilada: `price_hour` por GPU y hora, su máximo en TFLOP/s y la parte que se aprovecha.

    `fixed` es el trabajo de preparar la máquina y el programa, en la misma moneda. `ValueError` si algo es negativo.

    >>> Rental(price_hour=2, peak_tflops=312, mfu=0.4, fixed=100).cost(tuning_flops(8e9, 1e8)) > 100
    True
    """

    price_hour: float
    peak_tflops: float
    mfu: float = 0.3
    fixed: float = 0.0

    def __post_init__(self):
        _require_not_negative(price_hour=self.price_hour, fixed=self.fixed)

    def cost(self, flops: float) -> float:
        """Lo que cuesta una ejecución: el trabajo de empezar más las horas de GPU."""
        return self.fixed + self.gpu_cost(flops)

    def gpu_cost(self, flops: float) -> float:
        """Solo las horas de GPU."""
        return self.price_hour * gpu_hours(flops, self.peak_tflops, self.mfu)


@dataclass(frozen=True)
class PerToken:
    """Servicio gestionado que cobra por millón de tokens entrenados; `fixed`, lo que cuesta preparar los datos.

    >>> PerToken(price_million=3).cost(2_000_000)
    6.0
    """

    price_million: float
    fixed: float = 0.0

    def __post_init__(self):
        _require_not_negative(price_million=self.price_million, fixed=self.fixed)

    def cost(self, tokens: float) -> float:
        """Lo que cuesta entrenar con `tokens` tokens, contando las repeticiones."""
        return self.fixed + self.price_million * tokens / 1e6


def break_even(rental: Rental, service: PerToken, parameters: float, frozen_base: bool = False) -> float | None:
    """Los tokens con los que las dos cuestan igual, o None si las rectas no se cruzan con tokens positivos.

    >>> round(break_even(Rental(2, 312, 0.3, fixed=120), PerToken(3), 8e9, frozen_base=True) / 1e6)
    43
    """
    per_token = service.price_million / 1e6 - rental.gpu_cost(tuning_flops(parameters, 1, frozen_base))
    fixed = rental.fixed - service.fixed
    return fixed / per_token if per_token and fixed / per_token > 0 else None


def serving_cost(price_hour: float, hours_per_day: float = 24.0, machines: int = 1) -> float:
    """Lo que cuesta al mes un servicio encendido, se use o no. `ValueError` si no son entre 0 y 24 horas al día.

    >>> serving_cost(1.5)
    1095.0
    """
    _require_not_negative(price_hour=price_hour, machines=machines)
    if not 0 <= hours_per_day <= 24:
        raise ValueError(f"Un día tiene entre 0 y 24 horas y has puesto {hours_per_day}.")
    return price_hour * machines * HOURS_PER_MONTH * hours_per_day / 24


def _require_not_negative(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} vale {value}: un precio no puede ser negativo.")
