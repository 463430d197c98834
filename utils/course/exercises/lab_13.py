"""Ejercicios del lab 13: la cuenta de una capa LoRA, lo que ocupa un adaptador y cuántas direcciones hacen falta."""

import math

import torch

from utils.course.checks import Exercise, Verdict


def _check_forward(lora_forward) -> Verdict:
    generator = torch.Generator().manual_seed(0)
    x, weight, a, b = (torch.randn(*shape, generator=generator) for shape in ((3, 5), (4, 5), (2, 5), (4, 2)))
    alpha = 6.0
    base, branch = x @ weight.T, x @ a.T @ b.T
    got = lora_forward(x, weight, a, b, alpha)
    if not torch.is_tensor(got) or got.shape != base.shape:
        shape = tuple(got.shape) if torch.is_tensor(got) else type(got).__name__
        return Verdict(False, f"con x de (3, 5) y W de (4, 5) la salida es de (3, 4) y devuelves {shape}.")

    def near(expected) -> bool:
        return torch.allclose(got, expected, atol=1e-4)

    if near(base + alpha / 2 * branch):
        return Verdict(True, "la capa de siempre más la rama, multiplicada por alpha / r.")
    if near(base + branch):
        return Verdict(False, "falta el factor alpha / r: sin él, el tamaño de la corrección dependería del rango.")
    if near(base + alpha * branch):
        return Verdict(False, "multiplicas por alpha, y es alpha / r; r es el número de filas de A.")
    if near(base + alpha * 2 * branch):
        return Verdict(False, "multiplicas por el rango: la escala es alpha / r, y el rango divide.")
    if near(base + 2 / alpha * branch):
        return Verdict(False, "tienes la escala al revés: es alpha / r, no r / alpha.")
    if any(near(scale * branch) for scale in (1, alpha, alpha / 2)):
        return Verdict(False, "falta W x: la base está congelada, pero sigue calculando.")
    if near(alpha / 2 * (base + branch)):
        return Verdict(False, "alpha / r multiplica solo a la rama, no a la base.")
    if near(base + alpha / 5 * branch) or near(base + alpha / 4 * branch):
        return Verdict(False, "divides por un tamaño de W; r es el número de filas de A.")
    return Verdict(False, "la forma es la buena, pero no los números: calcula W x + (alpha / r) · B (A x).")


def _check_megabytes(adapter_megabytes) -> Verdict:
    shapes, rank = [(768, 768)] * 10 + [(768, 2048)] * 4, 8
    sides = sum(d + k for d, k in shapes)
    right = rank * sides * 4 / 1e6
    got = float(adapter_megabytes(shapes, rank))
    if math.isclose(got, right, rel_tol=1e-6):
        return Verdict(True, "r · (d + k) números de 4 bytes por capa; la base no se guarda.")
    known = {
        sum(d * k for d, k in shapes) * 4 / 1e6: "cuentas W entera; el adaptador solo guarda A y B.",
        sides * 4 / 1e6: "falta el rango: A tiene r filas, y B, r columnas.",
        (rank * sides + sum(d * k for d, k in shapes)) * 4 / 1e6: "sumas la base, y el adaptador solo guarda A y B.",
        rank * sides * 32 / 1e6: "das megabits: en float32 cada número ocupa 4 bytes, que son 32 bits.",
        rank * sides * 4 / 1e3: "das kilobytes; un megabyte es un millón de bytes.",
        rank * sides / 1e6: "cuentas números y no bytes: en float32 cada uno ocupa 4.",
        rank * sides * 4: "das bytes; un megabyte son un millón.",
        rank * sides * 4 / 2**20: "divides por 2²⁰, que son mebibytes; un megabyte es un millón de bytes.",
        rank * sum(d * k for d, k in shapes) * 4 / 1e6: "multiplicas d por k: A tiene r · k números y B tiene d · r.",
        rank * sum(d for d, _ in shapes) * 4 / 1e6: "solo cuentas B: falta A, que tiene r · k números.",
        rank * sum(k for _, k in shapes) * 4 / 1e6: "solo cuentas A: falta B, que tiene d · r números.",
        rank * sides * 2 / 1e6: "cuentas 2 bytes por número; en float32 son 4.",
    }
    for value, reason in known.items():
        if math.isclose(got, value, rel_tol=1e-6):
            return Verdict(False, reason)
    return Verdict(False, f"con diez capas de (768, 768), cuatro de (768, 2048) y rango 8 devuelves {got:g}.")


