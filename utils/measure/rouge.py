"""ROUGE-1, ROUGE-2 y ROUGE-L desde cero, con las palabras del español enteras.

ROUGE-n cuenta n-gramas compartidos, con recorte: un n-grama repetido en el candidato vale como mucho las
veces que sale en la referencia. ROUGE-L mide la subsecuencia común más larga (LCS), que respeta el orden sin
exigir contigüidad. Fuente: Lin (2004), «ROUGE: A Package for Automatic Evaluation of Summaries», secciones 2
y 3. Sobre texto ASCII da los números de rouge-score sin raíces. No hace *stemming*, no quita palabras vacías
y no calcula ROUGE-Lsum ni ROUGE-W. Lo que ninguna de estas medidas ve: la negación, la verdad o los
sinónimos.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from utils.text.normalize import words

TYPES = ("rouge1", "rouge2", "rougeL")


class Score(NamedTuple):
    """Precisión, exhaustividad (*recall*) y su media armónica F1, entre 0 y 1."""

    precision: float
    recall: float
    fmeasure: float


def rouge(candidate: str, reference: str | Sequence[str], types: Iterable[str] = TYPES) -> dict[str, Score]:
    """ROUGE de un texto frente a una referencia, o frente a la que dé mejor F1 si hay varias (por cada tipo).

    Un candidato o una referencia sin palabras puntúan 0. ValueError si no hay referencias o el tipo no
    existe.

    >>> rouge("It is very cold outside.", "It is cold outside.")["rougeL"]
    Score(precision=0.8, recall=1.0, fmeasure=0.888888888888889)
    """
    references = [reference] if isinstance(reference, str) else list(reference)
    if not references:
        raise ValueError("No hay ninguna referencia: pasa al menos un texto con el que comparar.")
    candidate_words = words(candidate)
    reference_words = [words(text) for text in references]
    return {
        kind: max((_score(candidate_words, target, kind) for target in reference_words), key=lambda s: s.fmeasure)
        for kind in types
    }


def rouge_corpus(
    candidates: Sequence[str], references: Sequence[str | Sequence[str]], types: Iterable[str] = TYPES
) -> dict[str, list[float]]:
    """F1 de cada par, por tipo: listas de la longitud de `candidates`, listas para promediar o remuestrear.

    ValueError si las dos listas no miden lo mismo o están vacías.

    >>> rouge_corpus(["el niño", "hola"], ["el niño", ["adiós", "hola y adiós"]])["rouge1"]
    [1.0, 0.5]
    """
    if isinstance(candidates, str) or isinstance(references, str):
        raise ValueError("rouge_corpus espera listas de textos: para un solo par usa rouge(candidate, reference).")
    if len(candidates) != len(references):
        raise ValueError(f"Hay {len(candidates)} candidatos y {len(references)} referencias: deben ir por parejas.")
    if not len(candidates):
        raise ValueError("No hay ningún par que puntuar: la lista de candidatos está vacía.")
    types = tuple(types)
    scores = [rouge(c, r, types) for c, r in zip(candidates, references, strict=True)]
    return {kind: [score[kind].fmeasure for score in scores] for kind in types}


def lcs_length(a: Sequence[str], b: Sequence[str]) -> int:
    """Longitud de la subsecuencia común más larga de dos listas de palabras.

    En vez de la tabla de |a| x |b| celdas, guarda una fila entera en los bits de un entero: el bit i vale 0
    si la fila de la tabla sube en la columna i. Cada palabra de `b` actualiza la fila con una suma, cuyos
    acarreos hacen el trabajo de las comparaciones, así que el coste es |b| operaciones con enteros de |a|
    bits. La más corta hace de `a`: frente a una referencia corta, el coste crece como el texto y no como su
    cuadrado. Fuente: Hyyrö (2004), «Bit-parallel LCS-length computation revisited».

    >>> lcs_length("el gato negro duerme".split(), "el perro negro no duerme".split())
    3
    """
    a, b = sorted((a, b), key=len)
    places: dict[str, int] = {}  # palabra -> bits de las posiciones de `a` donde aparece
    for i, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << i
    full = (1 << len(a)) - 1
    row = full
    for word in b:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & full
    return len(a) - row.bit_count()


def _score(candidate: list[str], reference: list[str], kind: str) -> Score:
    if kind == "rougeL":
        return _from_counts(lcs_length(candidate, reference), len(candidate), len(reference))
    if not re.fullmatch(r"rouge[1-9]", kind):
        raise ValueError(f"No conozco la medida {kind!r}: usa rouge1, rouge2 (hasta rouge9) o rougeL.")
    n = int(kind[-1])
    found, wanted = _ngrams(candidate, n), _ngrams(reference, n)
    # Recorte: de cada n-grama cuenta el mínimo de las dos frecuencias.
    overlap = sum(min(times, wanted[ngram]) for ngram, times in found.items() if ngram in wanted)
    return _from_counts(overlap, len(candidate) - n + 1, len(reference) - n + 1)


def _ngrams(tokens: list[str], n: int) -> Counter:
    if n == 1:
        return Counter(tokens)
    return Counter(zip(*(tokens[i:] for i in range(n)), strict=False))


def _from_counts(overlap: int, in_candidate: int, in_reference: int) -> Score:
    if overlap == 0:  # también cuando algún texto no tiene n-gramas: nada que dividir
        return Score(0.0, 0.0, 0.0)
    precision, recall = overlap / in_candidate, overlap / in_reference
    return Score(precision, recall, 2 * precision * recall / (precision + recall))
