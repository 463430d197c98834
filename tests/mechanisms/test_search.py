"""El buscador: encuentra igual con tilde o sin ella y con la marca aparte, ordena y saca extractos del artículo."""

import importlib
import re
import unicodedata
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.mechanisms.looks import fits, serious_violations
from tests.mechanisms.tiny_book import ROOT, build, make_project

INTRO = """# Inicio

Aquí se dice olvido una vez, y otra, olvido, de pasada.

```{toctree}
:hidden:

chapters/laboratorio
chapters/olvido
chapters/nfd
problemas
glosario
```
"""
LAB = "# Laboratorio\n\nTexto.\n\n## El olvido, medido\n\nNada más.\n"
FORGETTING = """# Una tarea y olvido

Empieza aquí, con $\\frac{1}{2}$ y $x$.

## Cuánto

Un modelo de cualquier tamaño pierde lo que no repasa, y eso es una pena.

```python
tamaño = "constructor"
```
"""
# Como lo escribe un Mac: cada tilde y cada virgulilla, en su propio carácter.
DECOMPOSED = unicodedata.normalize("NFD", "# Decodificación voraz\n\nEl tamaño del núcleo y un señuelo.\n")
PROBLEMS = "# Problemas\n\nTexto.\n\n```{mensajes} programa.py\n```\n"
PROGRAM = '''"""Este docstring no es un mensaje, aunque sea una frase."""
LABEL = "el de la ficha del lab"
def notices(folder):
    yield f"falta la carpeta {folder}: recupérala con `git checkout -- {folder}` y repite."
    small = f"{folder} tiene {len(folder)} GB y hacen falta"
    yield f"{small} 8: se trabaja sin ella."
    print(f"mv {folder} {folder}-a-medias; rm {folder}")
    raise ValueError("No se pudo clonar el curso. ¿Hay red?")
'''
GLOSSARY = "# Glosario\n\n```{glossary}\nolvido catastrófico\n  *catastrophic forgetting*. Perder lo aprendido.\n```\n"


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """La carpeta con el HTML de un libro en el que buscar."""
    folder = make_project(tmp_path_factory.mktemp("buscador"), intro=INTRO, problemas=PROBLEMS, glosario=GLOSSARY)
    with (folder / "conf.py").open("a", encoding="utf-8") as conf:
        conf.write('extensions += ["spanish_ui", "spanish_search", "search_text", "setup_messages"]\n')
    (folder / "programa.py").write_text(PROGRAM, encoding="utf-8")
    for name, text in {"laboratorio": LAB, "olvido": FORGETTING, "nfd": DECOMPOSED}.items():
        (folder / "chapters" / f"{name}.md").write_text(text, encoding="utf-8")
    result = build(folder)
    assert result.returncode == 0, result.stderr
    return folder / "_build"


@pytest.fixture
def search(open_page):
    """`search("olvido")` abre los resultados, desde el disco y sin servidor."""

    def _search(query: str, **options):
        page = open_page("search", **options)
        page.goto(f"{page.url}?q={quote(query)}", wait_until="load")
        page.wait_for_function("document.querySelector('.search-summary')?.textContent")
        page.wait_for_function("!document.querySelector('ul.search li.pending')")
        return page

    return _search


def titles(page) -> list[str]:
    """Los títulos de los resultados, en su orden."""
    return page.locator("ul.search li > a:first-child").all_text_contents()


@pytest.mark.parametrize(
    ("word", "form"), [("tamaño", "NFC"), ("tamaño", "NFD"), ("tamano", "NFC"), ("TAMAÑOS", "NFD")]
)
def test_accents_tildes_and_unicode_forms_find_the_same(search, word, form):
    found = titles(search(unicodedata.normalize(form, word)))
    assert sorted(found) == ["Decodificación voraz", "Una tarea y olvido"]


def test_a_title_in_decomposed_unicode_is_found_and_shown_composed(search):
    assert titles(search("decodificacion")) == ["Decodificación voraz"]


