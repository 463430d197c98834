"""Datos personales que se reconocen por su forma: correo, teléfono, IP, DNI, IBAN y tarjeta. Se tapan con una marca.

Cada patrón se acompaña de una comprobación que evita confundirlo: los octetos y la palabra «versión» o «sección» en una
IP, la letra de control en un DNI, el resto de 97 en un IBAN (ISO 13616), la suma de Luhn en una tarjeta (ISO/IEC 7812),
y el prefijo y lo que sigue («€», «millones») en un teléfono.

Lo que NO hace: reconocer nombres, direcciones postales ni datos sin forma fija, ni otros documentos (pasaporte,
matrícula, número de la Seguridad Social). Un número de pedido de nueve cifras que empiece por 6, 7, 8 o 9 se toma por
teléfono: tapar de más es el error barato.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from utils.text.normalize import normalize

_MARKS = r"\u0300-\u036f"  # las tildes sueltas de un texto descompuesto (NFD)
_EMAIL = re.compile(
    rf"(?<![\w{_MARKS}.+%-])[\w{_MARKS}.+%-]*[\w{_MARKS}+%-]@"
    rf"(?:[^\W_](?:[\w{_MARKS}-]*[^\W_])?[{_MARKS}]*\.)+(?:[^\W\d_][{_MARKS}]*){{2,}}(?![\w@])"
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")
#: Las direcciones IPv6 que se reparten a máquinas: públicas, privadas y de enlace. «10::30» y «C::D» no lo son.
_IPV6_RANGES = [ipaddress.ip_network(block) for block in ("2000::/3", "fc00::/7", "fe80::/10")]
_DNI = re.compile(r"(?<!\w)([XYZxyz]?)-?(\d{7,8}|\d{1,2}\.\d{3}\.\d{3})[- ]?([A-Za-z])(?!\w)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z\d]){11,30}(?!\w)", re.A)
# De 13 a 19 cifras seguidas, o en los grupos que lleva grabados el plástico: de cuatro en cuatro o 4-6-5 y 4-6-4.
_CARD = re.compile(
    r"(?<![\w.,+-])(?:[2-6]\d{12,18}|[2-6]\d{3}(?P<a>[ -])\d{4}(?P=a)\d{4}(?P=a)\d{4}(?:(?P=a)\d{1,3})?"
    r"|3\d{3}(?P<b>[ -])\d{6}(?P=b)\d{4,5})(?!\w|[.,-]\d)",
    re.A,
)
_GAP = r"[ .\u00a0\u202f-]"  # también los espacios que no se parten
# España: 9 cifras que empiezan por 6-9, juntas o en grupos de 3-3-3, 3-2-2-2 o 2-3-2-2; delante, quizá, +34, y el
# prefijo de la provincia, quizá entre paréntesis.
_SPANISH = (
    rf"(?:(?:\+|00)34{_GAP}?|\((?:\+|00)34\){_GAP}?)?(?:[6-9]\d{{8}}|[6-9]\d{{2}}({_GAP})\d{{3}}\1\d{{3}}"
    rf"|[6-9]\d{{2}}({_GAP})\d{{2}}\2\d{{2}}\2\d{{2}}|[89]\d({_GAP})\d{{3}}\3\d{{2}}\3\d{{2}}"
    rf"|\([6-9]\d{{2}}\){_GAP}?(?:\d{{3}}{_GAP}?\d{{3}}|\d{{2}}{_GAP}?\d{{2}}{_GAP}?\d{{2}})"
    rf"|\([89]\d\){_GAP}?\d{{3}}{_GAP}?\d{{2}}{_GAP}?\d{{2}})"
)
_ABROAD = (
    rf"(?:\+(?!34)[1-9]\d{{0,2}}|\(\+(?!34)[1-9]\d{{0,2}}\)){_GAP}?(?:\(\d{{1,4}}\){_GAP}?)?"
    rf"\d{{2,4}}(?:{_GAP}?\d{{2,4}}){{1,3}}"
)
_PHONE = re.compile(rf"(?:(?<![\w.,/+-])|(?=\())(?:{_SPANISH}|{_ABROAD})(?![\w/]|[.,-]\d)")
# Lo que delata que el número no es un teléfono: una moneda, una unidad o una cantidad.
_QUANTITY = re.compile(r"\s?(?:[€$%]|(?:euros?|d[óo]lares|pesos|millones|kg|km|habitantes|unidades)\b)", re.I)
_CURRENCY = re.compile(r"[€$£]\s?$")
# Y que no es una IP: delante va una versión o un apartado, quizá tras otros («secciones 3.1.4.1 y»).
_NOT_AN_IP = re.compile(
    r"(?:§|\b(?:versi[óo]n(?:es)?|versions?|releases?|builds?|firmware|v|secci[óo]n(?:es)?|sections?|secc?|apartados?"
    r"|apdo|cap[íi]tulos?|cap|ep[íi]grafes?|art[íi]culos?|art|p[áa]rrafos?|puntos?|figuras?|fig|tablas?|anexos?"
    r"|normas?|oid))[ .:º§]*(?:[\d.]+(?: ?, ?| y | o | a | al | ?[-–] ?))*$"
)
_CONTEXT = 40  # caracteres que se miran delante: si fuera todo el texto, cada IP costaría una lectura entera


@dataclass(frozen=True)
class Found:
    """Un dato personal: qué es y entre qué posiciones del texto está."""

    kind: str
    start: int
    end: int
    text: str


def find_personal_data(text: str) -> list[Found]:
    """Los datos personales de un texto, en orden y sin solaparse; si dos chocan, manda el que empieza antes.

    >>> [(f.kind, f.text) for f in find_personal_data("Escribe a ana@correo.es o llama al (+34) 612 345 678.")]
    [('correo', 'ana@correo.es'), ('teléfono', '(+34) 612 345 678')]
    """
    if not isinstance(text, str):
        raise ValueError(f"Se esperaba un texto (str) y llegó {type(text).__name__}: convierte antes el dato.")
    found: list[Found] = []
    for candidate in sorted(_candidates(text), key=lambda f: (f.start, -f.end)):
        if not found or candidate.start >= found[-1].end:
            found.append(candidate)
    return found


def mask_personal_data(text: str) -> str:
    """El mismo texto con una marca en cada dato: [CORREO], [TELÉFONO], [IP], [DNI], [IBAN] o [TARJETA].

    La marca conserva la forma de la frase, así que el modelo aprende que ahí iba un teléfono y no cuál.

    >>> mask_personal_data("El 612345678 entró desde 192.168.1.20 y pagó 612.345.678 €.")
    'El [TELÉFONO] entró desde [IP] y pagó 612.345.678 €.'
    """
    parts, end = [], 0
    for item in find_personal_data(text):
        parts += [text[end : item.start], f"[{item.kind.upper()}]"]
        end = item.end
    return "".join([*parts, text[end:]])


def _candidates(text: str) -> Iterator[Found]:
    for match in _EMAIL.finditer(text):
        yield _found("correo", match)
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            before = normalize(text[max(0, match.start() - _CONTEXT) : match.start()])
            if _is_ip(match[0]) and not _NOT_AN_IP.search(before + " "):
                yield _found("ip", match)
    for match in _DNI.finditer(text):
        if _is_dni(*match.groups()):
            yield _found("dni", match)
    for match in _IBAN.finditer(text):
        if size := _iban_length(match[0]):
            yield Found("iban", match.start(), match.start() + size, match[0][:size])
    for match in _CARD.finditer(text):
        if _is_card(match[0]):
            yield _found("tarjeta", match)
    for match in _PHONE.finditer(text):
        start, end = match.span()
        if not _QUANTITY.match(text, end) and not _CURRENCY.search(text, max(0, start - 2), start):
            yield _found("teléfono", match)


def _found(kind: str, match: re.Match) -> Found:
    return Found(kind, match.start(), match.end(), match[0])


def _is_ip(text: str) -> bool:
    """Lo decide la biblioteca estándar: 300.1.1.1 y 01.02.03.04 no son direcciones. De IPv6, solo las repartidas."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.version == 4 or any(address in block for block in _IPV6_RANGES)


