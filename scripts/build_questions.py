"""Escribe `data/preguntas/{validation,test}.jsonl`: `make data`.

Las áreas escritas una a una salen de `escritas.yaml`; las demás se generan de los textos del curso, con semilla
fija. La respuesta cae el mismo número de veces en cada posición.
"""

import itertools
import json
import random
from collections.abc import Iterator

import yaml

from scripts.build_data import write_jsonl
from utils.corpus.questions import (
    OPTIONS,
    agreement_questions,
    ending_questions,
    instruction_questions,
    near_agreement_questions,
    reading_questions,
    reply_questions,
    shuffled,
    written_questions,
)
from utils.course.env import repo_root

SEED = 2026
FOLDER = repo_root() / "data" / "preguntas"
VALIDATION = 4  # por área: sirven de ejemplos resueltos
GENERATED = 50  # por área, en test
SHORT = 70  # palabras de un diálogo, como mucho: los largos solo cuestan tiempo


def read_rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (repo_root() / "data" / name).read_text("utf-8").splitlines()]


def areas() -> Iterator[tuple[str, str, list[tuple[str, list[str]]]]]:
    """De cada área, su nivel, su nombre y sus preguntas con la respuesta correcta delante."""
    for area, written in yaml.safe_load((FOLDER / "escritas.yaml").read_text("utf-8")).items():
        questions = written_questions(written["preguntas"])
        random.Random(f"{SEED}-{area}").shuffle(questions)
        yield "saber", area, questions
    dialogues = [row for row in read_rows("dialogos/test.jsonl") if len(row["dialogue"].split()) <= SHORT]
    tasks = {name: [] for name in ("tema", "traduccion")}
    for row in read_rows("instrucciones/test.jsonl"):
        # de las traducciones, solo las que piden inglés: una opción en otra lengua se descarta sin leerla
        wanted = row["task"] == "tema" or "inglés" in row["prompt"]
        if row["task"] in tasks and wanted and len(row["prompt"].split()) <= SHORT:
            tasks[row["task"]].append(row)
    half = len(dialogues) // 2  # los diálogos de una área no están en la otra
    asked = yaml.safe_load((repo_root() / "data/instrucciones/gramatica.yaml").read_text("utf-8"))["preguntas"]
    novel = (repo_root() / "data" / "textos" / "trafalgar.txt").read_text("utf-8").split("\n")
    domains = {name: [] for name in ("legal", "médico")}
    for row in read_rows("dominios/test.jsonl"):
        domains[row["domain"]].append(row["text"].replace("\n", " "))
    for level, area, maker in (
        ("continuar", "concordancia próxima", near_agreement_questions),
        ("continuar", "concordancia lejana", agreement_questions),
        ("continuar", "diálogo", lambda rng: reply_questions([row["dialogue"] for row in dialogues[:half]], rng)),
        ("instrucción", "lectura", lambda rng: reading_questions(dialogues[half:], asked, rng)),
        ("instrucción", "tema", lambda rng: instruction_questions(tasks["tema"], rng)),
        ("instrucción", "traducción", lambda rng: instruction_questions(tasks["traduccion"], rng)),
        ("continuar", "novela", lambda rng: ending_questions(novel, rng, given=16, asked=8)),
        ("continuar", "derecho", lambda rng: ending_questions(domains["legal"], rng, given=16, asked=8)),
        ("continuar", "medicina", lambda rng: ending_questions(domains["médico"], rng, given=16, asked=8)),
    ):
        yield level, area, distinct(maker(random.Random(f"{SEED}-{area}")), GENERATED + VALIDATION)


def distinct(questions: Iterator[tuple[str, list[str]]], size: int) -> list[tuple[str, list[str]]]:
    """Las primeras `size` preguntas con enunciado distinto. ValueError si no salen tantas."""
    found: dict[str, list[str]] = {}
    for question, options in questions:
        found.setdefault(question, options)
        if len(found) == size:
            return list(found.items())
    raise ValueError(f"Solo salen {len(found)} preguntas distintas y hacen falta {size}.")


def build() -> dict[str, list[dict]]:
    """Los dos archivos: cuatro preguntas de cada área en validación y el resto en test."""
    splits: dict[str, list[dict]] = {"validation": [], "test": []}
    places = {split: itertools.cycle(range(OPTIONS)) for split in splits}
    for level, area, questions in areas():
        rng = random.Random(f"{SEED}-{area}-orden")
        for i, (question, options) in enumerate(questions):
            split = "validation" if i < VALIDATION else "test"
            mixed, answer = shuffled(options, rng, next(places[split]))
            rows = splits[split]
            head = {"id": f"{split}-{len(rows):03d}", "level": level, "area": area}
            rows.append(head | {"question": question, "options": mixed, "answer": answer})
    return splits


if __name__ == "__main__":
    for split, rows in build().items():
        write_jsonl(FOLDER / f"{split}.jsonl", rows)
