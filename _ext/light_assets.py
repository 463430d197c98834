"""Páginas ligeras y sin peticiones externas: quita lo que el tema enlaza en cada página y el libro no usa.

Quita Thebe (que cargaría de una CDN) y los comentarios, y no deja que Jupyter Book enlace en todas
las páginas lo que hay en `_static/vendor/`: MathJax lo pide Sphinx solo donde hay fórmulas.
No comprime ni junta archivos.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

UNUSED = ("thebe", "sphinx-comments")
VENDOR = "vendor/"
THEBE_SCRIPTS = re.compile(
    r'<script type="text/x-thebe-config">.*?</script>\s*(<script>kernelName = .*?</script>)?', re.DOTALL
)

# Las insignias de los cuadernos, que se ven en GitHub, son imágenes de otros servidores: aquí queda su texto.
REMOTE_IMAGE = re.compile(r'<img\b(?=[^>]*\bsrc="https?://)(?:[^>]*?\balt="([^"]*)")?[^>]*>')


def drop_vendor_files(app: Sphinx, config: Config) -> None:
    """Jupyter Book enlaza todo lo que encuentra en `_static/`: aquí se deja fuera `vendor/`."""
    for option in ("html_css_files", "html_js_files"):
        names = [(item, item if isinstance(item, str) else item[0]) for item in getattr(config, option)]
        setattr(config, option, [item for item, name in names if not name.startswith(VENDOR)])


def is_unused(asset: Any) -> bool:
    """Dice si una hoja o un guion enlazado es de los que el libro no usa."""
    text = f"{getattr(asset, 'filename', asset)} {getattr(asset, 'attributes', {}).get('body', '')}".lower()
    return any(name in text for name in UNUSED)


def lighten_page(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree) -> None:
    """Quita lo que sobra en esta página."""
    for kind in ("script_files", "css_files"):
        if kind in context:
            context[kind][:] = [asset for asset in context[kind] if not is_unused(asset)]
    if "body" in context:
        body = THEBE_SCRIPTS.sub("", context["body"])
        context["body"] = REMOTE_IMAGE.sub(lambda match: match.group(1) or "", body)


def setup(app: Sphinx) -> dict[str, Any]:
    """Conecta los eventos; la página se aligera después de que el tema haya añadido lo suyo."""
    app.connect("config-inited", drop_vendor_files, priority=100)
    app.connect("html-page-context", lighten_page, priority=950)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