def test_the_page_about_a_word_comes_before_those_that_mention_it(search):
    assert titles(search("olvido")) == ["Una tarea y olvido", "Laboratorio", "Glosario", "Inicio"]


def test_the_excerpt_is_of_the_section_that_has_the_word_and_links_to_it(search):
    page = search("pena")
    item = page.locator("ul.search li")
    assert item.locator("a.place").inner_text() == "Cuánto"
    assert item.locator("a.place").get_attribute("href").endswith("chapters/olvido.html#cuanto")
    text = item.locator("p.context").inner_text()
    assert text == 'Un modelo de cualquier tamaño pierde lo que no repasa, y eso es una pena. tamaño = "constructor"'
    assert item.locator("mark").all_text_contents() == ["pena"]


def test_a_formula_that_cannot_be_drawn_is_left_out_of_the_excerpt(search):
    assert "Empieza aquí, con … y x." in search("empieza").locator("p.context").inner_text()


def test_a_pasted_message_with_its_details_is_found_and_linked(search):
    page = search("Aviso: falta la carpeta models/mini-gpt: recupérala con `git checkout -- models/mini-gpt` y repite.")
    assert titles(page)[0] == "Problemas"
    place = page.locator("ul.search li a.place").first
    assert place.inner_text() == "falta la carpeta …: recupérala con git checkout -- … y repite."
    assert place.get_attribute("href").endswith("problemas.html#mensaje-1")
    assert "Ninguna página tiene todas las palabras" in page.locator(".search-summary").inner_text()


def test_only_sentences_of_the_program_are_messages(open_page):
    texts = open_page("problemas").locator("ul.mensajes li").all_inner_texts()
    assert [text.strip() for text in texts] == [
        "falta la carpeta …: recupérala con git checkout -- … y repite.",
        "… tiene … GB y hacen falta 8: se trabaja sin ella.",
        "No se pudo clonar el curso. ¿Hay red?",
    ]


@pytest.mark.parametrize("query", ["xyzzy", "más", "hasOwnProperty"])
def test_what_is_nowhere_is_said(search, query):
    page = search(query)
    assert titles(page) == [] and "No hay ninguna página" in page.locator(".search-summary").inner_text()


def test_a_word_of_the_language_of_the_page_is_only_a_word(search):
    assert titles(search("constructor")) == ["Una tarea y olvido"]


def test_words_are_cut_and_folded_alike_in_python_and_in_the_browser(open_page, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "_ext")
    language = importlib.import_module("spanish_search").FoldedSpanish({})
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "chapters").rglob("*.md"))
    text = " ".join(sorted({word for text in texts for word in text.split()}))
    text += " lección Ñandú über naïve ﬁn İstanbul x̂ 日本 a² ½ ß"
    in_page = "text => splitQuery(text).map(word => new Stemmer().stemWord(word))"
    page = open_page("search")
    for form in ("NFC", "NFD"):
        expected = language.split(unicodedata.normalize(form, text))
        assert page.evaluate(in_page, unicodedata.normalize(form, text)) == expected
    assert {language.stem(word) for word in expected} == set(expected), "la raíz de una raíz es ella misma"


@pytest.mark.parametrize(
    "options", [{"viewport": {"width": 360, "height": 800}}, {"color_scheme": "dark"}, {"color_scheme": "light"}]
)
def test_results_fit_and_are_accessible(search, options):
    page = search("olvido", **options)
    assert fits(page)
    assert serious_violations(page, "#search-results") == []


def test_scripts_of_the_search_page_work_in_an_old_safari(book):
    """Safari no entiende `(?<=` ni `(?<!` hasta la versión 16.4, y basta uno para que no funcione el archivo entero."""
    guilty = [path.name for path in book.rglob("_static/**/*.*js") if re.search(r"\(\?<[=!]", path.read_text())]
    assert guilty == []
