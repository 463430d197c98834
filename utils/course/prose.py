"""Números que pasan de una celda a la prosa de un capítulo, ya escritos en español.

La celda calcula y `glue_number` guarda el número con un nombre; el texto lo cita con `{glue:text}`. Así ninguna cifra
del libro está escrita a mano. No sirve fuera de los capítulos: en un lab, se imprime.
"""

from myst_nb import glue

from utils.course.numerals import number


def glue_number(name: str, value: float, decimals: int = 2) -> None:
    """Guarda `value` como `name`, con coma decimal y `decimals` cifras: 0.9088 -> «0,909» con tres."""
    glue(name, number(value, decimals), display=False)


def glue_interval(name: str, interval, decimals: int = 2, percent: bool = False) -> None:
    """Guarda una estimación con su intervalo: «0,41 [0,38; 0,44]» o, con `percent`, «41 [38; 44]»."""
    scale, decimals = (100, 0) if percent else (1, decimals)
    estimate, low, high = (number(scale * x, decimals) for x in (interval.estimate, interval.low, interval.high))
    glue(name, f"{estimate} [{low}; {high}]", display=False)
