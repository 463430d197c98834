"""Cuántos bytes de activaciones guarda un paso de entrenamiento para poder volver hacia atrás, pieza por pieza.

Para calcular un gradiente hace falta lo que entró en cada operación, así que la pasada hacia delante lo guarda. Cada
fórmula dice qué guarda cada pieza; `utils.cost.saved_tensors` lo mide, y una prueba compara. Notación: B lote, T
tokens, S tokens leídos, D dimensión, H cabezas, F ancho de la red de cada posición y V vocabulario.

Lo que NO hace: contar pesos, gradientes ni temporales que se liberan enseguida. Vale con dropout 0; con dropout hay que
añadir sus máscaras y salidas. Fuente de la idea de contar así: Korthikanti et al. (2022), sección 4.
"""

from utils.cost.decoder_shape import DecoderShape
from utils.cost.sizes import require_positive_integers
from utils.model.config import TransformerConfig

ATTENTIONS = ("sdpa", "eager")


def layer_bytes(
    shape: DecoderShape, *, batch: int, length: int, value_bytes: int = 4, attention: str = "sdpa"
) -> dict[str, int]:
    """Lo que guarda una capa de un Llama de transformers, en bytes y por piezas.

    `value_bytes` es 4 en FP32 y 2 en FP16 o BF16. Por token:

    - cada norma: la entrada en FP32 (4 · D), la entrada normalizada, la salida y un número más; hay dos
    - atención: consulta, clave, valor y salida. Con «eager», clave y valor se copian hasta tener H cabezas
    - puntuaciones: con «sdpa», un número por cabeza; con «eager», una fila de T pesos por cabeza
    - red: la puerta, su activación, el otro camino y el producto, F cada uno

    Error si `attention` no existe o algún tamaño no es positivo.

    >>> small = DecoderShape(layers=1, d_model=32, heads=4, d_ff=80, vocab_size=101)
    >>> sum(layer_bytes(small, batch=3, length=17).values())  # 4 · 51 · (10 · 32 + 4 · 80 + 4 + 2)
    131784
    """
    require_positive_integers(batch=batch, length=length)
    if attention not in ATTENTIONS:
        raise ValueError(f"No hay una atención «{attention}»: elige entre {', '.join(ATTENTIONS)}.")
    if value_bytes not in (2, 4):
        raise ValueError(f"value_bytes es 4 (FP32) o 2 (FP16 y BF16), y es {value_bytes}.")
    tokens, a = batch * length, value_bytes
    if attention == "sdpa":
        mixing, scores = a * (2 * shape.query_dim + 2 * shape.kv_dim), 4 * shape.heads
    else:  # la softmax se calcula en FP32 y, si el modelo no lo es, se guarda también convertida
        mixing, scores = a * 4 * shape.query_dim, (4 if a == 4 else 4 + a) * shape.heads * length
    return {
        "normas": tokens * 2 * _norm(shape.d_model, a),
        "atención": tokens * mixing,
        "puntuaciones": tokens * scores,
        "red": tokens * a * 4 * shape.d_ff,
    }


