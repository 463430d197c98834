"""Las páginas de referencia, sacadas de `utils`: ningún módulo se apunta a mano.

    ```{api-room} text
    ```

se cambia, antes de leer la página, por la primera línea de la docstring de esa habitación y un apartado por módulo: así
es una página como las demás, con sus anclas y su índice. `{api-rooms}`, por la lista de páginas. Los módulos van en
orden de lectura: antes que uno, los que importa. Lo que se ve de cada uno lo escribe autodoc. No enseña los módulos que
empiezan por «_» ni los de las subcarpetas.
"""

import ast
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from scripts.lint_imports import ALLOWED, imports, module_name

ROOM = re.compile(r"^```\{api-room\} (.*)\n```$", re.MULTILINE)
ROOMS = re.compile(r"^```\{api-rooms\}\n```$", re.MULTILINE)
SECTION = """
## `{module}`

```{{eval-rst}}
.. automodule:: {module}
   :members:
```
"""


def rooms(root: Path) -> list[str]:
    """Las habitaciones que hay, en el orden en que se permite importar."""
    return [room for room in ALLOWED if (root / "utils" / room / "__init__.py").is_file()]


def modules(root: Path, room: str) -> list[str]:
    """Los módulos públicos de una habitación, con puntos; cada uno, después de los que importa."""
    paths = {module_name(path, root): path for path in (root / "utils" / room).glob("[!_]*.py")}
    needed = {}
    for module, path in paths.items():
        names = {name for _, name in imports(ast.parse(path.read_text("utf-8")), module, is_package=False)}
        # «utils.text.bpe.BPE» nombra algo de dentro de un módulo
        needed[module] = (names | {name.rpartition(".")[0] for name in names}) & set(paths)
    return import_order(needed)


def import_order(needed: dict[str, set[str]]) -> list[str]:
    """Ordena por el nombre, pero justo antes de cada uno van los que necesita y aún no han salido.

    >>> import_order({"attention": set(), "beam": {"decoding"}, "decoding": {"sampling"}, "sampling": set()})
    ['attention', 'sampling', 'decoding', 'beam']
    """
    order: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for other in sorted(needed[name]):
                visit(other)
            order.append(name)

    for name in sorted(needed):
        visit(name)
    return order


def summary(root: Path, room: str) -> str:
    """La primera línea de la docstring de una habitación."""
    source = (root / "utils" / room / "__init__.py").read_text("utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def expand(text: str, root: Path) -> str:
    """Cambia las dos marcas por el Markdown que escribirías a mano; `ValueError` si no hay tal habitación."""

    def room_page(match: re.Match) -> str:
        if match[1] not in rooms(root):
            raise ValueError(f"no hay una habitación «{match[1]}» en utils; las que hay son: {', '.join(rooms(root))}.")
        sections = (SECTION.format(module=module) for module in modules(root, match[1]))
        return "\n".join([summary(root, match[1]), *sections])

    pages = "\n".join(f"- {{doc}}`api-{room}`. {summary(root, room)}" for room in rooms(root))
    return ROOM.sub(room_page, ROOMS.sub(lambda _: pages, text))


def expand_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """Cambia las marcas de una página antes de que se lea."""
    try:
        source[0] = expand(source[0], Path(app.srcdir))
    except ValueError as error:
        raise ExtensionError(f"{docname}: {error}") from None


def setup(app: Sphinx) -> dict:
    """Conecta el cambio."""
    app.connect("source-read", expand_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
