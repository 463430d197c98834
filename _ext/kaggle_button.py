"""Botones de ejecución de los labs: añade Kaggle al menú de Colab y ajusta los enlaces al repositorio.

Colab y Kaggle abren el cuaderno de la etiqueta publicada, nunca el de una rama a medio escribir; «Proponer un
cambio» va a `main`, porque una etiqueta no se edita. Los capítulos (.md) no llevan botón: Colab no los abre.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sphinx.application import Sphinx

KAGGLE = "https://kaggle.com/kernels/welcome?src="
EDIT_BRANCH = "main"


def kaggle_url(repository: str, tag: str, path: str) -> str:
    """Dirección que abre en Kaggle un cuaderno de GitHub.

    >>> kaggle_url("https://github.com/o/r", "v1", "labs/lab-04.ipynb")
    'https://kaggle.com/kernels/welcome?src=https://github.com/o/r/blob/v1/labs/lab-04.ipynb'
    """
    return f"{KAGGLE}{repository.rstrip('/')}/blob/{tag}/{quote(path)}"


def issue_url(repository: str, pagename: str, tag: str) -> str:
    """Dirección de un aviso nuevo en GitHub, con la página y la versión ya escritas en español."""
    title = quote(f"Error en «{pagename}»")
    body = quote(f"Página: {pagename}\nVersión: {tag}\n\n¿Qué pasa?\n\n¿Qué esperabas?\n")
    return f"{repository.rstrip('/')}/issues/new?title={title}&body={body}"


def adjust_buttons(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree) -> None:
    """Retoca los botones de la cabecera que ha preparado el tema."""
    options = app.config.html_theme_options
    repository, tag = options.get("repository_url", ""), options.get("repository_branch", "")
    is_lab = pagename.startswith("labs/")
    kept = []
    for group in context.get("header_buttons", []):
        if group.get("label") == "launch-buttons":
            if not is_lab:
                continue
            path = f"{pagename}.ipynb"
            group["buttons"].append(
                {
                    "type": "link",
                    "text": "Kaggle",
                    "tooltip": "Ejecutar en Kaggle",
                    "icon": "_static/logo-kaggle.svg",
                    "url": kaggle_url(repository, tag, path),
                }
            )
        for button in group.get("buttons", []):
            url = button.get("url", "")
            if f"/edit/{tag}/" in url:
                button["url"] = url.replace(f"/edit/{tag}/", f"/edit/{EDIT_BRANCH}/")
            elif "/issues/new" in url:
                button["url"] = issue_url(repository, pagename, tag)
        kept.append(group)
    context["header_buttons"] = kept


def setup(app: Sphinx) -> dict[str, Any]:
    """Corre después de que el tema haya añadido sus botones (prioridad 501)."""
    app.connect("html-page-context", adjust_buttons, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
