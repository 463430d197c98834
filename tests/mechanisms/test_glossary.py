"""El glosario al pasar el ratón y al llegar con el teclado, y su modelo de entrada."""

import pytest

from tests.mechanisms.tiny_book import GLOSSARY, build, make_project


def _link(page, text):
    return page.locator("article a", has_text=text).first


def test_focus_shows_the_definition_and_escape_closes_it(open_page):
    page = open_page("chapters/uno")
    tip = page.get_by_role("tooltip")
    assert tip.count() == 0
    link = _link(page, "atención")
    link.focus()
    assert tip.inner_text().split("\n") == [
        "atención · attention",
        "Mecanismo con el que cada token mezcla información de los demás, p. ej. la de su sujeto.",
    ]
    assert tip.locator("[lang=en]").inner_text() == "attention"
    assert link.get_attribute("aria-describedby") == tip.get_attribute("id")
    page.keyboard.press("Escape")
    assert tip.count() == 0
    assert link.get_attribute("aria-describedby") is None
    assert page.evaluate("document.activeElement.textContent") == "atención"


def test_leaving_the_link_closes_it(open_page):
    page = open_page("chapters/uno")
    _link(page, "muestreo").focus()
    page.keyboard.press("Tab")
    assert page.get_by_role("tooltip").inner_text().startswith("token · token")
    _link(page, "atención").focus()
    page.keyboard.press("Tab")
    assert page.get_by_role("tooltip").count() == 0


def test_hover_shows_it_and_it_can_be_hovered(open_page):
    page = open_page("chapters/uno")
    tip = page.get_by_role("tooltip")
    _link(page, "muestreo").hover()
    tip.wait_for()
    tip.hover()
    page.wait_for_timeout(400)
    assert tip.is_visible()
    page.mouse.move(5, 700)
    tip.wait_for(state="hidden")


def test_it_fits_in_a_phone(open_page):
    page = open_page("chapters/uno", viewport={"width": 390, "height": 844})
    for name in ("muestreo", "token", "atención"):
        _link(page, name).focus()
        box = page.get_by_role("tooltip").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_without_javascript_it_is_a_link(open_page):
    page = open_page("chapters/uno", java_script_enabled=False)
    _link(page, "atención").click()
    assert page.url.endswith("glosario.html#term-atencion")


@pytest.mark.slow
def test_an_entry_without_its_english_term_fails_the_build(tmp_path):
    folder = make_project(tmp_path, intro=GLOSSARY.replace("*sampling*. ", ""))
    result = build(folder)
    assert result.returncode != 0
    assert "«muestreo» debe empezar por su término inglés en cursiva" in result.stderr


@pytest.mark.slow
def test_a_changed_definition_reaches_the_pages_already_built(tmp_path):
    page = "# Inicio\n\nUn {term}`token`.\n\n```{toctree}\nglosario\n```\n"
    folder = make_project(tmp_path, intro=page, glosario=GLOSSARY)
    assert build(folder).returncode == 0
    html = folder / "_build" / "intro.html"
    assert "Cada una de las piezas" in html.read_text(encoding="utf-8")
    changed = GLOSSARY.replace("Cada una de las piezas", "Cada uno de los trozos")
    (folder / "glosario.md").write_text(changed, encoding="utf-8")
    assert build(folder).returncode == 0
    assert "Cada uno de los trozos" in html.read_text(encoding="utf-8")
