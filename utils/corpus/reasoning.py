"""Reúne problemas y preguntas sobre el mundo en las tres particiones de `data/razonamiento`.

Lo que NO hace: escribir las soluciones en cada formato (`utils.corpus.traces`): salen del plan de cada fila.
"""

import random
from collections.abc import Iterator

from utils.corpus.problems import DIGITS, STEPS, ProblemGenerator, trained
from utils.corpus.world import TOWN_SEED, World, WorldQuestions

#: Cuántos problemas por nivel y cuántas preguntas sobre el mundo.
SIZES = {"train": (200, 500), "validation": (20, 70), "test": (40, 210)}
#: La primera semilla de los mundos de cada partición: la de test es la de Puertolume.
WORLD_SEEDS = {"train": 1, "validation": 10**6, "test": TOWN_SEED}
QUESTIONS_PER_WORLD = 40


def world_questions(grammar: dict, split: str) -> Iterator[dict]:
    """Preguntas sin fin, de otro mundo cada 40; en test, siempre de Puertolume, y la mitad con otra redacción."""
    seed = WORLD_SEEDS[split]
    if split == "test":
        town = World(grammar, seed)
        usual, unseen = (WorldQuestions(grammar, town, seed, flag) for flag in (False, True))
        while True:
            yield usual.question()
            yield unseen.question()
    while True:
        questions = WorldQuestions(grammar, World(grammar, seed), seed)
        for _ in range(QUESTIONS_PER_WORLD):
            yield questions.question()
        seed += 1


def reasoning_rows(grammar: dict, split: str, seed: int) -> list[dict]:
    """Las filas de una partición, sin preguntas repetidas, con su «id».

    En test, cada nivel que se entrena lleva la mitad de problemas corrientes y la otra mitad con alguna novedad; los
    demás niveles son ellos mismos la novedad.
    """
    problems, rng = ProblemGenerator(grammar, split, seed), random.Random(f"{seed}-{split}-filas")
    per_level, in_world = SIZES[split]
    rows: dict[str, dict] = {}
    for digits in DIGITS:
        for steps in STEPS:
            known = trained(digits, steps)
            if split != "test" and not known:
                continue
            target = len(rows) + per_level
            while len(rows) < target:
                novelty = "ninguna"
                if split == "test" and known and rng.random() < 0.5:
                    novelty = rng.choice(("escena", "tramo") if digits > 1 else ("escena",))
                row = problems.problem(digits, steps, novelty)
                rows.setdefault(row["question"], row)
    target = len(rows) + in_world
    for row in world_questions(grammar, split):
        if split == "test":  # una pregunta de Puertolume puede salir dos veces
            rows.setdefault(row["question"], row)
        else:
            rows[f"{len(rows)} {row['question']}"] = row  # la misma pregunta en otro mundo es otra
        if len(rows) == target:
            break
    return [{"id": f"{split}-{i:04d}", **row} for i, row in enumerate(rows.values())]
