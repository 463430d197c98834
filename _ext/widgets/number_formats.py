"""El widget `number-formats`: valida sus datos y escribe la tabla que se ve sin JavaScript.

Los valores de la tabla los calcula `utils.compress.formats` al construir el libro.
"""

import math
from dataclasses import replace

from widget_text import check_choice, number_in, only, table

from utils.compress.formats import FORMATS, FloatFormat, NumberFormat
from utils.course.numerals import show

DIGITS = 9


def parse(body: dict) -> dict:
    """Valida el YAML del widget: `value`, `format` y `scale`, la de INT8 y NF4; `ValueError` si algo no vale."""
    only(body, "value", "format", "scale")
    start = {"format": "FP32"} | body
    check_choice(start, "format", FORMATS)
    value = number_in(body, "value", 3.141592, -1e300, 1e300)
    return {"value": value, "format": start["format"], "scale": number_in(body, "scale", 1, 1e-9, 1e9)}


def stored(fmt: NumberFormat, value: float) -> tuple[str, str]:
    """Lo que guarda un formato y en cuánto se equivoca, como textos."""
    result = fmt.round(value)
    if result == value:
        return show(result, DIGITS), "ninguno"
    if math.isinf(result):
        return show(result, DIGITS), "se desborda"
    top = fmt.max if isinstance(fmt, FloatFormat) else fmt.scale * fmt.levels[-1]
    why = " (se anula)" if result == 0 else " (tope)" if abs(value) > top else ""
    return show(result, DIGITS), f"{'+' if result > value else ''}{show(result - value)}{why}"


def fallback(spec: dict) -> str:
    """La tabla estática, en HTML: el número inicial en todos los formatos."""
    rows = []
    for name, fmt in FORMATS.items():
        scaled = fmt if isinstance(fmt, FloatFormat) else replace(fmt, scale=spec["scale"])
        code = scaled.encode(spec["value"])
        rows.append([name, scaled.pattern(code), *stored(scaled, spec["value"])])
    caption = f"El número {show(spec['value'], DIGITS)} en todos los formatos"
    return table("nf-table", caption, ["Formato", "Bits", "Guarda", "Error"], rows)
