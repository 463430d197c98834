"""El widget `generation-loop`: qué ve el modelo en cada paso de la generación y qué token elige.

    python scripts/export_widgets.py generation-loop

Los tokens los elige nuestra `generate`, y las probabilidades salen de una pasada por el texto ya generado. Se guardan
en `_static/course/widgets/generation-loop.json`: hay que repetirlo si se vuelven a entrenar los minis. No mide nada.
"""

from pathlib import Path

import torch
from widget_text import Html, code, stored_examples, table

from utils.course.hub import load_model, load_tokenizer
from utils.course.numerals import number
from utils.model.decoding import generate, probabilities

TOP = 5  # candidatos que se enseñan en cada paso

# Cada ejemplo: su título, el papel del modelo, el prompt y los mandos de la decodificación.
EXAMPLES = [
    ("traducir", "seq2seq", "Traduce al inglés: el perro busca el tren hoy", {}),
    ("una palabra nueva", "seq2seq", "Traduce al inglés: mi hermana busca el tren hoy", {}),
    ("continuar", "causal", "Ana: Hola, quería reservar una mesa para", {"temperature": 0.8, "seed": 0}),
]  # fmt: skip
MAX_NEW = 24


def shown(tokenizer, token: int) -> str:
    """Un token como se lee: los especiales por su nombre y, en los demás, el espacio a la vista."""
    if token in tokenizer.all_special_ids:
        return tokenizer.convert_ids_to_tokens(token)
    # detrás de otro token, porque al principio de un texto `decode` quita el espacio
    pair = tokenizer.decode([tokenizer.eos_token_id, token])
    return pair.removeprefix(tokenizer.eos_token).replace("\n", "↵")


@torch.no_grad()
def trace(model, tokenizer, prompt: str, **decoding) -> dict:
    """Los pasos de una generación: en cada uno, los candidatos con su probabilidad y el token elegido."""
    ids = tokenizer(prompt, return_tensors="pt").input_ids  # (1, T)
    if not model.config.is_encoder_decoder and ids[0, -1] == tokenizer.eos_token_id:
        ids = ids[:, :-1]  # el texto no ha acabado: falta lo que genere el modelo
    new = generate(model, ids, max_new_tokens=MAX_NEW, **decoding)  # (1, N)
    if model.config.is_encoder_decoder:
        start = model.generation_config.decoder_start_token_id
        first = [shown(tokenizer, start)]
        before = torch.cat([torch.tensor([[start]]), new[:, :-1]], dim=1)  # (1, N): el inicio y lo ya escrito
        logits = model(input_ids=ids, decoder_input_ids=before).logits[0]  # (N, V)
    else:
        first = [shown(tokenizer, token) for token in ids[0].tolist()]
        logits = model(torch.cat([ids, new[:, :-1]], dim=1)).logits[0, ids.shape[1] - 1 :]  # (N, V)
    probs = probabilities(logits, decoding.get("temperature") or 1.0)  # (N, V)
    steps = []
    for row, token in zip(probs, new[0].tolist(), strict=True):
        best = row.topk(TOP).indices.tolist()
        candidates = best if token in best else [*best[:-1], token]  # el sorteado se enseña siempre
        pairs = [[shown(tokenizer, i), round(row[i].item(), 4)] for i in candidates]
        steps.append({"candidates": pairs, "chosen": candidates.index(token)})
    return {"start": first, "steps": steps, "text": tokenizer.decode(new[0], skip_special_tokens=True).strip()}


def examples() -> list[dict]:
    """Los ejemplos con lo que los minis generan ahora mismo."""
    found = []
    for title, role, prompt, decoding in EXAMPLES:
        model, tokenizer = load_model(role), load_tokenizer(role)
        temperature = decoding.get("temperature")
        method = "voraz" if temperature is None else f"sorteo con T = {number(temperature)}"
        name = Path(model.name_or_path).name
        kind = "codificador-decodificador" if model.config.is_encoder_decoder else "solo decodificador"
        head = {"title": title, "model": name, "kind": kind, "method": method, "prompt": prompt}
        found.append(head | trace(model, tokenizer, prompt, **decoding))
    return found


def parse(body: dict) -> dict:
    """Toma los ejemplos pedidos de `generation-loop.json`; `ValueError` si alguno no está."""
    return stored_examples("generation-loop", body)


def fallback(spec: dict) -> str:
    """La tabla estática, en HTML: los pasos del primer ejemplo, con el token elegido y su mejor rival."""
    example = spec["examples"][0]
    rows = []
    for place, step in enumerate(example["steps"], start=1):
        rival = next(pair for i, pair in enumerate(step["candidates"]) if i != step["chosen"])
        pairs = (step["candidates"][step["chosen"]], rival)
        rows.append([str(place), *(Html(f"{code(token)} {number(100 * prob, 1)} %") for token, prob in pairs)])
    caption = f"{example['model']}: «{example['prompt']}» → «{example['text']}»"
    return table("gl-static", caption, ["Paso", "Token elegido", "Su mejor rival"], rows)
