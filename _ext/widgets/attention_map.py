"""El widget `attention-map`: a quién mira cada token en cada capa y cabeza de los minis.

    python scripts/export_widgets.py attention-map

Los pesos los calcula nuestro transformer (`utils.model.transformer`) con los de los minis y se guardan en
`_static/course/widgets/attention-map.json`: hay que repetirlo si se vuelven a entrenar. No mide nada.
"""

from pathlib import Path

import torch
from widget_text import code, stored_examples, table

from utils.course.hub import load_model, load_tokenizer
from utils.course.numerals import number
from utils.model.decoding import generate
from utils.model.load import from_huggingface

SCALE = 1000  # los pesos se guardan en milésimas
MAX_NEW = 16

# Cada ejemplo: su título, el papel del modelo, qué atención se enseña y el texto.
EXAMPLES = [
    ("la frase del libro", "encoder", "encoder", "El profesor enseñó a los alumnos con el libro"),
    ("el banco del río", "encoder", "encoder", "Se sentó en un banco del río a leer una carta"),
    ("traducir", "seq2seq", "cross", "Traduce al inglés: el perro busca el tren hoy"),
    ("lo ya escrito", "seq2seq", "decoder", "Traduce al inglés: el perro busca el tren hoy"),
]
KINDS = {
    "encoder": "autoatención del codificador",
    "decoder": "autoatención causal del decodificador",
    "cross": "atención cruzada",
}


def shown(tokenizer, token: int) -> str:
    """Un token como se lee: los especiales por su nombre y los demás sin el espacio de delante."""
    if token in tokenizer.all_special_ids:
        return tokenizer.convert_ids_to_tokens(token)
    return tokenizer.decode([token]).strip() or "␣"


@torch.no_grad()
def attention_of(model, tokenizer, kind: str, text: str) -> dict:
    """Los tokens que miran, los mirados y los pesos en milésimas: (capas, H, T, S)."""
    ours = from_huggingface(model)
    source = tokenizer(text, return_tensors="pt").input_ids  # (1, S)
    if kind == "encoder":
        written = source
        _, weights = ours(source, return_weights=True)
    else:
        new = generate(model, source, max_new_tokens=MAX_NEW)  # (1, N)
        start = torch.tensor([[model.generation_config.decoder_start_token_id]])
        written = torch.cat([start, new[:, :-1]], dim=1)  # (1, T): lo que el decodificador tiene delante
        _, weights = ours(written, source=source, return_weights=True)
    layers = [(SCALE * layer[0]).round().int().tolist() for layer in getattr(weights, kind)]
    rows = [shown(tokenizer, i) for i in written[0].tolist()]
    if kind != "encoder":
        rows[0] = "START"  # en T5 es el de relleno
    columns = [shown(tokenizer, i) for i in source[0].tolist()] if kind == "cross" else rows
    return {"rows": rows, "columns": columns, "weights": layers}


def examples() -> list[dict]:
    """Los ejemplos con lo que los minis calculan ahora mismo."""
    found = []
    for title, role, kind, text in EXAMPLES:
        model, tokenizer = load_model(role), load_tokenizer(role)
        head = {"title": title, "model": Path(model.name_or_path).name, "kind": KINDS[kind], "text": text}
        found.append(head | attention_of(model, tokenizer, kind, text))
    return found


def parse(body: dict) -> dict:
    """Toma los ejemplos pedidos de `attention-map.json`; `ValueError` si alguno no está."""
    return stored_examples("attention-map", body)


def fallback(spec: dict) -> str:
    """La tabla estática, en HTML: a quién mira más cada token en la primera capa y cabeza del primer ejemplo."""
    example = spec["examples"][0]
    rows = []
    for token, weights in zip(example["rows"], example["weights"][0][0], strict=True):
        best = max(range(len(weights)), key=weights.__getitem__)
        rows.append([code(token), code(example["columns"][best]), number(weights[best] / SCALE, 2)])
    caption = f"{example['model']}, {example['kind']}, capa 1, cabeza 1: «{example['text']}»"
    return table("am-static", caption, ["Token", "A quién mira más", "Peso"], rows)
