"""La celda de preparación en entornos con versiones viejas, de verdad: un venv, pip y el índice.

Cada venv ve detrás los paquetes del curso, como Colab y Kaggle traen los suyos, y delante los viejos de la prueba.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from utils.course.env import repo_root
from utils.course.setup_cell import setup_cell

pytestmark = pytest.mark.slow

#: Lo que había instalado antes de abrir el lab. El primero rompía `import peft`: a cada uno le faltaba el otro.
OLD = {
    "transformers 4 y peft 0.17": (
        "transformers==4.57.1", "peft==0.17.1", "tokenizers==0.22.1", "huggingface_hub==0.36.0",
    ),
    "solo peft viejo": ("peft==0.17.1",),
    "hub y datasets viejos": ("huggingface_hub==0.36.0", "datasets==3.6.0"),
}  # fmt: skip
IMPORTS = """
import transformers, peft, accelerate, datasets, utils.tune.lora_io
print(transformers.__version__, peft.__version__)
"""


def old_environment(folder: Path, packages: tuple[str, ...]) -> str:
    """Crea el venv con los paquetes viejos y devuelve su Python; sin índice de paquetes, salta la prueba."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "curso.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    command = [python, "-m", "pip", "install", "-q", "--no-deps", "--ignore-installed", *packages]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no hay índice de paquetes: {done.stderr.strip()[-200:]}")
    return python


def run(python: str, code: str) -> subprocess.CompletedProcess:
    """Ejecuta la celda del lab 13, como si fuera Colab, entre lo que se importa antes y lo que se importa después."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "CURSO_"))}
    return subprocess.run(
        [python, "-c", code], cwd=repo_root() / "labs", capture_output=True, text=True,
        env=kept | {"COLAB_RELEASE_TAG": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.parametrize("packages", OLD.values(), ids=OLD)
def test_the_cell_leaves_packages_that_work_together(tmp_path, packages):
    python = old_environment(tmp_path, packages)
    done = run(python, f"{setup_cell('lab-13')}\n{IMPORTS}")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Instalando lo que falta" in done.stdout and done.stdout.splitlines()[-1] == "5.23.0 0.21.2"
    again = run(python, setup_cell("lab-13"))
    assert again.returncode == 0 and "Instalando" not in again.stdout


def test_what_was_already_imported_asks_for_a_restart(tmp_path):
    python = old_environment(tmp_path, OLD["transformers 4 y peft 0.17"])
    done = run(python, f"import transformers\n{setup_cell('lab-13')}")
    assert done.returncode == 1 and "RuntimeError: Reinicia el entorno y repite" in done.stderr
    assert "transformers" in done.stderr.splitlines()[-1]
    assert run(python, f"{setup_cell('lab-13')}\n{IMPORTS}").returncode == 0
