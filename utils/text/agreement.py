"""Frases inventadas para medir la concordancia a distancia: el verbo sigue a su sujeto, esté donde esté.

«Aquí están mi perro , aquellas velas viejas , un barco : arden mucho .» Se enumeran cosas y después se dice lo que hacen
algunas, sin repetir el sujeto, como permite el español. El sujeto se sabe por el verbo (lo que arde son las velas) y de él
sale el número: quien no recuerde si eran una o varias acierta la mitad. La distancia es el número de palabras y signos
entre el nombre y su verbo, y se elige.

Lo que NO hace: gramática de verdad ni tokenizar por trozos: cada palabra y cada signo es un token.
"""

import random
from dataclasses import dataclass

# Nombre y lo que hace, en singular y en plural; después, si el nombre es femenino.
SUBJECTS = (
    ("perro", "perros", "ladra", "ladran", False), ("gato", "gatos", "maúlla", "maúllan", False),
    ("pájaro", "pájaros", "canta", "cantan", False), ("caballo", "caballos", "relincha", "relinchan", False),
    ("barco", "barcos", "navega", "navegan", False), ("reloj", "relojes", "suena", "suenan", False),
    ("niño", "niños", "llora", "lloran", False), ("pez", "peces", "nada", "nadan", False),
    ("rana", "ranas", "croa", "croan", True), ("abeja", "abejas", "zumba", "zumban", True),
    ("vaca", "vacas", "muge", "mugen", True), ("lámpara", "lámparas", "alumbra", "alumbran", True),
    ("vela", "velas", "arde", "arden", True), ("planta", "plantas", "crece", "crecen", True),
    ("puerta", "puertas", "chirría", "chirrían", True), ("estrella", "estrellas", "brilla", "brillan", True),
)  # fmt: skip
# Por número y género: [singular, plural][masculino, femenino].
DETERMINERS = (
    (("este", "esta"), ("estos", "estas")),
    (("aquel", "aquella"), ("aquellos", "aquellas")),
    (("mi", "mi"), ("mis", "mis")),
    (("un", "una"), ("unos", "unas")),
)
ADJECTIVES = (
    (("viejo", "vieja"), ("viejos", "viejas")),
    (("nuevo", "nueva"), ("nuevos", "nuevas")),
    (("extraño", "extraña"), ("extraños", "extrañas")),
    (("pequeño", "pequeña"), ("pequeños", "pequeñas")),
)
ADVERBS = ("aquí", "ahí", "bien", "mucho", "poco")
OPENING = ("aquí", "están")
MAX_ITEMS = 14  # cosas enumeradas, como mucho: menos que nombres, porque ninguno se repite
MIN_DISTANCE = 1
MAX_DISTANCE = 3 * (MAX_ITEMS - 1) + 1
PAD = 0


@dataclass(frozen=True)
class Sentence:
    """Una frase en palabras, el sitio de su primer verbo y la forma equivocada de ese verbo.

    `words[verb]` es la forma correcta. `plural` dice el número del sujeto.
    """

    words: tuple[str, ...]
    verb: int
    wrong: str
    plural: bool


def _item(rng: random.Random, subject: tuple, plural: int, adjective: bool) -> list[str]:
    """Determinante, nombre y quizá adjetivo, del mismo número y género, y la coma."""
    feminine = subject[4]
    words = [rng.choice(DETERMINERS)[plural][feminine], subject[plural]]
    if adjective:
        words.append(rng.choice(ADJECTIVES)[plural][feminine])
    return [*words, ","]


def make_sentence(distance: int, rng: random.Random, items: int = 0, verbs: int = 1) -> Sentence:
    """Sortea una frase con `distance` palabras entre el sujeto y el primer verbo.

    `items` es cuántas cosas se enumeran como mínimo (se añaden delante del sujeto) y `verbs`, de cuántas se dice lo que
    hacen; solo la primera está a la distancia pedida. El número de cada cosa se sortea aparte, así que las demás no
    ayudan. Error si la distancia no está entre 1 y 40 o no se puede formar.

    >>> " ".join(make_sentence(5, random.Random(1), items=3).words)
    ''
    """
    if not MIN_DISTANCE <= distance <= MAX_DISTANCE:
        raise ValueError(f"La distancia es {distance} y debe estar entre {MIN_DISTANCE} y {MAX_DISTANCE}.")
    after, adjective = _split(distance, rng)
    items = min(MAX_ITEMS, max(items, len(after) + 1))
    chosen = rng.sample(SUBJECTS, items)
    numbers = [rng.randrange(2) for _ in chosen]
    target = items - 1 - len(after)
    extras = [rng.random() < 1 / 3 for _ in range(target)] + [adjective, *after]
    listed = [word for parts in zip(chosen, numbers, extras, strict=True) for word in _item(rng, *parts)]
    others = rng.sample([i for i in range(items) if i != target], min(verbs, items) - 1)
    said = [[chosen[i][2 + numbers[i]], rng.choice(ADVERBS)] for i in [target, *others]]
    head = [*OPENING, *listed[:-1], ":"]
    tail = [word for clause in said for word in [*clause, ","]][:-1]
    subject = chosen[target]
    return Sentence((*head, *tail, "."), len(head), subject[3 - numbers[target]], bool(numbers[target]))


def _split(distance: int, rng: random.Random) -> tuple[list[bool], bool]:
    """Reparte la distancia en cosas de 3 palabras, o de 4 con adjetivo: (adjetivo de cada cosa, el del sujeto).

    Tras el sujeto van su adjetivo, si lo lleva, y un signo; después, las demás cosas.
    """
    options = [
        (own, long, (distance - 1 - own - 4 * long) // 3)
        for own in (0, 1)
        for long in range(distance)
        if (distance - 1 - own - 4 * long) >= 0 and (distance - 1 - own - 4 * long) % 3 == 0
    ]
    if not options:
        raise ValueError(f"Con distancia {distance} no cabe un número entero de cosas: prueba {distance + 1}.")
    own, long, short = rng.choice(options)
    after = [True] * long + [False] * short
    rng.shuffle(after)
    return after, bool(own)


def vocabulary() -> dict[str, int]:
    """Todas las palabras y signos de la gramática con su número, desde 1: el 0 es el relleno.

    >>> len(vocabulary()), vocabulary()["."]
    (99, 1)
    """
    words = {form for group in (*DETERMINERS, *ADJECTIVES) for pair in group for form in pair}
    words |= {form for subject in SUBJECTS for form in subject[:4]} | {*ADVERBS, *OPENING, ",", ":"}
    return {word: i for i, word in enumerate([".", *sorted(words)], start=1)}
