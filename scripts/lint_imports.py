"""Revisa la casa: cada habitación de `utils/` solo importa de las de su izquierda, y dentro no hay ciclos.

También pide que los módulos tengan docstring y no pasen de 250 líneas.
Lee el código con `ast`: no importa nada.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.lint_common import ROOT, Problem, files, report

# De qué habitaciones puede importar cada una: las del tronco, de las de su izquierda; las ramas, del tronco, pero no
# unas de otras; y las del final, de todo lo anterior.
TRUNK = ("course", "text", "corpus", "model", "measure", "cost", "train", "tune")
BRANCHES = ("parallel", "align", "compress", "apps")
ENDS = ("studies", "exercises")
ALLOWED = {room: set(TRUNK[:i]) for i, room in enumerate(TRUNK)}
ALLOWED |= {room: set(TRUNK) for room in BRANCHES} | {room: {*TRUNK, *BRANCHES} for room in ENDS}

MAX_LINES = 250
FOLDERS = ("utils", "scripts", "benchmarks", "_ext")


def module_name(path: Path, root: Path) -> str:
    """Devuelve el nombre con puntos de un archivo.

    >>> module_name(Path("/r/utils/text/bpe.py"), Path("/r"))
    'utils.text.bpe'
    """
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Recorre como pares (línea, nombre) lo que un módulo importa de `utils`, también dentro de funciones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:  # relativo: se sube un nivel por punto, salvo el primero si es un paquete
                parents = module.split(".")
                parents = parents[: len(parents) - node.level + is_package]
                base = ".".join([*parents, *filter(None, [base])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.split(".")[0] == "utils")


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Devuelve un ciclo por cada vuelta que encuentra un recorrido en profundidad.

    >>> cycles({"a": {"b"}, "b": {"a"}, "c": {"a"}})
    [['a', 'b', 'a']]
    """
    found, done = [], set()

    def visit(node: str, trail: list[str]) -> None:
        if node in trail:
            found.append([*trail[trail.index(node) :], node])
        elif node not in done:
            for neighbour in sorted(graph.get(node, ())):
                visit(neighbour, [*trail, node])
            done.add(node)

    for start in sorted(graph):
        visit(start, [])
    return found


def check_module(path: Path, source: str) -> list[Problem]:
    """Revisa un módulo suelto: docstring y número de líneas."""
    problems = []
    lines = source.count("\n") + 1 - source.endswith("\n")
    if lines > MAX_LINES:
        what = f"tiene {lines} líneas y el tope son {MAX_LINES}"
        problems.append(Problem(path, MAX_LINES, what, "Divídelo: una idea por archivo."))
    if source.strip() and ast.get_docstring(ast.parse(source)) is None:
        fix = "Empieza el archivo diciendo qué hace y qué no hace."
        problems.append(Problem(path, 1, "el módulo no tiene docstring", fix))
    return problems


def check_rooms(root: Path) -> list[Problem]:
    """Revisa los imports de todo `utils/`: dirección entre habitaciones y ciclos dentro de cada una."""
    problems, graph, where = [], {}, {}
    paths = {module_name(path, root): path for path in files("utils/**/*.py", root)}
    for module, path in paths.items():
        parts = module.split(".")
        room = parts[1] if len(parts) > 1 else None
        if room is not None and room not in ALLOWED:
            fix = f"Las habitaciones son: {', '.join(ALLOWED)}."
            problems.append(Problem(path, 1, f"«{room}» no es una habitación de utils", fix))
            continue
        edges = graph.setdefault(module, set())
        for line, name in imports(ast.parse(path.read_text("utf-8")), module, path.name == "__init__.py"):
            other = name.split(".")[1] if "." in name else None
            if room and other in ALLOWED and other != room and other not in ALLOWED[room]:
                left = ", ".join(r for r in ALLOWED if r in ALLOWED[room]) or "ninguna"
                fix = f"Desde aquí se puede importar de: {left}. Mueve la función o pásala como argumento."
                what = f"«{room}» importa de «{other}», que no está a su izquierda"
                problems.append(Problem(path, line, what, fix))
            # «from utils.text import bpe» puede nombrar un módulo o algo de dentro del paquete
            target = name if name in paths else name.rpartition(".")[0]
            if target in paths and target != module and target.split(".")[1:2] == parts[1:2]:
                edges.add(target)
                where.setdefault((module, target), line)
    for cycle in cycles(graph):
        fix = "Saca lo que comparten a un tercer módulo."
        line = where[cycle[0], cycle[1]]
        problems.append(Problem(paths[cycle[0]], line, f"hay un ciclo: {' -> '.join(cycle)}", fix))
    return problems


def check(root: Path = ROOT) -> list[Problem]:
    """Revisa todo el código del proyecto que cuelga de una raíz."""
    problems = check_rooms(root)
    for path in files("*.py", root):
        if path.relative_to(root).parts[0] in FOLDERS:
            problems += check_module(path, path.read_text("utf-8"))
    return problems


if __name__ == "__main__":
    sys.exit(report(check(), "Módulos"))
