"""Los ejercicios del lab 5: las posiciones de una fila empaquetada, el 80/10/10 de BERT y el objetivo de T5."""

from utils.exercises.grading import Exercise

POSITIONS = Exercise(
    "lab-05.1",
    "las posiciones de una fila empaquetada",
    "cada documento vuelve a empezar en 0, y de ahí sale la máscara por bloques.",
    right=lambda lengths: [i for n in lengths for i in range(n)],
    cases=[([3, 1, 4],), ([2, 2],)],
    mistakes=[
        (
            lambda lengths: [list(range(n)) for n in lengths],
            "das una lista por documento: hace falta una sola, seguida.",
        ),
        (lambda lengths: list(range(sum(lengths))), "no vuelves a empezar: cada documento cuenta desde cero."),
        (lambda lengths: [i + 1 for n in lengths for i in range(n)], "cuentas desde uno: la primera posición es la 0."),
        (
            lambda lengths: [document for document, n in enumerate(lengths) for _ in range(n)],
            "das el número de documento: se pide la posición dentro de él.",
        ),
        (lambda lengths: lengths, "das las longitudes: hace falta una posición por token."),
        (
            lambda lengths: list(range(len(lengths))),
            "cuentas los documentos, sin repetir por sus tokens: encadena los range de cada longitud.",
        ),
    ],
)


def _rule(first, second, order=(0, 1, 2)):
    """Una regla de tres tramos: lo que se lee antes de `first`, antes de `second` y después."""

    def corrupt(token, u, mask_id, random_id):
        options = mask_id, random_id, token
        return options[order[0 if u < first else 1 if u < second else 2]]

    return corrupt


ONLY_15 = "tapas el 15 %: ese era el sorteo de qué tokens se eligen; aquí el token ya está elegido."
REVERSED = "está al revés: tapas el 10 % y dejas el 80 %."

CORRUPT = Exercise(
    "lab-05.2",
    "el 80/10/10",
    "80 % tapado, 10 % al azar y 10 % igual.",
    right=lambda token, u, mask_id, random_id: mask_id if u < 0.8 else random_id if u < 0.9 else token,
    cases=[(50, u, 3, 77) for u in (0.0, 0.12, 0.18, 0.4, 0.79, 0.81, 0.89, 0.91, 0.99)],
    mistakes=[
        (_rule(0, 0), "lo dejas siempre igual: 80 de cada 100 veces se tapa."),
        (_rule(2, 2), "tapas siempre: falta el 10 % al azar y el 10 % que se deja."),
        (_rule(0.15, 0.9), ONLY_15),
        (_rule(0.15, 0.15), ONLY_15),
        (
            _rule(0.8, 0.9, order=(0, 2, 1)),
            "has intercambiado el azar y dejarlo igual: van en este orden, tapar, azar y dejar.",
        ),
        (_rule(0.1, 0.2), REVERSED),
        (_rule(0.1, 0.1), REVERSED),
        (_rule(0.1, 0.9), "cambias al azar el 80 %: eso es lo que se tapa."),
        (_rule(0.8, 2), "no lo dejas nunca igual: el último 10 % se queda como estaba."),
        (_rule(0.8, 0.8), "no lo cambias nunca por otro: el penúltimo 10 % es un token al azar."),
    ],
    traps=[
        (
            (8, u, 4, 21),
            "aciertas con unos ids y no con otros: usa `token`, `mask_id` y `random_id`, no una variable del cuaderno.",
        )
        for u in (0.4, 0.85, 0.95)
    ],
)


def _written(ids, spans, sentinels):
    """Cada trozo borrado, con su centinela delante."""
    return [token for sentinel, (a, b) in zip(sentinels, spans, strict=False) for token in (sentinel, *ids[a:b])]


def _target(ids, spans, sentinels, end):
    return [*_written(ids, spans, sentinels), sentinels[len(spans)], end]


def _input(ids, spans, sentinels, end):
    """Lo que lee el codificador: el texto con un centinela en cada hueco."""
    seen, start = [], 0
    for sentinel, (a, b) in zip(sentinels, spans, strict=False):
        seen, start = [*seen, *ids[start:a], sentinel], b
    return [*seen, *ids[start:], end]


def _after(ids, spans, sentinels, end):
    pieces = [token for s, (a, b) in zip(sentinels, spans, strict=False) for token in (*ids[a:b], s)]
    return [*pieces, sentinels[len(spans)], end]


TARGET = Exercise(
    "lab-05.3",
    "el objetivo de los trozos",
    "centinela y trozo, y un centinela más para cerrar.",
    right=_target,
    cases=[
        ([10, 11, 12, 13, 14, 15, 16], [(1, 3), (5, 6)], [99, 98, 97], 1),
        ([20, 21, 22, 23], [(0, 1), (2, 4)], [89, 88, 87], 1),
    ],
    mistakes=[
        (
            lambda ids, spans, sentinels, end: [*_written(ids, spans, sentinels), end],
            "falta el centinela final, que dice que ya no hay más trozos.",
        ),
        (lambda ids, spans, sentinels, end: _target(ids, spans, sentinels, end)[:-1], "falta el token de fin."),
        (_input, "has escrito la entrada: lo que se ve, con un centinela por hueco; se pide lo que había debajo."),
        (
            lambda ids, spans, sentinels, end: [*(token for a, b in spans for token in ids[a:b]), end],
            "faltan los centinelas: sin ellos no se sabe de qué hueco es cada trozo.",
        ),
        (_after, "pones el centinela detrás del trozo: va delante, para anunciarlo."),
        (
            lambda ids, spans, sentinels, end: _target(ids, spans, [sentinels[0]] * len(sentinels), end),
            "usas siempre el mismo centinela: cada hueco tiene el suyo.",
        ),
        (
            lambda ids, spans, sentinels, end: _target(ids, [(a, b + 1) for a, b in spans], sentinels, end),
            "incluyes un token de más en cada trozo: el fin no entra.",
        ),
        (lambda ids, spans, sentinels, end: [*ids, end], "has repetido el texto entero: solo se escribe lo borrado."),
    ],
    traps=[
        (
            ([20, 21, 22, 23], [(0, 1), (2, 4)], [89, 88, 87], 2),
            "has escrito el token de fin a mano: es `end`, que no siempre vale 1.",
        ),
        (
            ([5, 6, 7], [(0, 1)], [40, 41, 42], 2),
            "acierta con dos trozos y falla con uno: el centinela final es `sentinels[len(spans)]`, "
            "no el último de la lista ni uno fijo.",
        ),
    ],
)

EXERCISES = {e.id: e for e in (POSITIONS, CORRUPT, TARGET)}
