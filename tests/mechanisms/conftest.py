"""Los libros de prueba, construidos una vez, y un navegador que los abre desde el disco, sin servidor."""

import os
from pathlib import Path

import pytest

from tests.mechanisms.tiny_book import CHAPTER, GLOSSARY, INTRO, SECOND, build, make_project
from tests.site.browsing import PATIENCE

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def pytest_collection_modifyitems(items):
    """Lo que construye un libro o abre un navegador no entra en `make test-fast`."""
    for item in items:
        if {"book", "widget_book", "chromium"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def book(tmp_path_factory) -> Path:
    """La carpeta con el HTML del libro de prueba."""
    folder = make_project(tmp_path_factory.mktemp("libro"), intro=INTRO, glosario=GLOSSARY)
    (folder / "chapters" / "uno.md").write_text(CHAPTER, encoding="utf-8")
    (folder / "chapters" / "dos.md").write_text(SECOND, encoding="utf-8")
    result = build(folder)
    assert result.returncode == 0, result.stderr
    return folder / "_build"


@pytest.fixture(scope="session")
def chromium():
    """Un Chromium sin ventana; si no está instalado, las pruebas del navegador se saltan."""
    playwright_api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip("no hay Chromium: instala el paquete chromium o define la variable CHROMIUM")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium):
    """`browse(archivo, **opciones)` abre un HTML del disco; al final falla si hubo errores o peticiones a la red."""
    contexts, problems = [], []

    def _open(path: Path, **options):
        context = chromium.new_context(locale="es-ES", **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        context.route("http*://**", lambda route: (problems.append(route.request.url), route.abort()))
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path.as_uri(), wait_until="load")
        return page

    yield _open
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def open_page(browse, book):
    """`open_page("chapters/uno")` abre una página del libro de prueba."""
    return lambda name, **options: browse(book / f"{name}.html", **options)
