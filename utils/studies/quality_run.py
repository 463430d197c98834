"""Un entrenamiento con datos de peor o mejor calidad: el mismo modelo y otra mezcla de texto.

El idioma es el de las leyes de escala, del que se puede sortear texto limpio sin fin, y el rastreo se ensucia a
propósito: así se sabe qué es basura y qué no. La pérdida se mide siempre en frases limpias y nuevas.

Lo que NO hace: filtrar de verdad. Aquí el filtro es perfecto, que es lo más que se le puede pedir a uno.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from utils.corpus.grammar import FactGrammar
from utils.studies.scaling_run import BATCH, Outcome, Run, train_run

#: De cada mezcla, qué lee el modelo de un rastreo igual de grande. La última es el control: gasta la mitad.
MIXES = {
    "limpio": "todo es texto limpio, y se lee una vez",
    "filtrado": "se quita la mitad, que era basura, y lo que queda se lee dos veces",
    "con copias": "la mitad de las frases son copias de cien",
    "con basura": "la mitad de las frases tiene las palabras en otro orden",
    "media ración": "solo la mitad limpia, una vez",
}
COPIED = 100


def make_crawl(mix: str, world: FactGrammar, sentences: int, rng: np.random.Generator) -> np.ndarray:
    """Las frases que se leen, en su orden: (`sentences`, T). Error si la mezcla no existe.

    >>> world = FactGrammar()
    >>> make_crawl("filtrado", world, 6, np.random.default_rng(0)).shape == (6, world.length)
    True
    """
    if mix not in MIXES:
        raise ValueError(f"No hay una mezcla «{mix}»: elige entre {', '.join(MIXES)}.")
    if mix == "filtrado":
        half = world.sample(sentences // 2, rng)
        return np.concatenate([half, half[rng.permutation(len(half))], half[: sentences % 2]])
    crawl = world.sample(sentences, rng)
    dirty = rng.permutation(sentences)[: sentences // 2]
    if mix == "con basura":
        crawl[dirty] = rng.permuted(crawl[dirty], axis=1)
    elif mix == "con copias":
        crawl[dirty] = world.sample(COPIED, rng)[rng.integers(COPIED, size=len(dirty))]
    return crawl


def train_on(mix: str, run: Run, world: FactGrammar, progress: Callable[[int, int], None] | None = None) -> Outcome:
    """Entrena con una mezcla y mide en limpio. Los tokens leídos son los de `run`, menos en «media ración»."""
    if mix == "media ración":
        run = replace(run, tokens=run.tokens / 2)
    steps = run.steps(world.length - 1)
    crawl = make_crawl(mix, world, steps * BATCH, np.random.default_rng([run.seed, 1]))
    parts = iter(np.split(crawl, steps))
    return train_run(run, world, progress, batches=lambda _rng: next(parts))[0]
