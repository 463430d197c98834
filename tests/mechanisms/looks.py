"""Mirar un widget: que quepa en la pantalla, que axe no vea fallos graves y qué dicen sus tablas."""

import pytest

#: Para `@EVERY_VIEW`: la misma prueba en el teléfono y en el escritorio, en claro y en oscuro.
EVERY_VIEW = pytest.mark.parametrize(
    "page",
    [
        {"viewport": {"width": 360, "height": 800}, "color_scheme": "dark", "reduced_motion": "reduce"},
        {"viewport": {"width": 360, "height": 800}},
        {"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"},
        {"viewport": {"width": 1200, "height": 900}},
    ],
    indirect=True,
)


def fits(page) -> bool:
    """¿Cabe la página en el ancho de la ventana, sin desplazarse de lado?"""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def serious_violations(page, *selectors: str) -> list[tuple[str, list[str]]]:
    """Las reglas de accesibilidad que axe da por graves dentro de esos elementos, con el HTML que las incumple."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    violations = axe.run(page, context={"include": [[selector] for selector in selectors]}).response["violations"]
    return [
        (v["id"], [node["html"] for node in v["nodes"]]) for v in violations if v["impact"] in {"serious", "critical"}
    ]


def read_table(page, selector: str) -> dict[str, list[str]]:
    """Las filas de una tabla: lo que encabeza cada una y sus celdas."""
    texts = "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText))"
    return {first.strip(): cells for first, *cells in page.locator(f"{selector} tbody tr").evaluate_all(texts)}
