"""Iconos ligeros: escribe `_static/iconos.css` con los pocos que usa el tema, en lugar de Font Awesome.

Cada icono es un SVG de una línea dentro de una máscara CSS: hereda el color del texto y no pide nada a la
red. La plantilla `_templates/static/webpack-macros.html` deja de enlazar `fontawesome.js` (540 KB con gzip).
Un icono nuevo se añade aquí.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from sphinx.application import Sphinx

STROKES = {
    "bars": "M4 6h16M4 12h16M4 18h16",
    "list": "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
    "outdent": "M4 6h16M10 12h10M10 18h10",
    "magnifying-glass": "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20",
    "sun": "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2"
    "M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
    "moon": "M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z",
    "circle-half-stroke": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 7h4M12 11h5.5M12 15h5",
    "download": "M12 4v11M7 11l5 5 5-5M5 20h14",
    "rocket": "M8 5l11 7-11 7z",
    "github": "M9 19c-4 1.2-4-2-6-2.5M15 21v-3.4c0-1 .1-1.4-.5-2 2.8-.3 5.5-1.4 5.5-6a4.7 4.7 0 0 0-1.3-3.2"
    "c.1-.4.6-1.7-.1-3.4 0 0-1.1-.3-3.6 1.3a12 12 0 0 0-6 0C6.5 2.7 5.4 3 5.4 3c-.7 1.7-.2 3-.1 3.4"
    "A4.7 4.7 0 0 0 4 9.6c0 4.6 2.7 5.7 5.5 6-.6.6-.6 1.2-.5 2V21",
    "pencil": "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
    "lightbulb": "M12 3a6 6 0 0 0-3.5 10.9c.5.4.8 1 .8 1.6V17h5.4v-1.5c0-.6.3-1.2.8-1.6A6 6 0 0 0 12 3z"
    "M10 21h4",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4",
    "code": "M9 7l-5 5 5 5M15 7l5 5-5 5",
    "expand": "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    "angle-left": "M15 5l-7 7 7 7",
    "angle-right": "M9 5l7 7-7 7",
    "chevron-down": "M5 9l7 7 7-7",
    "arrow-up": "M12 20V5M6 11l6-6 6 6",
    "home": "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
    "xmark": "M6 6l12 12M18 6L6 18",
}
ALIASES = {
    "pencil-alt": "pencil",
    "file-pdf": "file",
    "file-lines": "file",
    "chevron-right": "angle-right",
    "play": "rocket",
}


def data_uri(path: str) -> str:
    """SVG de 24x24 con un solo trazo, como dirección de datos."""
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='#000' "
        f"stroke-width='2' stroke-linecap='round' stroke-linejoin='round'><path d='{path}'/></svg>"
    )
    return "data:image/svg+xml," + quote(svg, safe=" ='/:,.-()")


def stylesheet() -> str:
    """Hoja de estilo completa de los iconos."""
    every = ":is(.fas, .fa-solid, .fab, .far, .fa-brands, .fa-regular)"
    rules = [
        f"{every}{{display:inline-block;width:1em;height:1em;flex:none;vertical-align:-.125em;"
        "background:currentColor;mask:var(--icono) center/contain no-repeat}",
        f"{every}::before{{content:none!important}}",
    ]
    for name, path in STROKES.items():
        names = [name, *(alias for alias, target in ALIASES.items() if target == name)]
        selector = ",".join(f".fa-{n}" for n in names)
        rules.append(f'{selector}{{--icono:url("{data_uri(path)}")}}')
    return "\n".join(rules) + "\n"


def write_stylesheet(app: Sphinx, exception: Exception | None) -> None:
    """Escribe la hoja junto a las demás del sitio."""
    if exception is None and app.builder.format == "html":
        Path(app.outdir, "_static", "iconos.css").write_text(stylesheet(), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Enlaza la hoja en todas las páginas y la escribe al final."""
    app.add_css_file("iconos.css", priority=600)
    app.connect("build-finished", write_stylesheet)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
