"""El progreso de lectura, guardado solo en el navegador: marcas de leído y «Continúa donde lo dejaste».

Aquí solo se dice a `_static/course/progress.js` qué página es y de qué clase; sin JavaScript no aparece nada.
"""

from fnmatch import fnmatch

from course_html import add_assets
from sphinx.application import Sphinx


def _page_kind(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    if not doctree:
        return
    lesson = any(fnmatch(pagename, pattern) for pattern in app.config.progress_pages)
    kind = "lesson" if lesson else "home" if pagename == app.config.progress_home else "other"
    add_assets(app, "progress.css")
    app.add_js_file("course/progress.js", defer="defer", **{"data-page": pagename, "data-kind": kind})


def setup(app: Sphinx) -> dict:
    app.setup_extension("course_html")
    app.add_config_value("progress_pages", ["chapters/*", "labs/*"], "html")
    app.add_config_value("progress_home", "intro", "html")
    app.connect("html-page-context", _page_kind)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
