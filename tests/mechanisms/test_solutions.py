"""Ejercicios: la solución plegada de los capítulos se ejecuta, y la de los labs se extrae como código."""

import json

import pytest

from tests.mechanisms.tiny_book import CHAPTER, INTRO, build, make_project
from utils.exercises.solutions import hidden_solutions

SOLUTION = """<details><summary>Pista</summary>

```python
comprobar("lab-99.1", "esto es la pista")
```

</details>

<details>
<summary>Solución del ejercicio 1</summary>

Se suma:

```python
answer = 2 + 2
```

y se comprueba:

```python
comprobar("lab-99.1", answer)
```

</details>
"""


def _notebook(folder, *sources):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)} for source in sources
    ]
    cells.append({"cell_type": "code", "metadata": {}, "source": [SOLUTION], "outputs": [], "execution_count": None})
    path = folder / "lab-99.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    return path


def test_extracts_runnable_code(tmp_path):
    second = SOLUTION.replace("99.1", "99.2").replace("2 + 2", "3 + 3")
    solutions = hidden_solutions(_notebook(tmp_path, SOLUTION, "Texto", second))
    assert list(solutions) == ["lab-99.1", "lab-99.2"]
    calls = []
    for code in solutions.values():
        exec(code, {"comprobar": lambda *call: calls.append(call)})
    assert calls == [("lab-99.1", 4), ("lab-99.2", 6)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('comprobar("lab-99.1", answer)', "answer", "debe acabar con una sola llamada comprobar"),
        (
            'comprobar("lab-99.1", answer)',
            "comprobar('lab-99.1', 1)\ncomprobar('lab-99.2', 1)",
            "una sola llamada",
        ),
        ("```python", "```text", "no tiene un bloque ```python"),
    ],
)
def test_a_malformed_solution_says_how_to_fix_it(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=rf"lab-99\.ipynb, celda 0.*{message}"):
        hidden_solutions(_notebook(tmp_path, SOLUTION.replace(old, new)))


def test_two_solutions_of_one_exercise(tmp_path):
    with pytest.raises(ValueError, match=r"ya hay otra solución del ejercicio lab-99\.1"):
        hidden_solutions(_notebook(tmp_path, SOLUTION, SOLUTION))


def test_chapter_exercise_is_in_spanish_and_folded(open_page):
    page = open_page("chapters/uno")
    assert page.locator(".exercise > .admonition-title").inner_text() == "Ejercicio 1 (Suma)"
    solution = page.locator(".solution")
    assert solution.locator("> .admonition-title").inner_text().startswith("Solución")
    output = solution.get_by_text("resultado: 4")
    assert not output.is_visible()
    assert not page.get_by_text("Usa los dedos.").is_visible()
    solution.get_by_role("button").click()
    assert output.is_visible()


def test_without_javascript_the_solution_can_be_read(open_page):
    page = open_page("chapters/uno", java_script_enabled=False)
    assert page.get_by_text("resultado: 4").is_visible()


@pytest.mark.slow
def test_a_wrong_solution_fails_the_build(tmp_path):
    page = CHAPTER.replace("answer = 2 + 2", "answer = 5").replace("# Capítulo uno", INTRO.split("```")[0])
    page = (
        page.replace("{term}`muestreo`", "m").replace("{term}`token`", "t").replace("{term}`atención <atención>`", "a")
    )
    folder = make_project(tmp_path, intro=page)
    result = build(folder)
    assert result.returncode != 0
    assert "ExecutionError" in result.stderr
