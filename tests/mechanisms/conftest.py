"""Los libros de prueba, construidos una vez, y un navegador que los abre desde el disco, sin servidor."""

import os
import shutil
from pathlib import Path

import pytest

from tests.mechanisms.tiny_book import CHAPTER, GLOSSARY, INTRO, SECOND, build, make_project
from tests.site.browsing import PATIENCE

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def pytest_collection_modifyitems(items):
    """Lo que construye un libro o abre un navegador no entra en `make test-fast`."""
    for item in items:
        if {"book", "open_page", "widget_book", "page", "plain"} & set(getattr(item, "fixturenames", ())):
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
def open_page(chromium, book):
    """`open_page("chapters/uno")` abre una página; al final falla si hubo errores o peticiones a la red."""
    contexts, problems = [], []

    def _open(name: str, **options):
        context = chromium.new_context(locale="es-ES", **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        context.route("http*://**", lambda route: (problems.append(route.request.url), route.abort()))
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto((book / f"{name}.html").as_uri(), wait_until="load")
        return page

    yield _open
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(scope="module")
def widget_book(request, tmp_path_factory) -> Path:
    """La carpeta con el HTML de un libro de una sola página, la constante PAGE del módulo que prueba."""
    folder = make_project(tmp_path_factory.mktemp("widget"), intro=request.module.PAGE)
    shutil.rmtree(folder / "chapters")
    result = build(folder)
    assert result.returncode == 0, result.stderr
    return folder / "_build"


@pytest.fixture
def page(chromium, widget_book, request):
    """Esa página abierta, con las opciones que le dé el `parametrize` indirecto; al final falla si hubo errores."""
    context = chromium.new_context(locale="es-ES", **getattr(request, "param", {}))
    context.set_default_timeout(PATIENCE)
    problems = []
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto((widget_book / "intro.html").as_uri(), wait_until="load")
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def plain(chromium, widget_book):
    """Esa página abierta sin JavaScript."""
    context = chromium.new_context(locale="es-ES", java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto((widget_book / "intro.html").as_uri(), wait_until="load")
    yield page
    context.close()
