"""Bibliografía en español: entradas «Autores (año). Título. Lugar.» y citas «Holtzman et al. (2020)».

No abrevia títulos ni los cambia de mayúsculas: salen como están en `references.bib`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting import BaseStyle, toplevel
from pybtex.style.template import (
    FieldIsMissing,
    first_of,
    href,
    join,
    node,
    optional,
    optional_field,
    sentence,
    tag,
)
from pybtex.style.template import field as bib_field
from sphinx.application import Sphinx
from sphinxcontrib.bibtex.plugin import register_plugin as register_reference_plugin
from sphinxcontrib.bibtex.style.referencing import BracketStyle, PersonStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

AND = " y "


@node
def people_list(children: list[Any], context: dict[str, Any], role: str) -> Any:
    """Personas «Apellido, Nombre», con «y» antes de la última; `and others` en el .bib es «et al.»."""
    try:
        persons = context["entry"].persons[role]
    except KeyError:
        raise FieldIsMissing(role, context["entry"]) from None
    shown = [person for person in persons if str(person) != "others"]
    texts = [context["style"].format_name(person, False).format_data(context) for person in shown]
    if len(shown) < len(persons):
        return Text(Text(", ").join(texts), " et al.")
    return Text(Text(", ").join(texts[:-1]), AND if len(texts) > 1 else "", texts[-1])


class SpanishStyle(BaseStyle):
    """Una sola plantilla para todos los tipos: autores (año). Título. Dónde se publicó. Enlace."""

    default_name_style = "lastfirst"
    default_label_style = "alpha"
    default_sorting_style = "author_year_title"

    def format_entry(self, label: str, entry: Any, bib_data: Any = None) -> Any:
        """Da a todas las entradas la misma forma, sea cual sea su tipo en el archivo .bib."""
        entry.type = "misc"
        return super().format_entry(label, entry, bib_data)

    def get_misc_template(self, entry: Any) -> Any:
        """Plantilla de una entrada; lo que falte en el .bib se omite sin error."""
        people = first_of[
            optional[people_list("author")],
            optional[people_list("editor")],
            optional_field("organization"),
        ]
        where = first_of[
            optional[tag("em")[bib_field("journal")]],
            optional[tag("em")[bib_field("booktitle")]],
            optional_field("publisher"),
            optional_field("howpublished"),
        ]
        link = first_of[
            optional[href[bib_field("url", raw=True), join["Leer"]]],
            optional[href[join["https://doi.org/", bib_field("doi", raw=True)], join["Leer"]]],
            "",
        ]
        return toplevel[
            sentence[join[people, " (", bib_field("year"), ")"]],
            sentence[bib_field("title")],
            sentence[where],
            sentence[optional_field("note")],
            link,
        ]


def _round_brackets() -> BracketStyle:
    return BracketStyle(left="(", right=")", sep="; ")


def _people() -> PersonStyle:
    return PersonStyle(style="last", abbreviate=False, sep=", ", sep2=AND, last_sep=AND, other=" et al.")


@dataclass
class SpanishReferenceStyle(AuthorYearReferenceStyle):
    """Citas por autor y año con «y» y «et al.»."""

    bracket_textual: BracketStyle = field(default_factory=_round_brackets)
    bracket_parenthetical: BracketStyle = field(default_factory=_round_brackets)
    bracket_author: BracketStyle = field(default_factory=_round_brackets)
    bracket_label: BracketStyle = field(default_factory=_round_brackets)
    bracket_year: BracketStyle = field(default_factory=_round_brackets)
    person: PersonStyle = field(default_factory=_people)


def setup(app: Sphinx) -> dict[str, Any]:
    """Registra los dos estilos: `es` para la lista, `autor_anio` para las citas."""
    register_plugin("pybtex.style.formatting", "es", SpanishStyle, force=True)
    group = "sphinxcontrib.bibtex.style.referencing"
    register_reference_plugin(group, "autor_anio", SpanishReferenceStyle, force=True)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
