"""Cuántas operaciones cuesta un transformer: la cuenta de una pasada, la regla 6ND y las horas de GPU que son.

Se cuentan solo los productos de matrices, que son casi todo, y cada multiplicación con su suma son dos operaciones
(FLOP). La atención se cuenta entera, sin descontar la mitad que tapa la máscara causal, como hace
`torch.utils.flop_counter`.

Lo que NO hace: contar normalizaciones, activaciones o softmax, ni adivinar qué parte de sus operaciones teóricas
aprovecha una máquina (MFU): hay que medirla o suponerla, y un entrenamiento grande suele quedar entre el 30 y el 50 %.
"""

from utils.cost.sizes import require_positive_integers

SECONDS_PER_DAY = 86_400
#: Un petaFLOP/s sostenido durante un día.
PETAFLOP_DAY = 1e15 * SECONDS_PER_DAY
#: Teraoperaciones por segundo de cada GPU según NVIDIA, en 16 bits y con matrices densas. Sus anuncios dan a menudo el
#: doble, que solo vale con la mitad de los pesos a cero. La V100 y la T4 no tienen BF16: es su cifra de FP16.
PEAK_TFLOPS = {"V100": 125, "T4": 65, "L4": 121, "A100": 312, "H100": 989, "H200": 989}


def forward_flops(
    *,
    layers: int,
    d_model: int,
    d_ff: int,
    vocab_size: int,
    length: int,
    batch: int = 1,
    d_kv: int | None = None,
    gated: bool = False,
) -> int:
    """FLOP de una pasada hacia delante de un decodificador sobre `batch` secuencias de `length` tokens.

    `d_kv` es el ancho de las claves y los valores, D salvo con consultas agrupadas (GQA). `gated` dice si la capa densa
    lleva compuerta (SwiGLU), es decir, tres matrices en vez de dos. Por capa y por token:

    - consultas, claves, valores y salida: 2 · D · (2D + 2 · D_kv)
    - puntuaciones y mezcla de la atención: 4 · T · D, la única parte que crece con la longitud T
    - capa densa: 4 · D · D_ff, o 6 · D · D_ff con compuerta

    y al final 2 · D · V por los logits. Error si algún tamaño no es un entero positivo. Fuente: Kaplan et al. (2020),
    tabla 1.

    >>> forward_flops(layers=2, d_model=64, d_ff=256, vocab_size=1000, length=10)
    3297280
    """
    d_kv = d_model if d_kv is None else d_kv
    sizes = {"layers": layers, "d_model": d_model, "d_ff": d_ff, "vocab_size": vocab_size}
    require_positive_integers(**sizes, length=length, batch=batch, d_kv=d_kv)
    projections = 2 * d_model * (2 * d_model + 2 * d_kv)
    attention = 4 * length * d_model
    dense = (6 if gated else 4) * d_model * d_ff
    per_token = layers * (projections + attention + dense) + 2 * d_model * vocab_size
    return batch * length * per_token


def training_flops(parameters: float, tokens: float) -> float:
    """C = 6ND: unos 2 FLOP por parámetro y token hacia delante y el doble hacia atrás.

    `parameters` es N y `tokens`, D, los tokens vistos al entrenar. Deja fuera la atención, que solo pesa cuando T se
    acerca a 6 · D. Error si alguno no es positivo. Fuente: Kaplan et al. (2020), sección 2.1.

    >>> f"{training_flops(175e9, 300e9):.2e}"  # GPT-3
    '3.15e+23'
    """
    if not (parameters > 0 and tokens > 0):
        raise ValueError(f"Parámetros ({parameters}) y tokens ({tokens}) deben ser mayores que 0.")
    return 6 * parameters * tokens


def petaflop_days(flops: float) -> float:
    """Cuántos días tardaría una máquina que hace 10¹⁵ operaciones por segundo.

    >>> round(petaflop_days(training_flops(175e9, 300e9)))  # el artículo de GPT-3 da 3640
    3646
    """
    return flops / PETAFLOP_DAY


def gpu_hours(flops: float, peak_tflops: float, mfu: float) -> float:
    """Horas de una GPU para hacer `flops` operaciones; entre G iguales se tarda G veces menos.

    `peak_tflops` es el máximo teórico, en 10¹² operaciones por segundo (`PEAK_TFLOPS`), y `mfu`, la parte que se
    aprovecha, de 0 a 1. Error si alguno no es positivo o `mfu` pasa de 1.

    >>> [round(gpu_hours(PETAFLOP_DAY, peak, mfu=1) / 24, 2) for peak in (125, 312)]  # días de una V100 y de una A100
    [8.0, 3.21]
    """
    if not 0 < mfu <= 1:
        raise ValueError(f"mfu es la parte aprovechada, entre 0 y 1, y es {mfu}: el 40 % se escribe 0.4.")
    if not (flops > 0 and peak_tflops > 0):
        raise ValueError(f"Operaciones ({flops}) y máximo de la GPU ({peak_tflops}) deben ser mayores que 0.")
    return flops / (peak_tflops * 1e12 * mfu) / 3600


def model_flops_utilization(flops: float, hours: float, peak_tflops: float) -> float:
    """MFU: la parte de las operaciones teóricas que de verdad entrenó el modelo, de 0 a 1.

    `flops` es 6ND y `hours`, las horas de GPU sumadas. Solo cuenta lo que pide el modelo: rehacer activaciones no la
    sube. Error si alguno no es positivo. Fuente: Chowdhery et al. (2022), apéndice B.

    >>> hours = 512 * 53 * 24  # BloombergGPT: 512 A100 durante unos 53 días
    >>> round(model_flops_utilization(training_flops(50.6e9, 569e9), hours, PEAK_TFLOPS["A100"]), 2)  # sin recálculo
    0.24
    """
    if not hours > 0:
        raise ValueError(f"Las horas de GPU deben ser más de 0 y son {hours}.")
    return gpu_hours(flops, peak_tflops, 1) / hours
