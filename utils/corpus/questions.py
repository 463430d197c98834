"""Preguntas de cuatro opciones: cómo se le presentan al modelo y cómo se generan las que no se escriben una a una.

Las de «saber» se escriben una a una y se contestan sabiendo cosas. Las de «continuar» e «instrucción» se generan de los
textos del curso: cuál de cuatro finales sigue a un principio, o cuál cumple la consigna. Un modelo diminuto no sabe
nada del mundo, pero en estas puede distinguirse del azar.

Lo que NO hace: puntuar respuestas, que es cosa de `utils.measure.benchmark`. Y no garantiza que un final tomado de otro
texto no pudiera valer también: el techo de una persona no es el 100 %.
"""

import random
from collections.abc import Iterator, Sequence

LETTERS = "ABCD"
OPTIONS = 4  # por pregunta
#: Qué se añade a la pregunta antes de la opción, según el nivel.
FRAMES = {"saber": "Pregunta: {question}\nRespuesta:", "continuar": "{question}", "instrucción": "{question}"}
# Sujetos y finales en masculino y femenino, singular y plural: [género][número].
SUBJECTS = (
    (("el vecino", "los vecinos"), ("la vecina", "las vecinas")),
    (("mi hermano", "mis hermanos"), ("mi hermana", "mis hermanas")),
    (("el médico", "los médicos"), ("la profesora", "las profesoras")),
    (("un amigo", "unos amigos"), ("una amiga", "unas amigas")),
    (("el perro", "los perros"), ("la gata", "las gatas")),
    (("el paquete", "los paquetes"), ("la caja", "las cajas")),
    (("el coche", "los coches"), ("la moto", "las motos")),
    (("mi zapato", "mis zapatos"), ("mi llave", "mis llaves")),
)
BETWEEN = ("", " de mi primo", " de mi tía", " de la calle", " del portal", " de los niños", " de las tiendas")
# Nombres con las cuatro formas, y sus determinantes: [género][número].
STEMS = ("vecin", "amig", "compañer", "niñ", "herman", "abuel", "sobrin", "prim", "chic", "muchach")
DETERMINERS = (
    (("el", "los"), ("la", "las")),
    (("un", "unos"), ("una", "unas")),
    (("aquel", "aquellos"), ("aquella", "aquellas")),
)
OPENINGS = (
    "Ayer hablé con",
    "Vino con",
    "Luis: He quedado con",
    "Ana: Pregunta por",
    "Lo sabe por",
    "Hay un recado para",
)
TAILS = (" de enfrente.", " de siempre.", " de Ana.", " del portal.", " de la academia.")
PREDICATES = ("cansad", "perdid", "rot", "list", "parad", "encerrad", "contentísim", "sol")


def context(row: dict, exemplars: Sequence[dict] = ()) -> str:
    """El prompt de una pregunta, sin la opción: va detrás, con un espacio.

    `exemplars` son preguntas contestadas que se ponen delante (*few-shot*).

    >>> context({"level": "saber", "question": "¿Cuánto es 7 por 8?"})
    'Pregunta: ¿Cuánto es 7 por 8?\\nRespuesta:'
    """
    solved = [f"{context(e)} {e['options'][e['answer']]}\n\n" for e in exemplars]
    return "".join(solved) + FRAMES[row["level"]].format(question=row["question"])


def letters_context(row: dict, exemplars: Sequence[dict] = ()) -> str:
    """El prompt al estilo de MMLU: se enseñan las cuatro opciones y se contesta con una letra.

    >>> print(letters_context({"question": "¿Siete?", "options": ["7", "8", "9", "6"]}))
    Pregunta: ¿Siete?
    A. 7
    B. 8
    C. 9
    D. 6
    Respuesta:
    """
    solved = [f"{letters_context(e)} {LETTERS[e['answer']]}\n\n" for e in exemplars]
    lines = [f"{letter}. {option}" for letter, option in zip(LETTERS, row["options"], strict=True)]
    return "".join(solved) + "\n".join([f"Pregunta: {row['question']}", *lines, "Respuesta:"])


def written_questions(text: str) -> list[tuple[str, list[str]]]:
    """Las preguntas escritas de un área: una por línea, «pregunta | correcta | mala | mala | mala».

    ValueError con el número de línea si no son cinco partes distintas.

    >>> written_questions("¿Siete por ocho? | 56 | 54 | 48 | 63")
    [('¿Siete por ocho?', ['56', '54', '48', '63'])]
    """
    found = []
    for number, line in enumerate(text.strip().splitlines(), start=1):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != OPTIONS + 1 or not all(parts) or len(set(parts)) != len(parts):
            raise ValueError(
                f"Línea {number}: escribe «pregunta | correcta | mala | mala | mala», sin repetir opciones."
            )
        found.append((parts[0], parts[1:]))
    return found


