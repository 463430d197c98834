"""Las afirmaciones de un lab, que se escriben con su sí o su no: lo que debe cumplirse siempre y lo que ha salido aquí.

Un invariante (`invariant`) se exige con cualquier modelo: si falla, hay un error. Un efecto (`claim`) se exige con los
modelos mini; con otros puede no darse, y entonces se cuenta. No calculan nada: quien las usa trae ya el intervalo.
"""

from utils.course.scale import by_scale


def claim(text: str, holds: bool) -> None:
    """Escribe si una afirmación se cumple; a escala mini, `AssertionError` si no se cumple.

    >>> claim("Dos y dos son cuatro", 2 + 2 == 4)
    Dos y dos son cuatro: sí
    """
    print(f"{text}: {'sí' if holds else 'no'}")
    assert holds or not by_scale(mini=True, gpu=False), text


def invariant(text: str, holds: bool) -> None:
    """Escribe si se cumple algo que no depende del modelo ni del azar; `AssertionError` a cualquier escala si no.

    >>> invariant("El orden de los sumandos da igual", 2 + 3 == 3 + 2)
    El orden de los sumandos da igual: sí
    """
    print(f"{text}: {'sí' if holds else 'no'}")
    assert holds, text
