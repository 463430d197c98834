"""El buscador del sitio en Chromium: qué sale primero, qué extracto lleva y cuánto se descarga."""

import pytest

from tests.printed_messages import printed
from tests.site.browsing import DESKTOP, Visit

pytestmark = [pytest.mark.site, pytest.mark.browser, pytest.mark.slow]


def results(page) -> list[str]:
    """Las páginas de los resultados, en su orden, cuando ya están los que se ven."""
    page.wait_for_function("document.querySelector('.search-summary')?.textContent")
    page.wait_for_load_state("networkidle")
    return page.eval_on_selector_all("ul.search li > a:first-child", "links => links.map(a => a.getAttribute('href'))")


def test_search_finds_without_accents_and_marks_the_word_where_it_goes(browser, server: str) -> None:
    visit = Visit(browser, server, DESKTOP, "light")
    visit.open("search.html?q=tamano")
    found = results(visit.page)
    assert len(found) > 20 and f"Páginas encontradas: {len(found)}" in visit.page.inner_text(".search-summary")
    visit.page.click("ul.search li a >> nth=0")
    assert "tamaño" in visit.page.locator("article span.highlighted").first.inner_text()
    assert visit.problems == []
    visit.context.close()


def test_a_word_finds_first_the_chapter_with_it_in_the_title(browser, server: str) -> None:
    visit = Visit(browser, server, DESKTOP, "light")
    for word, name in {
        "olvido": "chapters/semana-2/03-una-tarea-y-olvido",
        "preentrenamiento": "chapters/semana-1/09-preentrenamiento",
        "lab 13": "labs/lab-13-lora",
    }.items():
        visit.open(f"search.html?q={word}")
        assert results(visit.page)[0].endswith(f"{name}.html"), word
    visit.context.close()


def test_every_message_of_the_setup_is_found_first_where_it_is_explained(browser, server: str) -> None:
    visit = Visit(browser, server, DESKTOP, "light")
    visit.open("search.html?q=aviso")
    results(visit.page)
    ask = """message => {
      Search.output.replaceChildren();
      Search.query(message);
      return Search.output.querySelector("a")?.getAttribute("href");
    }"""
    first = {message: visit.page.evaluate(ask, f"Aviso: {message}") for message in printed()}
    visit.context.close()
    assert {message: page for message, page in first.items() if "resolucion-de-problemas" not in str(page)} == {}


def test_a_query_brings_the_index_and_the_text_of_what_is_seen(browser, server: str) -> None:
    """Antes eran 8 MB: la página entera de cada resultado. Sin comprimir; con gzip, la cuarta parte."""
    visit = Visit(browser, server, DESKTOP, "light")

    def downloaded() -> dict[str, int]:
        """Bytes sin comprimir de cada archivo que ha pedido la página."""
        code = "performance.getEntriesByType('resource').map(entry => [entry.name, entry.decodedBodySize])"
        return dict(visit.page.evaluate(code))

    visit.open("search.html?q=modelo")
    found = results(visit.page)
    sizes = downloaded()
    seen = [url for url in sizes if "/_search/" in url]
    weight = sum(size for url, size in sizes.items() if url in seen or "searchindex" in url)
    visit.page.locator("ul.search li").nth(15).scroll_into_view_if_needed()
    visit.page.wait_for_function("!document.querySelectorAll('ul.search li')[15].matches('.pending')")
    later = downloaded()
    visit.context.close()
    assert 300_000 < weight < 1_000_000, f"una consulta trae {weight / 1e6:.2f} MB"
    assert 2 < len(seen) < len([url for url in later if "/_search/" in url]) < len(found)
    assert [url for url in later if ".html" in url] == []


def test_excerpts_come_from_the_article(browser, server: str) -> None:
    visit = Visit(browser, server, DESKTOP, "light")
    visit.open("search.html?q=decodificación")
    results(visit.page)
    excerpts = visit.page.locator("ul.search p.context").all_inner_texts()
    visit.context.close()
    assert len(excerpts) > 3
    assert [text for text in excerpts if len(text) < 40 or "Repositorio" in text or "Kaggle" in text] == []
