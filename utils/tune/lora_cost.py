"""Lo que cuesta un adaptador LoRA antes de entrenarlo: parámetros, disco y memoria del optimizador.

Basta con la forma de las matrices y el rango; no hace falta el modelo. Son las cuentas de la calculadora de LoRA, que
el navegador repite (`_static/course/widgets/lora.mjs`). Lo que NO cuenta: los pesos congelados, que siguen ocupando lo
suyo, ni las activaciones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

#: Los dos números que AdamW recuerda de cada parámetro entrenado, en FP32.
ADAMW_BYTES = 8
#: (filas d, columnas k, cuántas matrices así).
Matrices = Sequence[tuple[int, int, int]]


def lora_parameters(out_features: int, in_features: int, rank: int) -> int:
    """Parámetros de LoRA en una matriz de out_features × in_features: r · (d + k), en vez de d · k.

    >>> lora_parameters(512, 64, rank=8), 512 * 64, lora_parameters(4096, 4096, rank=8)
    (4608, 32768, 65536)
    """
    if min(out_features, in_features, rank) < 1:
        raise ValueError("Las dos dimensiones y el rango son enteros de 1 en adelante.")
    return rank * (out_features + in_features)


@dataclass(frozen=True)
class LoRACost:
    """`trained`, parámetros del adaptador; `adapted`, los de las matrices que adapta; `model`, los de toda la base."""

    trained: int
    adapted: int
    model: int

    @property
    def share(self) -> float:
        """Fracción entrenada del modelo con el adaptador puesto, como la cuenta peft."""
        return self.trained / (self.model + self.trained)

    @property
    def fewer(self) -> float:
        """Fracción que se ahorra frente a entrenar las matrices adaptadas; negativa si el rango es demasiado grande."""
        return 1 - self.trained / self.adapted

    def disk_bytes(self, bytes_per_number: int = 4) -> int:
        """Bytes del adaptador guardado: 4 por número en FP32 y 2 en 16 bits."""
        return bytes_per_number * self.trained

    @property
    def optimizer_saved(self) -> int:
        """Bytes de AdamW que se ahorran frente al ajuste completo; negativos si el adaptador es mayor que el modelo."""
        return ADAMW_BYTES * (self.model - self.trained)


def lora_cost(matrices: Matrices, rank: int, model: int | None = None) -> LoRACost:
    """El coste de LoRA de rango `rank` en esas matrices de un modelo de `model` parámetros (si falta, solo ellas).

    `ValueError` si no hay matrices, si un tamaño no es positivo o si el modelo es menor que las matrices adaptadas.

    >>> cost = lora_cost([(768, 768, 72)], rank=32, model=247_577_856)  # q y v de FLAN-T5-base
    >>> cost.trained, round(100 * cost.share, 2), cost.disk_bytes()
    (3538944, 1.41, 14155776)
    """
    if not matrices:
        raise ValueError("No hay ninguna matriz que adaptar: elige al menos una.")
    if any(times < 1 for _, _, times in matrices):
        raise ValueError("Cada matriz aparece al menos una vez: revisa el tercer número.")
    trained = sum(times * lora_parameters(d, k, rank) for d, k, times in matrices)
    adapted = sum(times * d * k for d, k, times in matrices)
    model = adapted if model is None else model
    if model < adapted:
        raise ValueError(f"El modelo tiene {model} parámetros y sus matrices adaptadas, {adapted}: no caben en él.")
    return LoRACost(trained, adapted, model)


def even_rank(out_features: int, in_features: int) -> float:
    """El rango con el que LoRA tendría tantos parámetros como la matriz: d · k / (d + k).

    >>> even_rank(768, 768)
    384.0
    """
    return out_features * in_features / (out_features + in_features)
