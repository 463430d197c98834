"""El cuaderno suelto, de verdad: carpeta vacía, un remoto local y un Python que no conoce el curso."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from utils.course.env import repo_root
from utils.course.setup_cell import setup_cell
from utils.course.version import REPO_URL, TAG

# -I -S: ni PYTHONPATH ni archivos .pth, que en .venv añaden la raíz del curso. Los paquetes, a mano.
WITH_PACKAGES = f"import sys; sys.path.append({sysconfig.get_paths()['purelib']!r})\n"


REQUIREMENTS = ("requirements.in", "requirements.txt")


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """Un repositorio con lo que hay ahora en la carpeta de trabajo, con la etiqueta publicada."""
    folder = tmp_path_factory.mktemp("remoto")
    shutil.copytree(repo_root() / "utils", folder / "utils", ignore=shutil.ignore_patterns("__pycache__"))
    for name in REQUIREMENTS:
        shutil.copy(repo_root() / name, folder)
    identity = ["-c", "user.name=prueba", "-c", "user.email=prueba@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "x"], ["tag", TAG]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def run_cell(folder: Path, remote: str, prelude: str = WITH_PACKAGES, **variables: str):
    """Ejecuta la celda con `folder` como carpeta del cuaderno."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("CURSO_", "PYTEST_", "PYTHON"))
    }
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", prelude + setup_cell("lab-04")],
        cwd=folder, capture_output=True, text=True, timeout=600,
        env=environment | {"CURSO_REPO": remote, "OMP_NUM_THREADS": "1", **variables},
    )  # fmt: skip


def test_cell_is_short_and_comes_from_version():
    lines = setup_cell("lab-04").splitlines()
    assert len(lines) <= 12 and max(map(len, lines)) <= 110
    assert REPO_URL in setup_cell("lab-04") and TAG in setup_cell("lab-04")
    assert setup_cell("lab-04").replace("lab-04", "lab-11") == setup_cell("lab-11")


@pytest.mark.slow
def test_lone_notebook_clones_and_reports_twice(tmp_path, remote):
    for _ in range(2):
        done = run_cell(tmp_path, remote.as_uri())
        assert done.returncode == 0, done.stderr
        assert "lab-04" in done.stdout and "Escala      mini" in done.stdout
        assert str(tmp_path) not in done.stdout
        assert [path.name for path in tmp_path.iterdir()] == ["llm-en-tres-semanas"]


def test_lone_notebook_without_packages_says_what_to_install(tmp_path, remote):
    done = run_cell(tmp_path, remote.as_uri(), prelude="")
    assert done.returncode == 1
    assert "torch       no está" in done.stdout
    assert "RuntimeError: Faltan paquetes (torch==" in done.stderr and "make lab" in done.stderr


@pytest.mark.parametrize("broken", ["file:///no/existe", "https://localhost:9/curso"])
def test_unreachable_remote_leaves_nothing(tmp_path, broken):
    done = run_cell(tmp_path, broken, prelude="")
    assert done.returncode == 1
    assert "No se pudo clonar el curso" in done.stderr and "teléfono" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_unknown_tag_leaves_nothing(tmp_path, remote):
    done = run_cell(tmp_path, remote.as_uri(), prelude="", CURSO_TAG="v9.9.9")
    assert "No se pudo clonar el curso" in done.stderr and "v9.9.9" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_git(tmp_path, remote):
    done = run_cell(tmp_path, remote.as_uri(), prelude="", PATH="/nada")
    assert "No se pudo clonar el curso" in done.stderr and "git" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [".", "labs", "labs/resultados"])
def test_inside_the_repository_nothing_is_cloned(tmp_path, remote, place):
    folder = tmp_path / "curso" / place
    folder.mkdir(parents=True)
    shutil.copytree(remote / "utils", tmp_path / "curso" / "utils")
    for name in REQUIREMENTS:
        shutil.copy(remote / name, tmp_path / "curso")
    before = sorted(folder.iterdir())
    done = run_cell(folder, "file:///no/existe", prelude="")
    assert "Plataforma" in done.stdout  # llega a informar: ha encontrado el curso
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("leftover", [[], ["README.md", "utils/text/bpe.py"]])
def test_a_half_cloned_folder_is_set_aside(tmp_path, remote, leftover):
    """Una carpeta vacía o a medias ni impide clonar ni se pierde: podría tener trabajo de alguien."""
    half = tmp_path / "llm-en-tres-semanas"
    half.mkdir()
    for name in leftover:
        (half / name).parent.mkdir(parents=True, exist_ok=True)
        (half / name).write_text("mío")
    done = run_cell(tmp_path, remote.as_uri(), prelude="")
    assert "Faltan paquetes" in done.stderr and (half / "utils/course/env.py").is_file(), done.stderr
    aside = [path for path in tmp_path.iterdir() if path != half]
    assert len(aside) == 1 and aside[0].name.startswith("llm-en-tres-semanas-incompleto-")
    assert [(aside[0] / name).read_text() for name in leftover] == ["mío"] * len(leftover)


FOREIGN = {
    "importado": "import sys, types\nsys.modules['utils'] = types.ModuleType('utils')\n",
    "importado como paquete": "import sys\nsys.path.insert(0, 'ajeno')\nimport utils.otro\n",
    "al lado del cuaderno": "import sys\nsys.path.insert(0, '')\n",
}


@pytest.mark.parametrize("prelude", FOREIGN.values(), ids=FOREIGN)
def test_a_utils_of_the_learner_does_not_hide_the_course(tmp_path, remote, prelude):
    (tmp_path / "ajeno/utils").mkdir(parents=True)
    (tmp_path / "ajeno/utils/__init__.py").write_text("")
    (tmp_path / "ajeno/utils/otro.py").write_text("")
    (tmp_path / "utils.py").write_text("mine = 1")
    done = run_cell(tmp_path, remote.as_uri(), prelude=prelude)
    assert "Faltan paquetes" in done.stderr and "Plataforma" in done.stdout, done.stderr


def test_running_the_cell_again_keeps_the_modules_already_loaded():
    """La celda olvida `utils` por si es ajeno; los módulos del curso, con su estado, siguen siendo los mismos."""
    code = f"{setup_cell('lab-04')}\nfrom utils.measure.stats import Interval\n"
    check = "\nfrom utils.measure import stats\nimport utils.course.env as env\nprint(stats.Interval is Interval)"
    done = subprocess.run(
        [sys.executable, "-c", code + setup_cell("lab-04") + check],
        cwd=repo_root() / "labs", capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "True"


def old_pythons() -> list[str]:
    """Los Python anteriores al mínimo que haya en la máquina."""
    roots = [
        *(Path(p) for p in os.environ.get("PATH", "").split(os.pathsep)),
        *Path.home().glob(".pyenv/versions/*/bin"),
    ]
    found = []
    for name in ("python3.8", "python3.9", "python3.10"):
        found += [str(root / name) for root in roots if (root / name).is_file() and "shims" not in str(root)][:1]
    return found


@pytest.mark.parametrize("python", old_pythons() or [None])
def test_old_python_gets_a_sentence(python):
    if python is None:
        pytest.skip("no hay ningún Python anterior al mínimo")
    done = subprocess.run(
        [python, "-c", "from utils.course.env import preparar"],
        cwd=repo_root(), capture_output=True, text=True,
        env={"PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("RuntimeError: Este curso necesita Python 3.11")
