"""Mide nuestro buscador de casi duplicados y datasketch sobre los mismos documentos, e imprime el cociente.

Uso: python benchmarks/bench_dedup.py [DOCUMENTOS], con 20 000 si no se dice otra cosa. datasketch no es una dependencia
del curso: instálalo aparte con `python -m pip install --no-deps --target CARPETA datasketch` y ejecuta esto con
`PYTHONPATH=.:CARPETA`. Los dos reciben los mismos trozos de 5 caracteres, 128 barajadas y las mismas bandas.

Falla si alguno pierde más del 5 % de las copias plantadas o si somos más lentos. No mide la memoria.
"""

import random
import sys
import time

from utils.course.numerals import number
from utils.text.dedup import find_near_duplicates
from utils.text.lsh import choose_bands
from utils.text.normalize import normalize
from utils.text.shingles import jaccard

PERMUTATIONS, THRESHOLD = 128, 0.8


def make_documents(count: int) -> tuple[list[str], set[tuple[int, int]]]:
    """Textos al azar de 15 palabras y, por cada veinte, una copia con una palabra cambiada y Jaccard de 0,8 o más."""
    rng = random.Random(0)
    vocabulary = ["".join(rng.choices("abcdefghilmnoprstu", k=rng.randint(3, 8))) for _ in range(3000)]
    texts = [" ".join(rng.choices(vocabulary, k=15)) for _ in range(count)]
    truth = set()
    for i in range(0, count, 20):
        copy = texts[i].split()
        copy[-1] = rng.choice(vocabulary)
        if jaccard(texts[i], " ".join(copy)) >= THRESHOLD:
            truth.add((i, len(texts)))
            texts.append(" ".join(copy))
    return texts, truth


def with_datasketch(texts: list[str]) -> set[tuple[int, int]]:
    """Las parejas candidatas de datasketch, con sus firmas y su índice."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=PERMUTATIONS, params=choose_bands(PERMUTATIONS, THRESHOLD))
    pairs = set()
    for j, text in enumerate(map(normalize, texts)):
        signature = MinHash(num_perm=PERMUTATIONS)
        signature.update_batch({text[i : i + 5].encode() for i in range(max(1, len(text) - 4))})
        pairs.update((i, j) for i in index.query(signature))
        index.insert(j, signature)
    return pairs


def main(count: int) -> int:
    """Devuelve 0 si se cumple el objetivo."""
    texts, truth = make_documents(count)
    start = time.process_time()
    ours = {tuple(pair) for pair in find_near_duplicates(texts, THRESHOLD, PERMUTATIONS).pairs.tolist()}
    our_seconds = time.process_time() - start
    try:
        start = time.process_time()
        theirs = with_datasketch(texts)
        their_seconds = time.process_time() - start
    except ImportError:
        print("Falta datasketch: mira el uso al principio de este archivo.")
        return 1
    recalls = [len(found & truth) / len(truth) for found in (ours, theirs)]
    print(f"documentos: {len(texts)} · copias plantadas: {len(truth)}")
    for name, seconds, recall in (("utils", our_seconds, recalls[0]), ("datasketch", their_seconds, recalls[1])):
        print(f"{name}: {number(seconds, 2)} s de CPU, recall {number(recall, 3)}")
    print(f"cociente: {number(their_seconds / our_seconds, 1)}")
    return 0 if min(recalls) > 0.95 and our_seconds < their_seconds else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
