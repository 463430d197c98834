"""Los ejercicios del lab 5: las posiciones de una fila empaquetada, el 80/10/10 de BERT y el objetivo de T5."""

from utils.course.checks import Exercise, Verdict


def check_positions(positions) -> Verdict:
    lengths = [3, 1, 4]
    got = list(positions(list(lengths)))
    if any(isinstance(part, (list, tuple, range)) for part in got):
        return Verdict(False, "das una lista por documento: hace falta una sola, seguida.")
    got = [int(i) for i in got]
    right = [0, 1, 2, 0, 0, 1, 2, 3]
    mistakes = {
        "no vuelves a empezar: cada documento cuenta desde cero.": list(range(8)),
        "cuentas desde uno: la primera posición es la 0.": [i + 1 for i in right],
        "das el número de documento: se pide la posición dentro de él.": [0, 0, 0, 1, 2, 2, 2, 2],
        "das las longitudes: hace falta una posición por token.": lengths,
        "solo llega hasta la longitud, sin repetir por documento: encadena los range.": list(range(3)),
    }
    for message, value in mistakes.items():
        if got == value:
            return Verdict(False, message)
    if got != right:
        return Verdict(False, f"con {lengths} esperaba {right} y das {got}.")
    if [int(i) for i in positions([2, 2])] != [0, 1, 0, 1]:
        return Verdict(False, "acierta con el ejemplo y falla con otras longitudes.")
    return Verdict(True, "cada documento vuelve a empezar en 0, y de ahí sale la máscara por bloques.")


TOKEN, MASKED, DRAWN = 50, 3, 77
CASES = [0.0, 0.12, 0.18, 0.4, 0.79, 0.81, 0.89, 0.91, 0.99]


def check_corrupt(corrupt) -> Verdict:
    got = [corrupt(TOKEN, u, MASKED, DRAWN) for u in CASES]

    def rule(first: float, second: float, order=(MASKED, DRAWN, TOKEN)) -> list[int]:
        return [order[0] if u < first else order[1] if u < second else order[2] for u in CASES]

    mistakes = {
        "tapas siempre: falta el 10 % al azar y el 10 % que se deja.": [rule(2, 2)],
        "tapas el 15 %: ese era el sorteo de qué tokens se eligen; aquí el token ya está elegido.": [
            rule(0.15, 0.9),
            rule(0.15, 0.15),
        ],
        "has intercambiado el azar y dejarlo igual: van en este orden, tapar, azar y dejar.": [
            rule(0.8, 0.9, (MASKED, TOKEN, DRAWN))
        ],
        "está al revés: tapas el 10 % y dejas el 80 %.": [rule(0.1, 0.2), rule(0.1, 0.1)],
        "cambias al azar el 80 %: eso es lo que se tapa.": [rule(0.1, 0.9)],
        "no lo dejas nunca igual: el último 10 % se queda como estaba.": [rule(0.8, 2)],
        "no lo cambias nunca por otro: el penúltimo 10 % es un token al azar.": [rule(0.8, 0.8)],
    }
    for message, values in mistakes.items():
        if got in values:
            return Verdict(False, message)
    for u, mine, wanted in zip(CASES, got, rule(0.8, 0.9), strict=True):
        if mine != wanted:
            return Verdict(False, f"con u = {u} esperaba {wanted} y das {mine}.".replace(".", ",", 1))
    return Verdict(True, "80 % tapado, 10 % al azar y 10 % igual.")


IDS, SPANS, SENTINELS, END = [10, 11, 12, 13, 14, 15, 16], [(1, 3), (5, 6)], [99, 98, 97], 1
RIGHT = [99, 11, 12, 98, 15, 97, 1]


