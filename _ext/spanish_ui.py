"""Interfaz del sitio en español: antepone nuestro catálogo (`_locales/es.json`) a los de Sphinx y sus temas.

Los catálogos de las bibliotecas dejan cadenas en inglés y alguna traducción cómica, y `add_message_catalog`
solo rellena huecos: no corrige. Por eso se envuelve cada traductor y se mira primero en el nuestro.
No traduce el contenido de las páginas ni lo escrito a mano en las plantillas (las cambia `_templates/`).
"""

from __future__ import annotations

import json
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from sphinx import locale
from sphinx.application import Sphinx
from sphinx.config import Config

CATALOG_FILE = Path(__file__).resolve().parent.parent / "_locales" / "es.json"

# Textos que las bibliotecas escriben sin pasar por ningún catálogo.
# Sin esta etiqueta, el lector de pantalla lee el texto visible, que ya está en español.
HARDCODED = {
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # Sphinx mezcla en la misma lista entradas y enlaces, y un lector de pantalla no la entiende.
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    ' role="doc-biblioentry"': "",
}


class OverridingTranslations(NullTranslations):
    """Traductor que mira primero en `messages` y después en el traductor que envuelve."""

    def __init__(self, messages: dict[str, str], wrapped: NullTranslations) -> None:
        super().__init__()
        self.messages = messages
        self.wrapped = wrapped

    def gettext(self, message: str) -> str:
        """Devuelve la traducción de `message`, o la del traductor original si no la tenemos."""
        return self.messages.get(message) or self.wrapped.gettext(message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """Igual que `gettext`, con la forma que toca según `n`."""
        key = singular if n == 1 else plural
        return self.messages.get(key) or self.wrapped.ngettext(singular, plural, n)


def load_catalog(path: Path = CATALOG_FILE) -> dict[str, dict[str, str]]:
    """Lee el catálogo: {nombre del catálogo de Sphinx: {texto en inglés: texto en español}}."""
    return json.loads(path.read_text(encoding="utf-8"))


def install_catalogs(app: Sphinx, config: Config) -> None:
    """Envuelve los traductores ya cargados; corre cuando todas las extensiones han añadido el suyo."""
    for name, messages in load_catalog().items():
        key = ("general", name)
        current = locale.translators.get(key) or NullTranslations()
        if not isinstance(current, OverridingTranslations):
            locale.translators[key] = OverridingTranslations(messages, current)
    app.translator = locale.translators[("general", "sphinx")]


def translate_page(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree) -> None:
    """Da a la plantilla el traductor del sitio y cambia lo que no pasa por ningún catálogo."""
    context["translate"] = locale.get_translation("booktheme")
    if "body" in context:
        for english, spanish in HARDCODED.items():
            context["body"] = context["body"].replace(english, spanish)


def translate_javascript(app: Sphinx, exception: Exception | None) -> None:
    """Añade nuestros textos del buscador detrás de los de Sphinx, en `translations.js`."""
    path = Path(app.outdir, "_static", "translations.js")
    messages = load_catalog()["javascript"]
    if exception is None and path.exists():
        text = path.read_text(encoding="utf-8").split("\n// Del curso")[0]
        ours = json.dumps(
            {"locale": "es", "messages": messages, "plural_expr": "n == 1 ? 0 : 1"}, ensure_ascii=False, indent=2
        )
        path.write_text(f"{text}\n// Del curso\nDocumentation.addTranslations({ours});\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Conecta los eventos."""
    app.connect("config-inited", install_catalogs, priority=900)
    app.connect("html-page-context", translate_page, priority=900)
    app.connect("build-finished", translate_javascript)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
