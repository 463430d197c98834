"""Qué hay vivo a la vez en cada momento de un paso de entrenamiento: de ahí sale el pico de memoria.

Los gradientes y las activaciones no coinciden enteros: las activaciones se sueltan según se vuelve hacia atrás y los
gradientes aparecen según se vuelve. El pico suele estar al empezar a volver, en la pérdida: la softmax tiene guardado
su resultado, recibe un gradiente igual de grande y escribe otro, los tres de B · T · V números en FP32.

Lo que NO hace: medir (`utils.cost.live_storage`; una prueba compara los dos), ni contar pesos y optimizador, que están
siempre. Vale para el Llama de transformers con su pérdida, una sola pasada por paso y el optimizador tensor a tensor;
en una GPU, el de fábrica (`foreach`) hace copias de todos los parámetros a la vez, y `fused=True`, ninguna.
"""

from utils.cost.decoder_shape import DecoderShape

#: Los momentos, en orden, y cómo se llaman.
MOMENTS = {
    "loss": "al volver por la pérdida",
    "first layer": "al volver por la última capa",
    "last layer": "al volver por la primera capa",
    "embeddings": "al volver por los embeddings",
    "step": "en el paso del optimizador",
}


def step_moments(
    shape: DecoderShape,
    *,
    tokens: int,
    value_bytes: int,
    gradient_bytes: int,
    step_bytes: int,
    saved: int,
    kept: int,
    redone: int,
) -> dict[str, dict[str, int]]:
    """De cada momento, los bytes de gradientes, de capas guardadas, de logits, de la capa rehecha y pasajeros.

    `saved` es lo que guarda la pasada hacia delante; `kept`, lo que de ello es de cada capa; `redone`, lo que ocupa la
    capa que se rehace (0 sin *checkpointing*), y `step_bytes`, lo pasajero del optimizador. Al volver por una capa, lo
    pasajero son dos gradientes de F números por token y dos de D. Si los embeddings se comparten con la salida, sus dos
    gradientes y la suma están a la vez.

    >>> small = DecoderShape(layers=2, d_model=64, heads=4, d_ff=256, vocab_size=1000)
    >>> options = {"value_bytes": 4, "gradient_bytes": 4, "step_bytes": 0, "saved": 50_000, "kept": 20_000}
    >>> step_moments(small, tokens=2, redone=0, **options)["loss"]
    {'gradients': 0, 'layers': 42000, 'logits': 8000, 'redone': 0, 'passing': 16000}
    """
    logits, table = 4 * tokens * shape.vocab_size, gradient_bytes * shape.vocab_size * shape.d_model
    everything = gradient_bytes * shape.parameters
    layers = everything - table * (1 if shape.tied else 2)  # los gradientes de todas las capas
    passing = 2 * tokens * value_bytes * (shape.d_ff + shape.d_model)

    def moment(gradients: int, layers: int, logits: int, redone: int, passing: int) -> dict[str, int]:
        return {"gradients": gradients, "layers": layers, "logits": logits, "redone": redone, "passing": passing}

    return {
        "loss": moment(0, saved - logits, logits, 0, 2 * logits),
        "first layer": moment(table, shape.layers * kept, 0, redone, passing),
        "last layer": moment(table + layers, kept, 0, redone, passing),
        "embeddings": moment(everything, 0, 0, 0, 2 * table if shape.tied else 0),
        "step": moment(everything, 0, 0, 0, step_bytes),
    }
