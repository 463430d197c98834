"""El sitio en Chromium y en oscuro: accesible, sin errores, sin red y con las figuras invertidas."""

from pathlib import Path

import pytest

from tests.site.browsing import DESKTOP, Visit, behind_a_lab_figure, problems_of_pages

pytestmark = [pytest.mark.site, pytest.mark.browser, pytest.mark.slow]


def test_pages_are_accessible_and_quiet(browser, server: str, site: Path) -> None:
    report = problems_of_pages(browser, server, site, "dark")
    assert not report, "\n".join(report)


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


def test_the_white_of_a_lab_figure_lets_the_page_through(browser, server: str, pages: dict) -> None:
    seen, page = behind_a_lab_figure(browser, server, pages, "dark")
    assert page == "rgb({}, {}, {})".format(*seen)
