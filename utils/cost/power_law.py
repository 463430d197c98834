"""Ajustar leyes de potencia a entrenamientos: una recta en log-log, la ley L(N, D) entera y las parábolas IsoFLOP.

Cada ajuste va con su remuestreo (*bootstrap*): se sacan entrenamientos con reposición, se ajusta de nuevo y el
intervalo son los percentiles de lo que sale.

Lo que NO hace: entrenar (`utils.studies.scaling_run`) ni decir qué hacer con la ley (`utils.cost.scaling`).
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import least_squares

from utils.cost.scaling import LossLaw
from utils.course import env
from utils.measure.stats import Interval

#: A partir de qué error en el logaritmo de la pérdida deja de crecer al cuadrado: el de Hoffmann et al. (2022).
HUBER_DELTA = 1e-3


def fit_line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """La potencia y = c · x^k que mejor pasa por los puntos en log-log: (k, c). Error si algo no es positivo.

    >>> k, c = fit_line([1, 10, 100], [5, 0.5, 0.05])
    >>> round(k, 3), round(c, 3)
    (-1.0, 5.0)
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) < 2 or len(x) != len(y) or (x <= 0).any() or (y <= 0).any():
        raise ValueError("Para una recta en log-log hacen falta al menos 2 pares de números mayores que 0.")
    slope, intercept = np.polyfit(np.log(x), np.log(y), 1)
    return float(slope), float(np.exp(intercept))


def fit_loss_law(
    parameters: Sequence[float],
    tokens: Sequence[float],
    losses: Sequence[float],
    *,
    irreducible: float | None = None,
    start: LossLaw | None = None,
) -> LossLaw:
    """La ley E + A/N^α + B/D^β que mejor explica unas pérdidas, por Huber sobre el logaritmo de la pérdida.

    Con `irreducible` se da E por sabida y se ajustan las otras cuatro constantes. Sin `start` se prueban tres comienzos
    y se queda el mejor. Hoffmann et al. minimizan con L-BFGS, que se paró antes de tiempo; aquí, con mínimos cuadrados
    no lineales, que llegan al fondo desde cualquiera de los tres. Error si hay menos puntos que constantes. Fuente:
    Hoffmann et al. (2022), ecuación 3.

    >>> true = LossLaw(E=1.7, A=400, B=2000, alpha=0.35, beta=0.37)
    >>> n, d = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e11, 4)))
    >>> found = fit_loss_law(n, d, true.loss(n, d))
    >>> round(found.E, 3), round(found.alpha, 3), round(found.beta, 3)
    (1.7, 0.35, 0.37)
    """
    n, d, target = (np.log(np.asarray(v, float)) for v in (parameters, tokens, losses))  # (R,)
    free = 4 if irreducible is not None else 5
    if not len(n) == len(d) == len(target) or len(n) < free:
        raise ValueError(f"Hay {len(n)} entrenamientos y {free} constantes que ajustar: hacen falta más.")
    if not np.isfinite([n, d, target]).all():
        raise ValueError("Parámetros, tokens y pérdidas deben ser positivos y finitos.")
    # Se centran los logaritmos: así la altura de cada término no depende de su pendiente.
    n_mean, d_mean = n.mean(), d.mean()
    known = None if irreducible is None else math.log(irreducible) if irreducible else -np.inf

    def terms(theta: np.ndarray) -> np.ndarray:
        e = theta[4] if known is None else known
        model, data = theta[0] - np.exp(theta[1]) * (n - n_mean), theta[2] - np.exp(theta[3]) * (d - d_mean)
        return np.stack([model, data, np.full_like(n, e)])  # (3, R), en logaritmos

    def residual(theta: np.ndarray) -> np.ndarray:
        return np.logaddexp.reduce(terms(theta)) - target  # (R,)

    def jacobian(theta: np.ndarray) -> np.ndarray:
        logs, alpha, beta = terms(theta), np.exp(theta[1]), np.exp(theta[3])
        share = np.exp(logs - np.logaddexp.reduce(logs))  # (3, R): qué parte de la pérdida es cada término
        columns = [share[0], -alpha * share[0] * (n - n_mean), share[1], -beta * share[1] * (d - d_mean), share[2]]
        return np.stack(columns[:free], axis=1)  # (R, 4) o (R, 5)

    if start is not None:
        heights = math.log(start.A) - start.alpha * n_mean, math.log(start.B) - start.beta * d_mean
        first = (heights[0], math.log(start.alpha), heights[1], math.log(start.beta), math.log(max(start.E, 1e-9)))
        starts = [first]
    else:
        lowest = target.min()
        starts = [
            (lowest + math.log(h), math.log(slope), lowest + math.log(h), math.log(slope), lowest + math.log(1 - h))
            for h, slope in ((0.05, 0.5), (0.2, 0.3), (0.5, 0.3))
        ]
    fits = [least_squares(residual, s[:free], jacobian, loss="huber", f_scale=HUBER_DELTA, xtol=1e-10) for s in starts]
    a, log_alpha, b, log_beta, *e = min(fits, key=lambda fit: fit.cost).x
    alpha, beta = math.exp(log_alpha), math.exp(log_beta)
    return LossLaw(
        E=math.exp(e[0]) if irreducible is None else irreducible,
        A=math.exp(a + alpha * n_mean),
        B=math.exp(b + beta * d_mean),
        alpha=alpha,
        beta=beta,
    )


