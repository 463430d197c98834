"""Entrena un BPE de bytes con 1 MB de texto y 2000 fusiones, de tres maneras, y codifica un archivo sin cargarlo.

Uso: OMP_NUM_THREADS=1 python benchmarks/bench_bpe.py. Todos tienen que aprender las mismas fusiones. El ingenuo vuelve
a contar el texto entero en cada fusión y tardaría muchos minutos, así que hace solo unas cuantas y se compara el
tiempo por fusión. Como el texto se acorta al fundirlo, las primeras son las más caras: se mide también con las
últimas, y el objetivo se exige con esas, que son las que menos nos favorecen. De cada programa se toma la mejor de
varias rondas alternas. Después, un proceso nuevo codifica un archivo de 64 MB y mira cuánto crece su memoria. Falla si
las fusiones difieren, si la ventaja sobre el ingenuo baja de 20 veces, si tardamos más de 10 veces lo que `tokenizers`
o si la memoria crece más de la octava parte del archivo. No compara la velocidad al codificar.
"""

import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from utils.course.env import repo_root
from utils.course.numerals import number
from utils.text.bpe import ByteBPE
from utils.text.bpe_train import merge_word, train_bpe
from utils.text.pretokenize import byte_symbols, split_words

SIZE, MERGES, PLAIN_MERGES, ROUNDS = 1_000_000, 2000, 8, 3
AT_LEAST, AT_MOST = 20.0, 10.0
FILE_SIZE, FILE_SHARE = 64_000_000, 1 / 8


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


def train_plain(texts: list[str], known: list[tuple[int, int]], merges: int) -> tuple[ByteBPE, float]:
    """El entrenador de los libros: cuenta todas las parejas de todo el texto, funde la mejor y vuelve a empezar.

    Parte de unas fusiones ya conocidas, aprende `merges` más y devuelve también los segundos por fusión. El desempate
    es el mismo que el nuestro.
    """
    bpe = ByteBPE(known)
    words = [bpe.encode(word) for text in texts for word in split_words(text)]
    start = time.perf_counter()
    for _ in range(merges):
        counts = Counter(pair for ids in words for pair in pairwise(ids))
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        new = bpe.add_merge(*best)
        for ids in words:
            merge_word(ids, best, new)
    return bpe, (time.perf_counter() - start) / merges


def train_library(texts: list[str], vocab_size: int) -> list[list[str]]:
    """Las fusiones de `tokenizers`, escritas con los símbolos de GPT-2."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return json.loads(tokenizer.to_str())["model"]["merges"]


def peak_megabytes() -> float:
    """Lo más que ha llegado a ocupar este proceso (VmHWM de Linux).

    No sirve ru_maxrss: un proceso recién creado hereda en él el máximo de su padre.
    """
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def encode_growth(saved: str, path: str) -> tuple[int, float, float]:
    """Codifica un archivo con un tokenizador guardado: (tokens, segundos, MB que crece el proceso)."""
    bpe, before, start = ByteBPE.load(saved), peak_megabytes(), time.perf_counter()
    tokens = sum(1 for _ in bpe.encode_file(path))
    return tokens, time.perf_counter() - start, peak_megabytes() - before


def stream(bpe: ByteBPE, texts: list[str]) -> tuple[float, int, float, float]:
    """Escribe el corpus una y otra vez y lo codifica en un proceso nuevo: (MB, tokens, segundos, MB de más)."""
    block = "\n".join(texts).encode()
    with tempfile.TemporaryDirectory() as folder:
        saved, path = Path(folder) / "bpe.json", Path(folder) / "texto.txt"
        bpe.save(saved)
        with path.open("wb") as file:
            while file.tell() < FILE_SIZE:
                file.write(block)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return path.stat().st_size / 1e6, *pool.apply(encode_growth, (str(saved), str(path)))


def main() -> int:
    """Devuelve 0 si las fusiones coinciden y se cumplen los tres objetivos."""
    texts, ours, theirs = make_corpus(), [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        bpe = train_bpe(texts, 256 + MERGES)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        expected = train_library(texts, 256 + MERGES)
        theirs.append(time.perf_counter() - start)
    first, early = train_plain(texts, [], PLAIN_MERGES)
    last, late = train_plain(texts, bpe.merges[:-PLAIN_MERGES], PLAIN_MERGES)
    symbols = byte_symbols()
    names = ["".join(symbols[byte] for byte in token) for token in bpe.vocabulary]
    same = [[names[a], names[b]] for a, b in bpe.merges] == expected
    same = same and first.merges == bpe.merges[:PLAIN_MERGES] and last.merges == bpe.merges
    per_merge, library_ratio = min(ours) / MERGES, min(ours) / min(theirs)
    size, tokens, seconds, growth = stream(bpe, texts)
    report = [
        f"texto: {number(sum(len(text.encode()) for text in texts) / 1e6, 2)} MB · "
        f"mismas fusiones: {'sí' if same else 'NO'}",
        f"nuestro: {number(min(ours), 2)} s para {MERGES} fusiones · tokenizers: {number(min(theirs), 2)} s",
        f"ingenuo, por fusión: {1000 * early:.0f} ms las {PLAIN_MERGES} primeras, {1000 * late:.0f} ms las últimas",
        f"ingenuo / nuestro: {early / per_merge:.0f} con las primeras, {late / per_merge:.0f} con las últimas "
        f"(objetivo: al menos {AT_LEAST:.0f})",
        f"nuestro / tokenizers: {number(library_ratio, 2)} (objetivo: como mucho {AT_MOST:.0f})",
        f"archivo de {size:.0f} MB: {number(tokens / 1e6, 1)} millones de tokens en {seconds:.0f} s · la memoria crece "
        f"{number(growth, 1)} MB (objetivo: como mucho {size * FILE_SHARE:.0f})",
    ]
    print("\n".join(report))
    fast = late / per_merge >= AT_LEAST and library_ratio <= AT_MOST
    return 0 if same and fast and growth <= size * FILE_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
