"""El sitio en Chromium y en claro: accesible, sin errores, sin red y sin desplazarse de lado en el móvil.

El modo oscuro está en otro archivo para que lo recorra otro proceso a la vez.
"""

from pathlib import Path

import pytest

from tests.site.browsing import DESKTOP, PHONE, Visit, behind_a_lab_figure, page_names, problems_of_pages

pytestmark = [pytest.mark.site, pytest.mark.browser, pytest.mark.slow]

OVERFLOWING = """() => [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility())
    .slice(0, 5).map(e => e.tagName + "." + e.className)"""

# Los mismos bloques que parte `book.css`.
SCROLLING_CODE = """() => [...document.querySelectorAll(
        ":is(.cell_input, .highlight-python, .highlight-default, .highlight-bash, .highlight-yaml, .highlight-json) " +
        "pre")]
    .filter(e => e.scrollWidth > e.clientWidth + 1).slice(0, 3).map(e => e.textContent.slice(0, 60))"""


def test_pages_are_accessible_and_quiet(browser, server: str, site: Path) -> None:
    report = problems_of_pages(browser, server, site, "light")
    assert not report, "\n".join(report)


def test_no_sideways_scroll_on_a_phone(browser, server: str, site: Path) -> None:
    visit = Visit(browser, server, PHONE, "light")
    wide = []
    for name in page_names(site):
        visit.open(name)
        width = visit.page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide.append(f"{name}: {width} px {visit.page.evaluate(OVERFLOWING)}")
        wide += [f"{name}: hay que desplazar «{code}»" for code in visit.page.evaluate(SCROLLING_CODE)]
    visit.context.close()
    assert not wide, "\n".join(wide)


def test_copying_a_cell_gives_its_code(browser, server: str) -> None:
    visit = Visit(browser, server, DESKTOP, "light")
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.open("labs/lab-13-lora.html")
    cell = visit.page.locator(".cell_input").filter(has_text="class SmallLoRA")
    cell.hover()
    cell.locator("button.copybtn").click()
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    visit.context.close()
    assert copied.startswith("import math\nimport torch\nfrom torch import nn\n\nclass SmallLoRA(nn.Module):\n    def ")


def test_the_index_opens_on_a_phone_with_the_keyboard(browser, server: str) -> None:
    visit = Visit(browser, server, PHONE, "light")
    visit.open("intro.html")
    visit.page.focus(".primary-toggle")
    visit.page.keyboard.press("Enter")
    assert visit.page.is_visible("#pst-primary-sidebar-modal nav")
    visit.page.keyboard.press("Escape")
    assert not visit.page.is_visible("#pst-primary-sidebar-modal")
    visit.context.close()


def test_the_white_of_a_lab_figure_lets_the_page_through(browser, server: str, pages: dict) -> None:
    seen, page = behind_a_lab_figure(browser, server, pages, "light")
    assert page == "rgb({}, {}, {})".format(*seen)
