"""Los pares de textos con que se comparan las dos copias de ROUGE y BLEU: la de `utils` y la del navegador.

Los escribe `scripts/export_golden.py`. Llevan lo que suele romper un tokenizador: tildes sueltas, «¿», comillas
latinas, números con coma, entidades de HTML, saltos de línea, otros alfabetos y emojis. No prueba nada por sí mismo.
"""

import random

from utils.measure.bleu import sentence_bleu, tokenize
from utils.measure.rouge import rouge
from utils.text.normalize import words

TEA = "I am very happy to say that I am drinking a warm cup of tea."
OVERLAP_PAIRS = (
    *(("It is cold outside.", text) for text in (
        "It is very cold outside.", "It is not cold outside.", "cold cold cold cold", "outside cold it is", "cold",
        "nada", "", "it  is\tcold\n outside", "It is cold, outside; cold-outside.",
    )),
    *((TEA, text) for text in (
        "I am very happy that I am drinking a cup of tea.", "I am very happy that I am drinking a warm cup of tea.",
        "I am very happy to say that I am drinking a warm tea.", TEA,
    )),
    ("", ""), ("", "hola"), ("...", "¿?"), ("pasó", "pasé"), ("niño", "nin\u0303o"), ("NIÑO ÁRBOL", "niño árbol"),
    ("¿Cuánto cuesta?", "Cuánto cuesta"), ("«Sí», dijo. 3,5 % y 1.000-2", "Sí dijo: 3,5% y 1.000 - 2."),
    ("El pingüino &amp; la cigüeña &lt;3", "el pinguino & la cigueña <3"), ("a b a b a", "b a b a b"),
    ("日本 日本語 2³", "日本語 日本 2³"), ("👩🏽‍🚀 vuela a las 10:30", "vuela 👩🏽‍🚀 a las 10.30"),
    ("x_y x-\ny z-", "x y xy z- \n"), ("İstanbul ΣΑΣ ß", "istanbul σας SS"),
)  # fmt: skip


def overlap_cases() -> list[dict]:
    """Cada par con sus palabras, ROUGE y, con cada tokenización, BLEU con los recuentos de los que sale."""
    generator = random.Random(0)
    pieces = ["el", "la", "niña", "pasó", "frío,", "¿y", "año", "«no»", "no.", "3,5", "3.5%", "pingüino", "El", "a-b"]
    mixed = [[" ".join(generator.choices(pieces, k=generator.randint(1, 12))) for _ in range(2)] for _ in range(90)]
    return [_overlap_case(reference, candidate) for reference, candidate in (*OVERLAP_PAIRS, *mixed)]


def _overlap_case(reference: str, candidate: str) -> dict:
    scores = {kind: list(score) for kind, score in rouge(candidate, reference).items()}
    bleu = {}
    for tokenizer in ("13a", "es"):
        score = sentence_bleu(candidate, reference, tokenizer=tokenizer)
        orders = sum(1 for total in score.totals if total)
        bleu[tokenizer] = {
            "tokens": [tokenize(text, tokenizer) for text in (candidate, reference)],
            "score": score.score, "brevity": score.brevity_penalty,
            "counts": [list(score.matches[:orders]), list(score.totals[:orders])],
            "precisions": [precision / 100 for precision in score.precisions[:orders]],
        }  # fmt: skip
    tokens = [words(text) for text in (candidate, reference)]
    return {"reference": reference, "candidate": candidate, "words": tokens, "rouge": scores, "bleu": bleu}
