"""Cuánto acierta un modelo que razona, por formato, cifras y pasos: qué responde y si está bien.

`solve` da la respuesta final de cada problema: la lee del texto, la saca de ejecutar el programa o la busca con la
herramienta hasta que el modelo acaba. `accuracy_by` la convierte en una tabla con intervalos de Wilson.

Lo que NO hace: votar entre varias respuestas, dar ejemplos ni aislar código que no sea de cuentas.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from utils.corpus.arithmetic import evaluate
from utils.corpus.traces import ACTION, ANSWER, OBSERVATION, REQUESTS, opening
from utils.corpus.world import Lookup, World, parse_action
from utils.measure.stats import Interval, wilson
from utils.model.decoding import generate_texts
from utils.text.chat_templates import CHATML, render_chat

MAX_TURNS = 8  # la pregunta más larga gasta seis
NUMBER = re.compile(re.escape(ANSWER.strip()) + r"\s*(-?\d+)\s*$")


@dataclass
class Solution:
    """Lo que hizo el modelo: sus textos, la respuesta (vacía si no la hay) y cuántas de sus acciones valían."""

    texts: list[str] = field(default_factory=list)
    answer: str = ""
    actions: int = 0
    valid: int = 0


def final_answer(text: str, form: str) -> str:
    """La respuesta que da un texto en ese formato, o «» si no la da.

    >>> final_answer("34 + 27 = 61. Respuesta: 61", "pasos"), final_answer("total = 34 + 27", "programa")
    ('61', '61')
    """
    if form == "programa":
        try:
            return str(evaluate(text))
        except ValueError:
            return ""
    match = NUMBER.search(text)
    return match[1] if match else ""


def solve(
    model,
    tokenizer,
    questions: Sequence[str],
    form: str,
    world: World | None = None,
    *,
    max_new_tokens: int = 120,
    **decoding,
) -> list[Solution]:
    """Una solución por pregunta. `decoding` son los mandos de `generate`: sin ellos, voraz.

    En «react» el modelo propone una acción, `Lookup` la ejecuta sobre `world` y la observación entra en la
    conversación, hasta que acaba o se agotan los turnos. Una acción que no vale se cuenta y termina.
    `ValueError` si el formato no existe o si a «react» le falta el mundo.
    """
    if form == "react" and world is None:
        raise ValueError("El formato «react» necesita un mundo donde buscar: pasa world=World(…).")
    talks = [opening(question, form) for question in questions]
    found = [Solution() for _ in questions]
    tools = [Lookup(world) for _ in questions] if form == "react" else []
    running = list(range(len(questions)))
    for _ in range(MAX_TURNS if form == "react" else 1):
        prompts = [render_chat(talks[i], CHATML, add_generation_prompt=True) for i in running]
        texts = generate_texts(model, tokenizer, prompts, max_new_tokens=max_new_tokens, **decoding)
        for i, text in zip(running, texts, strict=True):
            found[i].texts.append(text)
            if form != "react":
                found[i].answer = final_answer(text, form)
        if form != "react":
            break
        running = [i for i, text in zip(running, texts, strict=True) if _act(text, found[i], tools[i], talks[i])]
        if not running:
            break
    return found


def _act(text: str, solution: Solution, tool: Lookup, talk: list[dict[str, str]]) -> bool:
    """Ejecuta la acción de un turno y apunta lo que pasa. Dice si hay que seguir."""
    solution.actions += 1
    try:
        name, argument = parse_action(text.split(ACTION)[1] if text.count(ACTION) == 1 else "")
    except ValueError:
        return False
    solution.valid += 1
    if name == "acabar":
        solution.answer = argument
        return False
    seen = OBSERVATION + tool(f"{name}[{argument}]")
    talk += [{"role": "assistant", "content": text}, {"role": "user", "content": seen}]
    return True


def accuracy_by(
    rows: Iterable[dict],
    right: Iterable[bool],
    key: Callable[[dict], Hashable] = lambda row: (row["digits"], row["steps"]),
) -> dict[Hashable, Interval]:
    """La proporción de aciertos de cada grupo de filas, con su intervalo de Wilson del 95 %, en orden.

    >>> rows = [{"digits": 1, "steps": 1}] * 4
    >>> {level: f"{share:.2f}" for level, share in accuracy_by(rows, [True, True, True, False]).items()}
    {(1, 1): '0,75 [0,30; 0,95]'}
    """
    groups: dict[Hashable, list[bool]] = defaultdict(list)
    for row, hit in zip(rows, right, strict=True):
        groups[key(row)].append(bool(hit))
    return {name: wilson(sum(groups[name]), len(groups[name])) for name in sorted(groups)}


def valid_actions(solutions: Iterable[Solution]) -> Interval:
    """Qué parte de las acciones que escribió el modelo eran de las cuatro que hay, con su intervalo de Wilson.

    >>> print(f"{valid_actions([Solution(actions=3, valid=3), Solution(actions=1, valid=0)]):.2f}")
    0,75 [0,30; 0,95]
    """
    found = list(solutions)
    return wilson(sum(solution.valid for solution in found), sum(solution.actions for solution in found))


def correct(rows: Sequence[dict], solutions: Sequence[Solution]) -> list[bool]:
    """Si cada solución da la respuesta de su fila."""
    return [row["answer"] == solution.answer for row, solution in zip(rows, solutions, strict=True)]


def accuracy_table(
    model,
    tokenizer,
    rows: Sequence[dict],
    forms: Sequence[str] = tuple(REQUESTS),
    world: World | None = None,
    **decoding,
) -> dict[tuple[str, int, int], Interval]:
    """La tabla entera: (formato, cifras, pasos) -> aciertos, resolviendo cada fila en cada formato."""
    table: dict[tuple[str, int, int], Interval] = {}
    for form in forms:
        solutions = solve(model, tokenizer, [row["question"] for row in rows], form, world, **decoding)
        levels = accuracy_by(rows, correct(rows, solutions))
        table |= {(form, *level): interval for level, interval in levels.items()}
    return table
