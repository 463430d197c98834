"""Lo que cada modelo contesta a cada pregunta, en `data/preguntas/respuestas.csv`.

Cada fila es una pregunta, un modelo y un formato: `opciones` puntúa las opciones enteras y `letras` las enseña y pide
una letra. Se pregunta área a área. Las órdenes están en `scripts/study.py`.
"""

from dataclasses import dataclass

from scripts.lint_common import ROOT
from scripts.study import Row, Study, main
from utils.corpus.questions import LETTERS, context, letters_context
from utils.course.hub import load_data, load_model, load_tokenizer
from utils.measure.benchmark import choose, score_options

#: El separador que cada papel pone delante de la opción.
DELIMITERS = {"causal": " ", "seq2seq": ""}


@dataclass(frozen=True)
class Exam:
    """Las preguntas de un área, hechas a un modelo en un formato."""

    model: str
    format: str
    area: str


def plan(_rows: list[Row]) -> list[Exam]:
    """Todas las áreas con las opciones enteras y, con letras, solo las de saber."""
    levels = {row["area"]: row["level"] for row in load_data("questions")["test"]}
    areas = {"opciones": levels, "letras": [area for area, level in levels.items() if level == "saber"]}
    return [Exam(role, style, area) for role in DELIMITERS for style in areas for area in areas[style]]


def execute(exam: Exam) -> list[dict]:
    """El número de la opción que elige un modelo: en `acc`, por la suma; en `acc_norm`, por caracteres."""
    letters = exam.format == "letras"
    rows = [row for row in load_data("questions")["test"] if row["area"] == exam.area]
    prompts = [(letters_context if letters else context)(row) for row in rows]
    options = [list(LETTERS) if letters else row["options"] for row in rows]
    model, tokenizer = load_model(exam.model), load_tokenizer(exam.model)
    scores = score_options(model, tokenizer, prompts, options, batch_size=16, delimiter=DELIMITERS[exam.model])
    chosen = zip(rows, choose(scores, "sum"), choose(scores, "chars"), strict=True)
    return [{"id": row["id"], "answer": row["answer"], "acc": total, "acc_norm": mean} for row, total, mean in chosen]


def compare(stored: list[Row], again: list[Row]) -> str:
    """En otra máquina un empate puede caer del otro lado: se admite una pregunta."""
    odd = [old["id"] for old, new in zip(stored, again, strict=True) if old != new]
    return f"cambian {len(odd)} preguntas: {' '.join(odd)}" if len(odd) > 1 else ""


COLUMNS = "model format id area answer acc acc_norm"
STUDY = Study(ROOT / "data/preguntas/respuestas.csv", COLUMNS, Exam, plan, execute, compare, item="id")

if __name__ == "__main__":
    raise SystemExit(main(STUDY))