def decoder_activation_bytes(
    shape: DecoderShape,
    *,
    batch: int,
    length: int,
    value_bytes: int = 4,
    attention: str = "sdpa",
    checkpointing: bool = False,
) -> dict[str, int]:
    """Lo que guarda la pasada entera de un Llama de transformers con su pérdida, por piezas y en bytes.

    A las capas se suman la norma final, los log de probabilidad (B · T · V, siempre en FP32) y lo pequeño: ids,
    etiquetas y las tablas de RoPE. Con `checkpointing`, cada capa guarda solo su entrada, B · T · D. No cuenta la
    máscara de relleno: con relleno, súmale B · T² valores. Errores, los de `layer_bytes`.

    >>> small = DecoderShape(layers=1, d_model=32, heads=4, d_ff=80, vocab_size=101)
    >>> sum(decoder_activation_bytes(small, batch=3, length=17).values())
    174084
    """
    layer = layer_bytes(shape, batch=batch, length=length, value_bytes=value_bytes, attention=attention)
    tokens, a = batch * length, value_bytes
    pieces = {name: shape.layers * size for name, size in layer.items()}
    if checkpointing:
        pieces = {"entradas de capa": shape.layers * tokens * shape.d_model * a}
    pieces["norma final"] = tokens * _norm(shape.d_model, a)
    pieces["logits"] = tokens * 4 * shape.vocab_size
    rope = 0 if checkpointing else 2 * length * (shape.query_dim // shape.heads) * a
    return pieces | {"otros": tokens * (8 + 8) + rope + 4}


def transformer_activation_bytes(
    config: TransformerConfig, *, batch: int, length: int, source_length: int | None = None
) -> dict[str, int]:
    """Lo que guarda nuestro `Transformer` en FP32 con la `cross_entropy` del curso, por piezas y en bytes.

    Está escrito a mano, así que guarda dos veces las puntuaciones (la exponencial y los pesos), cinco veces F en la red
    (la sigmoide de SwiGLU es una más) y dos veces B · T · V en la pérdida. Con codificador y decodificador hace falta
    `source_length` (S). Solo la configuración de fábrica (RMSNorm, RoPE, SwiGLU, *pre-norm*, sin sesgos, sin dropout y
    tantas cabezas de clave como de consulta): con otra, `ValueError`.

    >>> small = TransformerConfig(vocab=101, dim=32, decoder_layers=1, hidden=80)
    >>> sum(transformer_activation_bytes(small, batch=3, length=17).values())
    240108
    """
    c = config
    usual = (c.norm, c.positions, c.activation, c.pre_norm, c.bias, c.dropout) == (
        "rms",
        "rope",
        "swiglu",
        True,
        False,
        0,
    )
    if not usual or c.masked_lm or c.kv_heads not in (None, c.heads):
        raise ValueError("Esta cuenta es para RMSNorm, RoPE, SwiGLU, pre-norm, sin sesgos, sin dropout y sin GQA.")
    both = bool(c.encoder_layers and c.decoder_layers)
    if both and source_length is None:
        raise ValueError("Con codificador y decodificador hace falta source_length, los tokens que se leen.")
    require_positive_integers(batch=batch, length=length, source_length=source_length if both else 1)
    wide, inner = c.hidden or 4 * c.dim, c.heads * (c.head_dim or c.dim // c.heads)
    pieces = dict.fromkeys(("normas", "atención", "puntuaciones", "red", "otros"), 0)

    def stack(layers: int, size: int, causal: bool, across: int) -> None:
        tokens = batch * size
        norms = layers * (3 if across else 2) + 1
        pieces["normas"] += 4 * tokens * norms * (3 * c.dim + 1)
        pieces["atención"] += (
            4 * layers * (4 * tokens * inner + (2 * tokens + 2 * batch * across) * inner * bool(across))
        )
        pieces["puntuaciones"] += 4 * layers * tokens * c.heads * (2 * size + 2 + (2 * across + 2) * bool(across))
        pieces["red"] += 4 * layers * 5 * tokens * wide
        rope, mask = 4 * 4 * size * (inner // c.heads // 2), size * size
        pieces["otros"] += layers * (rope + mask * causal) + 8 * tokens  # las tablas, la máscara y los ids

    if c.encoder_layers:
        stack(c.encoder_layers, source_length if both else length, False, 0)
    if c.decoder_layers:
        stack(c.decoder_layers, length, True, source_length if both else 0)
    tokens = batch * length
    return pieces | {"logits": 2 * 4 * tokens * c.vocab, "etiquetas": tokens * (8 + 4 + 1)}


def _norm(dim: int, value_bytes: int) -> int:
    """RMSNorm, por token: la entrada en FP32, la normalizada, la salida y el inverso de la raíz."""
    return dim * (4 + 2 * value_bytes) + 4
