"""Ejercicios del lab 13: la cuenta de una capa LoRA, lo que ocupa un adaptador y cuántas direcciones hacen falta."""

import torch

from utils.exercises.grading import Exercise


def _layer(seed: int, n: int, d: int, k: int, r: int, alpha: float) -> tuple:
    generator = torch.Generator().manual_seed(seed)
    shapes = (n, k), (d, k), (r, k), (d, r)
    return (*(torch.randn(*shape, generator=generator) for shape in shapes), alpha)  # x, W, A, B, alpha


def _branch(x, a, b):
    return x @ a.T @ b.T  # (N, d)


NO_BASE = "falta W x: la base está congelada, pero sigue calculando."
SIZE_OF_W = "divides por un tamaño de W; r es el número de filas de A."

FORWARD = Exercise(
    "lab-13.1",
    "la cuenta de una capa LoRA",
    "la capa de siempre más la rama, multiplicada por alpha / r.",
    right=lambda x, weight, a, b, alpha: x @ weight.T + alpha / len(a) * _branch(x, a, b),
    cases=[_layer(0, 3, 4, 5, 2, 6.0), _layer(1, 3, 4, 5, 2, 3.0), _layer(2, 2, 3, 7, 4, 6.0)],
    mistakes=[
        (
            lambda x, w, a, b, alpha: x @ w.T + _branch(x, a, b),
            "falta el factor alpha / r: sin él, el tamaño de la corrección dependería del rango.",
        ),
        (
            lambda x, w, a, b, alpha: x @ w.T + alpha * _branch(x, a, b),
            "multiplicas por alpha, y es alpha / r; r es el número de filas de A.",
        ),
        (
            lambda x, w, a, b, alpha: x @ w.T + alpha * len(a) * _branch(x, a, b),
            "multiplicas por el rango: la escala es alpha / r, y el rango divide.",
        ),
        (
            lambda x, w, a, b, alpha: x @ w.T + len(a) / alpha * _branch(x, a, b),
            "tienes la escala al revés: es alpha / r, no r / alpha.",
        ),
        (lambda x, w, a, b, alpha: _branch(x, a, b), NO_BASE),
        (lambda x, w, a, b, alpha: alpha * _branch(x, a, b), NO_BASE),
        (lambda x, w, a, b, alpha: alpha / len(a) * _branch(x, a, b), NO_BASE),
        (
            lambda x, w, a, b, alpha: alpha / len(a) * (x @ w.T + _branch(x, a, b)),
            "alpha / r multiplica solo a la rama, no a la base.",
        ),
        (lambda x, w, a, b, alpha: x @ w.T + alpha / a.shape[1] * _branch(x, a, b), SIZE_OF_W),
        (lambda x, w, a, b, alpha: x @ w.T + alpha / len(b) * _branch(x, a, b), SIZE_OF_W),
        (
            lambda x, w, a, b, alpha: x @ w.T - alpha / len(a) * _branch(x, a, b),
            "restas la rama: la corrección se suma, con su signo dentro de B.",
        ),
        (
            lambda x, w, a, b, alpha: w @ x.T,
            "la salida es de (N, d), una fila por entrada, y la tuya es la base traspuesta.",
        ),
        (
            lambda x, w, a, b, alpha: (x @ w.T + alpha / len(a) * _branch(x, a, b)).T,
            "la salida es de (N, d), una fila por entrada, y la tuya está traspuesta.",
        ),
    ],
)


def _megabytes(numbers=lambda d, k, r: r * (d + k), size=4, unit=1e6):
    """Una cuenta de megabytes: los números de cada capa, lo que ocupa cada uno y la unidad."""
    return lambda shapes, rank: sum(numbers(d, k, rank) for d, k in shapes) * size / unit


MEGABYTES = Exercise(
    "lab-13.2",
    "lo que ocupa un adaptador",
    "r · (d + k) números de 4 bytes por capa; la base no se guarda.",
    right=_megabytes(),
    cases=[([(768, 768)] * 10 + [(768, 2048)] * 4, 8), ([(64, 192), (256, 64)], 16)],
    mistakes=[
        (_megabytes(lambda d, k, r: d * k), "cuentas W entera; el adaptador solo guarda A y B."),
        (_megabytes(lambda d, k, r: d + k), "falta el rango: A tiene r filas, y B, r columnas."),
        (_megabytes(lambda d, k, r: r * (d + k) + d * k), "sumas la base, y el adaptador solo guarda A y B."),
        (_megabytes(size=32), "das megabits: en float32 cada número ocupa 4 bytes, que son 32 bits."),
        (_megabytes(unit=1e3), "das kilobytes; un megabyte es un millón de bytes."),
        (_megabytes(size=1), "cuentas números y no bytes: en float32 cada uno ocupa 4."),
        (_megabytes(unit=1), "das bytes; un megabyte son un millón."),
        (_megabytes(unit=2**20), "divides por 2²⁰, que son mebibytes; un megabyte es un millón de bytes."),
        (_megabytes(lambda d, k, r: r * d * k), "multiplicas d por k: A tiene r · k números y B tiene d · r."),
        (_megabytes(lambda d, k, r: r * d), "solo cuentas B: falta A, que tiene r · k números."),
        (_megabytes(lambda d, k, r: r * k), "solo cuentas A: falta B, que tiene d · r números."),
        (_megabytes(size=2), "cuentas 2 bytes por número; en float32 son 4."),
    ],
)


def _reach(values, share, power=2, start=1):
    """Cuántos valores hacen falta para llegar a una parte de la suma de sus potencias."""
    total, reached = sum(v**power for v in values), 0.0
    for i, value in enumerate(values, start):
        reached += value**power
        if reached >= share * total - 1e-9:
            return i
    return len(values)


VALUES = [4.0, 2.0, 2.0, 1.0, 0.0]  # energías: 16, 4, 4 y 1, de 25

RANK = Exercise(
    "lab-13.3",
    "cuántas direcciones hacen falta",
    "esas direcciones bastan para guardar esa parte del cambio.",
    right=lambda values, share: _reach(values, share),
    cases=[(VALUES, 0.5), (VALUES, 0.7), (VALUES, 0.9), (VALUES, 0.98), ([3.0, 3.0, 1.0], 0.9)],
    mistakes=[
        (
            lambda values, share: _reach(values, share, start=0),
            "te quedas una corta: devuelves el índice, que empieza en 0, y se pide cuántas.",
        ),
        (
            lambda values, share: _reach(values, share, power=1),
            "sumas los valores singulares; la energía es la suma de sus cuadrados.",
        ),
        (
            lambda values, share: _reach(values, share**2),
            "sobra la raíz: se compara la suma de los cuadrados, no su raíz.",
        ),
        (
            lambda values, share: sum(v**2 >= share * sum(w**2 for w in values) for v in values),
            "comparas cada dirección con la parte: lo que se compara es la suma acumulada.",
        ),
    ],
    traps=[
        ((VALUES, 0.64), "con 0,64 basta una, que tiene justo 16 / 25: pide al menos esa parte, no más."),
        ((VALUES, 1.0), "la última dirección vale 0 y no aporta nada: con cuatro ya está todo."),
    ],
)

EXERCISES = {e.id: e for e in (FORWARD, MEGABYTES, RANK)}
