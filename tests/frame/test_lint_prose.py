"""Cada regla de la prosa tiene un ejemplo que la incumple y otros parecidos que no deben molestar."""

from pathlib import Path

import pytest

from scripts.lint_prose import check_file

CHAPTER = """\
---
jupytext: {text_representation: {extension: .md}}
---

# Un capítulo

```{admonition} Ficha
- **Objetivo.** Entender.
- **Tiempo:** 20 minutos.
- **Prerrequisitos:** ninguno.
- **Lab:** lab-90.
```

¿Qué palabra crees que saldrá?

## Idea

PALABRAS

```{code-cell} python
:tags: [hide-input]
x = 1.5
```

```{figure} a.svg
:alt: Una curva que baja.

Pie de figura.
```

## Resumen

Fin.

## Autoevaluación

```{quiz} semana-9-01
```

## Ejercicios

```{exercise} Uno
Hazlo.
```

````{exercise} Dos
Hazlo.

```{solution} dos
Hecho.
```
````

## Para saber más

Lee.
""".replace("PALABRAS", "\n".join(["Una frase de cinco palabras."] * 400))


def problems(text, path="a.md"):
    return [problem.what for problem in check_file(Path(path), text)]


def chapter_problems(old="", new=""):
    assert old in CHAPTER
    return problems(CHAPTER.replace(old, new, 1), "chapters/semana-9/01-prueba.md")


@pytest.mark.parametrize(
    "text",
    [
        "La Sra. Gil llegó a las 10 y, p. ej. Ana, no.",
        "Lo dicen A. Vaswani et al. en 2017.",
        "Vale 0,5 y la versión 3.11 también.",
        "Con Python 3.11 y 3.12 funciona, y con jupyter-book 1.0.4 igual.",
        "Llama 3.1, Qwen2.5 y CC BY-SA 4.0 se escriben con punto.",
        "El código `x = 0.5` y la fórmula $p = 0.9$ se dejan.",
        "Mira [la guía 1](https://a.org/v1.5/x) o <https://a.org/1.5>.",
        "$$\np = 0.5\n$$",
        "```python\nx = 1.5  # What is this? Yes. No.\n```",
        "- **Objetivo.** Entender el modelo.",
        "Dijo «No sé. Quizá.» y se fue.",
        "Es así (aunque no siempre. O sí) casi siempre.",
        "| a  | 1,5 |\n|----|-----|\n| b  | 2,5 |",
        "1. Primero esto.\n2. Luego lo otro.",
        "## Qué es *the end*",
        "## El `for` de Python",
        "¿Qué pasa si T baja?",
        "% permite: decimal\nVale 0.5 en la salida.",
        "Vale 0.5 en la salida. <!-- permite: decimal -->",
        "<!-- permite: inglés -->\n## For English speakers\n\nIt works. Is it 0.5?\n",
        "```{glossary}\najuste fino\nfine-tuning\n  Seguir entrenando.\n```",
        "```{glossary}\natención\n  *attention*. Mecanismo que mezcla.\n```",
        "Con CC BY-NC-SA 4.0, en Ubuntu 24.04 o si es 3.11 o posterior.",
        "```{code-cell} python\n:mystnb:\n:  image:\n:    alt: Una. Dos.\nx = 0.5\n```",
        "```{widget} sampling-explorer\ntop_p: 0.9\n```",
        "{.lema}\nUn lema.",
        "Se guarda en /content y no pesa.",
        "Primera frase.\nSegunda frase.",
    ],
)
def test_correct_prose_is_accepted(text):
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Una frase. Otra frase.", "más de una frase"),
        ("¿Es una? ¿O son dos?", "más de una frase"),
        ("Acaba en 0,5. `x` empieza otra.", "más de una frase"),
        ("> - Una frase. Otra frase.", "más de una frase"),
        ("```{note}\nUna frase. Otra frase.\n```", "más de una frase"),
        ("```{glossary}\natención\n  *attention*. Una frase. Y otra.\n```", "más de una frase"),
        (":::{tip} Título\n:class: x\nUna frase. Otra.\n:::", "más de una frase"),
        ("Una frase larga que\nsigue en la otra.", "sigue en la línea siguiente"),
        ("## Further reading", "tiene inglés («Further»)"),
        ("### Summary", "tiene inglés («Summary»)"),
        ("## For English speakers\n\n<!-- permite: inglés -->\nTexto.", "tiene inglés («For»)"),
        ("Qué pasa si T baja?", "signos «¿» y «?»"),
        ("Ojo!", "signos «¡» y «!»"),
        ("Hay dos  espacios.", "dos espacios seguidos"),
        ("Sobra un espacio. ", "espacios al final"),
        ("Vale 0.5 en la tabla.", "el decimal «0.5»"),
        ("La ROUGE-1 es 0.34.", "el decimal «0.34»"),
        ("| a | 0.34 |", "el decimal «0.34»"),
        ("Python 3.11 tarda 0.5 s.", "el decimal «0.5»"),
        ("% permite: espacios\nVale 0.5.", "el decimal «0.5»"),
        ("Está en /home/ana/x.", "una ruta de una máquina"),
        ("![](a.svg)", "no tiene texto alternativo"),
        ('<img src="a.svg">', "no tiene texto alternativo"),
        ("```{figure} a.svg\n:width: 50%\n\nPie.\n```", "no tiene texto alternativo"),
        ("```{image} a.svg\n```", "no tiene texto alternativo"),
    ],
)
def test_each_rule_catches_its_defect(text, expected):
    assert any(expected in what for what in problems(text)), problems(text)


def test_message_has_the_line_and_the_way_out():
    (problem,) = check_file(Path("a.md"), "# Título\n\nBien.\nVale 0.5.\n")
    assert str(problem).startswith("a.md:4: el decimal «0.5» lleva punto. Usa coma")


def test_good_chapter_has_no_problems():
    assert chapter_problems() == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("- **Tiempo:** 20 minutos.\n", "", "a la ficha le falta: tiempo"),
        ("¿Qué palabra crees que saldrá?", "Mira.", "no hay pregunta de apertura"),
        ("## Resumen", "## Cierre", "falta el apartado «## Resumen»"),
        ("## Autoevaluación", "## Preguntas", "falta el apartado «## Autoevaluación»"),
        ("## Ejercicios", "## Tareas", "falta el apartado «## Ejercicios»"),
        ("## Para saber más", "## Enlaces", "falta el apartado «## Para saber más»"),
        ("{quiz}", "{note}", "no hay cuestionario"),
        ("```{exercise} Uno", "```{note} Uno", "hay 1 ejercicio(s)"),
        ("Una frase de cinco palabras.\n" * 200, "", "palabras"),
        ("Fin.", "\n".join(["Una frase de cinco palabras."] * 400), "palabras"),
        ("x = 1.5", "x = 1.5" + "\nx = 1" * 12, "la celda tiene 13 líneas"),
        (":alt: Una curva que baja.\n", "", "no tiene texto alternativo"),
    ],
)
def test_each_piece_of_the_chapter_frame_is_required(old, new, expected):
    assert any(expected in what for what in chapter_problems(old, new)), chapter_problems(old, new)


def test_frame_is_only_for_chapters():
    assert problems("# Intro\n\nHola.", "chapters/apendices/glosario.md") == []
