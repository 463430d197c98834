"""Buscador que no distingue tildes ni plurales: «decodificacion» encuentra «decodificación» y «decodificaciones».

La raíz de una palabra se calcula igual al construir el índice (Python) y al consultarlo (JavaScript): las dos
versiones del reductor de Sphinx no dan el mismo resultado y dejan palabras sin encontrar.
La eñe se conserva: «ano» no es «año».
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from sphinx.application import Sphinx
from sphinx.search import languages
from sphinx.search.es import SearchSpanish


def root(word: str) -> str:
    """Palabra en minúsculas, sin tildes ni diéresis y en singular.

    >>> [root(word) for word in ("Decodificación", "valores", "nombres", "pingüinos", "niños")]
    ['decodificacion', 'valor', 'nombre', 'pinguino', 'niño']
    """
    marks = dict.fromkeys((0x301, 0x308))
    word = unicodedata.normalize("NFC", unicodedata.normalize("NFD", word.lower()).translate(marks))
    return re.sub(r"(?<=..[aeiou][nlrd])es$|(?<=..[aeiou])s$", "", word)


class FoldedSpanish(SearchSpanish):
    """El español de Sphinx con nuestra raíz."""

    js_stemmer_rawcode = ""
    js_stemmer_code = r"""
var Stemmer = function () {
  this.stemWord = word => word.toLowerCase().normalize("NFD").replace(/[\u0301\u0308]/g, "").normalize("NFC")
    .replace(/(?<=..[aeiou][nlrd])es$|(?<=..[aeiou])s$/, "");
};
"""

    def stem(self, word: str) -> str:
        """Raíz de la palabra."""
        return root(word)


def setup(app: Sphinx) -> dict[str, Any]:
    """Sustituye el español de Sphinx."""
    languages["es"] = FoldedSpanish
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
