"""Ejercicios del lab 11: etiquetas con -100, cuántos diálogos hacen falta y nombres inventados."""

import math

from utils.course.checks import Exercise, Verdict


def _check_labels(pad_labels) -> Verdict:
    answers = [[7, 0, 9, 1], [5, 1]]  # el 0 del primero es un token de verdad
    got = [list(row) for row in pad_labels([list(row) for row in answers])]
    if got == [[7, 0, 9, 1], [5, 1, -100, -100]]:
        return Verdict(True, "el relleno lleva -100 y ningún token de verdad se ha perdido.")
    if len({len(row) for row in got}) > 1:
        return Verdict(
            False, "las filas no miden lo mismo; un lote es un rectángulo, así que rellena hasta la más larga."
        )
    if len(got[0]) > 4:
        return Verdict(False, "hay relleno de más: basta con llegar a la fila más larga del lote.")
    if got[0][1] == -100:
        return Verdict(False, "has tapado un token de verdad porque valía 0; decide por la posición, no por el valor.")
    if got[1][2:] == [0, 0]:
        return Verdict(False, "rellenas con 0, que es un token más y cuenta en la pérdida; usa -100.")
    if got[1][:2] == [-100, -100]:
        return Verdict(
            False, "rellenas por la izquierda; el decoder genera de izquierda a derecha y el relleno va al final."
        )
    return Verdict(False, f"para [[7, 0, 9, 1], [5, 1]] devuelve {got}.")


def _zeros(answers):
    return [row + [0] * (max(map(len, answers)) - len(row)) for row in answers]


def _by_value(answers):
    return [[-100 if token == 0 else token for token in row] for row in _zeros(answers)]


def _check_sample_size(sample_size) -> Verdict:
    cases = [(0.2, 0.02), (0.3, 0.01), (0.04, 0.05)]
    right = [math.ceil((1.96 * deviation / half) ** 2) for deviation, half in cases]
    got = [sample_size(*case) for case in cases]
    if got == right:
        return Verdict(
            True, "el intervalo se estrecha con la raíz de n: la mitad de ancho cuesta cuatro veces más diálogos."
        )
    if all(isinstance(g, float) and abs(g - (1.96 * d / h) ** 2) < 1e-6 for g, (d, h) in zip(got, cases, strict=True)):
        return Verdict(False, "casi: no existe medio diálogo. Redondea hacia arriba y devuelve un entero.")
    if got[:2] == [math.ceil(1.96 * d / h) for d, h in cases[:2]]:
        return Verdict(False, "falta elevar al cuadrado: el error de la media es s dividido entre la RAÍZ de n.")
    if got[:2] == [math.ceil((d / h) ** 2) for d, h in cases[:2]]:
        return Verdict(False, "falta el 1,96: media anchura de un intervalo del 95 % son 1,96 errores típicos.")
    if all(g < r for g, r in zip(got, right, strict=True)):
        return Verdict(False, "te quedas corto: con esa n el intervalo sale más ancho de lo pedido.")
    return Verdict(False, f"para s = 0,2 y media anchura 0,02 devuelve {got[0]}; despeja n de h = 1,96 · s / √n.")


def _check_invented(invented_names) -> Verdict:
    names = {"Ana", "Luis", "Sol", "Irene"}
    dialogue = "Ana: ¿Viene Luis?\nLuis: Sí, con el consolador Solís."
    if set(invented_names("Ana llama a Luis.", dialogue, names)):
        return Verdict(False, "acusas a nombres que sí están en el diálogo; solo es inventado lo que falta en él.")
    if "Irene" not in set(invented_names("Ana llama a Irene.", dialogue, names)):
        return Verdict(False, "«Ana llama a Irene» inventa a Irene, que no está en el diálogo, y no la encuentras.")
    if "Sol" not in set(invented_names("Ana llama a Sol.", dialogue, names)):
        return Verdict(
            False, "«Sol» no está en el diálogo, aunque sí lo está dentro de «Solís»; compara palabras enteras."
        )
    if set(invented_names("Ana llama al Consejo.", dialogue, names)):
        return Verdict(False, "«Consejo» lleva mayúscula, pero no es un nombre de la lista `names`.")
    return Verdict(True, "solo acusas a los nombres que el diálogo no menciona.")


EXERCISES = {
    "lab-11.1": Exercise(
        "lab-11.1",
        "rellenar respuestas con -100",
        _check_labels,
        wrong=[
            (_zeros, "rellenas con 0"),
            (_by_value, "decide por la posición"),
            (lambda answers: answers, "no miden lo mismo"),
            (lambda answers: [[-100] * (4 - len(row)) + row for row in answers], "por la izquierda"),
            (lambda answers: [row + [-100] * (8 - len(row)) for row in answers], "relleno de más"),
        ],
    ),
    "lab-11.2": Exercise(
        "lab-11.2",
        "cuántos diálogos hacen falta",
        _check_sample_size,
        wrong=[
            (lambda s, h: (1.96 * s / h) ** 2, "Redondea hacia arriba"),
            (lambda s, h: math.ceil(1.96 * s / h), "elevar al cuadrado"),
            (lambda s, h: math.ceil((s / h) ** 2), "falta el 1,96"),
            (lambda s, h: 10, "despeja n"),
            (lambda s, h: int(1.96 * s / h), "te quedas corto"),
        ],
    ),
    "lab-11.3": Exercise(
        "lab-11.3",
        "nombres inventados",
        _check_invented,
        wrong=[
            (lambda summary, dialogue, names: {n for n in names if n in summary}, "sí están en el diálogo"),
            (
                lambda summary, dialogue, names: {n for n in names if n in summary and n not in dialogue},
                "palabras enteras",
            ),
            (lambda summary, dialogue, names: set(), "no la encuentras"),
            (
                lambda summary, dialogue, names: {w.strip(".") for w in summary.split() if w[0].isupper()}
                - {w.strip(".,:¿?\n") for w in dialogue.split()},
                "no es un nombre de la lista",
            ),
        ],
    ),
}  # fmt: skip