def near_agreement_questions(rng: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Concordancia con lo de al lado: tras «Ayer hablé con unas» va «vecinas» y no «vecino», «vecina» ni «vecinos»."""
    while True:
        gender, number = rng.randrange(2), rng.randrange(2)
        stem, tail = rng.choice(STEMS), rng.choice(TAILS)
        forms = {(g, n): stem + ("o", "a")[g] + ("", "s")[n] + tail for g in (0, 1) for n in (0, 1)}
        right = forms.pop((gender, number))
        yield f"{rng.choice(OPENINGS)} {rng.choice(DETERMINERS)[gender][number]}", [right, *forms.values()]


def agreement_questions(rng: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Concordancia a distancia: «Mis llaves de mi primo» está perdido, perdida, perdidos o perdidas.

    El complemento de en medio despista: su género y su número no cuentan.
    """
    while True:
        gender, number = rng.randrange(2), rng.randrange(2)
        subject = rng.choice(SUBJECTS)[gender][number] + rng.choice(BETWEEN)
        stem = rng.choice(PREDICATES)
        forms = {(g, n): ("está ", "están ")[n] + stem + ("o", "a")[g] + ("", "s")[n] for g in (0, 1) for n in (0, 1)}
        right = forms.pop((gender, number))
        yield subject[0].upper() + subject[1:], [f"{option}." for option in (right, *forms.values())]


def reply_questions(dialogues: Sequence[str], rng: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Diálogo: qué contesta quien acaba de oír una pregunta. Los otros finales contestan a preguntas distintas."""
    found = []
    for text in dialogues:
        turns = text.split("\n")
        for i in range(1, len(turns)):
            asked, (speaker, reply) = turns[i - 1].rsplit(": ", 1)[-1], turns[i].split(": ", 1)
            if asked.endswith("?") and 3 <= len(reply.split()) <= 10 and "?" not in reply:
                found.append(("\n".join([*turns[:i], f"{speaker}:"]), reply, asked))
    rng.shuffle(found)
    for begin, reply, asked in found:
        first = asked.rsplit("¿", 1)[-1].split()[0]  # quién, cuándo, cuánto…
        others = [r for _, r, a in found if a.rsplit("¿", 1)[-1].split()[0] != first]
        yield begin, [reply, *_alike(reply, others, rng)]


def reading_questions(
    rows: Sequence[dict], asked: dict[str, list[str]], rng: random.Random
) -> Iterator[tuple[str, list[str]]]:
    """Lectura: una pregunta sobre un hecho de un diálogo. Un final está en el diálogo pero responde a otra cosa.

    `rows` son diálogos con sus `facts`, y `asked` dice cómo se pregunta por cada hecho, con el hueco `{a}`.
    """
    for row in rng.sample(list(rows), len(rows)):
        facts = row["facts"]
        fact = rng.choice([name for name in facts if name in asked])
        question = rng.choice(asked[fact]).format(a=facts["a"])
        absent = [r["facts"][fact] for r in rows if fact in r["facts"] and r["facts"][fact] not in row["dialogue"]]
        others = [text for name, text in facts.items() if name != fact]
        present = min(others, key=lambda text: abs(len(text) - len(facts[fact])))
        wrong = [text for text in _alike(facts[fact], absent, rng) if text != present][:2]
        yield f"Lee y contesta. {question}\n{row['dialogue']}", [facts[fact], present, *wrong]


def instruction_questions(rows: Sequence[dict], rng: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Una consigna, su respuesta y tres de otras consignas de la tarea. `rows` llevan `prompt` y `completion`."""
    completions = [row["completion"] for row in rows]
    for row in rng.sample(list(rows), len(rows)):
        yield row["prompt"], [row["completion"], *_alike(row["completion"], completions, rng)]


def ending_questions(
    texts: Sequence[str], rng: random.Random, *, given: int, asked: int
) -> Iterator[tuple[str, list[str]]]:
    """Continuar un texto: `given` palabras de principio y cuatro finales de `asked`, tres de ellos de otros textos."""
    cut = [text.split() for text in texts]
    cut = [words for words in cut if len(words) >= given + asked]
    rng.shuffle(cut)
    pieces = [(" ".join(w[:given]), " ".join(w[given : given + asked])) for w in cut]
    for begin, end in pieces:
        yield begin, [end, *_alike(end, [other for b, other in pieces if b != begin], rng)]


def shuffled(options: list[str], rng: random.Random, place: int) -> tuple[list[str], int]:
    """Las opciones en un orden al azar con la correcta, que es la primera, en el lugar `place`.

    >>> shuffled(["sí", "no", "quizás", "nunca"], random.Random(0), place=2)
    (['no', 'nunca', 'sí', 'quizás'], 2)
    """
    right, *wrong = options
    rng.shuffle(wrong)
    return [*wrong[:place], right, *wrong[place:]], place


def _alike(right: str, candidates: Sequence[str], rng: random.Random) -> list[str]:
    """Tres finales distintos y de un largo parecido al bueno, unos más cortos y otros más largos: que no lo delate."""
    pool = sorted({text for text in candidates if text != right}, key=lambda text: (abs(len(text) - len(right)), text))
    if len(pool) < OPTIONS - 1:
        raise ValueError(f"Para «{right[:40]}» hay {len(pool)} finales distintos y hacen falta 3: añade textos.")
    chosen: list[str] = []
    longer = rng.randrange(OPTIONS)  # cuántos serán más largos que el bueno, de ninguno a los tres
    for wanted in [True] * longer + [False] * (OPTIONS - 1 - longer):
        left = [text for text in pool if text not in chosen]
        fitting = [text for text in left if len(text) != len(right) and (len(text) > len(right)) == wanted] or left
        chosen.append(rng.choice(fitting[:12]))
    return chosen
