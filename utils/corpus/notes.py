"""Notas de recepción y lo que dos departamentos harían con ellas: una ficha para el archivo y un aviso al cliente.

Cada nota se escribe con los hechos de un diálogo de `data/dialogos`: quién llama y qué le pasa o qué pide. El día y la
hora se sortean. Son textos cortos, de una o dos frases, y de cada uno salen dos respuestas distintas: sirven para
entrenar dos tareas con la misma entrada. En el entrenamiento, casi todos los nombres son inventados, para que haya que
copiarlos; los de la prueba son de verdad y no se han visto nunca.

Lo que NO hace: inventar hechos ni imitar cómo se escribe de verdad una nota.
"""

import random

from utils.corpus.instructions import SYLLABLES

DAYS = ("el lunes", "el martes", "el miércoles", "el jueves", "el viernes", "el sábado", "el domingo")
HOURS = ("las dos", "las tres", "las cuatro", "las cinco", "las seis", "las siete", "las ocho", "las nueve", "las diez")
#: Cómo se escribe la nota de un problema y la de una petición.
PROBLEM = (
    "Ha llamado {a}: {cosa} {falla}. Puede venir {dia} a {hora}.",
    "{a} se queja de que {cosa} {falla}. Cita {dia} a {hora}.",
    "Para {dia} a {hora}: {cosa} {falla}, según {a}.",
)
REQUEST = (
    "Ha llamado {a}: quiere {accion} {objeto}. Puede venir {dia} a {hora}.",
    "{a} necesita {accion} {objeto}. Cita {dia} a {hora}.",
    "Para {dia} a {hora}: {accion} {objeto}, según {a}.",
)
INVENTED = 0.8  # parte de los nombres del entrenamiento que son inventados


def reception_notes(rows: list[dict], seed: int, test: bool = False) -> list[dict]:
    """Una nota por diálogo: {"note", "record", "notice"}. `rows` son filas de `data/dialogos`, con sus hechos.

    Con `test` no se inventa ningún nombre. `ValueError` si una fila no trae hechos.

    >>> facts = {"a": "Ana", "accion": "alquilar", "objeto": "una bici"}
    >>> print(reception_notes([{"facts": facts}], seed=0, test=True)[0]["record"])
    cliente: Ana | día: el martes | hora: las cuatro
    """
    rng = random.Random(f"{seed}-notas")
    notes = []
    for i, row in enumerate(rows):
        if "a" not in row.get("facts", {}):
            raise ValueError(f"La fila {i} no trae hechos: usa las de data/dialogos, a escala mini.")
        facts = row["facts"] | {"dia": rng.choice(DAYS), "hora": rng.choice(HOURS)}
        if not test and rng.random() < INVENTED:
            facts["a"] = "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 3, 4)))).capitalize()
        note = rng.choice(PROBLEM if "cosa" in facts else REQUEST).format(**facts)
        notes.append({
            "note": note[0].upper() + note[1:],
            "record": "cliente: {a} | día: {dia} | hora: {hora}".format(**facts),
            "notice": "Hola, {a}: te esperamos {dia} a {hora}.".format(**facts),
        })  # fmt: skip
    return notes
