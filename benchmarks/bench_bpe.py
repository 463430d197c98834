"""Entrena un BPE de bytes con 1 MB de texto y 2000 fusiones, de tres maneras, y compara sus tiempos.

Uso: OMP_NUM_THREADS=1 python benchmarks/bench_bpe.py. Los tres parten de las mismas palabras y tienen que aprender las
mismas fusiones. El entrenador ingenuo vuelve a contar el texto entero en cada fusión; como tardaría muchos minutos, hace
solo las primeras y se compara el tiempo por fusión. Eso le favorece poco y se dice: sus primeras fusiones son las más
caras, porque el texto se acorta, así que también se da el cociente con la última y más barata. De cada uno se toma
la mejor de varias rondas alternas. Falla si las fusiones difieren, si la ventaja sobre el ingenuo baja de 20 veces o
si tardamos más de 10 veces lo que `tokenizers`. No mide la codificación.
"""

import json
import sys
import time
from collections import Counter
from itertools import pairwise

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from utils.course.env import repo_root
from utils.text.bpe import ByteBPE
from utils.text.bpe_train import merge_word, train_bpe
from utils.text.pretokenize import byte_symbols, split_words

SIZE, MERGES, PLAIN_MERGES, ROUNDS = 1_000_000, 2000, 8, 3
AT_LEAST, AT_MOST = 20.0, 10.0


def make_corpus() -> list[str]:
    """Un megabyte de español: *Trafalgar* y los diálogos del curso que hagan falta."""
    data = repo_root() / "data"
    texts = (data / "textos" / "trafalgar.txt").read_text("utf-8").split("\n")
    size = sum(len(text.encode()) for text in texts)
    for row in (data / "dialogos" / "train.jsonl").open(encoding="utf-8"):
        if size >= SIZE:
            break
        texts.append(json.loads(row)["dialogue"])
        size += len(texts[-1].encode())
    return texts


def train_plain(texts: list[str], merges: int) -> tuple[ByteBPE, list[float]]:
    """El entrenador de los libros: cuenta todas las parejas de todo el texto, funde la mejor y vuelve a empezar.

    Devuelve también los segundos de cada fusión. El desempate es el mismo que el nuestro.
    """
    bpe, seconds = ByteBPE(), []
    words = [[bpe.byte_ids[byte] for byte in word.encode()] for text in texts for word in split_words(text)]
    for _ in range(merges):
        start = time.perf_counter()
        counts = Counter(pair for ids in words for pair in pairwise(ids))
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        new = bpe.add_merge(*best)
        for ids in words:
            merge_word(ids, best, new)
        seconds.append(time.perf_counter() - start)
    return bpe, seconds


def train_library(texts: list[str], vocab_size: int) -> list[list[str]]:
    """Las fusiones de `tokenizers`, escritas con los símbolos de GPT-2."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return json.loads(tokenizer.to_str())["model"]["merges"]


def main() -> int:
    """Devuelve 0 si las fusiones coinciden y se cumplen los dos objetivos."""
    texts, ours, theirs, plain_total = make_corpus(), [], [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        bpe = train_bpe(texts, 256 + MERGES)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        expected = train_library(texts, 256 + MERGES)
        theirs.append(time.perf_counter() - start)
    plain, plain_total = train_plain(texts, PLAIN_MERGES)
    symbols = byte_symbols()
    names = ["".join(symbols[byte] for byte in token) for token in bpe.vocabulary]
    same = [[names[a], names[b]] for a, b in bpe.merges] == expected and plain.merges == bpe.merges[:PLAIN_MERGES]
    per_merge = min(ours) / MERGES
    mean_ratio, low_ratio = sum(plain_total) / PLAIN_MERGES / per_merge, min(plain_total) / per_merge
    library_ratio = min(ours) / min(theirs)
    report = [
        f"texto: {sum(len(text.encode()) for text in texts) / 1e6:.2f} MB · mismas fusiones: {'sí' if same else 'NO'}",
        f"nuestro: {min(ours):.2f} s para {MERGES} fusiones · tokenizers: {min(theirs):.2f} s",
        f"ingenuo: {1000 * sum(plain_total) / PLAIN_MERGES:.0f} ms por fusión (media de {PLAIN_MERGES})",
        f"ingenuo / nuestro, por fusión: {mean_ratio:.0f} (con la más barata, {low_ratio:.0f}; objetivo: ≥ {AT_LEAST:.0f})",
        f"nuestro / tokenizers: {library_ratio:.2f} (objetivo: ≤ {AT_MOST:.0f})",
    ]
    print("\n".join(report).replace(".", ","))
    return 0 if same and low_ratio >= AT_LEAST and library_ratio <= AT_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
