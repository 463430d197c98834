"""Mide nuestro ROUGE y rouge-score sobre los mismos 1000 pares, en la misma ejecución, e imprime el cociente.

Uso: python benchmarks/bench_rouge.py Se toma la mejor de varias rondas alternas, que es la menos perturbada
por otros procesos. Falla si los números no coinciden o si la ventaja baja de 3 veces. No mide textos
acentuados: ahí rouge-score da otros números (errata 50).
"""

import random
import sys
import time

from rouge_score.rouge_scorer import RougeScorer

from utils.course.numerals import number
from utils.measure.rouge import TYPES, rouge_corpus

PAIRS, ROUNDS, TARGET = 1000, 5, 3.0


def make_pairs() -> tuple[list[str], list[str]]:
    """Resúmenes de 15 a 35 palabras sobre un vocabulario pequeño, como los del corpus de diálogos."""
    rng = random.Random(0)
    vocabulary = [f"word{i}" for i in range(60)] + ["the", "a", "to", "of"] * 5

    def text() -> str:
        return " ".join(rng.choices(vocabulary, k=rng.randint(15, 35))) + "."

    return [text() for _ in range(PAIRS)], [text() for _ in range(PAIRS)]


def main() -> int:
    """Devuelve 0 si se cumple el objetivo."""
    candidates, references = make_pairs()
    scorer = RougeScorer(list(TYPES), use_stemmer=False)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        result = rouge_corpus(candidates, references)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        expected = [scorer.score(r, c) for c, r in zip(candidates, references, strict=True)]
        theirs.append(time.perf_counter() - start)
    same = all(result[kind] == [score[kind].fmeasure for score in expected] for kind in TYPES)
    ratio = min(theirs) / min(ours)
    print(f"pares: {PAIRS} · mismos números: {'sí' if same else 'NO'}")
    print(f"rouge-score: {min(theirs) * 1000:.0f} ms · utils.measure.rouge: {min(ours) * 1000:.0f} ms")
    print(f"cociente: {number(ratio, 1)} (objetivo: al menos {TARGET:.0f})")
    return 0 if same and ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
