"""Antes de un BPE de bytes: partir el texto en «palabras» y poner nombre visible a cada byte.

Es la pretokenización de GPT-2, la de `ByteLevel(add_prefix_space=False)` en `tokenizers`. No normaliza, no pasa a
minúsculas y no quita nada: pegadas, las palabras dan el texto. Fuente: Radford et al. (2019), sección 2.2.
"""

import regex  # como `re`, pero entiende las clases de Unicode: \p{L}, letras; \p{N}, cifras

#: Las «palabras» de GPT-2: contracciones inglesas, y letras, cifras o signos con el espacio de delante pegado.
GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
WORDS = regex.compile(GPT2_PATTERN)


def byte_symbols() -> dict[int, str]:
    """El carácter imprimible con que GPT-2 escribe cada byte, en el orden de sus ids.

    Los bytes que ya son un carácter visible de Latin-1 se quedan como están; los 68 restantes toman los caracteres
    que siguen a U+0100, así que el espacio se escribe «Ġ». Sirve para guardar las fusiones en un archivo de texto.

    >>> symbols = byte_symbols()
    >>> len(symbols), symbols[ord("a")], symbols[ord(" ")], list(symbols)[0] == ord("!")
    (256, 'a', 'Ġ', True)
    """
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + i) for i, byte in enumerate(hidden)}


def split_words(text: str) -> list[str]:
    """Parte un texto en las «palabras» de GPT-2, sin perder ningún carácter; ninguna fusión cruza esas fronteras.

    Las letras y las cifras son las del Unicode que conozca la biblioteca `regex`: con un carácter más nuevo que las
    tablas de `tokenizers`, las dos pueden partir distinto. ValueError si no recibe texto.

    >>> split_words("¡La niña  tiene 12 años!")
    ['¡', 'La', ' niña', ' ', ' tiene', ' 12', ' años', '!']
    """
    return WORDS.findall(check_text(text))


def check_text(text: str) -> str:
    """Devuelve el texto si se puede escribir en UTF-8; si no, ValueError con lo que hay que hacer."""
    if not isinstance(text, str):
        raise ValueError(f"Se esperaba un texto (str) y llegó {type(text).__name__}: decodifica antes los bytes.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"El carácter {error.start} es medio par sustituto y no existe en UTF-8: une las dos mitades de cada emoji "
            'con text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"); las sueltas quedan como «�».'
        ) from None
    return text
