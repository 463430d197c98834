"""Cambiar la versión o el destino: ni rastro de lo anterior; repetir no cambia nada y deshacer devuelve cada byte."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import set_release
from scripts.lint_common import ROOT
from utils.course.version import REPO_URL, SITE_URL, TAG

OTHER_SITE = "https://cursos.ejemplo.org/llm/"


def contents(root: Path) -> dict[str, bytes]:
    """Los bytes de cada archivo, sin los de git."""
    files = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts[:1])
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """Todo lo que sigue git, salvo los modelos, con los labs al día."""
    folder = tmp_path_factory.mktemp("curso")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if (ROOT / name).is_file() and not name.endswith(".safetensors"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    assert set_release.main(["version", TAG[1:]], folder) == 0
    return folder


@pytest.fixture
def course(pristine, tmp_path):
    """Una copia que comparte los archivos: al cambiar uno se escribe otro, y el original queda como estaba."""
    return Path(shutil.copytree(pristine, tmp_path / "curso", copy_function=os.link))


def mentions(root: Path, pattern: str) -> list[str]:
    found = []
    for name, data in contents(root).items():
        text = data.decode("utf-8", "ignore")
        lines = text.splitlines() if re.search(pattern, text) else []
        found += [f"{name}:{n}: {line[:200]}" for n, line in enumerate(lines, 1) if re.search(pattern, line)]
    return found


def test_the_course_agrees_with_its_version():
    """Ni un enlace, una insignia, una celda de preparación o una línea de la cita se ha quedado atrás."""
    stale = set_release.changes(ROOT, set_release.read_release(ROOT))
    assert sorted(stale) == [], f"Ejecuta «make version VERSION={TAG[1:]}» y confirma los cambios."


def test_a_new_version_leaves_nothing_of_the_old_one(course):
    before = contents(course)
    assert set_release.main(["version", "9.8.7"], course) == 0
    after = contents(course)
    assert mentions(course, rf"{re.escape(TAG)}(?!\.?\d)") == []
    # Sin la «v» es también la versión de otros paquetes: se mira donde habla el curso
    assert not [line for line in mentions(course, rf"\b{re.escape(TAG[1:])}\b") if re.match(r"[\w.]+:|\.github", line)
                and not line.startswith("requirements")]  # fmt: skip
    changed = {name for name in before if before[name] != after[name]}
    labs = {name for name in before if re.match(r"labs/lab-\d\d.*ipynb", name)}
    assert changed == labs | {"README.md", "CITATION.cff", "_config.yml", "utils/course/version.py"}
    assert set_release.main(["version", "9.8.7"], course) == 0 and contents(course) == after
    assert set_release.main(["version", TAG[1:]], course) == 0 and contents(course) == before


@pytest.mark.parametrize("repo", ["ana-maria/curso.de.llm", f"https://github.com/{'ana-maria/'}llm-en-tres-semanas-2.git"])
def test_a_new_destination_leaves_nothing_of_the_old_one(course, repo):
    before = contents(course)
    assert set_release.main(["destino", repo, OTHER_SITE], course) == 0
    after = contents(course)
    old = REPO_URL.removeprefix("https://github.com/")
    assert mentions(course, rf"{re.escape(old)}(?![\w-])") == [] and mentions(course, re.escape(SITE_URL)) == []
    badge = "colab.research.google.com/github/ana-maria/"
    assert badge in after["README.md"].decode() and badge in after["labs/lab-04-prompts.ipynb"].decode()
    assert set_release.main(["destino", repo, OTHER_SITE], course) == 0 and contents(course) == after
    assert set_release.main(["destino", REPO_URL, SITE_URL], course) == 0 and contents(course) == before


def test_the_cells_that_a_lab_runs_are_the_published_ones(course):
    assert set_release.main(["destino", "ana/curso"], course) == 0
    assert set_release.main(["version", "9.8.7"], course) == 0
    for path in course.glob("labs/lab-*.ipynb"):
        text = path.read_text("utf-8")
        cell = next(cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
        source = "".join(cell["source"])
        assert '"https://github.com/ana/curso"' in source and '"v9.8.7"' in source and path.name[:6] in source
        assert "github/ana/curso/blob/v9.8.7/labs/" + path.name in text
    assert set_release.read_release(course) == (
        "https://github.com/ana/curso",
        "v9.8.7",
        "https://ana.github.io/curso/",
    )


def test_a_stale_setup_cell_is_repaired_and_the_outputs_are_kept(course):
    path = course / "labs/lab-04-prompts.ipynb"
    right = path.read_bytes()
    notebook = json.loads(right)
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    cell["source"] = ["import os\n", "from utils.course.env import preparar\n", 'preparar("lab-04")']
    path.unlink()
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", "utf-8")
    assert set_release.main(["version", TAG[1:]], course) == 0
    assert path.read_bytes() == right


def test_a_lab_that_git_does_not_follow_yet_gets_its_setup_cell(course):
    subprocess.run(["git", "rm", "-q", "--cached", "labs/lab-04-prompts.ipynb"], cwd=course, check=True)
    assert set_release.main(["version", "9.8.7"], course) == 0
    assert r'\"v9.8.7\"' in (course / "labs/lab-04-prompts.ipynb").read_text("utf-8")  # en la celda, no en la insignia


def test_the_examples_are_not_a_version_that_someone_may_publish():
    """Al publicar la del ejemplo, la guía y la ayuda parecerían restos de la versión anterior."""
    for name in ("CONTRIBUIR.md", "Makefile", "scripts/set_release.py"):
        assert not re.search(r"VERSION=\d|(?<![\d.])v[0-9]\.\d+\.\d", (ROOT / name).read_text("utf-8")), name


def test_other_repositories_with_a_similar_name_are_left_alone():
    old = set_release.Release("https://github.com/ana/curso", "v1.0.0", "https://ana.github.io/curso/")
    text = "github.com/ana/curso-2 github.com/ana/curso.js gitlab.com/ana/curso github.com/o/r/blob/v1.0.0/x.py"
    assert set_release.rewrite("chapters/x.md", text, old, old._replace(REPO_URL="https://github.com/o/r2")) == text


def test_an_interrupted_change_is_completed_by_repeating_it(course, monkeypatch):
    done = []
    replace = os.replace

    def cut(source, target):
        if len(done) == 7:
            raise OSError("disco lleno")
        done.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", cut)
    with pytest.raises(OSError, match="disco lleno"):
        set_release.main(["destino", "ana/curso", OTHER_SITE], course)
    monkeypatch.undo()
    assert set_release.main(["destino", "ana/curso", OTHER_SITE], course) == 0
    old = REPO_URL.removeprefix("https://github.com/")
    assert mentions(course, rf"{re.escape(old)}(?![\w-])") == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        *(
            (["version", text], "tres números con puntos y sin «v»")
            for text in ("", "1.2", "v9.8.7", "1.02.3", "1.2.3\n")
        ),
        *(
            (["destino", text], "no es un repositorio de GitHub")
            for text in ("", "ana", "ana/curso/mas", "https://gitlab.com/ana/curso", "-ana/curso", "ana/..", 'ana/"x')
        ),
        *(
            (["destino", "ana/curso", text], "no es la dirección de un sitio")
            for text in (
                "ana.github.io/curso",
                "http://ana.org/",
                "https://ana.org/?a=1",
                "https://ana/ b",
                "https://x>",
            )
        ),
    ],
)
def test_bad_values_are_refused_and_nothing_changes(pristine, arguments, sentence, capsys):
    if arguments[1].startswith("-"):
        arguments.insert(1, "--")
    before = {path: path.stat().st_mtime_ns for path in pristine.rglob("*")}
    assert set_release.main(arguments, pristine) == 1
    assert sentence in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in pristine.rglob("*")} == before


def test_a_broken_place_is_told_before_writing_anything(course, capsys):
    before = contents(course)
    path = course / "CITATION.cff"
    text = path.read_text("utf-8")
    path.unlink()
    path.write_text(text.replace("version: ", "versión: "), "utf-8")
    assert set_release.main(["version", "9.8.7"], course) == 1
    assert "CITATION.cff: hay 0 líneas como «version: 9.8.7»" in capsys.readouterr().err
    assert contents(course).keys() == before.keys() and contents(course)["README.md"] == before["README.md"]


def test_outside_a_clone_it_says_so(course, capsys, monkeypatch):
    shutil.rmtree(course / ".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(course.parent))
    assert set_release.main(["version", "9.8.7"], course) == 1
    assert "trabaja en un clon del curso" in capsys.readouterr().err


def test_the_make_commands_pass_what_they_are_given():
    orders = {
        "version": ("VERSION=1.2.3", 'set_release.py version "1.2.3"'),
        "destino": ("REPO=ana/curso", 'set_release.py destino "ana/curso" ""'),
    }
    for target, (variable, order) in orders.items():
        done = subprocess.run(
            ["make", "-n", target, variable], cwd=ROOT, capture_output=True, text=True, check=True,
            env={**os.environ, "URL": "https://del-entorno.org/", "VERSION": "0.0.1"},
        )  # fmt: skip
        assert order in done.stdout
    done = subprocess.run(
        [sys.executable, "scripts/set_release.py", "version", ""], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1 and "no es una versión" in done.stderr
