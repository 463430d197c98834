# -*- coding: utf-8 -*-
"""Comprueba que este Python sirve para el curso: 3.11 o posterior, y con venv.

No usa nada que un Python antiguo no entienda: ha de poder quejarse desde cualquiera. No instala nada.
"""
import sys

MINIMUM = (3, 11)


def check(version, has_venv):
    """Devuelve la frase de error que corresponde, o una cadena vacía si este Python sirve."""
    if tuple(version[:2]) < MINIMUM:
        return "El curso necesita Python %d.%d o posterior y este es %d.%d: instala uno y repite con %s." % (
            MINIMUM + tuple(version[:2]) + ("«make ... PYTHON=python3.11»",)
        )
    if not has_venv:
        return "A este Python le falta venv: en Debian o Ubuntu, instala el paquete python3-venv y repite."
    return ""


def venv_available():
    """Dice si se puede crear un entorno con pip dentro (Debian los reparte aparte)."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    message = check(sys.version_info, sys.version_info >= MINIMUM and venv_available())
    if message:
        sys.stderr.write(message + "\n")
        sys.exit(1)
