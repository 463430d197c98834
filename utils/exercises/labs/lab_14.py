"""Ejercicios del lab 14: parámetros de un adaptador, máscara y etiquetas de un prompt blando, y óptimos de Pareto."""

from utils.exercises.grading import Exercise


def _parameters(places, width, bottleneck):
    return places * (2 * width * bottleneck + bottleneck + width)


PARAMETERS = Exercise(
    "lab-14.1",
    "parámetros de los adaptadores",
    f"con 10 sitios, ancho 192 y cuello 8 son {_parameters(10, 192, 8)}, los mismos que entrena el lab a escala mini.",
    right=_parameters,
    cases=[(10, 192, 8), (24, 768, 64)],
    mistakes=[
        (lambda p, w, m: p * 2 * w * m, "faltan los sesgos: m números al bajar y D al subir."),
        (
            lambda p, w, m: p * 2 * (w * m + m),
            "los dos sesgos no miden lo mismo: el de bajada tiene m números y el de subida, D.",
        ),
        (
            lambda p, w, m: p * 2 * (w * m + w),
            "los sesgos no son iguales: el de bajada tiene m números y el de subida, D.",
        ),
        (
            lambda p, w, m: p * 2 * w * m + m + w,
            "cada sitio tiene sus sesgos: multiplica también m + D por el número de sitios.",
        ),
        (lambda p, w, m: p * (w * m + m + w), "falta una matriz: hay una de bajada y otra de subida."),
        (lambda p, w, m: 2 * w * m + m + w, "eso es un solo adaptador; multiplica por el número de sitios."),
        (lambda p, w, m: p * (2 * w * m + m), "falta el sesgo de subida, que tiene D números."),
        (lambda p, w, m: p * (2 * w * m + w), "falta el sesgo de bajada, que tiene m números."),
        (lambda p, w, m: p * 2 * w * w, "las matrices son de D × m, no de D × D: el cuello de botella está para eso."),
    ],
)

EXTEND = Exercise(
    "lab-14.2",
    "máscara y etiquetas de un prompt blando",
    "los vectores se leen (1) y no se predicen (−100).",
    right=lambda mask, labels, length: ([1] * length + mask, [-100] * length + labels),
    cases=[([1, 1, 0], [-100, 7, -100], 2), ([1, 1, 1, 0], [-100, 4, 5, -100], 3)],
    mistakes=[
        (lambda mask, labels, n: (mask, labels), "no has alargado nada: las dos deben crecer tanto como el prompt."),
        (
            lambda mask, labels, n: ([-100] * n + labels, [1] * n + mask),
            "has devuelto las etiquetas antes que la máscara; el orden es máscara, etiquetas.",
        ),
        (
            lambda mask, labels, n: ([1] * n + mask, [-100] * (n + len(labels))),
            "has borrado las etiquetas que había; solo se añaden −100 delante.",
        ),
        (
            lambda mask, labels, n: (mask + [1] * n, [-100] * n + labels),
            "has puesto los vectores detrás en la máscara; el prompt va delante.",
        ),
        (
            lambda mask, labels, n: (mask + [1] * n, labels + [-100] * n),
            "has puesto los vectores detrás en la máscara y en las etiquetas; el prompt va delante.",
        ),
        (
            lambda mask, labels, n: ([0] * n + mask, [-100] * n + labels),
            "con un 0 en la máscara nadie atendería a los vectores y el prompt no haría nada.",
        ),
        (
            lambda mask, labels, n: ([1] * n + mask, [0] * n + labels),
            "un 0 en las etiquetas es un token: pedirías predecir los vectores. Usa −100.",
        ),
        (
            lambda mask, labels, n: ([1] * n + mask, [1] * n + labels),
            "en las etiquetas has puesto unos, como en la máscara; ahí el «no cuenta» es −100.",
        ),
        (
            lambda mask, labels, n: ([1] * n + mask, labels + [-100] * n),
            "has alargado las etiquetas por detrás; el hueco va delante, como los vectores.",
        ),
        (
            lambda mask, labels, n: ([1] * (n + len(mask)), [-100] * n + labels),
            "toda tu máscara vale 1, y había un 0 de relleno; lo que había no debe cambiar.",
        ),
    ],
)


def _undominated(methods, dominates) -> set[str]:
    return {name for name, b in methods.items() if not any(dominates(a, b) for a in methods.values())}


def _extremes(methods, which: int, best) -> set[str]:
    return {name for name, pair in methods.items() if pair[which] == best(p[which] for p in methods.values())}


WORSE = "«d» acierta lo mismo que «b» con diez veces más parámetros: «b» lo domina."

PARETO = Exercise(
    "lab-14.3",
    "óptimos de Pareto",
    "nadie de los que quedan es peor en todo que otro.",
    right=lambda methods: _undominated(methods, lambda a, b: a[0] <= b[0] and a[1] >= b[1] and a != b),
    cases=[
        ({"a": (10, 0.5), "b": (100, 0.9), "c": (100, 0.7), "d": (1000, 0.9)},),
        ({"a": (10, 0.5), "b": (10, 0.5)},),
        ({"a": (10, 0.9), "b": (20, 0.8), "c": (30, 0.7)},),
    ],
    mistakes=[
        (
            lambda methods: {
                name
                for name, b in methods.items()
                if not any(a[0] <= b[0] and a[1] >= b[1] and other != name for other, a in methods.items())
            },
            "dos métodos iguales no se dominan: hay que ser mejor en algo. Sin eso, se echan mutuamente.",
        ),
        (
            lambda methods: _undominated(methods, lambda a, b: a[0] <= b[0] and a[1] >= b[1]),
            "un método no se domina a sí mismo: hay que ser mejor en algo. Sin eso, no queda ninguno.",
        ),
        (
            lambda methods: _extremes(methods, 1, max),
            "te quedas con los que más aciertan; el que entrena menos también es óptimo si nadie lo iguala.",
        ),
        (
            lambda methods: _extremes(methods, 0, min),
            "te quedas con el que menos entrena; uno que entrena más y acierta más tampoco está dominado.",
        ),
        (lambda methods: _undominated(methods, lambda a, b: a[0] < b[0] and a[1] > b[1]), WORSE),
        (lambda methods: _undominated(methods, lambda a, b: a[0] <= b[0] and a[1] > b[1]), WORSE),
        (lambda methods: set(methods), WORSE),
        (
            lambda methods: _undominated(methods, lambda a, b: a[0] < b[0] and a[1] >= b[1]),
            "«c» entrena lo mismo que «b» y acierta menos: «b» lo domina.",
        ),
    ],
)

EXERCISES = {e.id: e for e in (PARAMETERS, EXTEND, PARETO)}
