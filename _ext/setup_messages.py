"""Directiva `{mensajes}`: la lista de lo que un archivo del curso puede decir al preparar un lab o al instalar.

Los lee del código (Python, o un Makefile), para que la página de problemas los tenga todos y el buscador los encuentre.
Un mensaje es una frase entera: cuatro palabras o más, acabada en punto, en puntos suspensivos o en interrogación. Lo
que se rellena al escribirlo queda como «…».
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

HOLE = "…"
WORD = re.compile(r"[^\W\d_]{2,}")
ECHO = re.compile(r"\b(?:echo|printf) '([^']+)'")
MAKE_HOLE = re.compile(r"\$\(\w+\)|\$\$\w+")


def is_message(text: str) -> bool:
    """Dice si un texto es una frase para el lector y no una etiqueta, una orden o un trozo de programa.

    >>> is_message("no hay red: se trabaja sin ella."), is_message("el de la ficha del lab"), is_message("rama …")
    (True, False, False)
    """
    return len(WORD.findall(text)) >= 4 and "\n" not in text and text[-1] in ".…?"


def messages(path: Path) -> list[str]:
    """Devuelve los mensajes de un archivo, sin repetir y en su orden."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        found = [re.sub(r"%[ds]", HOLE, text) for text in literals(ast.parse(source))]
    else:
        found = [MAKE_HOLE.sub(HOLE, text) for text in ECHO.findall(source)]
    return [text for text in dict.fromkeys(text.strip() for text in found) if text and is_message(text)]


def literals(tree: ast.AST) -> Iterator[str]:
    """Recorre los textos de un programa, salvo los docstrings; entra en los que son a su vez un programa."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else HOLE for part in node.values)
            yield re.sub(f"{HOLE}+", HOLE, "".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from template(node.value)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield from literals(node)


def template(text: str) -> Iterator[str]:
    """El texto o, si es el de una celda (varias líneas que `str.format` completa), los mensajes de la celda."""
    if "\nimport " not in text:
        yield text
    else:
        yield from literals(ast.parse(text.replace("{{", "{").replace("}}", "}")))


class message(nodes.title):
    """Un mensaje. Para el índice del buscador es un título: se encuentra entero y con su ancla."""


def _visit_html(self, node: message) -> None:
    self.body.append(self.starttag(node, "p", ""))


def _depart_html(self, node: message) -> None:
    self.body.append("</p>\n")


class Messages(SphinxDirective):
    """`{mensajes} archivo …`, con rutas desde la raíz del libro."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Devuelve una lista con un mensaje en cada punto."""
        items = nodes.bullet_list(classes=["mensajes"])
        for name in self.arguments[0].split():
            path = Path(self.env.srcdir, name)
            self.env.note_dependency(str(path))
            try:
                found = messages(path)
            except OSError as error:
                raise self.error(f"No se puede leer {name}: {error}") from error
            for text in found:
                anchor = f"mensaje-{self.env.new_serialno('mensaje') + 1}"
                # Lo que va entre acentos graves es código.
                kinds = zip(text.split("`"), itertools.cycle((nodes.inline, nodes.literal)), strict=False)
                parts = (kind(text=part) for part, kind in kinds)
                items += nodes.list_item("", message("", "", *parts), ids=[anchor])
        return [items] if items.children else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Registra la directiva y su nodo."""
    app.add_node(message, html=(_visit_html, _depart_html))
    app.add_directive("mensajes", Messages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
