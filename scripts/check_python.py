# -*- coding: utf-8 -*-
"""Comprueba que este Python sirve para el curso: el que piden los paquetes de requirements.txt, y con venv.

El rango lo deduce `make requisitos` de esos paquetes y lo apunta en la línea «# Python» de requirements.txt.
No usa nada que un Python antiguo no entienda: ha de poder quejarse desde cualquiera. No instala nada.
"""
import io
import os
import re
import sys

REQUIREMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "requirements.txt")


def numbers(text):
    """Los números de una versión: «3.14.1» son (3, 14, 1), y «3.11», (3, 11, 0)."""
    return tuple([int(part) for part in text.split(".")] + [0, 0])[:3]


def accepted_range(path=REQUIREMENTS):
    """Devuelve el rango que admiten los paquetes fijados, como «>=3.11,!=3.14.1»."""
    with io.open(path, encoding="utf-8") as file:
        return re.search(r"^# Python (\S+)$", file.read(), re.MULTILINE).group(1)


def accepts(rule, version):
    """Dice si una versión, como (3, 11, 2), cumple una condición del rango, como «!=3.14.1»."""
    sign, text = re.match(r"(>=|<|!=)(.+)$", rule).groups()
    version, limit = tuple(version[:3]), numbers(text)
    return {">=": version >= limit, "<": version < limit, "!=": version != limit}[sign]


def check(version, has_venv, accepted):
    """Devuelve la frase de error que corresponde, o una cadena vacía si este Python sirve."""
    rules = accepted.split(",")
    minimum = rules[0].replace(">=", "")
    this = ".".join(str(part) for part in version[:3])
    if not accepts(rules[0], version):
        return "El curso necesita Python %s o posterior y este es %s: instala uno y repite con %s." % (
            minimum, this, "«make ... PYTHON=python%s»" % minimum,
        )
    if not all(accepts(rule, version) for rule in rules):
        return "Algún paquete del curso no admite Python %s (admiten %s): usa otro y repite con %s." % (
            this, accepted, "«make ... PYTHON=python%s»" % minimum,
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
    message = check(tuple(sys.version_info[:3]), venv_available(), accepted_range())
    if message:
        sys.stderr.write(message + "\n")
        sys.exit(1)
