"""El widget `sampling-explorer`: valida sus datos y escribe la tabla que se ve sin JavaScript.

    ```{widget} sampling-explorer
    prompt: La gata duerme en el
    tokens: [sofá, suelo, tejado]
    logits: [3.0, 1.5, -0.5]
    temperature: 1.0
    top_k: 3
    top_p: 0.9
    ```

Las probabilidades de la tabla las calcula `utils.model.decoding` al construir el libro.
"""

import torch
from widget_text import check_whole, code, is_number, number_in, only, table

from utils.course.numerals import number
from utils.model.decoding import probabilities


def parse(body: dict) -> dict:
    """Valida el YAML del explorador y lo devuelve como lo espera el navegador; `ValueError` si no vale."""
    only(body, "tokens", "logits", "prompt", "temperature", "top_k", "top_p")
    tokens, logits = body.get("tokens"), body.get("logits")
    if not isinstance(tokens, list) or len(tokens) < 2 or not all(isinstance(token, str) for token in tokens):
        raise ValueError("`tokens` debe ser una lista de al menos dos textos (entre comillas si parecen números).")
    if not isinstance(logits, list) or len(logits) != len(tokens) or not all(map(is_number, logits)):
        raise ValueError(f"`logits` debe ser una lista de {len(tokens)} números finitos, uno por token.")
    settings = {"temperature": number_in(body, "temperature", 1.0, 0.1, 3), "topK": None, "topP": None}
    if body.get("top_k") is not None:
        check_whole(body, "top_k", len(tokens))
        settings["topK"] = body["top_k"]
    if body.get("top_p") is not None:
        settings["topP"] = number_in(body, "top_p", 1, 0.05, 1)
    return {"prompt": body.get("prompt", ""), "tokens": tokens, "logits": logits, **settings}


def fallback(spec: dict) -> str:
    """La tabla estática, en HTML: probabilidades con T = 0,5, 1 y 2, y con los ajustes iniciales."""
    logits = torch.tensor(spec["logits"])  # (V,)
    top_k, top_p = spec["topK"], spec["topP"]
    initial = f"T = {number(spec['temperature'], 2)}"
    initial += f", top-k = {top_k}" if top_k else ""
    initial += f", top-p = {number(top_p, 2)}" if top_p else ""
    columns = {f"T = {number(t, 1)}": probabilities(logits, t) for t in (0.5, 1.0, 2.0)}
    if top_k or top_p:
        columns[initial] = probabilities(logits, spec["temperature"], top_k, top_p)
    rows = []
    for index in sorted(range(len(logits)), key=lambda i: -spec["logits"][i]):
        kept = (number(probs[index].item(), 4) if probs[index] else "fuera" for probs in columns.values())
        rows.append([code(spec["tokens"][index]), number(spec["logits"][index], 2), *kept])
    caption = "Probabilidad del token siguiente" + (f" a «{spec['prompt']}…»" if spec["prompt"] else "")
    return table("se-static", caption, ["Token", "Logit", *columns], rows)
