"""Páginas ligeras y sin peticiones externas: quita lo que el tema enlaza en cada página y el libro no usa.

Quita Thebe (una CDN), y de `_static/` enlaza en cada página solo lo común: lo de `_static/vendor/` no se enlaza
nunca (MathJax lo pide Sphinx donde hay fórmulas) y lo de `_static/widgets/` solo donde la página tiene el
elemento: `widgets/mi-widget.js` acompaña a `<mi-widget>`.
No comprime ni junta archivos.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

UNUSED = ("thebe", "sphinx-comments")
ON_DEMAND = ("vendor/", "widgets/")


def _file_name(item: Any) -> str:
    """Ruta de un recurso en la configuración (texto, o texto con atributos)."""
    return item[0] if isinstance(item, tuple) else str(item)


def drop_on_demand_files(app: Sphinx, config: Config) -> None:
    """Jupyter Book enlaza todo `_static/` en todas las páginas: aquí se deja solo lo común."""
    for option in ("html_css_files", "html_js_files"):
        files = getattr(config, option)
        app.widget_files = [*getattr(app, "widget_files", []),
                            *(_file_name(f) for f in files if _file_name(f).startswith("widgets/"))]
        setattr(config, option, [f for f in files if not _file_name(f).startswith(ON_DEMAND)])


def is_unused(asset: Any) -> bool:
    """Dice si una hoja o un guion enlazado es de los que el libro no usa."""
    text = f"{getattr(asset, 'filename', asset)} {getattr(asset, 'attributes', {}).get('body', '')}".lower()
    return any(name in text for name in UNUSED)


def lighten_page(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree) -> None:
    """Quita lo que sobra en esta página y añade los widgets que contiene."""
    for kind in ("script_files", "css_files"):
        if kind in context:
            context[kind][:] = [asset for asset in context[kind] if not is_unused(asset)]
    body = context.get("body") or ""
    for name in sorted(set(getattr(app, "widget_files", []))):
        path = PurePosixPath(name)
        if f"<{path.stem}" in body:
            if path.suffix == ".css":
                app.add_css_file(name)
            else:
                app.add_js_file(name, loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Conecta los eventos; la página se aligera después de que el tema haya añadido lo suyo."""
    app.connect("config-inited", drop_on_demand_files, priority=100)
    app.connect("html-page-context", lighten_page, priority=950)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
