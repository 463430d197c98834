"""pass@k: la probabilidad de que al menos uno de k intentos pase las pruebas, estimada con n >= k intentos.

Con n intentos por problema, de los que c pasan, se cuenta qué parte de los grupos de k no contiene ninguno bueno. Es
un estimador sin sesgo; 1 - (1 - c/n)^k, que parece lo mismo, se queda corto. Fuente: Chen et al. (2021), «Evaluating
Large Language Models Trained on Code», ecuación 1.

Lo que NO hace: ejecutar programas. Quien lo haga, en un entorno aislado.
"""

from math import prod


def pass_at_k(n: int, c: int, k: int) -> float:
    """La estimación de pass@k en un problema con n intentos y c buenos: 1 - C(n - c, k) / C(n, k), entre 0 y 1.

    Error si no se cumple 0 <= c <= n y 1 <= k <= n.

    >>> round(pass_at_k(n=10, c=3, k=1), 3), round(pass_at_k(n=10, c=3, k=5), 3)
    (0.3, 0.917)
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"Hacen falta 0 <= c <= n y 1 <= k <= n, y son n = {n}, c = {c} y k = {k}.")
    return 1.0 - prod((n - c - i) / (n - i) for i in range(k)) if n - c >= k else 1.0
