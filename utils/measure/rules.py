"""Obediencia que se comprueba con reglas: pedir algo sobre la forma de la respuesta y mirar si lo cumple.

Es la idea de IFEval, con consignas en español: «sin comas», «en mayúsculas». No hace falta juez ni referencia, porque
cada regla es un programa. Una regla se puede cumplir sin querer, así que `obedience` da tres columnas por ejemplo: si
se cumple al pedirla, si se cumplía ya sin pedirla y la diferencia. Fuente: Zhou et al. (2023), «Instruction-Following
Evaluation for Large Language Models», arXiv 2311.07911.

Lo que NO hace: decir si la respuesta es buena, ni la cuenta indulgente de IFEval, que perdona la primera y la última
línea.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from utils.text.normalize import words


@dataclass(frozen=True)
class Rule:
    """Una regla: cómo se pide y el programa que dice si un texto la cumple.

    >>> RULES["una palabra"].check("positivo"), RULES["una palabra"].check("muy positivo")
    (True, False)
    """

    request: str
    check: Callable[[str], bool]


RULES = {
    "una palabra": Rule("Contesta con una sola palabra.", lambda text: len(words(text)) == 1),
    "menos de diez": Rule("Usa menos de diez palabras.", lambda text: 0 < len(words(text)) < 10),
    "sin comas": Rule("No uses comas.", lambda text: bool(text.strip()) and "," not in text),
    "mayúsculas": Rule("Escribe todo en mayúsculas.", lambda text: text.isupper()),
    "punto final": Rule("Termina con un punto.", lambda text: text.rstrip().endswith(".")),
    "comillas": Rule("Pon la respuesta entre comillas.", lambda text: bool(re.fullmatch(r'\s*[«"].+[»"]\s*', text))),
    "principio": Rule("Empieza por la palabra «Claro».", lambda text: words(text)[:1] == ["claro"]),
}


def follows(texts: Sequence[str], rule: str) -> list[int]:
    """Un 1 por texto que cumple la regla y un 0 por cada uno que no. Error si la regla no existe.

    Un texto vacío no cumple ninguna: callarse no es obedecer.

    >>> follows(["Sí, claro.", "Sí.", ""], "sin comas")
    [0, 1, 0]
    """
    if rule not in RULES:
        raise ValueError(f"No hay una regla «{rule}»: están {', '.join(RULES)}.")
    return [int(RULES[rule].check(text)) for text in texts]


def ask(prompts: Sequence[str], rule: str) -> list[str]:
    """Los prompts con la regla pedida delante, en su propia línea. Error si la regla no existe.

    >>> ask(["Di el tema."], "sin comas")
    ['No uses comas.\\nDi el tema.']
    """
    if rule not in RULES:
        raise ValueError(f"No hay una regla «{rule}»: están {', '.join(RULES)}.")
    return [f"{RULES[rule].request}\n{prompt}" for prompt in prompts]
