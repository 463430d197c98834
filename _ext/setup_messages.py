"""Directiva `{mensajes}`: la lista de lo que un archivo del curso puede decir al preparar un lab o al instalar.

Los lee del código (Python, o un Makefile), para que la página de problemas los tenga todos y el buscador los encuentre.
Un mensaje es una frase entera: cuatro palabras o más, acabada en punto, en interrogación o en un detalle que se
rellena. Lo que se rellena queda como «…», salvo los textos a los que el propio archivo da nombre.
"""

from __future__ import annotations

import ast
import contextlib
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
END = re.compile(rf"([.?]|[.:)] ?{HOLE})$")
ECHO = re.compile(r"\b(?:echo|printf) '([^']+)'")
MAKE_HOLE = re.compile(r"\$\(\w+\)|\$\$\w+")


def is_message(text: str) -> bool:
    """Dice si un texto es una frase para el lector y no una etiqueta, una orden o un trozo de frase.

    >>> is_message("no hay red: se trabaja sin ella."), is_message("el de la ficha del lab"), is_message("rama …")
    (True, False, False)
    """
    return len(WORD.findall(text)) >= 4 and END.search(text) is not None


def messages(path: Path) -> list[str]:
    """Devuelve los mensajes de un archivo, sin repetir y en su orden."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        found = [re.sub(r"%[ds]", HOLE, text) for text in literals(ast.parse(source))]
    else:
        found = [MAKE_HOLE.sub(HOLE, text) for text in ECHO.findall(source)]
    return [text for text in dict.fromkeys(text.strip() for text in found) if is_message(text)]


def literals(program: ast.AST) -> Iterator[str]:
    """Recorre los textos de un programa, salvo los docstrings; entra en los que son a su vez un programa."""
    names = {}  # los textos con nombre: si otro los lleva dentro, se escriben en él
    pending = [program]
    while pending:
        node = pending.pop(0)
        text = filled(node, names)
        if text is None:
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                pending[:0] = ast.iter_child_nodes(node)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                names[node.targets[0].id] = filled(node.value, names) or HOLE
        elif "\n" in text:
            with contextlib.suppress(SyntaxError):
                yield from literals(ast.parse(text.replace("{{", "{").replace("}}", "}")))
        else:
            yield text


def filled(node: ast.AST, names: dict[str, str]) -> str | None:
    """Devuelve el texto de un literal, con sus huecos; None si `node` no es un literal de texto."""
    if isinstance(node, ast.JoinedStr):
        return re.sub(f"{HOLE}+", HOLE, "".join(filled(part, names) or HOLE for part in node.values))
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
        return names.get(node.value.id)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


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
