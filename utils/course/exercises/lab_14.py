"""Ejercicios del lab 14: parámetros de un adaptador, máscara y etiquetas de un prompt blando, y óptimos de Pareto."""

from utils.course.checks import Exercise, Verdict


def _check_parameters(adapter_parameters) -> Verdict:
    cases = [(10, 192, 8), (24, 768, 64)]
    right = [places * (2 * width * m + m + width) for places, width, m in cases]
    got = [adapter_parameters(*case) for case in cases]
    if got == right:
        return Verdict(
            True, f"con 10 sitios, ancho 192 y cuello 8 son {right[0]}, los mismos que entrena el lab a escala mini."
        )
    alternatives = {
        "faltan los sesgos: m números al bajar y D al subir.": lambda p, w, m: p * 2 * w * m,
        "los dos sesgos no miden lo mismo: el de bajada tiene m números y el de subida, D.": lambda p, w, m: (
            p * 2 * (w * m + m)
        ),
        "los sesgos no son iguales: el de bajada tiene m números y el de subida, D.": lambda p, w, m: (
            p * 2 * (w * m + w)
        ),
        "cada sitio tiene sus sesgos: multiplica también m + D por el número de sitios.": lambda p, w, m: (
            p * 2 * w * m + m + w
        ),
        "falta una matriz: hay una de bajada y otra de subida.": lambda p, w, m: p * (w * m + m + w),
        "eso es un solo adaptador; multiplica por el número de sitios.": lambda p, w, m: 2 * w * m + m + w,
        "falta el sesgo de subida, que tiene D números.": lambda p, w, m: p * (2 * w * m + m),
        "falta el sesgo de bajada, que tiene m números.": lambda p, w, m: p * (2 * w * m + w),
        "las matrices son de D × m, no de D × D: el cuello de botella está para eso.": lambda p, w, m: p * 2 * w * w,
    }
    for reason, wrong in alternatives.items():
        if got == [wrong(*case) for case in cases]:
            return Verdict(False, reason)
    return Verdict(False, f"con 10 sitios, ancho 192 y cuello 8 devuelve {got[0]}; cuenta dos matrices y dos sesgos.")


def _check_extend(extend) -> Verdict:
    mask, labels = extend([1, 1, 0], [-100, 7, -100], 2)
    mask, labels = list(mask), list(labels)
    if len(mask) != 5 or len(labels) != 5:
        return Verdict(False, f"la máscara mide {len(mask)} y las etiquetas {len(labels)}; las dos deben crecer 2.")
    if labels == [1, 1, 1, 1, 0]:
        return Verdict(False, "has devuelto las etiquetas antes que la máscara; el orden es máscara, etiquetas.")
    if labels == [-100] * 5:
        return Verdict(False, "has borrado las etiquetas que había; solo se añaden dos −100 delante.")
    if mask == [1, 1, 0, 1, 1]:
        return Verdict(False, "has puesto los vectores detrás en la máscara; el prompt va delante.")
    if mask[:2] == [0, 0]:
        return Verdict(False, "con un 0 en la máscara nadie atendería a los vectores y el prompt no haría nada.")
    if labels[:2] == [0, 0]:
        return Verdict(False, "un 0 en las etiquetas es un token: pedirías predecir los vectores. Usa −100.")
    if labels[:2] == [1, 1]:
        return Verdict(False, "en las etiquetas has puesto unos, como en la máscara; ahí el «no cuenta» es −100.")
    if labels != [-100, -100, -100, 7, -100]:
        return Verdict(False, f"para las etiquetas [-100, 7, -100] devuelve {labels}; el hueco va delante.")
    if mask != [1, 1, 1, 1, 0]:
        return Verdict(False, f"para la máscara [1, 1, 0] devuelve {mask}; lo que había no debe cambiar.")
    return Verdict(True, "los vectores se leen (1) y no se predicen (−100).")


PARETO_CASES = [
    ({"a": (10, 0.5), "b": (100, 0.9), "c": (100, 0.7), "d": (1000, 0.9)}, {"a", "b"}),
    ({"a": (10, 0.5), "b": (10, 0.5)}, {"a", "b"}),
    ({"a": (10, 0.9), "b": (20, 0.8), "c": (30, 0.7)}, {"a"}),
]


