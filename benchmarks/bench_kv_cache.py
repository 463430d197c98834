"""Mide lo que ahorra la caché KV: el cociente en SmolLM2 y cómo crece el coste en mini-gpt.

Uso: `python benchmarks/bench_kv_cache.py`. Genera 128 tokens con SmolLM2 con caché y sin ella, comprueba que son los
mismos e imprime el cociente; después genera textos cada vez más largos con mini-gpt y ajusta el exponente del coste,
con su intervalo. Falla si los tokens difieren o el cociente baja de 3. Usa tiempo de procesador, que no se altera si
la máquina está ocupada, y un solo hilo: leer un token espera a que lleguen los pesos de la memoria, y un segundo hilo
gastaría procesador sin acortar la espera (en reloj, con dos hilos, el cociente es menor). No mide memoria ni GPU.
"""

import sys
import time

import numpy as np
import torch
from tqdm import tqdm

from utils.course.hub import load_model, load_tokenizer
from utils.course.numerals import number
from utils.measure.stats import bootstrap
from utils.model.kv_cache import greedy

NEW_TOKENS, TARGET = 128, 3.0
LENGTHS, BATCH, ROUNDS = (64, 128, 256, 384), 4, 3
PROMPT = "The best way to learn a new language is"


def timed(model, ids: torch.Tensor, new: int, use_cache: bool) -> tuple[float, torch.Tensor]:
    """Segundos de procesador de generar `new` tokens, y los tokens."""
    start = time.process_time()
    tokens = greedy(model, ids, new, use_cache=use_cache)
    return time.process_time() - start, tokens


def exponents(model, use_cache: bool) -> list[float]:
    """El exponente del coste frente a la longitud, una vez por ronda: la pendiente en ejes logarítmicos."""
    ids = torch.zeros(BATCH, 1, dtype=torch.long)
    timed(model, ids, 16, use_cache)  # la primera vez siempre es más lenta
    found = []
    for _ in tqdm(range(ROUNDS), desc=f"mini-gpt, caché {'sí' if use_cache else 'no'}", unit="ronda"):
        seconds = [timed(model, ids, length, use_cache)[0] for length in LENGTHS]
        found.append(np.polyfit(np.log(LENGTHS), np.log(seconds), 1)[0])
    return found


def main() -> int:
    """Devuelve 0 si se cumple el objetivo."""
    torch.set_num_threads(1)
    model, tokenizer = load_model("causal-real"), load_tokenizer("causal-real")
    ids = tokenizer(PROMPT, return_tensors="pt").input_ids
    timed(model, ids, 2, True)
    with_cache, tokens = timed(model, ids, NEW_TOKENS, True)
    without, again = timed(model, ids, NEW_TOKENS, False)
    same, ratio = torch.equal(tokens, again), without / with_cache
    print(
        f"SmolLM2, {NEW_TOKENS} tokens, un hilo: {number(with_cache, 1)} s con caché, {number(without, 1)} s "
        f"sin ella; cociente {number(ratio, 1)}; mismos tokens: {'sí' if same else 'NO'}"
    )
    mini = load_model("causal")
    for use_cache in (True, False):
        name = "con caché" if use_cache else "sin caché"
        print(f"mini-gpt, {name}: coste ~ T^a con a = {bootstrap(exponents(mini, use_cache)):.2f}")
    return 0 if same and ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
