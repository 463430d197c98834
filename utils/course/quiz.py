"""Los cuestionarios de autoevaluación: un YAML por capítulo, leído y validado en un solo sitio.

El sitio los dibuja con la directiva `{quiz}` (`_ext/quiz.py`); los labs, con `quiz_markdown`, que se lee bien
en Colab y en GitHub porque no usa JavaScript. No guarda respuestas ni puntuaciones.

El YAML es una lista de preguntas; los textos admiten Markdown en línea (`código`, *énfasis*, $fórmulas$):

    - pregunta: ¿Qué hace una temperatura mayor que 1?
      opciones:
        - texto: Aplana la distribución.
          correcta: true
          razon: Al dividir los logits entre T > 1 se acercan unos a otros.
        - texto: La concentra en el token más probable.
          razon: Eso lo hace una temperatura menor que 1.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

LETTERS = "abcdefgh"
_QUESTION_KEYS = {"pregunta", "opciones"}
_OPTION_KEYS = {"texto", "correcta", "razon"}


@dataclass(frozen=True)
class Option:
    """Una opción: su texto, si es correcta y la razón, en Markdown en línea."""

    text: str
    correct: bool
    reason: str


@dataclass(frozen=True)
class Question:
    """Una pregunta con sus opciones, en el orden del YAML."""

    prompt: str
    options: tuple[Option, ...]


def load_quiz(path: str | Path) -> list[Question]:
    """Lee y valida el cuestionario de `path`.

    Error: `ValueError` con el fichero, la pregunta y la opción que hay que corregir, y cómo.

    >>> len(load_quiz(Path(__file__).parents[2] / "chapters/quizzes/ejemplo.yml")) >= 3
    True
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"No existe el cuestionario {path.name}: créalo en {path.parent.name}/ o corrige el nombre."
        )
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} no está en UTF-8: guárdalo con esa codificación.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", línea {mark.line + 1}" if mark else ""
        raise ValueError(
            f"{path.name}{where}: el YAML no se puede leer; revisa la sangría y encierra entre comillas "
            "simples los textos con dos puntos, corchetes o llaves."
        ) from None
    if not isinstance(data, list) or not data:
        raise ValueError(
            f"{path.name}: debe ser una lista de preguntas, cada una con `pregunta` y `opciones`."
        )
    return [_question(entry, f"{path.name}, pregunta {n}") for n, entry in enumerate(data, start=1)]


def quiz_markdown(path: str | Path) -> str:
    """El cuestionario de `path` como Markdown para una celda de un cuaderno, con las respuestas plegadas.

    >>> print(quiz_markdown(Path(__file__).parents[2] / "chapters/quizzes/ejemplo.yml").splitlines()[0][:15])
    **Pregunta 1.**
    """
    return "\n\n".join(_question_markdown(n, question) for n, question in enumerate(load_quiz(path), start=1))


def _question_markdown(number: int, question: Question) -> str:
    lettered = list(zip(LETTERS, question.options, strict=False))
    options = "\n".join(f"- **{letter})** {option.text}" for letter, option in lettered)
    reasons = "\n".join(
        f"- **{letter})** {'**Correcta.**' if option.correct else 'Incorrecta.'} {option.reason}"
        for letter, option in lettered
    )
    # Sin las líneas en blanco, GitHub y Colab no interpretan el Markdown de dentro de <details>.
    return (
        f"**Pregunta {number}.** {question.prompt}\n\n{options}\n\n"
        f"<details><summary>Respuestas y razones</summary>\n\n{reasons}\n\n</details>"
    )


def _question(entry: object, where: str) -> Question:
    _check_keys(entry, _QUESTION_KEYS, where)
    prompt = _text(entry, "pregunta", where)
    options = entry.get("opciones")
    if not isinstance(options, list) or not 2 <= len(options) <= len(LETTERS):
        raise ValueError(f"{where}: `opciones` debe ser una lista de 2 a {len(LETTERS)} opciones.")
    options = tuple(
        _option(option, f"{where}, opción {letter}") for letter, option in zip(LETTERS, options, strict=False)
    )
    if not any(option.correct for option in options):
        raise ValueError(f"{where}: ninguna opción es correcta; marca al menos una con `correcta: true`.")
    if len({option.text for option in options}) < len(options):
        raise ValueError(f"{where}: hay dos opciones con el mismo texto; cambia una.")
    return Question(prompt, options)


def _option(entry: object, where: str) -> Option:
    _check_keys(entry, _OPTION_KEYS, where)
    correct = entry.get("correcta", False)
    if not isinstance(correct, bool):
        raise ValueError(f"{where}: `correcta` vale {correct!r}; escribe true o false, sin comillas.")
    return Option(_text(entry, "texto", where), correct, _text(entry, "razon", where))


def _check_keys(entry: object, allowed: set[str], where: str) -> None:
    keys = ", ".join(f"`{key}`" for key in sorted(allowed))
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: debe tener las claves {keys}; revisa la sangría.")
    unknown = sorted(str(key) for key in set(entry) - allowed)
    if unknown:
        raise ValueError(f"{where}: sobra la clave `{unknown[0]}`; las que valen son {keys}.")


def _text(entry: dict, key: str, where: str) -> str:
    value = entry.get(key)
    if value is None or value == "":
        reminder = " Cada opción, también la incorrecta, explica por qué lo es." if key == "razon" else ""
        raise ValueError(f"{where}: falta `{key}`.{reminder}")
    if not isinstance(value, str):
        raise ValueError(f"{where}: `{key}` vale {value!r}, que no es un texto; enciérralo entre comillas.")
    text = " ".join(value.split())  # una sola línea: los textos van dentro de una lista
    if not text:
        raise ValueError(f"{where}: `{key}` está en blanco.")
    return text
