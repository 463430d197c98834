"""Escribir números en español: decimales, cifras significativas, potencias de 10 y la escala larga («billones»).

Es el único sitio donde un punto pasa a coma. Los widgets escriben igual en JavaScript
(`_static/course/widgets/form.mjs`) y una prueba compara los dos. No hace: leer números escritos.
"""

import math

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, decimals: int | None = None) -> str:
    """Escribe un número en español: coma decimal y, desde 10 000, espacio de millares.

    >>> number(0.4125, 3), number(12345.5), number(-2)
    ('0,412', '12\\xa0345,5', '−2')
    """
    text = f"{value:,.{decimals}f}" if decimals is not None else f"{value:,.10g}"
    return _spanish(text)


def comma(value: float, spec: str) -> str:
    """Escribe un número con el formato `spec` y coma decimal, sin tocar lo demás: para tablas de texto.

    >>> comma(-0.4125, ".3f"), comma(12345.5, "+.1f")
    ('-0,412', '+12345,5')
    """
    return format(value, spec).replace(".", ",")


def thousands(value: int) -> str:
    """Escribe un entero con el espacio de millares del teclado, para los datos y las fichas.

    >>> thousands(9999), thousands(1234567)
    ('9999', '1 234 567')
    """
    return _spanish(f"{value:,}").replace("\xa0", " ")


def show(value: float, digits: int = 3) -> str:
    """Escribe un número con coma decimal y `digits` cifras significativas; si es muy grande o pequeño, con 10ⁿ.

    >>> show(3.1415927, 9), show(-0.00134), show(70e9), show(5.96e-8), show(65504, 9)
    ('3,1415927', '−0,00134', '7\\xa0·\\xa010¹⁰', '5,96\\xa0·\\xa010⁻⁸', '65\\xa0504')
    """
    if math.isnan(value):
        return "NaN"
    sign = "−" if math.copysign(1, value) < 0 else ""
    size = abs(value)
    if math.isinf(size) or size == 0:
        return sign + ("0" if size == 0 else "∞")
    mantissa, power = f"{size:.{digits - 1}e}".split("e")
    if not -4 <= int(power) <= 6:
        return f"{sign}{_spanish(_trim(mantissa))}\xa0·\xa010{str(int(power)).translate(_SUPERSCRIPTS)}"
    text = f"{float(f'{size:.{digits}g}'):,.{max(0, digits - 1 - int(power))}f}"
    return sign + _spanish(_trim(text))


def byte_size(size: float) -> str:
    """Escribe unos bytes en la unidad que mejor se lee.

    >>> byte_size(14_155_776), byte_size(16e9)
    ('14,2\\xa0MB', '16\\xa0GB')
    """
    unit, name = (1e3, "kB") if size < 999_500 else (1e6, "MB") if size < 999.5e6 else (1e9, "GB")
    return f"{show(size / unit)}\xa0{name}"


def in_words(value: float, digits: int = 3) -> str:
    """El número con su unidad en la escala larga.

    >>> in_words(7e9), in_words(1.4e12), in_words(1e6)
    ('7000 millones', '1,4 billones', '1 millón')
    """
    units = ((1e12, "billón", "billones"), (1e6, "millón", "millones"))
    unit = next((unit for unit in units if value >= unit[0]), None)
    if unit is None or value >= 1e18:
        return show(value, digits)
    count = show(value / unit[0], digits)
    return f"{count} {unit[1] if count == '1' else unit[2]}"


def _trim(text: str) -> str:
    """Quita los ceros del final de los decimales."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _spanish(text: str) -> str:
    """Cambia los signos de Python («-1,234.5») por los nuestros."""
    whole, _, fraction = text.replace("-", "−").partition(".")
    # Con cuatro cifras no se separan los millares (Ortografía de la RAE, 2010).
    whole = whole.replace(",", "\xa0" if len(whole.lstrip("−")) > len("9,999") else "")
    return f"{whole},{fraction}" if fraction else whole
