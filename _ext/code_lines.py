"""Cada línea de código en su propia caja, para que las largas se partan con sangría en lugar de salirse de la página.

La hoja de estilos necesita saber dónde empieza cada línea: aquí se apunta su sangría en `--indent`. El texto no cambia,
así que copiar da el código original.
"""

import re
from collections.abc import Iterator

from pygments.formatters import HtmlFormatter
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

TAG = re.compile(r"<[^>]+>")  # Pygments escapa los «<» del código


def boxed(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Envuelve las líneas de código (las que Pygments marca con un 1).

    >>> list(boxed(iter([(1, "  x = 1\\n")])))
    [(1, '<span class="code-line" style="--indent: 2ch">  x = 1\\n</span>')]
    """
    for kind, line in lines:
        if kind == 1:
            text = TAG.sub("", line)
            indent = len(text) - len(text.lstrip(" "))
            style = f' style="--indent: {indent}ch"' if indent else ""
            line = f'<span class="code-line"{style}>{line}</span>'
        yield kind, line


class BoxedFormatter(HtmlFormatter):
    """El formato de siempre, con una caja por línea."""

    def wrap(self, source):
        return super().wrap(boxed(source))


def setup(app: Sphinx) -> dict:
    PygmentsBridge.html_formatter = BoxedFormatter
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
