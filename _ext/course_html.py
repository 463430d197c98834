"""Lo que comparten las extensiones del curso: un nodo de HTML y la carga de sus recursos página a página.

Jupyter Book enlaza en todas las páginas cualquier .css y .js que encuentre bajo `_static/`. Los del curso
están en `_static/course/` y se quitan aquí de esa lista: cada extensión pide los suyos donde los usa, con
`add_assets`.
"""

from docutils import nodes
from sphinx.application import Sphinx

ASSETS = "course/"


class html_element(nodes.General, nodes.Inline, nodes.Element):
    """Una etiqueta HTML con hijos; en los demás formatos solo se ven los hijos."""


def element(tag: str, *children: nodes.Node, classes: str = "", **attributes: str) -> html_element:
    """`element("p", nodes.Text("hola"), classes="saludo")` dará `<p class="saludo">hola</p>`."""
    node = html_element("", *children, tag=tag, html=attributes)
    node["classes"] += classes.split()
    return node


def add_assets(app: Sphinx, *names: str) -> None:
    """Enlaza ficheros de `_static/course/` en la página que se escribe (durante `html-page-context`)."""
    for name in names:
        if name.endswith(".css"):
            app.add_css_file(ASSETS + name, priority=900)  # después de la hoja del libro, para poder afinarla
        else:
            app.add_js_file(ASSETS + name, defer="defer")


def _visit_html(self, node: html_element) -> None:
    self.body.append(self.starttag(node, node["tag"], "", **node["html"]))


def _depart_html(self, node: html_element) -> None:
    self.body.append(f"</{node['tag']}>")


def _skip(self, node: html_element) -> None:
    pass


def _forget_automatic_assets(app: Sphinx, config) -> None:
    for option in ("html_css_files", "html_js_files"):
        names = [entry if isinstance(entry, str) else entry[0] for entry in config[option]]
        kept = [entry for entry, name in zip(config[option], names, strict=True) if not name.startswith(ASSETS)]
        setattr(config, option, kept)


def setup(app: Sphinx) -> dict:
    plain = (_skip, _skip)
    app.add_node(html_element, html=(_visit_html, _depart_html), latex=plain, text=plain, man=plain, texinfo=plain)
    app.connect("config-inited", _forget_automatic_assets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
