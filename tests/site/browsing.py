"""Lo que comparten las pruebas con navegador: una pestaña que anota los problemas y el repaso de todas las páginas."""

import io
from pathlib import Path

from PIL import Image

#: Milisegundos que el navegador espera lo que no llega. Con la máquina ocupada, los 30 000 de costumbre no bastan.
PATIENCE = 600_000
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
NOT_PAGES = {"_static", "_sources", "_images"}
SERIOUS = {"serious", "critical"}
#: Sin `preload`, axe no vuelve a pedir las hojas de estilo, con rutas que no son las de la página. Y se le pide el
#: detalle de lo que falla, no el de lo que cumple, que es casi todo y tarda tanto como examinarlo.
AXE = {"preload": False, "resultTypes": ["violations"]}


class Visit:
    """Una pestaña que anota errores de consola y peticiones a otros servidores."""

    def __init__(self, browser, server: str, viewport: dict[str, int], scheme: str) -> None:
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        self.context.set_default_timeout(PATIENCE)
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


def site_pages(folder: Path) -> dict[str, Path]:
    """Nombre -> archivo de cada página HTML del sitio."""
    pages = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*.html"))}
    return {name: path for name, path in pages.items() if name.split("/")[0] not in NOT_PAGES}


def page_names(site: Path) -> list[str]:
    """Todas las páginas salvo la que redirige a la portada."""
    return [name for name in site_pages(site) if name != "index.html"]


def problems_of_pages(browser, server: str, site: Path, scheme: str) -> list[str]:
    """Recorre el sitio entero en un modo, `light` o `dark`: lo que axe da por grave, errores y peticiones externas."""
    from axe_playwright_python.sync_playwright import Axe

    visit, axe, report = Visit(browser, server, DESKTOP, scheme), Axe(), []
    for name in page_names(site):
        visit.problems.clear()
        visit.open(name)
        if visit.page.evaluate("document.documentElement.dataset.theme") != scheme:
            report.append(f"{name}: no está en modo {scheme}")
        report += [f"{name}: {problem}" for problem in visit.problems]
        violations = axe.run(visit.page, options=AXE).response["violations"]
        report += [f"{name}:\n{describe(v)}" for v in violations if v["impact"] in SERIOUS]
    visit.context.close()
    return report


def behind_a_lab_figure(browser, server: str, pages: dict, scheme: str) -> tuple[tuple[int, ...], str]:
    """El color que más se ve en una figura de un lab, que lleva fondo blanco, y el de la página, en CSS."""
    figure = '.cell_output img[src$=".svg"]'
    visit = Visit(browser, server, DESKTOP, scheme)
    visit.open(next(name for name, page in pages.items() if name.startswith("labs/") and page.select(figure)))
    with Image.open(io.BytesIO(visit.page.locator(figure).first.screenshot())) as image:
        _, commonest = max(image.convert("RGB").getcolors(2**24))
    color = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    visit.context.close()
    return commonest, color


def describe(violation: dict) -> str:
    """Una línea por elemento que incumple una regla."""
    nodes = [
        f"{node['target'][0]}: {node['failureSummary'].splitlines()[-1].strip()}" for node in violation["nodes"][:3]
    ]
    return f"  {violation['id']} ({violation['impact']}): " + "; ".join(nodes)
