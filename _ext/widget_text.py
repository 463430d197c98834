"""Lo que comparten los widgets: leer el YAML de su cuerpo y escribir la tabla que se ve sin JavaScript."""

import html
import json
import math
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "_static" / "course" / "widgets"


class Html(str):
    """Un texto que ya es HTML: `table` no lo escapa."""


def code(text: str) -> Html:
    """El texto, como código."""
    return Html(f"<code>{html.escape(text)}</code>")


def table(class_name: str, caption: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Una tabla en HTML; la primera celda de cada fila la encabeza. Los textos se escapan, salvo los `Html`."""
    escaped = [[cell if isinstance(cell, Html) else html.escape(cell) for cell in row] for row in rows]
    titles = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in escaped
    )
    return (
        f'<table class="{class_name}"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
    )


def only(body: dict, *names: str) -> None:
    """`ValueError` si el YAML trae una clave que no está en `names`."""
    unknown = sorted(set(body) - set(names))
    if unknown:
        raise ValueError(f"sobra la clave `{unknown[0]}`; claves admitidas: {', '.join(names)}.")


def is_number(value: object) -> bool:
    """¿Es un número finito?"""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def number_in(body: dict, name: str, default: float, low: float, high: float) -> float:
    """El número `name` del YAML de un widget; `ValueError` si no lo es o no está entre `low` y `high`."""
    value = body.get(name, default)
    if isinstance(value, str):  # YAML lee «7e9» como un texto: solo «7.0e+9» es un número
        with suppress(ValueError):
            value = float(value)
    if not is_number(value) or not low <= value <= high:
        raise ValueError(
            f"`{name}` vale {value!r}; debe ser un número entre {low:g} y {high:g} (1e9 se escribe 1.0e+9)."
        )
    return value


def check_whole(body: dict, name: str, high: int) -> None:
    """`ValueError` si `name` no es un entero entre 1 y `high`."""
    if type(body[name]) is not int or not 1 <= body[name] <= high:
        raise ValueError(f"`{name}` vale {body[name]!r}; debe ser un entero entre 1 y {high}.")


def check_choice(body: dict, name: str, options: Iterable[str]) -> None:
    """`ValueError` si `name` no es una de las opciones."""
    if body[name] not in options:
        raise ValueError(f"`{name}` vale {body[name]!r}; elige entre: {', '.join(options)}.")


def check_text(body: dict, name: str, longest: int) -> None:
    """`ValueError` si `name` no es un texto de 1 a `longest` caracteres."""
    text = body.get(name)
    if not isinstance(text, str) or not text.strip() or len(text) > longest:
        raise ValueError(f"`{name}` debe ser un texto de entre 1 y {longest} caracteres (entre comillas).")


def stored_examples(widget: str, body: dict) -> dict:
    """Toma los ejemplos pedidos del JSON del widget, que escribe `scripts/export_widgets.py`; `ValueError` si falta."""
    text = (SOURCES / f"{widget}.json").read_text(encoding="utf-8")
    stored = {example["title"]: example for example in json.loads(text)}
    names = body.get("examples")
    if set(body) != {"examples"} or not isinstance(names, list) or not names or not all(n in stored for n in names):
        raise ValueError(f"falta `examples: [...]`, con algunos de estos ejemplos: {', '.join(stored)}.")
    return {"examples": [stored[name] for name in names]}