def check_target(target) -> Verdict:
    got = [int(i) for i in target(list(IDS), list(SPANS), list(SENTINELS), END)]
    mistakes = {
        "falta el centinela final, que dice que ya no hay más trozos.": [99, 11, 12, 98, 15, 1],
        "falta el token de fin.": RIGHT[:-1],
        "has escrito la entrada: lo que se ve, con un centinela por hueco; se pide lo que había debajo.": [
            10, 99, 13, 14, 98, 16, 1,
        ],
        "faltan los centinelas: sin ellos no se sabe de qué hueco es cada trozo.": [11, 12, 15, 1],
        "pones el centinela detrás del trozo: va delante, para anunciarlo.": [11, 12, 99, 15, 98, 97, 1],
        "usas siempre el mismo centinela: cada hueco tiene el suyo.": [99, 11, 12, 99, 15, 99, 1],
        "incluyes un token de más en cada trozo: el fin no entra.": [99, 11, 12, 13, 98, 15, 16, 97, 1],
        "has repetido el texto entero: solo se escribe lo borrado.": [*IDS, 1],
    }  # fmt: skip
    for message, value in mistakes.items():
        if got == value:
            return Verdict(False, message)
    if got != RIGHT:
        return Verdict(False, f"esperaba {RIGHT} y das {got}.")
    other = [int(i) for i in target([5, 6, 7], [(0, 1)], [40, 41, 42], 2)]
    if other == RIGHT:
        return Verdict(False, "das siempre lo mismo: usa los argumentos, que cambian de un texto a otro.")
    if other != [40, 5, 41, 2]:
        return Verdict(
            False,
            "acierta con dos trozos y falla con uno: el centinela final es `sentinels[len(spans)]`, "
            "no el último de la lista ni uno fijo.",
        )
    return Verdict(True, "centinela y trozo, y un centinela más para cerrar.")


def _target(ids, spans, sentinels, end):
    """La respuesta buena, de la que salen varias malas."""
    written = [token for s, (a, b) in zip(sentinels, spans, strict=False) for token in (s, *ids[a:b])]
    return [*written, sentinels[len(spans)], end]


EXERCISES = {
    e.id: e
    for e in [
        Exercise(
            "lab-05.1",
            "las posiciones de una fila empaquetada",
            check_positions,
            wrong=[
                (lambda lengths: list(range(sum(lengths))), "no vuelves a empezar"),
                (lambda lengths: [i + 1 for n in lengths for i in range(n)], "desde uno"),
                (lambda lengths: [d for d, n in enumerate(lengths) for _ in range(n)], "número de documento"),
                (lambda lengths: lengths, "longitudes"),
                (lambda lengths: list(range(len(lengths))), "encadena"),
                (lambda lengths: [list(range(n)) for n in lengths], "una lista por documento"),
                (lambda lengths: [0, 1, 2, 0, 0, 1, 2, 3], "otras longitudes"),
                (lambda lengths: [0] * sum(lengths), "esperaba"),
            ],
        ),
        Exercise(
            "lab-05.2",
            "el 80/10/10",
            check_corrupt,
            wrong=[
                (lambda t, u, m, r: m, "tapas siempre"),
                (lambda t, u, m, r: m if u < 0.15 else r if u < 0.9 else t, "el 15 %"),
                (lambda t, u, m, r: m if u < 0.15 else t, "el 15 %"),
                (lambda t, u, m, r: m if u < 0.8 else t if u < 0.9 else r, "intercambiado"),
                (lambda t, u, m, r: m if u < 0.1 else r if u < 0.2 else t, "al revés"),
                (lambda t, u, m, r: m if u < 0.1 else t, "al revés"),
                (lambda t, u, m, r: m if u < 0.1 else r if u < 0.9 else t, "al azar el 80 %"),
                (lambda t, u, m, r: m if u < 0.8 else r, "nunca igual"),
                (lambda t, u, m, r: m if u < 0.8 else t, "por otro"),
                (lambda t, u, m, r: t, "esperaba"),
            ],
        ),
        Exercise(
            "lab-05.3",
            "el objetivo de los trozos",
            check_target,
            wrong=[
                (lambda i, sp, se, e: [*_target(i, sp, se, e)[:-2], e], "centinela final"),
                (lambda i, sp, se, e: _target(i, sp, se, e)[:-1], "token de fin"),
                (lambda i, sp, se, e: [i[0], se[0], *i[3:5], se[1], i[6], e], "la entrada"),
                (lambda i, sp, se, e: [t for a, b in sp for t in i[a:b]] + [e], "faltan los centinelas"),
                (lambda i, sp, se, e: [11, 12, se[0], 15, se[1], se[2], e], "detrás"),
                (lambda i, sp, se, e: [se[0] if t in se else t for t in _target(i, sp, se, e)], "mismo centinela"),
                (lambda i, sp, se, e: _target(i, [(a, b + 1) for a, b in sp], se, e), "de más"),
                (lambda i, sp, se, e: [*i, e], "texto entero"),
                (lambda i, sp, se, e: [*_target(i, sp, se, e)[:-2], se[-1], e], "`sentinels[len(spans)]`"),
                (lambda i, sp, se, e: [*_target(i, sp, se, e)[:-2], se[2], e], "ni uno fijo"),
                (lambda i, sp, se, e: [99, 11, 12, 98, 15, 97, 1], "siempre lo mismo"),
                (lambda i, sp, se, e: [e], "esperaba"),
            ],
        ),
    ]
}
