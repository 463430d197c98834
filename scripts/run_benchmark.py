"""Guarda lo que cada modelo contesta a cada pregunta, en `data/preguntas/respuestas.csv`.

    python scripts/run_benchmark.py          lo que falte
    python scripts/run_benchmark.py --redo   desde cero

Cada fila es una pregunta, un modelo y un formato: `opciones` puntúa las opciones enteras y `letras` las enseña y pide
una letra. Se escribe área a área, así que se puede cortar y seguir.
"""

import argparse
import csv

from utils.corpus.questions import LETTERS, context, letters_context
from utils.course.env import repo_root
from utils.course.hub import load_data, load_model, load_tokenizer
from utils.measure.benchmark import choose, score_options

PATH = repo_root() / "data" / "preguntas" / "respuestas.csv"
FIELDS = ["model", "format", "id", "area", "answer", "acc", "acc_norm"]
#: El separador que cada papel pone delante de la opción.
DELIMITERS = {"causal": " ", "seq2seq": ""}


def answers(role: str, style: str, rows: list[dict], batch_size: int = 16) -> list[dict]:
    """Lo que contesta un modelo: en `acc`, por la suma; en `acc_norm`, por caracteres, el número de la opción."""
    letters = style == "letras"
    prompts = [(letters_context if letters else context)(row) for row in rows]
    options = [list(LETTERS) if letters else row["options"] for row in rows]
    model, tokenizer = load_model(role), load_tokenizer(role)
    scores = score_options(model, tokenizer, prompts, options, batch_size=batch_size, delimiter=DELIMITERS[role])
    chosen = zip(rows, choose(scores, "sum"), choose(scores, "chars"), strict=True)
    return [
        {"model": role, "format": style, "id": row["id"], "area": row["area"], "answer": row["answer"]}
        | {"acc": by_sum, "acc_norm": by_chars}
        for row, by_sum, by_chars in chosen
    ]


def stored() -> list[dict]:
    """Las filas guardadas, con sus números; ninguna si aún no hay archivo."""
    if not PATH.exists():
        return []
    with PATH.open(encoding="utf-8", newline="") as file:
        return [row | {key: int(row[key]) for key in ("answer", "acc", "acc_norm")} for row in csv.DictReader(file)]


def write(rows: list[dict]) -> None:
    order = {key: i for i, key in enumerate((role, style) for role in DELIMITERS for style in ("opciones", "letras"))}
    temporary = PATH.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: (order[row["model"], row["format"]], row["id"])))
    temporary.replace(PATH)


def main() -> None:
    parser = argparse.ArgumentParser(description="Guarda lo que cada modelo contesta a cada pregunta.")
    parser.add_argument("--redo", action="store_true", help="no aprovechar lo guardado")
    options = parser.parse_args()
    test = load_data("questions")["test"]
    rows = [] if options.redo else stored()
    for role in DELIMITERS:
        for style in ("opciones", "letras"):
            for area in dict.fromkeys(row["area"] for row in test):
                asked = [row for row in test if row["area"] == area]
                if style == "letras" and asked[0]["level"] != "saber":
                    continue
                if any((row["model"], row["format"], row["area"]) == (role, style, area) for row in rows):
                    continue
                rows += answers(role, style, asked)
                write(rows)
                print(f"{role}, {style}, {area}: {len(asked)} preguntas")


if __name__ == "__main__":
    main()
