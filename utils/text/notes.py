"""Notas de recepción y lo que dos departamentos harían con ellas: una ficha para el archivo y un aviso al cliente.

Cada nota se escribe con los hechos de un diálogo de `data/dialogos`: quién llama y qué le pasa o qué pide. El día y la
hora se sortean. Son textos cortos, de una o dos frases, y de cada uno salen dos respuestas distintas: sirven para
entrenar dos tareas con la misma entrada. Las frases de la prueba no están en el entrenamiento, ni sus nombres.

Lo que NO hace: inventar hechos ni imitar cómo se escribe de verdad una nota.
"""

import random

DAYS = ("el lunes", "el martes", "el miércoles", "el jueves", "el viernes", "el sábado", "el domingo")
HOURS = ("las dos", "las tres", "las cuatro", "las cinco", "las seis", "las siete", "las ocho", "las nueve", "las diez")
#: Cómo se escribe la nota de un problema y la de una petición; la última de cada lista se reserva para la prueba.
PROBLEM = (
    "Ha llamado {a}: {cosa} {falla}. Puede venir {dia} a {hora}.",
    "{a} se queja de que {cosa} {falla}. Cita {dia} a {hora}.",
    "Para {dia} a {hora}: {cosa} {falla}, según {a}.",
    "Nota de {a}. Resulta que {cosa} {falla}; vendrá {dia} a {hora}.",
)
REQUEST = (
    "Ha llamado {a}: quiere {accion} {objeto}. Puede venir {dia} a {hora}.",
    "{a} necesita {accion} {objeto}. Cita {dia} a {hora}.",
    "Para {dia} a {hora}: {accion} {objeto}, según {a}.",
    "Nota de {a}. Pide {accion} {objeto}; vendrá {dia} a {hora}.",
)


def reception_notes(rows: list[dict], seed: int, test: bool = False) -> list[dict]:
    """Una nota por diálogo: {"note", "record", "notice"}. `rows` son filas de `data/dialogos`, con sus hechos.

    Con `test`, la mitad de las notas usa frases que el entrenamiento no tiene. `ValueError` si una fila no trae hechos.

    >>> facts = {"a": "Ana", "accion": "alquilar", "objeto": "una bici"}
    >>> print(reception_notes([{"facts": facts}], seed=0)[0]["record"])
    cliente: Ana | asunto: alquilar una bici | cita: el martes a las cuatro
    """
    rng = random.Random(f"{seed}-notas")
    notes = []
    for i, row in enumerate(rows):
        if "a" not in row.get("facts", {}):
            raise ValueError(f"La fila {i} no trae hechos: usa las de data/dialogos, a escala mini.")
        facts = row["facts"] | {"dia": rng.choice(DAYS), "hora": rng.choice(HOURS)}
        phrases, subject = (PROBLEM, "{cosa} {falla}") if "cosa" in facts else (REQUEST, "{accion} {objeto}")
        phrase = phrases[-1] if test and i % 2 else rng.choice(phrases[:-1])
        note = phrase.format(**facts)
        notes.append({
            "note": note[0].upper() + note[1:],
            "record": f"cliente: {{a}} | asunto: {subject} | cita: {{dia}} a {{hora}}".format(**facts),
            "notice": "Hola, {a}: te esperamos {dia} a {hora}.".format(**facts),
        })  # fmt: skip
    return notes
