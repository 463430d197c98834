"""El texto de cada página para los extractos del buscador, en `_search/<página>.js`, y los recursos de su página.

Sphinx saca los extractos de la página entera, barra de botones incluida, y la descarga para cada resultado. Aquí se
guarda solo el texto del artículo, por sitios: apartados, términos del glosario y funciones, cada uno con su ancla.
Se guarda como guion y no como JSON para que también se lea al abrir el libro desde el disco, sin servidor.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_html import add_assets, html_element
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

FOLDER = "_search"
HTML_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^<]+?>", re.DOTALL | re.IGNORECASE)


@dataclass
class Place:
    """Un sitio al que se puede enlazar: su ancla, su título, y su texto y su código, que va detrás en los extractos."""

    anchor: str = ""
    heading: str = ""
    prose: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)

    def as_row(self) -> list[str]:
        """Devuelve `[ancla, título, texto]`, con los espacios juntos y las letras compuestas."""
        texts = self.heading, "".join(self.prose + self.code)
        return [self.anchor, *(unicodedata.normalize("NFC", " ".join(text.split())) for text in texts)]


def places(doctree: nodes.Node) -> list[Place]:
    """Reparte el texto de una página entre sus sitios, en orden."""
    found: list[Place] = []
    _collect(doctree, Place(), found)
    return found


def _collect(node: nodes.Node, place: Place, found: list[Place], code: bool = False) -> None:
    """Añade a `place` el texto de `node`, y a `found` los sitios que empiezan dentro."""
    text = place.code if code else place.prose
    if isinstance(node, nodes.Text):
        text.append(node.astext())
    elif isinstance(node, nodes.raw):
        if "html" in node.get("format", "").split():
            text.append(HTML_TAG.sub(" ", node.astext()))
    elif isinstance(node, nodes.math | nodes.math_block):
        # Aquí no hay quien dibuje las fórmulas: se copia la que se lee tal cual.
        text.append(" … " if "\\" in node.astext() else node.astext())
    elif isinstance(node, nodes.Element) and not isinstance(node, nodes.comment | nodes.title):
        for child in node.children:
            if isinstance(child, nodes.term):  # lo que dice está en el nodo que le sigue
                place = _start(child, child.astext(), found)
            elif isinstance(child, addnodes.desc_signature):
                place = _start(child, child.get("fullname", ""), found)
                place.code.append(child.astext() + " ")
            elif isinstance(child, nodes.Element) and child["ids"] and isinstance(child.next_node(), nodes.title):
                _collect(child, _start(child, child.next_node().astext(), found), found, code)
            else:
                _collect(child, place, found, code or _is_code(child))
        if isinstance(node, html_element) or not isinstance(node, nodes.Inline):
            text.append(" ")


def _start(node: nodes.Element, heading: str, found: list[Place]) -> Place:
    """Empieza el sitio al que lleva el ancla de `node`."""
    # Sphinx-exercise guarda el título de un ejercicio entre paréntesis.
    found.append(Place((node["ids"] or [""])[0], re.sub(r"^\((.*)\)$", r"\1", heading)))
    return found[-1]


def _is_code(node: nodes.Node) -> bool:
    """Dice si es un bloque de código o la salida de una celda."""
    output = isinstance(node, nodes.container) and "cell_output" in node["classes"]
    return output or isinstance(node, nodes.literal_block)


def write_text(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.Node | None
) -> None:
    """Escribe el texto de la página que se está escribiendo; en la del buscador, pide sus recursos."""
    if not getattr(app.builder, "search", False):  # un EPUB no lleva buscador
        return
    if pagename == "search":
        add_assets(app, "search.css", "search.js")
    if doctree is not None:
        path = Path(app.outdir, FOLDER, f"{pagename}.js")
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [place.as_row() for place in places(doctree)]
        data = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        path.write_text(f"Search.setText({json.dumps(pagename)},{data})\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Escribe el texto de cada página junto con ella."""
    app.setup_extension("course_html")
    app.connect("html-page-context", write_text)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
