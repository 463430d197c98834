"""Escribe en todo el curso qué versión es (`version X.Y.Z`) o bajo qué cuenta se publica (`destino ana/curso`).

La verdad está en `utils/course/version.py`; de ella salen los enlaces a los labs, las celdas de preparación, el sitio y
la cita. También repara lo que se haya quedado atrás: repetir la versión de hoy pone al día las celdas de preparación.
Primero calcula todos los cambios y después los escribe, con `version.py` el último: si algo corta la orden, repítela.
No etiqueta, no publica y no ejecuta los labs: de sus salidas solo cambia el «curso vX.Y.Z» que imprime la preparación.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from scripts.lint_common import ROOT
from utils.course.setup_cell import setup_cell

VERSION_FILE = "utils/course/version.py"
GITHUB = "https://github.com/"
LAB_LINK = re.compile(r"(github(?:\.com)?/)[\w.-]+/[\w.-]+/blob/[\w.-]+(?=/labs/[\w.-]+\.ipynb)")


class Release(NamedTuple):
    """Repositorio, etiqueta y dirección del sitio, con los nombres de `version.py`."""

    REPO_URL: str
    TAG: str
    SITE_URL: str

    @property
    def repo(self) -> str:
        """La cuenta y el repositorio: «ana/curso»."""
        return self.REPO_URL.removeprefix(GITHUB)


def check_version(text: str) -> str:
    """Devuelve la etiqueta de una versión; `ValueError` si no son tres números.

    >>> check_version("98.7.6")
    'v98.7.6'
    """
    if not re.fullmatch(r"(?:(?:0|[1-9]\d*)\.){2}(?:0|[1-9]\d*)", text, re.ASCII):
        raise ValueError(f"«{text}» no es una versión: escribe tres números con puntos y sin «v», como 1.2.3.")
    return f"v{text}"


def check_repo(text: str) -> str:
    """Devuelve la dirección de un repositorio de GitHub; `ValueError` si no lo es.

    >>> check_repo("ana/curso"), check_repo("https://github.com/ana/curso.git")
    ('https://github.com/ana/curso', 'https://github.com/ana/curso')
    """
    name = text.removeprefix(GITHUB).removesuffix("/").removesuffix(".git")
    if not re.fullmatch(r"[a-z\d](?:-?[a-z\d]){0,38}/(?!\.{1,2}$)[\w.-]{1,100}", name, re.ASCII | re.IGNORECASE):
        raise ValueError(
            f"«{text}» no es un repositorio de GitHub, el único sitio del que Colab y Kaggle abren cuadernos: "
            "escribe la cuenta y el nombre, como ana/curso."
        )
    return GITHUB + name


def check_site(text: str) -> str:
    """Devuelve la dirección del sitio, acabada en «/»; `ValueError` si no es una página que empiece por https.

    >>> check_site("https://ana.github.io/curso")
    'https://ana.github.io/curso/'
    """
    if not re.fullmatch(r"https://[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/[\w.~-]+)*/?", text, re.ASCII):
        raise ValueError(
            f"«{text}» no es la dirección de un sitio: escríbela entera, como https://ana.github.io/curso/."
        )
    return text.rstrip("/") + "/"


def pages_url(repo_url: str) -> str:
    """La dirección que GitHub Pages da a un repositorio.

    >>> pages_url("https://github.com/Ana/curso"), pages_url("https://github.com/ana/ana.github.io")
    ('https://ana.github.io/curso/', 'https://ana.github.io/')
    """
    owner, name = repo_url.removeprefix(GITHUB).split("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def read_release(root: Path) -> Release:
    """Lee `version.py` sin importarlo."""
    source = (root / VERSION_FILE).read_text("utf-8")
    return Release(*(re.search(rf'^{name} = "(.*)"$', source, re.MULTILINE)[1] for name in Release._fields))


def lines_of(new: Release) -> dict[str, dict[str, str]]:
    """Las líneas que dicen la versión o el destino sin ser un enlace a un lab: archivo, patrón y línea nueva."""
    return {
        VERSION_FILE: {rf"{name} = .*": f'{name} = "{value}"' for name, value in new._asdict().items()},
        "_config.yml": {
            r"  url: .*": f"  url: {new.REPO_URL}",
            r"  branch: .*": f"  branch: {new.TAG}",
            r"  baseurl: .*": f"  baseurl: {new.SITE_URL}",
        },
        "CITATION.cff": {
            r"version: .*": f"version: {new.TAG[1:]}",
            r"url: .*": f"url: {new.SITE_URL}",
            r"repository-code: .*": f"repository-code: {new.REPO_URL}",
        },
        "README.md": {r"Se lee en <.*>\.": f"Se lee en <{new.SITE_URL}>."},
    }


def rewrite(name: str, text: str, old: Release, new: Release) -> str:
    """Devuelve el texto del archivo `name` con la versión y el destino de `new`."""
    # Cualquier mención del repositorio, también la que escriba mañana un capítulo
    text = re.sub(rf"(github(?:\.com)?/){re.escape(old.repo)}(?![\w-]|\.(?!git\b)\w)", rf"\g<1>{new.repo}", text)
    if name.endswith((".md", ".ipynb")):
        text = LAB_LINK.sub(rf"\g<1>{new.repo}/blob/{new.TAG}", text)
    for pattern, line in lines_of(new).get(name, {}).items():
        text, count = re.subn(rf"^{pattern}$", line, text, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{name}: hay {count} líneas como «{line}» y debe haber una; recupera el archivo de git.")
    return rewrite_lab(name, text, new) if re.fullmatch(r"labs/lab-\d\d-.*\.ipynb", name) else text


def rewrite_lab(name: str, text: str, new: Release) -> str:
    """Devuelve un cuaderno con su celda de preparación; de las salidas solo cambia la versión que imprime."""
    text = re.sub(r'(?<="Lab {9}lab-\d\d, curso )v[\d.]+', new.TAG, text)
    notebook = json.loads(text)
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    if not any("utils.course.env import preparar" in line for line in cell["source"]):
        raise ValueError(f"{name}: la primera celda de código no es la de preparación; ponla delante y repite.")
    lab = re.match(r"labs/(lab-\d\d)", name)[1]
    source = setup_cell(lab, new.REPO_URL, new.TAG).splitlines(keepends=True)
    if cell["source"] == source:
        return text
    cell["source"] = source
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"  # como lo guarda nbformat


def course_texts(root: Path) -> dict[str, str]:
    """Los textos del curso, también los que git aún no sigue, por su ruta; `ValueError` si no hay repositorio."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"git no encuentra aquí un repositorio: trabaja en un clon del curso. {done.stderr.strip()}")
    texts = {}
    for name in filter(None, done.stdout.split("\0")):
        try:
            texts[name] = (root / name).read_bytes().decode("utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):  # un modelo, un archivo borrado, un enlace
            continue
    return texts


def changes(root: Path, new: Release) -> dict[str, str]:
    """Los archivos que hay que cambiar y su texto nuevo; vacío si ya dicen todos lo que dice `new`."""
    old = read_release(root)
    texts = course_texts(root)
    rewritten = {name: rewrite(name, text, old, new) for name, text in texts.items()}
    return {name: text for name, text in rewritten.items() if text != texts[name]}


def write(root: Path, texts: dict[str, str]) -> None:
    """Escribe cada archivo entero o no lo toca; `version.py`, que dice de dónde se parte, el último."""
    for name in sorted(texts, key=lambda name: name == VERSION_FILE):
        path = root / name
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_bytes(texts[name].encode("utf-8"))
        shutil.copymode(path, temporary)
        os.replace(temporary, path)


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Programa: 0 si el curso queda al día, 1 si algo no vale, sin haber cambiado nada."""
    parser = argparse.ArgumentParser(description="Cambia la versión o el destino del curso en todas partes.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version").add_argument("version")
    destination = commands.add_parser("destino")
    destination.add_argument("repo")
    destination.add_argument("url", nargs="?", default="", help="sin ella, la de GitHub Pages")
    given = parser.parse_args(arguments)
    try:
        new = read_release(root)
        if given.command == "version":
            new = new._replace(TAG=check_version(given.version))
        else:
            repo = check_repo(given.repo)
            new = new._replace(REPO_URL=repo, SITE_URL=check_site(given.url) if given.url else pages_url(repo))
        texts = changes(root, new)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    write(root, texts)
    print(f"{new.TAG} de {new.REPO_URL}, que se lee en {new.SITE_URL}: {len(texts)} archivos cambiados.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
