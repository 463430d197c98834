"""Datos personales que se reconocen por su forma: correo, teléfono, dirección IP y DNI. Se tapan con una marca.

Cada patrón se acompaña de una comprobación que evita confundirlo: los octetos y la palabra «versión» en una IP, la
letra de control en un DNI, el prefijo y lo que sigue («€», «millones») en un teléfono.

Lo que NO hace: reconocer nombres, direcciones postales ni datos sin forma fija. Un número de pedido de nueve cifras que
empiece por 6, 7, 8 o 9 se toma por teléfono: tapar de más es el error barato.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+%-]*[\w+%-]@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}(?![\w@])")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")
_DNI = re.compile(r"(?<!\w)([XYZxyz]?)-?(\d{7,8}|\d{1,2}\.\d{3}\.\d{3})[- ]?([A-Za-z])(?!\w)")
# España: 9 cifras que empiezan por 6-9, juntas o en grupos de 3-3-3, 3-2-2-2 o 2-3-2-2; delante, quizá, +34.
_SPANISH = (
    r"(?:\+34[ .-]?|0034[ .-]?)?(?:[6-9]\d{8}|[6-9]\d{2}([ .-])\d{3}\1\d{3}"
    r"|[6-9]\d{2}([ .-])\d{2}\2\d{2}\2\d{2}|[89]\d([ .-])\d{3}\3\d{2}\3\d{2})"
)
_ABROAD = r"\+(?!34)[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]?\d{2,4}){1,3}"
_PHONE = re.compile(rf"(?<![\w.,/+-])(?:{_SPANISH}|{_ABROAD})(?![\w/]|[.,-]\d)")
# Lo que delata que el número no es un teléfono: una moneda, una unidad o una cantidad.
_QUANTITY = re.compile(r"\s?(?:[€$%]|(?:euros?|d[óo]lares|pesos|millones|kg|km|habitantes|unidades)\b)", re.I)
_VERSION = re.compile(r"(?:versi[óo]n|versions?|release|build|firmware|v)[ .:]*$", re.I)
_CURRENCY = re.compile(r"[€$£]\s?$")


@dataclass(frozen=True)
class Found:
    """Un dato personal: qué es y entre qué posiciones del texto está."""

    kind: str
    start: int
    end: int
    text: str


def find_personal_data(text: str) -> list[Found]:
    """Los datos personales de un texto, en orden y sin solaparse; si dos chocan, manda el que empieza antes.

    >>> [(f.kind, f.text) for f in find_personal_data("Escribe a ana@correo.es o llama al 612 345 678.")]
    [('correo', 'ana@correo.es'), ('teléfono', '612 345 678')]
    """
    found: list[Found] = []
    for candidate in sorted(_candidates(text), key=lambda f: (f.start, -f.end)):
        if not found or candidate.start >= found[-1].end:
            found.append(candidate)
    return found


def mask_personal_data(text: str) -> str:
    """El mismo texto con una marca en cada dato: [CORREO], [TELÉFONO], [IP] o [DNI].

    La marca conserva la forma de la frase, así que el modelo aprende que ahí iba un teléfono y no cuál.

    >>> mask_personal_data("El 612345678 entró desde 192.168.1.20 y pagó 612.345.678 €.")
    'El [TELÉFONO] entró desde [IP] y pagó 612.345.678 €.'
    """
    if not isinstance(text, str):
        raise ValueError(f"Se esperaba un texto (str) y llegó {type(text).__name__}: convierte antes el dato.")
    for item in reversed(find_personal_data(text)):
        text = f"{text[: item.start]}[{item.kind.upper()}]{text[item.end :]}"
    return text


def _candidates(text: str) -> Iterator[Found]:
    for match in _EMAIL.finditer(text):
        yield _found("correo", match)
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            if _is_ip(match[0]) and not _VERSION.search(text[: match.start()]):
                yield _found("ip", match)
    for match in _DNI.finditer(text):
        if _is_dni(*match.groups()):
            yield _found("dni", match)
    for match in _PHONE.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        if not _QUANTITY.match(after) and not _CURRENCY.search(before):
            yield _found("teléfono", match)


def _found(kind: str, match: re.Match) -> Found:
    return Found(kind, match.start(), match.end(), match[0])


def _is_ip(text: str) -> bool:
    """Lo decide la biblioteca estándar: 300.1.1.1 y 01.02.03.04 no son direcciones."""
    try:
        return ipaddress.ip_address(text) is not None and text.strip(":") != ""
    except ValueError:
        return False


def _is_dni(prefix: str, digits: str, letter: str) -> bool:
    """La letra de un DNI o NIE es el resto de dividir el número entre 23; X, Y y Z valen 0, 1 y 2."""
    digits = digits.replace(".", "")
    if len(digits) != (7 if prefix else 8):
        return False
    number = int(f"{'XYZ'.index(prefix.upper())}{digits}" if prefix else digits)
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == letter.upper()
