"""Cuánto olvida un modelo: varias tareas puntuadas antes y después de aprender otra.

Las notas de un modelo son un diccionario tarea -> aciertos, un 0 o un 1 por ejemplo y siempre en el mismo orden. El
olvido de una tarea es la nota de antes menos la de después; el de varias, su media, y cada tarea pesa lo mismo tenga
los ejemplos que tenga. El intervalo remuestrea ejemplos dentro de cada tarea, por parejas: el mismo ejemplo antes y
después. Para una serie de tareas aprendidas una tras otra están también las medidas de Lopez-Paz y Ranzato (2017).

Lo que NO hace: entrenar, ni decir por qué se ha olvidado. El intervalo cuenta el azar de los ejemplos de prueba y no
el del entrenamiento: para ese hay que repetir con otras semillas.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from utils.course import env
from utils.measure.stats import Interval
from utils.model.decoding import generate_texts

Scores = Mapping[str, Sequence[float] | np.ndarray]


def exact_match(outputs: Sequence[str], answers: Sequence[str]) -> np.ndarray:
    """1 si la respuesta es la esperada, letra por letra; si no, 0. Devuelve (N,). Error si no hay tantas como outputs.

    >>> exact_match(["positivo", "Negativo"], ["positivo", "negativo"]).tolist()
    [1.0, 0.0]
    """
    if len(outputs) != len(answers):
        raise ValueError(f"Hay {len(outputs)} respuestas y {len(answers)} soluciones: pasa una por cada una.")
    return np.array([output.strip() == answer.strip() for output, answer in zip(outputs, answers, strict=True)], float)


def score_tasks(
    model, tokenizer, tasks: Mapping[str, Sequence[Mapping]], *, max_new_tokens: int
) -> dict[str, np.ndarray]:
    """Los aciertos exactos del modelo en cada tarea, con decodificación voraz. No cambia el modelo.

    `tasks` es tarea -> ejemplos con «prompt» y «completion». Error si una tarea no tiene ejemplos.
    """
    if empty := [name for name, rows in tasks.items() if not len(rows)]:
        raise ValueError(f"No hay ejemplos de {', '.join(empty)}: quita la tarea o dale datos.")
    rows = [row for group in tasks.values() for row in group]
    prompts = [row["prompt"] for row in rows]
    outputs = generate_texts(model, tokenizer, prompts, max_new_tokens=max_new_tokens)
    hits = exact_match(outputs, [row["completion"] for row in rows])  # (N,)
    ends = np.cumsum([len(group) for group in tasks.values()])
    return dict(zip(tasks, np.split(hits, ends[:-1]), strict=True))


def average_score(scores: Scores, **options) -> Interval:
    """La media de las notas de todas las tareas, cada una con el mismo peso, y su intervalo.

    `options` son las de `forgetting`: n, level y seed.

    >>> average_score({"a": [1, 1], "b": [1, 1, 0, 0]}).estimate
    0.75
    """
    return _stratified({name: np.asarray(values, float) for name, values in scores.items()}, **options)


def forgetting(before: Scores, after: Scores, **options) -> Interval:
    """El olvido: media, sobre las tareas, de la nota de `before` menos la de `after`. Positivo si se ha perdido.

    Con los aciertos de dos modelos ajustados de maneras distintas dice cuánto más conserva el primero. `options`: n
    remuestras (10 000), `level` (0.95) y `seed` (la del curso). Error si las tareas o los ejemplos no son los mismos.

    >>> forgetting({"copia": [1, 1, 1, 1]}, {"copia": [1, 0, 0, 0]}).estimate
    0.75
    """
    if before.keys() != after.keys():
        odd = ", ".join(sorted(before.keys() ^ after.keys()))
        raise ValueError(f"Antes y después deben tener las mismas tareas; solo en un lado: {odd}.")
    losses = {}
    for name in before:
        first, last = np.asarray(before[name], float), np.asarray(after[name], float)
        if first.shape != last.shape:
            raise ValueError(f"«{name}» tiene {first.size} ejemplos antes y {last.size} después: puntúa los mismos.")
        losses[name] = first - last  # (N,)
    return _stratified(losses, **options)


def average_accuracy(table: Sequence[Sequence[float]] | np.ndarray) -> float:
    """ACC: la nota media en las T tareas después de aprender la última. Lopez-Paz y Ranzato (2017), ecuación 2.

    `table[i][j]` es la nota en la tarea j tras aprender la tarea i, (T, T).

    >>> average_accuracy([[0.9, 0.1], [0.5, 0.7]])
    0.6
    """
    return float(_square(table)[-1].mean())


def backward_transfer(table: Sequence[Sequence[float]] | np.ndarray) -> float:
    """BWT: cuánto cambia, de media, la nota de cada tarea desde que se aprendió hasta el final. Ecuación 3.

    Negativa si se olvida; positiva si lo que vino después ayudó. La última tarea no cuenta.

    >>> round(backward_transfer([[0.9, 0.1], [0.5, 0.7]]), 3)
    -0.4
    """
    scores = _square(table)
    if len(scores) < 2:
        raise ValueError("Con una sola tarea no hay nada que olvidar: hacen falta dos o más.")
    return float((scores[-1] - scores.diagonal())[:-1].mean())


def _square(table) -> np.ndarray:
    scores = np.asarray(table, float)
    if scores.ndim != 2 or scores.shape[0] != scores.shape[1] or not scores.size:
        raise ValueError(f"La tabla debe ser cuadrada, una fila y una columna por tarea, y es {scores.shape}.")
    return scores


def _stratified(
    values: Mapping[str, np.ndarray], n: int = 10_000, level: float = 0.95, seed: int | None = None
) -> Interval:
    """Media de las medias por tarea; se remuestrea dentro de cada tarea y se toman los percentiles."""
    if not values:
        raise ValueError("No hay ninguna tarea que medir.")
    rng = np.random.default_rng(env.seed() if seed is None else seed)
    draws = np.zeros(n)
    for name, items in values.items():
        if items.ndim != 1 or len(items) < 2 or not np.isfinite(items).all():
            raise ValueError(f"«{name}» necesita al menos 2 ejemplos con una nota finita cada uno.")
        draws += items[rng.integers(len(items), size=(n, len(items)))].mean(axis=1)  # (n,)
    low, high = np.quantile(draws / len(values), [(1 - level) / 2, (1 + level) / 2])
    estimate = np.mean([items.mean() for items in values.values()])
    return Interval(float(estimate), float(low), float(high), level, sum(map(len, values.values())))
