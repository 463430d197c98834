"""Cuántas operaciones cuesta un transformer: la cuenta exacta de una pasada y la regla 6ND del entrenamiento.

Se cuentan solo los productos de matrices, que son casi todo, y cada multiplicación con su suma son dos operaciones
(FLOP). La atención se cuenta entera, sin descontar la mitad que tapa la máscara causal, como hace
`torch.utils.flop_counter`.

Lo que NO hace: contar normalizaciones, activaciones o softmax, ni decir cuánto se tarda: una máquina real aprovecha del
30 al 50 % de sus operaciones teóricas.
"""

SECONDS_PER_DAY = 86_400
#: Un petaFLOP/s sostenido durante un día.
PETAFLOP_DAY = 1e15 * SECONDS_PER_DAY


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
    for name, size in (sizes | {"length": length, "batch": batch, "d_kv": d_kv}).items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} debe ser un entero mayor que 0 y es {size!r}.")
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