def _check_rank(smallest_rank) -> Verdict:
    values = [4.0, 2.0, 2.0, 1.0, 0.0]  # energías: 16, 4, 4 y 1, de 25
    cases = {0.5: 1, 0.64: 1, 0.7: 2, 0.8: 2, 0.9: 3, 1.0: 4}
    got = {share: smallest_rank(list(values), share) for share in cases}
    if got == cases:
        return Verdict(True, "esas direcciones bastan para guardar esa parte del cambio.")
    if all(g == c - 1 for g, c in zip(got.values(), cases.values(), strict=True)):
        return Verdict(False, "te quedas una corta: devuelves el índice, que empieza en 0, y se pide cuántas.")
    if got[0.5] == 2 or got[0.7] == 3:
        return Verdict(False, "sumas los valores singulares; la energía es la suma de sus cuadrados.")
    if got[0.64] == 2:
        return Verdict(False, "con 0,64 basta una, que tiene justo 16 / 25: pide al menos esa parte, no más.")
    if got[1.0] == 5:
        return Verdict(False, "la última dirección vale 0 y no aporta nada: con cuatro ya está todo.")
    if got[0.7] == 1 and got[0.9] == 3:
        return Verdict(False, "sobra la raíz: se compara la suma de los cuadrados, no su raíz.")
    share = next(share for share in cases if got[share] != cases[share])
    return Verdict(
        False,
        f"con los valores 4, 2, 2, 1 y 0, la parte {str(share).replace('.', ',')} pide {cases[share]} direcciones y "
        f"devuelves {got[share]}.",
    )


def _cumulative(values, share, power=2, strict=False, start=1):
    total, reached = sum(v**power for v in values), 0.0
    for i, value in enumerate(values, start):
        reached += value**power
        if reached > share * total if strict else reached >= share * total - 1e-9:
            return i
    return len(values)


EXERCISES = {
    "lab-13.1": Exercise(
        "lab-13.1",
        "la cuenta de una capa LoRA",
        _check_forward,
        wrong=[
            (lambda x, w, a, b, alpha: x @ w.T + x @ a.T @ b.T, "falta el factor"),
            (lambda x, w, a, b, alpha: x @ w.T + alpha * x @ a.T @ b.T, "multiplicas por alpha"),
            (lambda x, w, a, b, alpha: alpha / len(a) * x @ a.T @ b.T, "falta W x"),
            (lambda x, w, a, b, alpha: alpha / len(a) * (x @ w.T + x @ a.T @ b.T), "solo a la rama"),
            (lambda x, w, a, b, alpha: x @ w.T + alpha / a.shape[1] * x @ a.T @ b.T, "un tamaño de W"),
            (lambda x, w, a, b, alpha: x @ a.T @ b.T, "falta W x"),
            (lambda x, w, a, b, alpha: x @ w.T + alpha * len(a) * x @ a.T @ b.T, "el rango divide"),
            (lambda x, w, a, b, alpha: x @ w.T + len(a) / alpha * x @ a.T @ b.T, "al revés"),
            (lambda x, w, a, b, alpha: w @ x.T, "la salida es de (3, 4)"),
            (lambda x, w, a, b, alpha: x @ w.T - alpha / len(a) * x @ a.T @ b.T, "no los números"),
        ],
    ),
    "lab-13.2": Exercise(
        "lab-13.2",
        "lo que ocupa un adaptador",
        _check_megabytes,
        wrong=[
            (lambda shapes, rank: sum(d * k for d, k in shapes) * 4 / 1e6, "cuentas W entera"),
            (lambda shapes, rank: sum(rank * (d + k) for d, k in shapes) / 1e6, "números y no bytes"),
            (lambda shapes, rank: sum(rank * (d + k) for d, k in shapes) * 4, "das bytes"),
            (lambda shapes, rank: sum(rank * (d + k) for d, k in shapes) * 4 / 2**20, "mebibytes"),
            (lambda shapes, rank: sum(rank * d * k for d, k in shapes) * 4 / 1e6, "multiplicas d por k"),
            (lambda shapes, rank: sum(rank * d for d, k in shapes) * 4 / 1e6, "solo cuentas B"),
            (lambda shapes, rank: sum(rank * (d + k) for d, k in shapes) * 2 / 1e6, "2 bytes"),
            (lambda shapes, rank: sum(rank * k for d, k in shapes) * 4 / 1e6, "solo cuentas A"),
            (lambda shapes, rank: sum(d + k for d, k in shapes) * 4 / 1e6, "falta el rango"),
            (lambda shapes, rank: sum(rank * (d + k) + d * k for d, k in shapes) * 4 / 1e6, "sumas la base"),
            (lambda shapes, rank: sum(rank * (d + k) for d, k in shapes) * 32 / 1e6, "megabits"),
            (lambda shapes, rank: sum(rank * (d + k) for d, k in shapes) * 4 / 1e3, "kilobytes"),
            (lambda shapes, rank: 1.0, "devuelves 1"),
        ],
    ),
    "lab-13.3": Exercise(
        "lab-13.3",
        "cuántas direcciones hacen falta",
        _check_rank,
        wrong=[
            (lambda values, share: _cumulative(values, share, power=1), "sus cuadrados"),
            (lambda values, share: _cumulative(values, share, start=0), "una corta"),
            (lambda values, share: _cumulative(values, share, strict=True), "pide al menos"),
            (lambda values, share: 5 if share == 1 else _cumulative(values, share), "no aporta nada"),
            (lambda values, share: _cumulative(values, share**2), "sobra la raíz"),
            (lambda values, share: 1, "la parte 0,7 pide 2"),
        ],
    ),
}  # fmt: skip
