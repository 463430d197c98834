"""Las afirmaciones de un lab: se escriben con su sí o su no y, con los modelos mini, además se exigen.

No calcula nada: quien la usa trae ya el intervalo. Con otros modelos el efecto puede no darse, y entonces se cuenta.
"""

from utils.course.scale import by_scale


def claim(text: str, holds: bool) -> None:
    """Escribe si una afirmación se cumple; a escala mini, `AssertionError` si no se cumple.

    >>> claim("Dos y dos son cuatro", 2 + 2 == 4)
    Dos y dos son cuatro: sí
    """
    print(f"{text}: {'sí' if holds else 'no'}")
    assert holds or not by_scale(mini=True, gpu=False), text
