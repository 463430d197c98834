"""Palabras del buscador: sin tildes, sin eñes y en singular, igual al construir el índice que al consultarlo.

«decodificacion» encuentra «decodificaciones» y «tamano», «tamaño», se escriban con letras compuestas (NFC) o con la
marca aparte (NFD). Los resultados se ordenan y se enseñan en `_static/course/search.js`, que lee el texto que deja
`search_text`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, ClassVar

from sphinx.application import Sphinx
from sphinx.search import languages
from sphinx.search.es import SearchSpanish

MARKS = re.compile("[\u0300-\u036f]")
#: Con grupos y no con «mira si antes hay…», que Safari no entiende hasta la versión 16.4.
PLURAL = re.compile(r"(..[aeiou][nlrd])es$|(..[aeiou])s$")


def root(word: str) -> str:
    """Palabra en minúsculas, sin tilde ni otra marca y en singular.

    >>> [root(word) for word in ("Decodificación", "valores", "nombres", "pingüinos", "niños", "Tamaño")]
    ['decodificacion', 'valor', 'nombre', 'pinguino', 'nino', 'tamano']
    """
    return PLURAL.sub(r"\1\2", MARKS.sub("", unicodedata.normalize("NFD", word.lower())))


class FoldedSpanish(SearchSpanish):
    """El español de Sphinx con nuestras palabras; lo que aquí está en Python y en JavaScript ha de dar lo mismo."""

    stopwords: ClassVar[set[str]] = {root(word) for word in SearchSpanish.stopwords}
    js_splitter_code = r"""
var splitQuery = text => text.normalize("NFC").match(/[\p{Letter}\p{Number}_]+/gu) || [];
"""
    js_stemmer_rawcode = ""
    js_stemmer_code = rf"""
var Stemmer = function () {{
  this.stemWord = word => word.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "")
    .replace(/{PLURAL.pattern}/, "$1$2");
}};
"""

    def split(self, input: str) -> list[str]:
        """Raíces de un texto, donde una letra con su marca aparte es una letra. Sphinx las compara con `stopwords`."""
        return [root(word) for word in super().split(unicodedata.normalize("NFC", input))]

    def stem(self, word: str) -> str:
        """Raíz de la palabra; la raíz de una raíz es ella misma."""
        return root(word)


def setup(app: Sphinx) -> dict[str, Any]:
    """Sustituye el español de Sphinx."""
    languages["es"] = FoldedSpanish
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
