"""El texto de la celda de preparación, idéntico en todos los labs salvo el nombre del lab.

Dentro del repositorio la celda solo informa. En un cuaderno suelto clona al lado la versión publicada;
si falla, lo dice en español y no deja nada a medias. Aquí solo se escribe el texto; un lint compara con él.
"""

from __future__ import annotations

from utils.course.version import REPO_URL, TAG

# Clona con otro nombre y renombra al acabar: un corte no deja un curso incompleto que parezca entero; y si ya había uno
# a medias, lo aparta. `askPass` evita que git espere, en una terminal que nadie ve, la contraseña de un repositorio que
# no existe. El curso va el primero del camino, y se olvida el `utils` ajeno ya importado: los dos lo taparían.
TEMPLATE = """\
import os, sys
repo = os.environ.get("CURSO_REPO", "{repo}")
tag, new, tmp = os.environ.get("CURSO_TAG", "{tag}"), "llm-en-tres-semanas", f"clonando-{{os.getpid()}}"
root = next((p for p in (".", "..", "../..", new) if os.path.exists(f"{{p}}/utils/course/env.py")), None)
if root is None:  # un cuaderno suelto: el curso se clona a su lado, y si había uno a medias se aparta
    log = os.popen(f'git -c core.askPass=echo clone -q --depth=1 -b "{{tag}}" "{{repo}}" {{tmp}} 2>&1').read()
    assert os.path.exists(tmp), f"No se pudo clonar el curso. ¿Hay red? (Kaggle pide tu teléfono) {{log}}"
    os.system(f"mv {{new}} {{new}}-incompleto-{{os.getpid()}} 2>/dev/null; mv {{tmp}} {{new}}")
sys.path.insert(0, os.path.abspath(root or new))
sys.modules.pop("utils", None)  # otro «utils» ya importado taparía al del curso
from utils.course.env import preparar
preparar("{lab}")
"""


def setup_cell(lab: str, repo: str = REPO_URL, tag: str = TAG) -> str:
    """Devuelve el código de la celda de preparación de un lab: 12 líneas. Clona la etiqueta `tag` de `repo`.

    >>> setup_cell("lab-04").splitlines()[-1]
    'preparar("lab-04")'
    """
    return TEMPLATE.format(repo=repo, tag=tag, lab=lab).rstrip("\n")