def _is_dni(prefix: str, digits: str, letter: str) -> bool:
    """La letra de un DNI o NIE es el resto de dividir el número entre 23; X, Y y Z valen 0, 1 y 2."""
    digits = digits.replace(".", "")
    if len(digits) != (7 if prefix else 8):
        return False
    number = int(f"{'XYZ'.index(prefix.upper())}{digits}" if prefix else digits)
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == letter.upper()


def _iban_length(text: str) -> int:
    """Cuántos caracteres de `text`, desde el primero, son un IBAN; 0 si ninguno. Detrás puede ir otra palabra.

    Las cuatro primeras casillas pasan al final, cada letra vale de 10 (A) a 35 (Z), y el número da 1 al dividir por 97.

    >>> _iban_length("ES91 2100 0418 4502 0005 1332 HOY"), _iban_length("ES92 2100 0418 4502 0005 1332")
    (29, 0)
    """
    for end in range(len(text), 14, -1):
        compact = re.sub("[ -]", "", text[:end])
        if text[end : end + 1].isalnum() or len(compact) < 15 or not text[end - 1].isalnum():
            continue
        if int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1:
            return end
    return 0


def _is_card(text: str) -> bool:
    """La suma de Luhn: se doblan las cifras alternas desde la penúltima, se suman todas y da un múltiplo de 10.

    >>> _is_card("4111 1111 1111 1111"), _is_card("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(c) for c in text if c.isdigit()][::-1]
    return (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0
