"""Comprueba que unos tamaños (capas, dimensiones, lote...) son enteros positivos.

Lo que NO hace: comprobar que encajan entre sí; eso lo sabe cada cuenta.
"""


def require_positive_integers(**sizes: int) -> None:
    """`ValueError`, con el nombre del primero que falla, si alguno no es un entero mayor que 0.

    >>> require_positive_integers(batch=8, length=0)
    Traceback (most recent call last):
        ...
    ValueError: length debe ser un entero mayor que 0 y es 0.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} debe ser un entero mayor que 0 y es {size!r}.")
