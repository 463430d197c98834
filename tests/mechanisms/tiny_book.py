"""Un libro mínimo con los mecanismos del curso, para construirlo en una carpeta temporal.

No depende del sitio: solo de las extensiones, de `_static/course/` y de `utils`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CONF = """
import sys
from pathlib import Path

sys.path.insert(0, {ext!r})
project = "Prueba"
language = "es"
extensions = ["myst_nb", "sphinx_design", "sphinx_exercise", "sphinx_togglebutton",
              "quiz", "glossary_hover", "progress", "widgets"]
html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
# Como Jupyter Book: todo lo que hay bajo _static, en todas las páginas.
html_css_files = [path.relative_to("_static").as_posix() for path in Path("_static").rglob("*.css")]
html_js_files = [path.relative_to("_static").as_posix() for path in Path("_static").rglob("*.js")]
myst_enable_extensions = ["dollarmath", "colon_fence"]
mathjax_path = "ninguno.js"
nb_execution_mode = "force"
nb_execution_raise_on_error = True
togglebutton_hint = "Mostrar"
root_doc = "intro"
exclude_patterns = ["_build"]
"""

INTRO = """# Inicio

Bienvenida.

```{toctree}
chapters/uno
chapters/dos
glosario
```
"""

CHAPTER = """---
file_format: mystnb
kernelspec:
  name: python3
  display_name: python3
---
# Capítulo uno

El {term}`muestreo` elige un {term}`token`, y la {term}`atención <atención>` mezcla.

## Explorador

```{widget} sampling-explorer
prompt: La gata duerme en el
tokens: [sofá, suelo, tejado, jardín, cesto, coche, horno, mar, lunes, "</script>"]
logits: [4.5, 3.75, 3.0, 2.25, 1.5, 0.75, 0.0, -0.75, -1.5, -3.0]
temperature: 1.0
top_k: 6
top_p: 0.9
```

## Autoevaluación

```{quiz} ejemplo
```

## Ejercicios

```{exercise} Suma
:label: ej-uno-1

¿Cuánto es $2 + 2$?

:::{admonition} Pista
:class: dropdown

Usa los dedos.
:::
```

````{solution-start} ej-uno-1
:label: sol-uno-1
:class: dropdown
````

Se calcula:

```{code-cell} ipython3
answer = 2 + 2
assert answer == 4
print(f"resultado: {answer}")
```

````{solution-end}
````
"""

SECOND = """# Capítulo dos

Texto sin mecanismos.
""" + "\n".join(
    f"## Apartado {n}\n\n" + "Una frase de relleno para que haya que bajar. " * 60 + "\n" for n in range(1, 7)
)

GLOSSARY = """# Glosario

```{glossary}
atención
  *attention*. Mecanismo con el que cada token mezcla información de los demás, p. ej. la de su sujeto.
  Segunda frase.

muestreo
  *sampling*. Elegir el token siguiente al azar según sus probabilidades.

token
  *token*. Cada una de las piezas en que se parte un texto.
```
"""


def make_project(folder: Path, **pages: str) -> Path:
    """Escribe en `folder` un proyecto de Sphinx con las extensiones y los ficheros estáticos del curso."""
    (folder / "chapters" / "quizzes").mkdir(parents=True)
    shutil.copytree(ROOT / "_static" / "course", folder / "_static" / "course")
    shutil.copy(ROOT / "chapters" / "quizzes" / "ejemplo.yml", folder / "chapters" / "quizzes")
    (folder / "conf.py").write_text(CONF.format(ext=str(ROOT / "_ext")), encoding="utf-8")
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def build(folder: Path) -> subprocess.CompletedProcess:
    """Construye el proyecto en `folder/_build`, con los avisos como errores."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", ".", "_build"]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=1800)