def _check_pareto(pareto) -> Verdict:
    got = [set(pareto(dict(methods))) for methods, _ in PARETO_CASES]
    right = [answer for _, answer in PARETO_CASES]
    if got == right:
        return Verdict(True, "nadie de los que quedan es peor en todo que otro.")
    if got[1] == set():
        return Verdict(
            False, "dos métodos iguales no se dominan: hay que ser mejor en algo. Sin eso, se echan mutuamente."
        )
    if got[0] == {"b", "d"}:
        return Verdict(
            False, "te quedas con los que más aciertan; el que entrena menos también es óptimo si nadie lo iguala."
        )
    if got[0] == {"a"}:
        return Verdict(
            False, "te quedas con el que menos entrena; uno que entrena más y acierta más tampoco está dominado."
        )
    if "d" in got[0]:
        return Verdict(False, "«d» acierta lo mismo que «b» con diez veces más parámetros: «b» lo domina.")
    if "c" in got[0]:
        return Verdict(False, "«c» entrena lo mismo que «b» y acierta menos: «b» lo domina.")
    return Verdict(False, f"para {PARETO_CASES[0][0]} devuelve {sorted(got[0])}.")


def _strict(methods):
    return {n for n, b in methods.items() if not any(a[0] < b[0] and a[1] > b[1] for a in methods.values())}


def _mutual(methods):
    return {
        n for n, b in methods.items() if not any(a[0] <= b[0] and a[1] >= b[1] and m != n for m, a in methods.items())
    }


def _same_quality(methods):
    return {n for n, b in methods.items() if not any(a[0] < b[0] and a[1] >= b[1] for a in methods.values())}


def _most_accurate(methods):
    return {n for n, v in methods.items() if v[1] == max(a for _, a in methods.values())}


def _smallest(methods):
    return {n for n, v in methods.items() if v[0] == min(p for p, _ in methods.values())}


EXERCISES = {
    "lab-14.1": Exercise(
        "lab-14.1",
        "parámetros de los adaptadores",
        _check_parameters,
        wrong=[
            (lambda p, w, m: p * 2 * w * m, "faltan los sesgos"),
            (lambda p, w, m: p * (w * m + m + w), "falta una matriz"),
            (lambda p, w, m: 2 * w * m + m + w, "un solo adaptador"),
            (lambda p, w, m: p * (2 * w * m + m), "sesgo de subida"),
            (lambda p, w, m: p * (2 * w * m + w), "sesgo de bajada"),
            (lambda p, w, m: p * 2 * w * w, "cuello de botella"),
            (lambda p, w, m: p * 2 * (w * m + m), "no miden lo mismo"),
            (lambda p, w, m: p * 2 * (w * m + w), "no son iguales"),
            (lambda p, w, m: p * 2 * w * m + m + w, "cada sitio tiene sus sesgos"),
            (lambda p, w, m: 0, "dos matrices y dos sesgos"),
        ],
    ),
    "lab-14.2": Exercise(
        "lab-14.2",
        "máscara y etiquetas de un prompt blando",
        _check_extend,
        wrong=[
            (lambda mask, labels, n: (mask, labels), "deben crecer 2"),
            (lambda mask, labels, n: (mask + [1] * n, [-100] * n + labels), "detrás"),
            (lambda mask, labels, n: ([0] * n + mask, [-100] * n + labels), "nadie atendería"),
            (lambda mask, labels, n: ([1] * n + mask, [0] * n + labels), "Usa −100"),
            (lambda mask, labels, n: ([1] * n + mask, [1] * n + labels), "unos"),
            (lambda mask, labels, n: ([1] * n + mask, labels + [-100] * n), "el hueco va delante"),
            (lambda mask, labels, n: ([1] * (n + len(mask)), [-100] * n + labels), "no debe cambiar"),
            (lambda mask, labels, n: ([-100] * n + labels, [1] * n + mask), "antes que la máscara"),
            (lambda mask, labels, n: ([1] * n + mask, [-100] * (n + len(labels))), "has borrado"),
        ],
    ),
    "lab-14.3": Exercise(
        "lab-14.3",
        "óptimos de Pareto",
        _check_pareto,
        wrong=[
            (_strict, "con diez veces más"),
            (_mutual, "no se dominan"),
            (_same_quality, "entrena lo mismo"),
            (_most_accurate, "más aciertan"),
            (_smallest, "menos entrena"),
            (lambda methods: set(methods), "con diez veces más"),
            (lambda methods: set(methods) - {"d"}, "entrena lo mismo"),
        ],
    ),
}  # fmt: skip
