"""El widget `overlap-metrics`: valida sus datos y escribe las tablas que se ven sin JavaScript.

Las notas de las tablas las ponen `utils.measure.rouge` y `utils.measure.bleu` al construir.
"""

from widget_text import check_choice, check_text, only, table

from utils.course.numerals import show
from utils.measure.bleu import BleuScore, sentence_bleu
from utils.measure.rouge import rouge

LONGEST = 300
VIEWS = ("rouge1", "rouge2", "rougeL", "bleu1", "bleu2", "bleu3", "bleu4")
TOKENIZERS = ("13a", "es")
_ROUGE = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L"}
_COLD, _TEA = "It is cold outside.", "I am very happy to say that I am drinking a warm cup of tea."
#: Los botones: nombre, referencia, candidato y qué se resalta.
EXAMPLES = (
    ("Una palabra de más", _COLD, "It is very cold outside.", "rougeL"),
    ("Lo contrario", _COLD, "It is not cold outside.", "rouge2"),
    ("Repetir", _COLD, "cold cold cold cold", "rouge1"),
    ("Desordenar", _COLD, "outside cold it is", "rougeL"),
    ("Té, muy recortado", _TEA, "I am very happy that I am drinking a cup of tea.", "bleu2"),
    ("Té, casi igual", _TEA, "I am very happy to say that I am drinking a warm tea.", "bleu4"),
    ("Una tilde", "La niña pasó el año en La Coruña.", "La niña pasé el año en La Coruña.", "rouge1"),
    ("Un sinónimo", "El avión llegó con retraso.", "El avión llegó con demora.", "rouge1"),
    ("¿Y los signos?", "¿Mañana vuelves al pingüinario?", "Mañana vuelves al pingüinario.", "bleu1"),
)


def parse(body: dict) -> dict:
    """Valida el YAML: `reference`, `candidate`, `view` (qué se resalta) y `tokenizer`; `ValueError` si algo no vale."""
    only(body, "reference", "candidate", "view", "tokenizer")
    start = {"reference": _COLD, "candidate": EXAMPLES[0][2], "view": "rouge1", "tokenizer": "13a"} | body
    for name in ("reference", "candidate"):
        check_text(start, name, LONGEST)
    check_choice(start, "view", VIEWS)
    check_choice(start, "tokenizer", TOKENIZERS)
    names = ("name", "reference", "candidate", "view")
    return {"start": start, "examples": [dict(zip(names, example, strict=True)) for example in EXAMPLES]}


def fallback(spec: dict) -> str:
    """Las tablas estáticas, en HTML: ROUGE y BLEU del par inicial."""
    start = spec["start"]
    scores = rouge(start["candidate"], start["reference"])
    rows = [[_ROUGE[kind], *(show(value) for value in score)] for kind, score in scores.items()]
    caption = f"«{start['candidate']}» frente a «{start['reference']}»"
    bleu = sentence_bleu(start["candidate"], start["reference"], tokenizer=start["tokenizer"])
    return table("om-rouge", caption, ["Medida", "Precisión", "Recall", "F1"], rows) + table(
        "om-bleu", "BLEU del mismo par", ["BLEU", "Coinciden", "Vale"], bleu_rows(bleu)
    )


def bleu_rows(bleu: BleuScore) -> list[list[str]]:
    """Las filas de la tabla de BLEU: una por orden que cabe en el candidato, la brevedad y la nota."""
    counts = zip(bleu.matches, bleu.totals, bleu.precisions, strict=True)
    rows = [
        [f"Precisión de {n}-gramas, p{'₁₂₃₄'[n - 1]}", f"{hits} de {total}", show(precision / 100)]
        for n, (hits, total, precision) in enumerate(counts, start=1)
        if total
    ]
    lengths = f"{bleu.candidate_length} tokens, y la referencia tiene {bleu.reference_length}"
    return [*rows, ["Brevedad, BP", lengths, show(bleu.brevity_penalty)], ["BLEU", bleu.signature, show(bleu.score, 4)]]
