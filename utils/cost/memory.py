"""Cuánta memoria pide entrenar un decodificador: pesos, gradientes, optimizador y activaciones, antes de tenerlo.

Los tres primeros dependen solo de los parámetros y salen exactos; las activaciones dependen del lote y la longitud
(`utils.cost.activations`) y son la cuenta de una implementación concreta, la de Llama en transformers. No están todos a
la vez: el pico es el mayor de los momentos del paso (`utils.cost.moments`).

Lo que NO hace: medir (`utils.cost.saved_tensors` y `live_storage`), contar lo que reserva el propio PyTorch (en una
GPU, cerca de 1 GB), repartir entre varias máquinas ni congelar: un parámetro congelado no tiene gradiente ni estados,
y su cuenta, con LoRA, está en `utils.tune.lora_cost`. Un gigabyte, aquí, son 10⁹ bytes.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from utils.cost.activations import decoder_activation_bytes, layer_bytes
from utils.cost.decoder_shape import DecoderShape
from utils.cost.moments import step_moments


@dataclass(frozen=True)
class Precision:
    """Bytes por número de cada cosa. `master` es la copia en FP32 de los pesos, 0 si no la hay."""

    weights: int
    gradients: int
    state: int
    master: int
    activations: int


#: «mixed» es la de Micikevicius et al. (2018): se calcula con 2 bytes y se actualiza una copia de 4.
PRECISIONS = {
    "fp32": Precision(weights=4, gradients=4, state=4, master=0, activations=4),
    "mixed": Precision(weights=2, gradients=2, state=4, master=4, activations=2),
    "bf16": Precision(weights=2, gradients=2, state=2, master=0, activations=2),
}
#: De cada optimizador, cuántas copias pasajeras de un parámetro hace su paso, tensor a tensor (`foreach=False`).
STEP_COPIES = {"sgd": 0, "momentum": 0, "adamw": 2, "adafactor": 1}
OPTIMIZERS = tuple(STEP_COPIES)
#: Memoria anunciada, en GB de 10⁹ bytes. De cada una, deja un 10 % para temporales y para el propio PyTorch.
GPUS = {"T4": 16, "L4": 24, "A100 de 40 GB": 40, "A100 de 80 GB": 80, "H100": 80, "H200": 141}
USABLE = 0.9


def optimizer_bytes(shapes: Iterable[tuple[int, ...]], optimizer: str, value_bytes: int = 4) -> int:
    """Bytes de los estados de un optimizador de `torch.optim` para unos parámetros de esas formas, los que se entrenan.

    - `sgd`: nada; `momentum`: una velocidad por parámetro; `adamw`: dos medias por parámetro
    - `adafactor`: de cada matriz (n, m), n + m números; de cada vector, todos (Shazeer y Stern, 2018)

    AdamW y Adafactor llevan además un contador de 4 bytes por tensor. Error si el optimizador no es uno de los cuatro.

    >>> [optimizer_bytes([(1000, 1000)], name) for name in OPTIMIZERS]
    [0, 4000000, 8000004, 8004]
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"No sé contar el optimizador «{optimizer}»: elige entre {', '.join(OPTIMIZERS)}.")
    total = 0
    for shape in shapes:
        size = math.prod(shape)
        if optimizer == "momentum":
            total += size * value_bytes
        elif optimizer == "adamw":
            total += 2 * size * value_bytes + 4
        elif optimizer == "adafactor":
            rows_and_columns = (size // shape[-1] + size // shape[-2]) if len(shape) > 1 else size
            total += rows_and_columns * value_bytes + 4
    return total


@dataclass(frozen=True)
class Memory:
    """Los bytes, por partes: `activations` son las guardadas y `recomputed`, la capa que se rehace.

    `moments` es lo que hay vivo en cada momento del paso, además de los pesos y el optimizador, que están siempre.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    logits: int  # la parte de las activaciones que es B · T · V
    moments: dict[str, dict[str, int]]
    recomputed: int = 0

    @property
    def fixed(self) -> int:
        """Lo que no depende del lote: pesos, gradientes y optimizador."""
        return self.weights + self.gradients + self.optimizer

    @property
    def fullest(self) -> str:
        """El momento más lleno, uno de `utils.cost.moments.MOMENTS`."""
        return max(self.moments, key=lambda name: sum(self.moments[name].values()))

    @property
    def total(self) -> int:
        """El pico: lo que está siempre y lo que añade el momento más lleno."""
        return self.weights + self.optimizer + sum(self.moments[self.fullest].values())

    @property
    def gigabytes(self) -> float:
        return self.total / 1e9


def training_memory(
    shape: DecoderShape,
    *,
    batch: int,
    length: int,
    precision: str = "fp32",
    optimizer: str = "adamw",
    attention: str = "sdpa",
    checkpointing: bool = False,
) -> Memory:
    """Lo que ocupa un paso de entrenamiento, con su pico: el momento más lleno de `step_moments`.

    `batch` secuencias de `length` tokens. La copia maestra de «mixed» cuenta como optimizador. Con `checkpointing` se
    guarda la entrada de cada capa y se rehace una capa cada vez: `recomputed`. Se empieza sin gradientes
    (`zero_grad(set_to_none=True)`, lo de fábrica): si se acumulan, están puestos desde el principio y hay que sumarlos.
    Error si la precisión, el optimizador o la atención no existen, o si algún tamaño no es positivo.

    >>> small = DecoderShape(layers=2, d_model=64, heads=4, d_ff=256, vocab_size=1000)
    >>> memory = training_memory(small, batch=4, length=64)
    >>> round(memory.fixed / small.parameters, 2)  # 4 + 4 + 8
    16.0
    >>> memory.fullest, memory.total - memory.weights - memory.optimizer - memory.activations  # 8 · V por token
    ('loss', 2048000)
    """
    if precision not in PRECISIONS:
        raise ValueError(f"No hay una precisión «{precision}»: elige entre {', '.join(PRECISIONS)}.")
    p, count, shapes = PRECISIONS[precision], shape.parameters, shape.shapes()
    options = {"batch": batch, "length": length, "value_bytes": p.activations, "attention": attention}
    saved = decoder_activation_bytes(shape, **options, checkpointing=checkpointing)
    one_layer = sum(layer_bytes(shape, **options).values())
    return Memory(
        weights=count * p.weights,
        gradients=count * p.gradients,
        optimizer=optimizer_bytes(shapes, optimizer, p.state) + count * p.master,
        activations=sum(saved.values()),
        logits=saved["logits"],
        recomputed=one_layer if checkpointing else 0,
        moments=step_moments(
            shape,
            tokens=batch * length,
            value_bytes=p.activations,
            gradient_bytes=p.gradients,
            step_bytes=STEP_COPIES[optimizer] * max(map(math.prod, shapes)) * p.state,
            saved=sum(saved.values()),
            kept=batch * length * shape.d_model * p.activations if checkpointing else one_layer,
            redone=one_layer if checkpointing else 0,
        ),
    )


def gpus_that_fit(total_bytes: float) -> list[str]:
    """Las GPU de `GPUS` donde cabe, dejando libre un 10 %.

    >>> gpus_that_fit(30e9)
    ['A100 de 40 GB', 'A100 de 80 GB', 'H100', 'H200']
    """
    if not total_bytes >= 0:
        raise ValueError(f"Los bytes no pueden ser {total_bytes}: pasa un número positivo.")
    return [name for name, gigabytes in GPUS.items() if total_bytes <= USABLE * gigabytes * 1e9]