def isoflop_minimum(parameters: Sequence[float], losses: Sequence[float]) -> tuple[float, float]:
    """El mínimo de la parábola que pasa por ln N y la pérdida, a cómputo fijo: (N_óptimo, pérdida).

    Error con menos de 3 tamaños distintos o si la parábola no tiene mínimo: entonces no hay tamaños a los dos lados.
    Fuente: Hoffmann et al. (2022), sección 3.2.

    >>> n = np.array([1e6, 1e7, 1e8])
    >>> best, loss = isoflop_minimum(n, 2 + (np.log10(n) - 7.3) ** 2)
    >>> round(math.log10(best), 3), round(loss, 3)
    (7.3, 2.0)
    """
    x, y = np.log(np.asarray(parameters, float)), np.asarray(losses, float)
    if len(np.unique(x)) < 3:
        raise ValueError("Una parábola pide al menos 3 tamaños distintos con el mismo cómputo.")
    centre = x.mean()
    curve, slope, height = np.polyfit(x - centre, y, 2)
    if curve <= 0:
        raise ValueError("La parábola no tiene mínimo: entrena tamaños menores y mayores que el óptimo.")
    return float(np.exp(centre - slope / (2 * curve))), float(height - slope**2 / (4 * curve))


def bootstrap_fits(
    fit: Callable[[np.ndarray], Sequence[float]],
    groups: Sequence,
    *,
    n: int = 1000,
    seed: int | None = None,
) -> np.ndarray:
    """Repite un ajuste sobre entrenamientos sacados con reposición: (n, K), K números por ajuste.

    `fit(índices)` devuelve K números. `groups` (R,) dice a qué grupo pertenece cada entrenamiento, y se remuestrea
    dentro de cada uno, para que ningún presupuesto se quede vacío; todo igual es remuestrear sin grupos. Una remuestra
    en la que el ajuste no existe (`ValueError`) se sortea otra vez. Error si ninguna sirve.

    >>> values = np.array([1.0, 2.0, 3.0])
    >>> bootstrap_fits(lambda i: [values[i].mean()], [0, 0, 0], n=100, seed=0).shape
    (100, 1)
    """
    rng = np.random.default_rng(env.seed() if seed is None else seed)
    labels = np.asarray(groups)
    members = [np.flatnonzero(labels == label) for label in dict.fromkeys(labels.tolist())]
    found, failed = [], 0
    while len(found) < n:
        try:
            found.append(fit(np.concatenate([rng.choice(group, size=len(group)) for group in members])))
        except ValueError as error:
            failed += 1
            if failed > 10 * n:
                raise ValueError(
                    f"Casi ninguna remuestra se puede ajustar ({error}): hacen falta más puntos."
                ) from None
    return np.asarray(found, float)  # (n, K)


def interval(estimate: float, samples: np.ndarray, level: float = 0.95) -> Interval:
    """El intervalo de percentiles de unas remuestras (R,), con su estimación.

    >>> print(interval(0.5, np.linspace(0, 1, 101)))
    0,500 [0,025; 0,975]
    """
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(estimate), float(low), float(high), level, len(samples))
