"""El glosario al pasar el ratón: cada enlace {term} enseña su definición y el término inglés.

Cada entrada del glosario empieza por el término inglés en cursiva y sigue con la definición:

    ```{glossary}
    atención
      *attention*. Mecanismo con el que cada token mezcla información de los demás. Y aquí, lo que haga falta.
    ```

De ahí se saca, al construir, un JSON con los términos que usa cada página, que va dentro de la propia página:
no hay peticiones. Se enseña la primera frase. Sin JavaScript, un {term} es un enlace al glosario.
"""

import json
import re

from course_html import add_assets
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

# Un punto cierra la frase si detrás viene una mayúscula: así «p. ej. esto» no la corta.
_SENTENCE = re.compile(r".+?[.!?…](?=\s+[A-ZÁÉÍÓÚÜÑ¿¡«]|$)", re.DOTALL)


def first_sentence(text: str) -> str:
    """`first_sentence("Uno, p. ej. este. Dos.")` es `"Uno, p. ej. este."`."""
    text = " ".join(text.split())
    match = _SENTENCE.match(text)
    return match.group() if match else text


def _read_entry(item: nodes.definition_list_item) -> tuple[str, str] | None:
    """El término inglés y la primera frase de la definición, o None si la entrada no sigue el modelo."""
    paragraph = next(iter(item.findall(nodes.paragraph)), None)
    if paragraph is None or not paragraph.children or not isinstance(paragraph[0], nodes.emphasis):
        return None
    english = paragraph[0].astext().rstrip(".")
    rest = "".join(child.astext() for child in paragraph[1:]).lstrip(" .\n")
    return (english, first_sentence(rest)) if rest else None


def _collect(app: Sphinx, doctree: nodes.document) -> None:
    entries = {}
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            entry = _read_entry(item)
            for term in item.findall(nodes.term):
                if entry is None:
                    logger.warning(
                        "glosario: «%s» debe empezar por su término inglés en cursiva y seguir con la "
                        "definición (*attention*. Mecanismo…)",
                        term.astext(),
                        location=term,
                    )
                    continue
                english, definition = entry
                for anchor in term["ids"]:
                    entries[anchor] = {"t": term.astext(), "en": english, "d": definition}
    app.env.course_glossary[app.env.docname] = entries


def _init(app: Sphinx, *_) -> None:
    if not hasattr(app.env, "course_glossary"):
        app.env.course_glossary = {}
        app.env.course_glossary_written = None


def _purge(app: Sphinx, env, docname: str) -> None:
    _init(app)
    env.course_glossary.pop(docname, None)


def _merge(app: Sphinx, env, docnames: list[str], other) -> None:
    env.course_glossary.update({name: other.course_glossary[name] for name in docnames})


def _all_entries(env) -> dict[str, dict]:
    return {anchor: entry for entries in env.course_glossary.values() for anchor, entry in entries.items()}


def _rewrite_if_changed(app: Sphinx, env) -> list[str]:
    """Si cambia el glosario hay que escribir de nuevo las páginas, aunque su texto sea el mismo."""
    entries = _all_entries(env)
    changed = env.course_glossary_written not in (None, entries)
    env.course_glossary_written = entries
    return sorted(env.found_docs) if changed else []


def _page_data(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    if not doctree:
        return
    entries, used = _all_entries(app.env), {}
    for reference in doctree.findall(nodes.reference):
        if not any("std-term" in child.get("classes", ()) for child in reference.findall(nodes.inline)):
            continue
        anchor = reference.get("refid") or reference.get("refuri", "").rpartition("#")[2]
        if anchor in entries:
            used[anchor] = entries[anchor]
    if used:
        data = json.dumps(used, ensure_ascii=False, sort_keys=True).replace("</", "<\\/")
        context["body"] += f'<script type="application/json" id="course-glossary">{data}</script>'
        add_assets(app, "glossary.css", "glossary.js")


def setup(app: Sphinx) -> dict:
    app.setup_extension("course_html")
    app.connect("builder-inited", _init)
    app.connect("env-purge-doc", _purge)
    app.connect("doctree-read", _collect)
    app.connect("env-merge-info", _merge)
    app.connect("env-updated", _rewrite_if_changed)
    app.connect("html-page-context", _page_data)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
