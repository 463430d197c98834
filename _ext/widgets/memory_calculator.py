"""El widget `memory-calculator`: valida sus datos y escribe las tablas que se ven sin JavaScript.

La memoria la calcula `utils.cost.memory`, y de ahí salen también las precisiones y las GPU
que usa el navegador.
"""

from dataclasses import asdict

from widget_text import check_choice, check_whole, only, table

from utils.cost.activations import ATTENTIONS
from utils.cost.decoder_shape import DecoderShape
from utils.cost.memory import GPUS, OPTIMIZERS, PRECISIONS, USABLE, Memory, gpus_that_fit, training_memory
from utils.cost.moments import MOMENTS
from utils.course.numerals import byte_size, in_words, show

#: Tamaños publicados en la configuración de cada modelo.
MODELS = {
    "mini-gpt (el del curso)": DecoderShape(4, 192, 4, 512, 4096, tied=True),
    "SmolLM2-135M": DecoderShape(30, 576, 9, 1536, 49152, kv_heads=3, tied=True),
    "Qwen2.5-0.5B": DecoderShape(24, 896, 14, 4864, 151936, kv_heads=2, tied=True),
    "TinyLlama-1.1B": DecoderShape(22, 2048, 32, 5632, 32000, kv_heads=4),
    "Llama 3.2 1B": DecoderShape(16, 2048, 32, 8192, 128256, kv_heads=8, tied=True),
    "Llama 2 7B": DecoderShape(32, 4096, 32, 11008, 32000),
    "Llama 3.1 8B": DecoderShape(32, 4096, 32, 14336, 128256, kv_heads=8),
    "Llama 2 13B": DecoderShape(40, 5120, 40, 13824, 32000),
    "Llama 3.1 70B": DecoderShape(80, 8192, 64, 28672, 128256, kv_heads=8),
}
_PRECISION_NAMES = {"fp32": "FP32", "mixed": "Mixta, con copia FP32", "bf16": "Todo en BF16"}
_OPTIMIZER_NAMES = {"sgd": "SGD", "momentum": "SGD con momento", "adamw": "AdamW", "adafactor": "Adafactor"}
_ATTENTION_NAMES = {"sdpa": "Fusionada (SDPA)", "eager": "Con la matriz entera"}
_WITHOUT_BF16 = ["T4"]
#: Las partes que pueden estar vivas, de la que se queda fija a la que crece con el lote.
_PARTS = {
    "weights": "Pesos",
    "optimizer": "Optimizador",
    "gradients": "Gradientes",
    "layers": "Activaciones de las capas",
    "logits": "Logits guardados",
    "redone": "Capa que se rehace",
    "passing": "Pasajeras",
}


def parse(body: dict) -> dict:
    """Valida el YAML: `model`, `batch`, `length`, `precision`, `optimizer`, `attention` y `checkpointing`."""
    only(body, "model", "batch", "length", "precision", "optimizer", "attention", "checkpointing")
    start = {"model": "Llama 2 7B", "batch": 1, "length": 2048, "precision": "mixed", "optimizer": "adamw"}
    start |= {"attention": "sdpa", "checkpointing": False} | body
    choices = {"model": MODELS, "precision": PRECISIONS, "optimizer": OPTIMIZERS, "attention": ATTENTIONS}
    for name, options in choices.items():
        check_choice(start, name, options)
    for name in ("batch", "length"):
        check_whole(start, name, 100_000)
    if type(start["checkpointing"]) is not bool:
        raise ValueError(f"`checkpointing` vale {start['checkpointing']!r}; debe ser true o false.")
    return {
        "start": start,
        "models": {name: browser_shape(shape) for name, shape in MODELS.items()},
        "precisions": [{"key": k, "label": _PRECISION_NAMES[k], **asdict(p)} for k, p in PRECISIONS.items()],
        "optimizers": [[name, _OPTIMIZER_NAMES[name]] for name in OPTIMIZERS],
        "attentions": [[name, _ATTENTION_NAMES[name]] for name in ATTENTIONS],
        "parts": list(_PARTS.items()),
        "moments": MOMENTS,
        "gpus": GPUS,
        "usable": USABLE,
        "withoutBf16": _WITHOUT_BF16,
    }


def browser_shape(shape: DecoderShape) -> dict:
    """Los tamaños con los nombres que usa el navegador."""
    return {
        "layers": shape.layers,
        "dModel": shape.d_model,
        "heads": shape.heads,
        "kvHeads": shape.kv_heads or shape.heads,
        "dFf": shape.d_ff,
        "vocab": shape.vocab_size,
        "tied": shape.tied,
    }


def start_memory(spec: dict) -> Memory:
    """La memoria de los ajustes iniciales."""
    settings = {key: value for key, value in spec["start"].items() if key != "model"}
    return training_memory(MODELS[spec["start"]["model"]], **settings)


def fallback(spec: dict) -> str:
    """La tabla estática, en HTML: las partes con los ajustes iniciales y en qué GPU cabe."""
    start, memory = spec["start"], start_memory(spec)
    count = MODELS[start["model"]].parameters
    alive = {"weights": memory.weights, "optimizer": memory.optimizer} | memory.moments[memory.fullest]
    parts = {name: alive[key] for key, name in _PARTS.items()} | {"Total": memory.total}
    rows = [[name, f"{show(size / count)}\xa0B", byte_size(size)] for name, size in parts.items() if size]
    fitting = ", ".join(gpus_that_fit(memory.total)) or "ninguna de las de la lista"
    caption = f"{start['model']} ({in_words(count)} de parámetros), lote {start['batch']} y {start['length']} tokens"
    caption += f", {MOMENTS[memory.fullest]}"
    return table("mc-parts", f"{caption}. GPU donde cabe: {fitting}", ["Parte", "Por parámetro", "Memoria"], rows)
