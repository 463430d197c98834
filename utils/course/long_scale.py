"""Números grandes en español: la escala larga, en la que un billón es un millón de millones.

El *billion* inglés son mil millones y el *trillion*, un billón. Solo escribe; no lee.
"""

from utils.course.plots import number

#: Del mayor al menor: (cuánto vale, singular, plural).
NAMES = (
    (1e24, "cuatrillón", "cuatrillones"),
    (1e18, "trillón", "trillones"),
    (1e12, "billón", "billones"),
    (1e6, "millón", "millones"),
)


def long_scale(value: float, decimals: int = 1) -> str:
    """Escribe una cantidad con su nombre en escala larga; por debajo de un millón, en cifras.

    Error si no es un número positivo y finito.

    >>> long_scale(1.4e12), long_scale(175e9, 0), long_scale(3.15e23, 0), long_scale(1e12)
    ('1,4 billones', '175\\xa0000 millones', '315\\xa0000 trillones', '1 billón')
    """
    if not 0 <= value < float("inf"):
        raise ValueError(f"Solo se escriben cantidades positivas y finitas, y esta es {value}.")
    for size, one, many in NAMES:
        if round(value / size, decimals) >= 1:
            amount = round(value / size, decimals)
            return f"{number(amount)} {one if amount == 1 else many}"
    return number(round(value, decimals))
