"""Texto en forma canónica y sus palabras, sin estropear el español: á, ñ y ü son letras.

La tokenización habitual de ROUGE borra lo que no sea a-z o 0-9, así que parte «niño» en «ni» y «o» (errata
50). Aquí una palabra es una secuencia de letras o cifras de Unicode. Sobre texto ASCII, `words` da lo mismo
que rouge-score sin raíces (*stemming*). No quita tildes, no corrige ortografía y no conoce la morfología.
"""

import re
import unicodedata

# Las marcas combinantes que NFC no logra componer se quedan con su letra. \w incluye el guion bajo: se quita antes.
_WORD = re.compile(r"\w[\w\u0300-\u036f]*")


def normalize(text: str) -> str:
    """Minúsculas, Unicode NFC («e» + tilde suelta = «é») y espacios simples, sin los de los extremos.

    Sirve para comparar respuestas cortas. Conserva tildes y puntuación. ValueError si no recibe texto.

    >>> normalize("  El NIÑO  pasó. ")
    'el niño pasó.'
    """
    if not isinstance(text, str):
        raise ValueError(
            f"Se esperaba un texto (str) y llegó {type(text).__name__}: convierte antes el dato."
        )
    return " ".join(unicodedata.normalize("NFC", text.lower()).split())


def words(text: str) -> list[str]:
    """Las palabras de un texto, normalizadas y sin puntuación.

    >>> words("¿Pasó el niño, a las 10:30?")
    ['pasó', 'el', 'niño', 'a', 'las', '10', '30']
    """
    return _WORD.findall(normalize(text).replace("_", " "))
