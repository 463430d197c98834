"""De muchas comparaciones a una puntuación por respuesta: el ajuste de Bradley-Terry.

El modelo dice que a gana a b con probabilidad σ(s_a − s_b). Las puntuaciones que hacen más probable lo observado se
buscan con el método de Newton: la pérdida es la de una regresión logística y tiene un solo mínimo.

Lo que NO hace: puntuar respuestas que nadie ha comparado; eso lo hace un modelo de recompensa (`utils.align.reward`).
Fuente: Bradley y Terry (1952).
"""

from collections.abc import Iterable

import numpy as np

STEPS = 50


def win_table(pairs: Iterable[tuple[int, int]], size: int) -> np.ndarray:
    """Cuántas veces ganó la fila a la columna, (N, N), de parejas (preferida, otra) con índices de 0 a N − 1.

    >>> win_table([(0, 1), (0, 1), (1, 2)], size=3).astype(int).tolist()
    [[0, 2, 0], [0, 0, 1], [0, 0, 0]]
    """
    wins = np.zeros((size, size))
    for winner, loser in pairs:
        if winner == loser or not (0 <= winner < size and 0 <= loser < size):
            raise ValueError(f"La pareja ({winner}, {loser}) no compara dos respuestas distintas de las {size}.")
        wins[winner, loser] += 1
    return wins


def fit_scores(wins: np.ndarray, shrink: float = 0.1) -> np.ndarray:
    """Las puntuaciones de Bradley-Terry de una tabla de victorias (N, N) -> (N,), con media 0.

    Solo cuentan las diferencias, así que se centran. `shrink` las acerca un poco a cero, como un ½·shrink·s² en la
    pérdida: sin él, una respuesta que lo gana todo tendría puntuación infinita. Error si la tabla no es cuadrada, si
    tiene números negativos o si `shrink` no es positivo.

    >>> fit_scores(np.array([[0, 30], [10, 0]]), shrink=1e-6).round(3)  # la diferencia es ln(30/10) = 1,099
    array([ 0.549, -0.549])
    """
    wins = np.asarray(wins, dtype=float)
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1] or not np.isfinite(wins).all() or (wins < 0).any():
        raise ValueError("La tabla de victorias debe ser cuadrada, con números de 0 en adelante.")
    if not shrink > 0:
        raise ValueError(f"shrink debe ser mayor que 0 y es {shrink}: sin él puede no haber solución finita.")
    games, scores = wins + wins.T, np.zeros(len(wins))  # (N, N), (N,)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(scores[None] - scores[:, None]))  # (N, N): que la fila gane a la columna
        slope = (wins - games * p).sum(axis=1) - shrink * scores  # (N,)
        curve = games * p * (1 - p)  # (N, N)
        step = np.linalg.solve(np.diag(curve.sum(axis=1) + shrink) - curve, slope)  # (N,)
        scores = scores + np.clip(step, -2, 2)  # lejos del mínimo, Newton se pasa de largo
        if np.abs(step).max() < 1e-10:
            break
    return scores - scores.mean()
