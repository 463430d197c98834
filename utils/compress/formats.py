"""Los formatos numéricos de un modelo, bit a bit: del número a su código y del código al número.

Hay dos familias: los formatos de coma flotante (FP32, FP16, BF16 y los dos FP8) y las listas de niveles con una escala
(INT8 y NF4). Todos se usan igual: `encode` redondea un número al valor más cercano y da su código, `decode` lo deshace,
`round` hace las dos cosas, `neighbours` dice qué valores hay a los lados y `pattern` enseña los bits. Se calcula con
`float` de Python, de 64 bits, que contiene exactamente todos los valores de coma de aquí.

Lo que NO hace: convertir tensores enteros (eso es `tensor.to(dtype)`), repartir los pesos en bloques con su escala ni
las demás variantes de FP8: E4M3 es la de torch y las GPU, sin infinitos (`float8_e4m3fn`).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace


class NumberFormat:
    """Lo que todos los formatos saben hacer con su `encode`, su `decode` y el orden de sus códigos."""

    fields: tuple[tuple[str, int], ...]  # cada campo y sus bits, del más alto al más bajo

    def round(self, value: float) -> float:
        """El valor del formato más cercano a `value`, que es lo que queda al guardarlo.

        Con la π de seis decimales; con todos los de `math.pi`, FP32 da 3,14159274.

        >>> [f"{f.round(3.141592):.9g}" for f in (FP32, FP16, BF16, INT8)]
        ['3.14159203', '3.140625', '3.140625', '3']
        """
        return self.decode(self.encode(value))

    def split(self, code: int) -> tuple[int, ...]:
        """El número que hay escrito en cada campo; en los formatos de coma, (signo, exponente, mantisa).

        >>> BF16.split(BF16.encode(3.140625))  # 3,140625 = +1 · 2¹²⁸⁻¹²⁷ · (1 + 73 / 2⁷)
        (0, 128, 73)
        """
        self._check(code)
        values, shift = [], self.bits
        for _, bits in self.fields:
            shift -= bits
            values.append((code >> shift) & ((1 << bits) - 1))
        return tuple(values)

    def pattern(self, code: int) -> str:
        """Los bits del código, con un espacio entre campos.

        >>> FP16.pattern(FP16.encode(3.140625))
        '0 10000 1001001000'
        """
        parts = zip(self.split(code), self.fields, strict=True)
        return " ".join(f"{value:0{bits}b}" for value, (_, bits) in parts)

    def neighbours(self, code: int) -> tuple[float | None, float | None]:
        """El valor anterior y el siguiente al de `code`, o None si no hay. Los dos ceros cuentan como uno.

        >>> FP16.neighbours(FP16.encode(65504))
        (65472.0, inf)
        """
        return self._at(self._rank(code) - 1), self._at(self._rank(code) + 1)

    def _check(self, code: int) -> None:
        if not 0 <= code < 1 << self.bits:
            raise ValueError(f"Un código de {self.name} va de 0 a {(1 << self.bits) - 1} y este es {code}.")


@dataclass(frozen=True)
class FloatFormat(NumberFormat):
    """Coma flotante con un bit de signo s, un exponente e y una mantisa m de p bits.

    - e normal: (−1)ˢ · 2^(e − sesgo) · (1 + m / 2ᵖ)
    - e = 0: (−1)ˢ · 2^(1 − sesgo) · m / 2ᵖ, los subnormales, que llegan hasta el cero
    - e todo unos: infinito si m = 0 y NaN si no. Sin infinitos (E4M3), es un exponente más, y NaN solo si m todo unos.

    Fuente: IEEE 754-2019, sección 3.4; para los de 8 bits, Micikevicius et al. (2022), tabla 1.

    >>> FP16.max, BF16.max == (2 - 2**-7) * 2.0**127, E4M3.max, E5M2.max
    (65504.0, True, 448.0, 57344.0)
    """

    name: str
    exponent_bits: int
    mantissa_bits: int
    has_infinity: bool = True

    @property
    def bits(self) -> int:
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def fields(self) -> tuple[tuple[str, int], ...]:
        return ("signo", 1), ("exponente", self.exponent_bits), ("mantisa", self.mantissa_bits)

    @property
    def bias(self) -> int:
        """Lo que se resta al exponente escrito: 15 en FP16 y 127 en FP32 y BF16."""
        return (1 << (self.exponent_bits - 1)) - 1

    @property
    def max_code(self) -> int:
        """El código del mayor valor finito."""
        return (1 << (self.bits - 1)) - 1 - (1 << self.mantissa_bits if self.has_infinity else 1)

    @property
    def max(self) -> float:
        """El mayor valor finito."""
        return self.decode(self.max_code)

    @property
    def min_normal(self) -> float:
        """El menor valor positivo con la mantisa entera: por debajo se pierde precisión."""
        return math.ldexp(1.0, 1 - self.bias)

    @property
    def min_subnormal(self) -> float:
        """El menor valor positivo."""
        return math.ldexp(self.epsilon, 1 - self.bias)

    @property
    def epsilon(self) -> float:
        """La distancia entre 1 y el valor siguiente: redondear se equivoca, como mucho, en la mitad por uno."""
        return math.ldexp(1.0, -self.mantissa_bits)

    def encode(self, value: float) -> int:
        """El código del valor más cercano; en un empate, el par (el que acaba en 0).

        Lo que, ya redondeado, pasa del máximo se vuelve infinito; si no lo hay, se queda en el máximo, como en torch
        2.13 (antes, y en otras bibliotecas, da NaN). De los códigos que son NaN, da el de todo unos.

        >>> FP16.pattern(FP16.encode(1e-7)), FP16.round(65520), E4M3.round(500)
        ('0 00000 0000000010', inf, 448.0)
        """
        sign = int(math.copysign(1, value) < 0) << (self.bits - 1)
        beyond = self.max_code + self.has_infinity
        if math.isnan(value):
            return sign | ((1 << (self.bits - 1)) - 1)
        if math.isinf(value):
            return sign | beyond
        # frexp escribe |value| = f · 2ᵏ con f entre 1/2 y 1; con la mantisa entre 1 y 2, el exponente es uno menos.
        exponent = max(math.frexp(value)[1] - 1 + self.bias, 1) if value else 1
        # Cuántos pasos de 2^(exponente − p) caben. Dividir entre una potencia de 2 es exacto; round, al par.
        steps = round(math.ldexp(abs(value), self.mantissa_bits + self.bias - exponent))
        # Un número normal da al menos 2^p pasos, que suman uno al exponente; un subnormal da menos y lo deja en 0.
        return sign | min(((exponent - 1) << self.mantissa_bits) + steps, beyond)

    def decode(self, code: int) -> float:
        """El valor de un código: `FP16.decode(0b0_10000_1001001000)` es 3,140625."""
        sign, exponent, mantissa = self.split(code)
        magnitude = code & ((1 << (self.bits - 1)) - 1)
        if magnitude > self.max_code:
            value = math.inf if self.has_infinity and mantissa == 0 else math.nan
        elif exponent == 0:
            value = mantissa * self.min_subnormal
        else:
            value = math.ldexp(1 + mantissa * self.epsilon, exponent - self.bias)
        return -value if sign else value

    def _rank(self, code: int) -> int:
        # Sin el signo, un código mayor es un valor mayor: basta ponerle el signo delante.
        sign, magnitude = divmod(code, 1 << (self.bits - 1))
        if math.isnan(self.decode(code)):
            raise ValueError(f"El código {code} de {self.name} es NaN, que no tiene vecinos.")
        return -magnitude if sign else magnitude

    def _at(self, rank: int) -> float | None:
        if abs(rank) > self.max_code + self.has_infinity:
            return None
        return math.copysign(self.decode(abs(rank)), rank)


@dataclass(frozen=True)
class ScaledFormat(NumberFormat):
    """Una lista de niveles en orden, por una escala: valor = escala · nivel. Lo que se sale se queda en el extremo.

    `first` es el código del primer nivel, y los demás siguen dando la vuelta. En INT8 es 128, que da el complemento a
    dos, y el −128, que no tiene pareja, no se usa: es simétrico. En NF4 es 0: el código es el puesto en la tabla.
    """

    name: str
    levels: tuple[float, ...]
    first: int = 0
    scale: float = 1.0

    @property
    def bits(self) -> int:
        return (len(self.levels) - 1).bit_length()

    @property
    def fields(self) -> tuple[tuple[str, int], ...]:
        return (("código", self.bits),)

    def fit(self, values: Iterable[float]) -> "ScaledFormat":
        """El mismo formato con la escala que pone el mayor valor absoluto en el extremo. Error si es 0 o no es finito.

        >>> INT8.fit([0.5, -2.54]).scale, NF4.fit([0.1, -0.05]).round(0.1)
        (0.02, 0.1)
        """
        largest = max((abs(float(value)) for value in values), default=0.0)
        if not 0 < largest < math.inf:
            raise ValueError("Para elegir la escala hace falta algún valor distinto de 0, y que todos sean finitos.")
        return replace(self, scale=largest / self.levels[-1])

    def encode(self, value: float) -> int:
        """El código del nivel más cercano a value / escala; en un empate, el entero par. Error si es NaN.

        >>> INT8.pattern(INT8.encode(-3.2)), INT8.round(1000), NF4.encode(0.3)
        ('11111101', 127.0, 11)
        """
        if math.isnan(value):
            raise ValueError(f"{self.name} no puede guardar NaN: quítalo antes de cuantizar.")
        limit = self.levels[-1]
        target = max(-limit, min(limit, value / self.scale))
        used = (rank for rank, level in enumerate(self.levels) if level >= -limit)
        rank = min(used, key=lambda rank: (abs(self.levels[rank] - target), self.levels[rank] % 2))
        return (rank + self.first) % (1 << self.bits)

    def decode(self, code: int) -> float:
        """El valor de un código.

        >>> INT8.decode(0b11111101), NF4.decode(0)
        (-3.0, -1.0)
        """
        return self.scale * self.levels[self._rank(code)]

    def _rank(self, code: int) -> int:
        self._check(code)
        return (code - self.first) % (1 << self.bits)

    def _at(self, rank: int) -> float | None:
        used = 0 <= rank < len(self.levels) and self.levels[rank] >= -self.levels[-1]
        return self.scale * self.levels[rank] if used else None


FP32 = FloatFormat("FP32", 8, 23)
FP16 = FloatFormat("FP16", 5, 10)
BF16 = FloatFormat("BF16", 8, 7)
E4M3 = FloatFormat("FP8 E4M3", 4, 3, has_infinity=False)
E5M2 = FloatFormat("FP8 E5M2", 5, 2)
INT8 = ScaledFormat("INT8", tuple(map(float, range(-128, 128))), first=128)
#: NormalFloat: cuantiles de una normal, de −1 a 1 y con el cero. Dettmers et al. (2023), anexo E.
NF4 = ScaledFormat("NF4", (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
))  # fmt: skip

FORMATS = {f.name: f for f in (FP32, FP16, BF16, E4M3, E5M2, INT8, NF4)}
