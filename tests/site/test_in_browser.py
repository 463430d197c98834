"""El sitio en Chromium: accesible en claro y en oscuro, sin errores, sin red y sin desplazarse de lado en el móvil."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.site, pytest.mark.browser, pytest.mark.slow]

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
SERIOUS = {"serious", "critical"}
OVERFLOWING = """() => [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility())
    .slice(0, 5).map(e => e.tagName + "." + e.className)"""


class Visit:
    """Una pestaña que anota errores de consola y peticiones a otros servidores."""

    def __init__(self, browser, server: str, viewport: dict[str, int], scheme: str) -> None:
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        self.page = self.context.new_page()
        self.server = server
        self.problems: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        self.page.on("requestfailed", lambda request: self.problems.append(f"no se carga: {request.url}"))

    def _console(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{message.type}: {message.text}")

    def _request(self, request) -> None:
        if not request.url.startswith((self.server, "data:", "blob:")):
            self.problems.append(f"petición externa: {request.url}")

    def _response(self, response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")

    def open(self, name: str) -> None:
        """Abre una página y espera a que acaben las fórmulas y los guiones."""
        self.page.goto(f"{self.server}/{name}", wait_until="networkidle")
        self.page.evaluate("() => window.MathJax?.startup?.promise")


def page_names(site: Path) -> list[str]:
    """Todas las páginas salvo la que redirige a la portada."""
    from tests.site.conftest import site_pages

    return [name for name in site_pages(site) if name != "index.html"]


@pytest.fixture(scope="module", params=["light", "dark"])
def visit(request, browser, server: str) -> Iterator[Visit]:
    """Una pestaña en claro y otra en oscuro."""
    opened = Visit(browser, server, DESKTOP, request.param)
    opened.scheme = request.param
    yield opened
    opened.context.close()


def describe(violation: dict) -> str:
    """Una línea por elemento que incumple una regla."""
    nodes = [
        f"{node['target'][0]}: {node['failureSummary'].splitlines()[-1].strip()}" for node in violation["nodes"][:3]
    ]
    return f"  {violation['id']} ({violation['impact']}): " + "; ".join(nodes)


def test_pages_are_accessible_and_quiet(visit: Visit, site: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    axe, report = Axe(), []
    for name in page_names(site):
        visit.problems.clear()
        visit.open(name)
        assert visit.page.evaluate("document.documentElement.dataset.theme") == visit.scheme, name
        report += [f"{name}: {problem}" for problem in visit.problems]
        # Sin `preload`: axe volvería a pedir las hojas de estilo, con rutas que no son las de la página.
        violations = axe.run(visit.page, options={"preload": False}).response["violations"]
        report += [f"{name}:\n{describe(v)}" for v in violations if v["impact"] in SERIOUS]
    assert not report, f"En modo {visit.scheme}:\n" + "\n".join(report)


def test_no_sideways_scroll_on_a_phone(browser, server: str, site: Path) -> None:
    visit = Visit(browser, server, PHONE, "light")
    wide = []
    for name in page_names(site):
        visit.open(name)
        width = visit.page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide.append(f"{name}: {width} px {visit.page.evaluate(OVERFLOWING)}")
    visit.context.close()
    assert not wide, "\n".join(wide)


def test_search_finds_without_accents(browser, server: str) -> None:
    visit = Visit(browser, server, DESKTOP, "light")
    visit.open("search.html?q=decodificacion")
    visit.page.wait_for_selector("#search-results ul.search li", timeout=10_000)
    summary = visit.page.inner_text("#search-results")
    visit.context.close()
    assert "Glosario" in summary
    assert "Páginas encontradas" in summary or "Una página" in summary, summary[:200]


def test_the_index_opens_on_a_phone_with_the_keyboard(browser, server: str) -> None:
    visit = Visit(browser, server, PHONE, "light")
    visit.open("intro.html")
    visit.page.focus(".primary-toggle")
    visit.page.keyboard.press("Enter")
    assert visit.page.is_visible("#pst-primary-sidebar-modal nav")
    visit.page.keyboard.press("Escape")
    assert not visit.page.is_visible("#pst-primary-sidebar-modal")
    visit.context.close()


def test_dark_mode_inverts_svg_figures(browser, server: str, pages: dict) -> None:
    figures = [name for name, page in pages.items() if page.select('.bd-article img[src$=".svg"]')]
    if not figures:
        pytest.skip("Todavía no hay figuras SVG en el libro")
    visit = Visit(browser, server, DESKTOP, "dark")
    visit.open(figures[0])
    style = visit.page.evaluate("""() => {
        const image = document.querySelector('.bd-article img[src$=".svg"]');
        const style = getComputedStyle(image);
        return [style.filter, style.backgroundColor];
    }""")
    visit.context.close()
    assert "invert(1)" in style[0] and style[1] == "rgba(0, 0, 0, 0)"
