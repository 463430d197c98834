"""El widget `lora-calculator`: valida sus datos y escribe la tabla que se ve sin JavaScript.

Las cuentas son de `utils.tune.lora_cost`; las formas de las matrices, las de la
configuración publicada de cada modelo, y las pruebas las comparan con el modelo construido de verdad.
"""

from widget_text import check_choice, check_whole, number_in, only, table

from utils.cost.decoder_shape import DecoderShape
from utils.course.numerals import byte_size, in_words, number, show
from utils.tune.lora_cost import ADAMW_BYTES, lora_cost, lora_parameters
from widgets.memory_calculator import MODELS as DECODERS

CUSTOM = "a medida"
TARGETS = {"q": "q, consultas", "k": "k, claves", "v": "v, valores", "o": "o, salida", "ffn": "red de cada capa (FFN)"}


def t5_targets(d_model: int, inner: int, d_ff: int, layers: int) -> dict[str, list]:
    """Las matrices de un T5 con GEGLU y `layers` capas a cada lado, como [nombre, d, k, cuántas].

    El decoder tiene dos atenciones por capa: la suya y la que mira al encoder.
    """
    attention = {key: [[key, inner, d_model, 3 * layers]] for key in "qkv"} | {"o": [["o", d_model, inner, 3 * layers]]}
    inputs = [[name, d_ff, d_model, 2 * layers] for name in ("wi_0", "wi_1")]
    return attention | {"ffn": [*inputs, ["wo", d_model, d_ff, 2 * layers]]}


def llama_targets(shape: DecoderShape) -> dict[str, list]:
    """Las matrices de un decodificador como Llama, con sus nombres en transformers."""
    d, times = shape.d_model, shape.layers
    kv = d // shape.heads * (shape.kv_heads or shape.heads)
    rows = {"q": d, "k": kv, "v": kv, "o": d}
    attention = {key: [[f"{key}_proj", size, d, times]] for key, size in rows.items()}
    inputs = [[name, shape.d_ff, d, times] for name in ("gate_proj", "up_proj")]
    return attention | {"ffn": [*inputs, ["down_proj", d, shape.d_ff, times]]}


def decoder(name: str) -> dict:
    return {"parameters": DECODERS[name].parameters, "targets": llama_targets(DECODERS[name])}


MODELS = {
    "mini-flan-t5 (el del curso)": {"parameters": 2_853_376, "targets": t5_targets(192, 192, 512, 2)},
    "FLAN-T5-base": {"parameters": 247_577_856, "targets": t5_targets(768, 768, 2048, 12)},
    **{
        name: decoder(name)
        for name in ("mini-gpt (el del curso)", "SmolLM2-135M", "Llama 2 7B", "Llama 3.1 8B", "Llama 3.1 70B")
    },
}
_START = {
    "model": "FLAN-T5-base",
    "rank": 32,
    "alpha": 32,
    "targets": ["q", "v"],
    "rows": 512,
    "columns": 64,
    "copies": 1,
}
#: Los botones. Lo que no dicen se queda como estaba.
EXAMPLES = (
    {"name": "FLAN-T5-base, r = 32", "model": "FLAN-T5-base", "rank": 32, "alpha": 32, "targets": ["q", "v"]},
    {"name": "512 × 64, r = 8", "model": CUSTOM, "rank": 8, "alpha": 16, "rows": 512, "columns": 64, "copies": 1},
    {"name": "4096 × 4096, r = 8", "model": CUSTOM, "rank": 8, "alpha": 16, "rows": 4096, "columns": 4096, "copies": 1},
    {"name": "Llama 2 7B, q y v", "model": "Llama 2 7B", "rank": 8, "alpha": 16, "targets": ["q", "v"]},
    {"name": "Llama 2 7B, todas", "model": "Llama 2 7B", "rank": 16, "alpha": 32, "targets": list(TARGETS)},
)  # fmt: skip


def parse(body: dict) -> dict:
    """Valida el YAML: `model`, `rank`, `alpha`, `targets` y, con `model: a medida`, `rows`, `columns` y `copies`."""
    only(body, *_START)
    start = _START | body
    check_choice(start, "model", (*MODELS, CUSTOM))
    for name, limit in (("rank", 65536), ("rows", 1_000_000), ("columns", 1_000_000), ("copies", 100_000)):
        check_whole(start, name, limit)
    start["alpha"] = number_in(start, "alpha", 16, 1e-6, 1e6)
    targets = start["targets"]
    if not isinstance(targets, list) or not targets or not set(map(str, targets)) <= set(TARGETS):
        raise ValueError(f"`targets` debe ser una lista con algunas de estas matrices: {', '.join(TARGETS)}.")
    return {"start": start, "models": MODELS, "targets": TARGETS, "examples": EXAMPLES, "adamw": ADAMW_BYTES}


def start_groups(spec: dict) -> list[list]:
    """Los grupos de matrices que se adaptan al empezar, como [nombre, d, k, cuántas]."""
    start = spec["start"]
    if start["model"] == CUSTOM:
        return [["W", start["rows"], start["columns"], start["copies"]]]
    return [group for key in start["targets"] for group in spec["models"][start["model"]]["targets"][key]]


def fallback(spec: dict) -> str:
    """La tabla estática, en HTML: cada grupo de matrices de los ajustes iniciales y el total."""
    start, groups = spec["start"], start_groups(spec)
    rank = start["rank"]
    model = None if start["model"] == CUSTOM else spec["models"][start["model"]]["parameters"]
    cost = lora_cost([tuple(group[1:]) for group in groups], rank, model)
    rows = [
        [
            name,
            f"{number(n, 0)} de {number(d, 0)}\xa0×\xa0{number(k, 0)}",
            number(n * lora_parameters(d, k, rank), 0),
            number(n * d * k, 0) if n * d * k < 1e6 else in_words(n * d * k),
        ]
        for name, d, k, n in groups
    ]
    share = "" if model is None else f", el {show(100 * cost.share)}\xa0% de {in_words(cost.model)}"
    caption = f"LoRA con r = {rank}: {number(cost.trained, 0)} parámetros entrenados{share}; "
    caption += f"el adaptador ocupa {byte_size(cost.disk_bytes())} en FP32"
    return table("lc-table", caption, ["Matrices", "Cuántas y cómo", "LoRA", "En vez de"], rows)

