"""Docstrings del curso en la página de referencia: texto llano con `código`, sin saber reStructuredText.

Un párrafo sangrado pasa a bloque de código y los signos que reStructuredText interpreta (`|a|`, `*x`, `x_`)
se protegen fuera de los acentos graves. Los ejemplos con `>>>` no se tocan.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

CODE = re.compile(r"(``.+?``|`[^`]+`)")
LIST_ITEM = re.compile(r"^\s*([-+•]|\d+\.)\s")


def protect(text: str) -> str:
    """Protege los signos de reStructuredText fuera del código.

    >>> protect("la tabla |a| x |b| con `n_gram` y top_")
    'la tabla \\\\|a\\\\| x \\\\|b\\\\| con ``n_gram`` y top\\\\_'
    """
    parts = CODE.split(text)
    for i, part in enumerate(parts):
        if i % 2 == 0:
            part = part.replace("\\", "\\\\")
            part = re.sub(r"(?<!\w)\*\*?(?=\w)|(?<=\w)\*\*?(?!\w)", lambda m: "\\*" * len(m.group()), part)
            parts[i] = re.sub(r"_(?=\W|$)", r"\\_", part).replace("|", "\\|")
        elif not part.startswith("``"):
            parts[i] = f"`{part}`"
    return "".join(parts)


def to_rst(lines: list[str]) -> list[str]:
    """Convierte las líneas de una docstring ya sin sangría común."""
    result: list[str] = []
    in_block = in_list = False
    for line in lines:
        indented = line.startswith((" ", "\t"))
        doctest = line.lstrip().startswith((">>>", "..."))
        if not line.strip():
            result.append("")
            continue
        if LIST_ITEM.match(line) and not in_block and (in_list or not indented):
            if not in_list and result and result[-1]:
                result.append("")
            in_list = True
            result.append(protect(line))
            continue
        if indented and not doctest and not in_list:
            if not in_block:
                result += ([""] if result and result[-1] else []) + ["::", ""]
                in_block = True
            result.append(line)
            continue
        if not indented:
            if in_block and result and result[-1]:
                result.append("")
            in_block = in_list = False
        in_example = keep_example(result)
        if doctest and not in_example and result and result[-1]:
            result.append("")
        result.append(line if doctest or in_example else protect(line))
    return result


def keep_example(lines: list[str]) -> bool:
    """Dice si el último párrafo escrito es un ejemplo `>>>`, cuya salida se copia tal cual."""
    for line in reversed(lines):
        if not line.strip():
            return False
        if line.lstrip().startswith(">>>"):
            return True
    return False


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Cambia la docstring en su sitio."""
    lines[:] = to_rst(list(lines))


def setup(app: Sphinx) -> dict[str, Any]:
    """Conecta el cambio de docstrings."""
    app.connect("autodoc-process-docstring", process)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
