"""Lo que comparten los widgets con campos: leer los números de su YAML y escribir la tabla que se ve sin JavaScript."""

import html
import math
from contextlib import suppress


def table(class_name: str, caption: str, head: list[str], rows: list[list[str]]) -> str:
    """Una tabla en HTML; la primera celda de cada fila la encabeza. Los textos se escapan."""
    escaped = [[html.escape(cell) for cell in row] for row in rows]
    titles = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in escaped
    )
    return (
        f'<table class="{class_name}"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
    )


def number_in(body: dict, name: str, default: float, low: float, high: float) -> float:
    """El número `name` del YAML de un widget; `ValueError` si no lo es o no está entre `low` y `high`."""
    value = body.get(name, default)
    if isinstance(value, str):  # YAML lee «7e9» como un texto: solo «7.0e+9» es un número
        with suppress(ValueError):
            value = float(value)
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not low <= value <= high:
        raise ValueError(
            f"`{name}` vale {value!r}; debe ser un número entre {low:g} y {high:g} (1e9 se escribe 1.0e+9)."
        )
    return value


def only(body: dict, *names: str) -> None:
    """`ValueError` si el YAML trae una clave que no está en `names`."""
    unknown = sorted(set(body) - set(names))
    if unknown:
        raise ValueError(f"sobra la clave `{unknown[0]}`; valen {', '.join(names)}.")
