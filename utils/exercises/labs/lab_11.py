"""Ejercicios del lab 11: etiquetas con -100, cuántos diálogos hacen falta y nombres inventados."""

import math
import re

from utils.exercises.grading import Exercise


def _pad(answers, value=-100, width=None):
    width = max(map(len, answers)) if width is None else width
    return [row + [value] * (width - len(row)) for row in answers]


LABELS = Exercise(
    "lab-11.1",
    "rellenar respuestas con -100",
    "el relleno lleva -100 y ningún token de verdad se ha perdido.",
    right=_pad,
    cases=[([[7, 0, 9, 1], [5, 1]],), ([[3], [0, 4, 2], [6, 1]],)],  # los 0 son tokens de verdad
    mistakes=[
        (
            lambda answers: answers,
            "las filas no miden lo mismo; un lote es un rectángulo, así que rellena hasta la más larga.",
        ),
        (
            lambda answers: _pad(answers, width=len(answers[0])),
            "rellenas hasta la primera fila, que no siempre es la más larga: las filas no miden lo mismo.",
        ),
        *(
            (
                lambda answers, width=width: _pad(answers, width=width(answers)),
                "hay relleno de más: basta con llegar a la fila más larga del lote.",
            )
            for width in (lambda answers: 8, lambda answers: max(map(len, answers)) + 1)
        ),
        (
            lambda answers: [[token or -100 for token in row] for row in _pad(answers, value=0)],
            "has tapado un token de verdad porque valía 0; decide por la posición, no por el valor.",
        ),
        (
            lambda answers: _pad(answers, value=0),
            "rellenas con 0, que es un token más y cuenta en la pérdida; usa -100.",
        ),
        (
            lambda answers: [row[::-1] for row in _pad([row[::-1] for row in answers])],
            "rellenas por la izquierda; el decoder genera de izquierda a derecha y el relleno va al final.",
        ),
    ],
)

SAMPLE_SIZE = Exercise(
    "lab-11.2",
    "cuántos diálogos hacen falta",
    "el intervalo se estrecha con la raíz de n: la mitad de ancho cuesta cuatro veces más diálogos.",
    right=lambda deviation, half_width: math.ceil((1.96 * deviation / half_width) ** 2),
    cases=[(0.2, 0.02), (0.3, 0.01), (0.04, 0.05)],
    mistakes=[
        (
            lambda s, h: (1.96 * s / h) ** 2,
            "casi: no existe medio diálogo. Redondea hacia arriba y devuelve un entero.",
        ),
        *(
            (
                lambda s, h, rule=rule: rule(1.96 * s / h),
                "falta elevar al cuadrado: el error de la media es s dividido entre la RAÍZ de n.",
            )
            for rule in (math.ceil, math.floor, float)
        ),
        *(
            (
                lambda s, h, rule=rule: rule((s / h) ** 2),
                "falta el 1,96: media anchura de un intervalo del 95 % son 1,96 errores típicos.",
            )
            for rule in (lambda n: math.ceil(n - 1e-9), math.ceil, float)
        ),
        (
            lambda s, h: math.floor((1.96 * s / h) ** 2),
            "te quedas corto: con esa n el intervalo sale más ancho de lo pedido.",
        ),
        (
            lambda s, h: math.ceil((1.96 * s / (h / 2)) ** 2),
            "h ya es la media anchura: no se divide otra vez entre dos.",
        ),
    ],
)


def _tokens(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


NAMES = {"Ana", "Luis", "Sol", "Irene"}
DIALOGUE = "Ana: ¿Viene Luis?\nLuis: Sí, con el consolador Solís."

INVENTED = Exercise(
    "lab-11.3",
    "nombres inventados",
    "solo acusas a los nombres que el diálogo no menciona.",
    right=lambda summary, dialogue, names: (_tokens(summary) & names) - _tokens(dialogue),
    cases=[
        ("Ana llama a Luis y a Irene.", DIALOGUE, NAMES),
        ("Ana llama a Sol.", DIALOGUE, NAMES),  # «Sol» está dentro de «Solís», en el diálogo…
        ("Ana llama a Soledad.", DIALOGUE, NAMES),  # … y aquí, en el resumen
        ("Luis llama al Consejo.", DIALOGUE, NAMES),
        ("Ana llama a Luis y a Irene.", "Irene: ¿Viene Luis?", NAMES),
        ("Ana llama a Luis y a Irene.", "Luis: Sí.", {"Irene", "Eva"}),
    ],
    mistakes=[
        (
            lambda summary, dialogue, names: _tokens(summary) & names,
            "acusas a nombres que sí están en el diálogo; solo es inventado lo que falta en él.",
        ),
        (
            lambda summary, dialogue, names: {name for name in names if name in summary},
            "acusas a nombres que sí están en el diálogo; solo es inventado lo que falta en él.",
        ),
        (
            lambda summary, dialogue, names: {n for n in names if n in summary and n not in dialogue},
            "«Sol» no está en el diálogo, aunque sí lo está dentro de «Solís»; compara palabras enteras.",
        ),
        (
            lambda summary, dialogue, names: {n for n in names & _tokens(summary) if n not in dialogue},
            "«Sol» no está en el diálogo, aunque sí lo está dentro de «Solís»; compara palabras enteras.",
        ),
        (
            lambda summary, dialogue, names: {n for n in names - _tokens(dialogue) if n in summary},
            "«Sol» no está en el resumen, aunque sí lo está dentro de «Soledad»; compara palabras enteras.",
        ),
        (
            lambda summary, dialogue, names: set(),
            "«Ana llama a Irene» inventa a Irene, que no está en el diálogo, y no la encuentras.",
        ),
        (
            lambda summary, dialogue, names: {n for n in names if n in summary.split()} - _tokens(dialogue),
            "«Irene.» lleva un punto pegado: separa las palabras de los signos, y no solo por espacios.",
        ),
        (
            lambda summary, dialogue, names: {w for w in _tokens(summary) - _tokens(dialogue) if w[0].isupper()},
            "«Consejo» lleva mayúscula, pero no es un nombre de la lista `names`.",
        ),
    ],
)

EXERCISES = {e.id: e for e in (LABELS, SAMPLE_SIZE, INVENTED)}
