"""Los casos con que se comparan las dos copias del coste de LoRA: la de `utils` y la del navegador.

Los escribe `scripts/export_golden.py`. No prueba nada por sí mismo.
"""

import random

from utils.train.lora_cost import ADAMW_BYTES, even_rank, lora_cost


def lora_cases() -> list[dict]:
    """El coste de grupos de matrices al azar y de los ejemplos de las erratas 22 y 24."""
    generator = random.Random(0)
    known = [([(768, 768, 72)], 32, 247_577_856), ([(512, 64, 1)], 8, None), ([(4096, 4096, 1)], 8, None)]
    return [_lora_case(*case) for case in (*known, *(_random_case(generator) for _ in range(120)))]


def _random_case(generator: random.Random) -> tuple[list[tuple[int, int, int]], int, int | None]:
    sizes = [generator.randint(1, 30_000) for _ in range(2 * generator.randint(1, 6))]
    matrices = [(d, k, generator.randint(1, 100)) for d, k in zip(sizes[::2], sizes[1::2], strict=True)]
    adapted = sum(d * k * times for d, k, times in matrices)
    return matrices, generator.randint(1, 512), generator.choice([None, adapted + generator.randint(0, 10**9)])


def _lora_case(matrices: list[tuple[int, int, int]], rank: int, model: int | None) -> dict:
    cost = lora_cost(matrices, rank, model)
    numbers = [cost.trained, cost.adapted, cost.model, cost.share, cost.fewer, cost.disk_bytes(4), cost.disk_bytes(2)]
    return {
        "matrices": [list(group) for group in matrices], "rank": rank, "adamw": ADAMW_BYTES, "model": model,
        "numbers": [*numbers, cost.optimizer_saved], "even": [even_rank(d, k) for d, k, _ in matrices],
    }  # fmt: skip
