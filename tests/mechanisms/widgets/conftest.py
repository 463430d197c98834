"""Lo que usa la prueba de un widget: su libro de una página, un navegador y sus casos de referencia."""

import json
import shutil
from pathlib import Path

import pytest
from widgets import joined

from tests.mechanisms.tiny_book import ROOT, build, make_project

SOURCES = ROOT / "_static" / "course" / "widgets"


@pytest.fixture(scope="module")
def widget_book(request, tmp_path_factory) -> Path:
    """La carpeta con el HTML de un libro de una sola página, la constante PAGE del módulo que prueba."""
    folder = make_project(tmp_path_factory.mktemp("widget"), intro=request.module.PAGE)
    shutil.rmtree(folder / "chapters")
    result = build(folder)
    assert result.returncode == 0, result.stderr
    return folder / "_build"


@pytest.fixture
def page(browse, widget_book, request):
    """Esa página abierta, con las opciones que le dé el `parametrize` indirecto."""
    return browse(widget_book / "intro.html", **getattr(request, "param", {}))


@pytest.fixture
def plain(browse, widget_book):
    """Esa página abierta sin JavaScript."""
    return browse(widget_book / "intro.html", java_script_enabled=False)


@pytest.fixture(scope="module")
def golden(request) -> list:
    """Los casos guardados junto a la prueba, con su nombre: lo que da su `golden_cases`."""
    test = request.path
    return json.loads(test.with_name(f"{test.stem.removeprefix('test_')}.json").read_text(encoding="utf-8"))


@pytest.fixture
def run_module(chromium):
    """`run_module("lora.mjs", "(m, casos) => …", casos)`: lo que da esa función con el módulo `m`, sin libro."""
    page = chromium.new_page()

    def _run(name: str, function: str, argument):
        source = json.dumps(joined(SOURCES / name))
        module = f'import(URL.createObjectURL(new Blob([{source}], {{ type: "text/javascript" }})))'
        return page.evaluate(f"(argument) => {module}.then((module) => ({function})(module, argument))", argument)

    yield _run
    page.close()
