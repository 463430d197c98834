"""La directiva `{widget}`: figuras que se tocan, sin núcleo ni servidor.

    ```{widget} bpe-merges
    text: el sol sale solo
    ```

Cada módulo de este paquete es un widget, sin apuntarlo en ninguna lista: `bpe_merges.py` es `<bpe-merges>`. Tiene dos
funciones: `parse` valida el YAML del cuerpo y da los datos que recibe el navegador, y `fallback` escribe lo que se ve
sin JavaScript. Su código es `_static/course/widgets/bpe-merges.mjs`; al construir se junta con los módulos que importa
en un script clásico, porque ningún navegador carga módulos desde el disco. Lo común a todos está en `widget_text.py`.
"""

import json
import pkgutil
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import yaml
from course_html import add_assets
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SOURCES = "_static/course/widgets"
NAMES = sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def load(name: str) -> ModuleType:
    """El módulo de Python de un widget; se carga cuando una página lo usa."""
    return import_module(f"{__name__}.{name.replace('-', '_')}")


def modules(path: Path) -> list[Path]:
    """Un módulo de JavaScript y, delante, los que importa, cada uno una vez."""
    found = []
    for name in re.findall(r'^import .* from "\./(.+)";$', path.read_text(encoding="utf-8"), flags=re.MULTILINE):
        found += [module for module in modules(path.with_name(name)) if module not in found]
    return [*found, path]


def joined(path: Path) -> str:
    """Ese módulo y los que importa, en uno solo."""
    code = "\n".join(module.read_text(encoding="utf-8") for module in modules(path))
    return re.sub(r"^import .*?;\n", "", code, flags=re.MULTILINE)


def bundle(path: Path) -> str:
    """Lo mismo como script clásico: sin `export` y dentro de una función."""
    code = re.sub(r"^export ", "", joined(path), flags=re.MULTILINE)
    return f"(() => {{\n{code}}})();\n"


class WidgetDirective(SphinxDirective):
    """Un widget; el argumento es su nombre y el cuerpo, sus datos en YAML."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if name not in NAMES:
            raise self.error(f"No hay un widget «{name}»; los que hay son: {', '.join(NAMES)}.")
        widget = load(name)
        try:
            body = yaml.safe_load("\n".join(self.content))
            if not isinstance(body, dict):
                raise ValueError("el cuerpo debe ser YAML con una clave por línea, como `tokens: [a, b]`.")
            spec = widget.parse(body)
        except yaml.YAMLError:
            raise self.error(f"{name}: el YAML del cuerpo no se puede leer; revisa sangrías y comillas.") from None
        except ValueError as error:
            raise self.error(f"{name}: {error}") from None
        data = json.dumps(spec, ensure_ascii=False).replace("</", "<\\/")
        script = f'<script type="application/json">{data}</script>'
        node = nodes.raw("", f'<{name} class="widget">{script}{widget.fallback(spec)}</{name}>', format="html")
        node["course_widget"] = name
        return [node]


def _write_bundles(app: Sphinx) -> None:
    folder = Path(app.doctreedir, "widgets")
    for name in NAMES:
        target = folder / "course" / "widgets" / f"{name}.js"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(bundle(Path(app.srcdir, SOURCES, f"{name}.mjs")), encoding="utf-8")
    app.config.html_static_path.append(str(folder))


def _page_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    if doctree:
        for name in sorted({node.get("course_widget", "") for node in doctree.findall(nodes.raw)} - {""}):
            # Cada módulo de JavaScript puede tener su hoja de estilo, con el mismo nombre.
            styles = [path.with_suffix(".css") for path in modules(Path(app.srcdir, SOURCES, f"{name}.mjs"))]
            add_assets(app, *(f"widgets/{path.name}" for path in styles if path.exists()), f"widgets/{name}.js")


def setup(app: Sphinx) -> dict:
    app.setup_extension("course_html")
    app.add_directive("widget", WidgetDirective)
    app.connect("builder-inited", _write_bundles)
    app.connect("html-page-context", _page_assets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
