"""Frases inventadas para medir la concordancia a distancia: el verbo sigue al primer nombre, no al más cercano.

«Hoy mis llaves sin este libro junto a aquella mesa brillan mucho.» Entre el sujeto y el verbo se meten complementos
con nombres de número al azar, que despistan: la idea es de Linzen et al. (2016). La distancia se elige: cuántas
palabras hay que avanzar desde el nombre del sujeto hasta el verbo; con 1 van seguidos. Son gramaticales y no pretenden
tener sentido.

Lo que NO hace: gramática de verdad (ni relativas ni sujetos compuestos) ni tokenizar por trozos: cada palabra es un
token.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

# Singular, plural y si es femenino.
NOUNS = (
    ("libro", "libros", False), ("perro", "perros", False), ("plato", "platos", False), ("vaso", "vasos", False),
    ("barco", "barcos", False), ("espejo", "espejos", False), ("zapato", "zapatos", False), ("reloj", "relojes", False),
    ("llave", "llaves", True), ("mesa", "mesas", True), ("casa", "casas", True), ("silla", "sillas", True),
    ("planta", "plantas", True), ("caja", "cajas", True), ("lámpara", "lámparas", True), ("puerta", "puertas", True),
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
    (("roto", "rota"), ("rotos", "rotas")),
    (("pequeño", "pequeña"), ("pequeños", "pequeñas")),
)
PREPOSITIONS = ("de", "con", "sin", "sobre", "tras", "ante", "junto a", "cerca de")
OPENINGS = ("", "hoy", "ahora", "por fin", "a veces", "de noche")
VERBS = (
    ("brilla", "brillan"), ("cae", "caen"), ("falta", "faltan"), ("sobra", "sobran"),
    ("sirve", "sirven"), ("vuelve", "vuelven"), ("llega", "llegan"), ("espera", "esperan"),
)  # fmt: skip
ENDINGS = ("aquí", "ahí", "bien", "mucho", "poco")
SHORTEST = 3  # palabras del complemento más corto
PAD = 0


@dataclass(frozen=True)
class Sentence:
    """Una frase en palabras, el sitio de su verbo y la forma equivocada de ese verbo.

    `words[verb]` es la forma correcta. `plural` dice el número del sujeto.
    """

    words: tuple[str, ...]
    verb: int
    wrong: str
    plural: bool


def make_sentence(distance: int, rng: random.Random, plural: bool | None = None) -> Sentence:
    """Sortea una frase con el verbo `distance` palabras después del nombre del sujeto.

    El sujeto es singular o plural según `plural` o, si no se dice, con la misma probabilidad, sin relación con los
    nombres de en medio. Para evaluar, la mitad de cada: quien conteste siempre lo mismo acierta justo la mitad. Error si la distancia no es 1 ni llega a 4, lo que ocupa el complemento más corto.

    >>> " ".join(make_sentence(7, random.Random(5)).words)
    'hoy unos libros de mi vaso de mis platos vuelven bien .'
    """
    if distance < 1 or 1 < distance <= SHORTEST:
        raise ValueError(f"La distancia es {distance}: pide 1 (verbo junto al sujeto) o al menos {SHORTEST + 1}.")
    plural = rng.randrange(2) if plural is None else int(plural)
    verb = rng.choice(VERBS)
    subject = _noun_phrase(rng, plural)[:2]  # sin adjetivo: la distancia se cuenta desde el nombre
    head = [*rng.choice(OPENINGS).split(), *subject, *_complements(rng, distance - 1)]
    words = (*head, verb[plural], rng.choice(ENDINGS), ".")
    return Sentence(words, len(head), verb[1 - plural], bool(plural))


def sample_distance(rng: random.Random, longest: int = 40, adjacent: float = 0.5) -> int:
    """Sortea una distancia: 1, sujeto y verbo juntos, con probabilidad `adjacent`; si no, de 4 a `longest` por igual.

    >>> [sample_distance(random.Random(i)) for i in range(4)]
    [30, 1, 7, 1]
    """
    return 1 if rng.random() < adjacent else rng.randint(SHORTEST + 1, longest)


def sample_short(rng: random.Random, longest: int = 40, adjacent: float = 0.3, mean: float = 6.0) -> int:
    """Sortea una distancia, casi siempre corta: 1 con probabilidad `adjacent`; si no, 4 y unas palabras más.

    Esas palabras de más siguen una exponencial de media `mean`, con tope en `longest`: cuanto más lejos, más raro.

    >>> [sample_short(random.Random(i)) for i in range(4)]
    [12, 1, 21, 1]
    """
    if rng.random() < adjacent:
        return 1
    return min(longest, SHORTEST + 1 + int(rng.expovariate(1 / mean)))


def vocabulary() -> dict[str, int]:
    """Todas las palabras de la gramática con su número, desde 1: el 0 es el relleno.

    >>> len(vocabulary()), vocabulary()["."]
    (99, 1)
    """
    words = {form for group in (*DETERMINERS, *ADJECTIVES) for pair in group for form in pair}
    words |= {form for noun in NOUNS for form in noun[:2]} | {form for verb in VERBS for form in verb}
    words |= {word for text in (*PREPOSITIONS, *OPENINGS, *ENDINGS) for word in text.split()}
    return {word: i for i, word in enumerate([".", *sorted(words)], start=1)}


def encode(sentences: Sequence[Sentence], vocab: dict[str, int]) -> list[list[int]]:
    """Las frases en números, cada una con su longitud."""
    return [[vocab[word] for word in sentence.words] for sentence in sentences]


def _noun_phrase(rng: random.Random, plural: int) -> list[str]:
    """Determinante, nombre y, una vez de cada tres, adjetivo, todos del mismo número y género."""
    noun = rng.choice(NOUNS)
    feminine = int(noun[2])
    phrase = [rng.choice(DETERMINERS)[plural][feminine], noun[plural]]
    if rng.random() < 1 / 3:
        phrase.append(rng.choice(ADJECTIVES)[plural][feminine])
    return phrase


def _complements(rng: random.Random, length: int) -> list[str]:
    """Complementos con preposición que suman `length` palabras, cada nombre con su número al azar."""
    found: list[str] = []
    while len(found) < length:
        candidate = rng.choice(PREPOSITIONS).split() + _noun_phrase(rng, rng.randrange(2))
        left = length - len(found) - len(candidate)
        if left == 0 or left >= SHORTEST:  # que lo que falte se pueda llenar
            found += candidate
    return found
