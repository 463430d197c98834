"""Escribe la solución de un problema en cuatro formatos: directo, pasos, programa y ReAct.

El formato se pide en el mensaje «system» de la conversación. En ReAct cada acción es un turno del asistente y cada
observación, uno del usuario: la escribe quien ejecuta la herramienta, y así no se aprende a inventarla.

Lo que NO hace: tokenizar (`utils.text.chat_templates`) ni comprobar lo que responde un modelo.
"""

from utils.corpus.problems import expression

#: Lo que pide cada formato.
REQUESTS = {
    "directo": "Responde sin más.",
    "pasos": "Razona paso a paso.",
    "programa": "Escribe un programa.",
    "react": "Usa las herramientas.",
}
THOUGHTS = {
    "buscar": "necesito esa página.", "mirar": "está más abajo.", "calcular": "hago la cuenta.", "acabar": "ya lo sé.",
}  # fmt: skip
ANSWER, ACTION, OBSERVATION = "Respuesta: ", "Acción: ", "Observación: "


def opening(question: str, form: str) -> list[dict[str, str]]:
    """La conversación que se da al modelo. `ValueError` si el formato no existe.

    >>> opening("¿Cuántos quedan?", "pasos")[0]["content"]
    'Razona paso a paso.'
    """
    if form not in REQUESTS:
        raise ValueError(f"Formato desconocido: «{form}». Usa {', '.join(REQUESTS)}.")
    return [{"role": "system", "content": REQUESTS[form]}, {"role": "user", "content": question}]


def conversation(row: dict, form: str) -> list[dict[str, str]]:
    """La conversación entera, con la solución de `row`. Del mundo solo se pregunta en «react»: si no, `ValueError`."""
    messages = opening(row["question"], form)
    if form == "react":
        world = row["kind"] == "mundo"
        actions = row["plan"] if world else [f"calcular[{expression(row['plan'])}]"]
        observations = row["observations"] if world else [row["answer"]]
        for action, observation in zip(actions, observations, strict=True):
            messages.append({"role": "assistant", "content": thought(action)})
            messages.append({"role": "user", "content": OBSERVATION + observation})
        return [*messages, {"role": "assistant", "content": thought(f"acabar[{row['answer']}]")}]
    if row["kind"] == "mundo":
        raise ValueError("Lo que pasa en el mundo hay que buscarlo: usa el formato «react».")
    text = {"directo": direct, "pasos": steps, "programa": program}[form](row["plan"], row["answer"])
    return [*messages, {"role": "assistant", "content": text}]


def thought(action: str) -> str:
    """Un turno de ReAct: el pensamiento y la acción.

    >>> thought("mirar[cuesta]")
    'Pensamiento: está más abajo.\\nAcción: mirar[cuesta]'
    """
    return f"Pensamiento: {THOUGHTS[action.split('[')[0]]}\n{ACTION}{action}"


def direct(plan: list[str], answer: str) -> str:
    """Solo la respuesta."""
    return ANSWER + answer


def steps(plan: list[str], answer: str) -> str:
    """Por cambio, lo que pasa y su cuenta; al final, la respuesta.

    >>> steps(["34", "+ 27 compra", "- 12 vende"], "49")
    'compra: 34 + 27 = 61. vende: 61 - 12 = 49. Respuesta: 49'
    """
    total, sentences = int(plan[0]), []
    for change in plan[1:]:
        sign, n, note = change.split(maxsplit=2)
        after = total + int(n) if sign == "+" else total - int(n)
        sentences.append(f"{note}: {total} {sign} {n} = {after}.")
        total = after
    return " ".join([*sentences, ANSWER + answer])


def program(plan: list[str], answer: str = "") -> str:
    """Un programa: un comentario dice lo que pasa y una línea hace la cuenta. La respuesta la da quien lo ejecuta.

    >>> print(program(["34", "+ 27 compra"]))
    total = 34
    # compra
    total = total + 27
    """
    lines = [f"total = {plan[0]}"]
    for change in plan[1:]:
        sign, n, note = change.split(maxsplit=2)
        lines.append(f"# {note}\ntotal = total {sign} {n}")
    return "\n".join(lines)
