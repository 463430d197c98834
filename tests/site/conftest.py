"""Lo que comparten las pruebas del sitio: el libro construido, sus páginas y un navegador sin red."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.site.browsing import site_pages

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("CURSO_SITIO", ROOT / "_build" / "html"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def site() -> Path:
    """Carpeta del sitio; lo construye si falta."""
    if not (HTML / "index.html").exists():
        command = [sys.executable, str(ROOT / "scripts" / "build_book.py")]
        subprocess.run(command, check=True, timeout=3600)
    return HTML


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, BeautifulSoup]:
    """Todas las páginas, analizadas una sola vez."""
    return {name: BeautifulSoup(path.read_text(encoding="utf-8"), "lxml") for name, path in site_pages(site).items()}


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Servidor de archivos que no escribe cada petición."""

    def log_message(self, *args: object) -> None:
        """No escribe nada."""


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[str]:
    """Dirección del sitio, servido en este equipo."""
    handler = functools.partial(QuietHandler, directory=str(site))
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Chromium del sistema; las pruebas que lo piden se saltan solo si no está instalado."""
    if CHROMIUM is None:
        pytest.skip("Chromium no está instalado: en Debian, apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()
