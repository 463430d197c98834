"""Lo que necesita cualquier lab antes de empezar: entorno, escala, modelos y datos, ejercicios, figuras.

La versión de Python se comprueba aquí, antes que nada, con sintaxis que un Python viejo también entiende.
"""

import sys

MIN_PYTHON = (3, 11)

if sys.version_info < MIN_PYTHON:
    needed = ".".join(map(str, MIN_PYTHON))
    raise RuntimeError(
        f"Este curso necesita Python {needed} o posterior y este es {sys.version.split()[0]}. Instálalo "
        "desde https://www.python.org/downloads/ o abre el lab en Colab o Kaggle, que lo traen."
    )

import warnings  # noqa: E402 (después de comprobar la versión de Python)

# tqdm avisa de que faltan los widgets de Jupyter; el curso usa barras de texto a propósito.
warnings.filterwarnings("ignore", message="IProgress not found")
