"""Los formatos numéricos, bit a bit frente a torch: todos los códigos, y números al azar con su redondeo."""

import math
import statistics
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from utils.compress.formats import BF16, E4M3, E5M2, FORMATS, FP16, FP32, INT8, NF4

#: Cada formato de coma con su tipo de torch y el entero del mismo tamaño.
FLOATS = {
    FP32: (torch.float32, torch.int32),
    FP16: (torch.float16, torch.int16),
    BF16: (torch.bfloat16, torch.int16),
    E4M3: (torch.float8_e4m3fn, torch.uint8),
    E5M2: (torch.float8_e5m2, torch.uint8),
}
SMALL = [FP16, BF16, E4M3, E5M2]


def _name(fmt) -> str:
    return fmt.name


def _torch_code(value: float, fmt) -> int:
    dtype, integer = FLOATS[fmt]
    cast = torch.tensor(value, dtype=torch.float32).to(dtype)
    return cast.view(integer).item() % (1 << fmt.bits)


@pytest.mark.parametrize("fmt", SMALL, ids=_name)
def test_every_code_is_the_value_of_torch(fmt):
    dtype, integer = FLOATS[fmt]
    codes = torch.arange(1 << fmt.bits)
    theirs = codes.to(torch.int16).to(integer).view(dtype).double().tolist()
    for code, value in enumerate(theirs):
        ours = fmt.decode(code)
        if math.isnan(value):
            assert math.isnan(ours), code
            assert math.isnan(fmt.round(ours)), code
        else:
            assert struct.pack("d", ours) == struct.pack("d", value), code  # también el signo del cero
            assert fmt.encode(ours) == code


@pytest.mark.parametrize("fmt", FLOATS, ids=_name)
@given(value=st.floats(width=32, allow_nan=False))
def test_rounding_equals_torch(fmt, value):
    theirs = _torch_code(value, fmt)
    if math.isnan(fmt.decode(theirs)):
        assert math.isnan(fmt.round(value))
    else:
        assert fmt.encode(value) == theirs


@pytest.mark.parametrize("fmt", SMALL, ids=_name)
def test_ties_go_to_the_even_code_like_torch(fmt):
    # El punto medio de cada par de valores seguidos, que FP32 guarda exacto: justo donde un redondeo se equivoca.
    for code in range(0, fmt.max_code, max(1, fmt.max_code // 500)):
        middle = (fmt.decode(code) + fmt.decode(code + 1)) / 2
        if FP32.round(middle) == middle:  # los de BF16 por debajo de lo que alcanza FP32 no se pueden pedir a torch
            assert fmt.encode(middle) == _torch_code(middle, fmt)
            assert fmt.encode(middle) % 2 == 0
            assert fmt.encode(-middle) == fmt.encode(middle) + (1 << (fmt.bits - 1))


@pytest.mark.parametrize("fmt", FLOATS, ids=_name)
def test_limits_equal_finfo(fmt):
    limits = torch.finfo(FLOATS[fmt][0])
    assert (fmt.max, fmt.min_normal, fmt.epsilon) == (limits.max, limits.smallest_normal, limits.eps)
    assert fmt.min_subnormal == fmt.decode(1) > 0
    assert fmt.round(fmt.min_subnormal / 2) == 0  # empata con el cero, que es par
    assert fmt.bits == limits.bits


def test_nan_infinity_and_overflow():
    assert FP16.round(65519.99) == 65504 and FP16.round(65520) == math.inf and FP16.round(-1e9) == -math.inf
    assert E5M2.round(math.inf) == math.inf
    assert E4M3.round(465) == 448 and E4M3.round(-math.inf) == -448  # sin infinito, se queda en el máximo
    assert all(math.isnan(fmt.round(math.nan)) for fmt in FLOATS)
    assert FP16.pattern(FP16.encode(-math.inf)) == "1 11111 0000000000"


def test_pi_of_the_notes_and_real_pi():
    # Errata 9: las notas guardan 3.141592, y por eso su FP32 acaba en 203 y no en 274.
    assert [f.round(3.141592) for f in (FP16, BF16, INT8)] == [3.140625, 3.140625, 3.0]
    assert f"{FP32.round(3.141592):.8f}" == "3.14159203"
    assert f"{FP32.round(math.pi):.8f}" == "3.14159274"


@pytest.mark.parametrize("fmt", FLOATS, ids=_name)
@given(value=st.floats(width=32, allow_nan=False))
def test_neighbours_equal_nextafter(fmt, value):
    code = fmt.encode(value)
    if math.isnan(fmt.decode(code)):
        with pytest.raises(ValueError, match="no tiene vecinos"):
            fmt.neighbours(code)
        return
    value = fmt.decode(code)
    before, after = fmt.neighbours(code)
    assert before is None or before < value
    assert after is None or value < after
    if fmt in (FP32, FP16, BF16):
        tensor = torch.tensor(value, dtype=FLOATS[fmt][0])
        for limit, ours in ((-math.inf, before), (math.inf, after)):
            theirs = torch.nextafter(tensor, torch.tensor(limit, dtype=tensor.dtype)).item()
            assert ours == theirs if ours is not None else theirs == value  # más allá del infinito no hay nada


def test_neighbours_where_there_is_none():
    assert E4M3.neighbours(E4M3.encode(448)) == (416, None)  # no tiene infinito
    assert FP16.neighbours(FP16.encode(math.inf)) == (65504, None)
    assert FP16.neighbours(FP16.encode(-0.0)) == FP16.neighbours(0) == (-(2.0**-24), 2.0**-24)
    assert INT8.neighbours(INT8.encode(-127)) == (None, -126)  # el −128 no se usa
    assert NF4.neighbours(15) == (NF4.levels[14], None)


def test_fields_and_their_values():
    assert BF16.split(BF16.encode(-0.15625)) == (1, 124, 32)
    assert BF16.fields == (("signo", 1), ("exponente", 8), ("mantisa", 7))
    for fmt in FLOATS:
        sign, exponent, mantissa = fmt.split(fmt.encode(-12.0))
        assert (-1) ** sign * 2.0 ** (exponent - fmt.bias) * (1 + mantissa * fmt.epsilon) == -12.0


@given(values=st.lists(st.floats(-1e4, 1e4, width=32), min_size=1).filter(any))
def test_int8_equals_torch(values):
    fmt = INT8.fit(values)
    tensor = torch.tensor(values, dtype=torch.float64)
    theirs = (tensor / fmt.scale).round().clamp(-127, 127)
    assert [fmt.decode(fmt.encode(value)) for value in values] == (theirs * fmt.scale).tolist()
    assert [fmt.encode(value) for value in values] == theirs.to(torch.int8).view(torch.uint8).tolist()
    assert max(abs(fmt.round(value) - value) for value in values) <= fmt.scale / 2 * (1 + 1e-12)


def test_int8_equals_fake_quantize():
    values = torch.linspace(-31.75, 31.75, 1017)
    theirs = torch.fake_quantize_per_tensor_affine(values, 0.25, 0, -127, 127)
    fmt = INT8.fit([31.75])
    assert fmt.scale == 0.25
    assert [fmt.round(value) for value in values.tolist()] == theirs.tolist()


def test_nf4_is_the_published_table():
    """La tabla se deduce como en QLoRA: cuantiles de la normal, 8 por arriba, 7 por abajo y el cero, entre el mayor."""
    quantile, offset = statistics.NormalDist().inv_cdf, 0.9677083
    upper = [quantile(offset + (0.5 - offset) * i / 8) for i in range(8)]
    lower = [-quantile(offset + (0.5 - offset) * i / 7) for i in range(7)]
    derived = sorted([*upper, 0.0, *lower])
    assert NF4.levels == pytest.approx([value / max(derived) for value in derived], abs=2e-6)
    assert all(torch.tensor(level).item() == level for level in NF4.levels)  # publicada en FP32
    assert NF4.levels[7] == 0 and len(NF4.levels) == 16


@given(value=st.floats(-1.5, 1.5, width=32))
def test_nf4_takes_the_nearest(value):
    table = torch.tensor(NF4.levels, dtype=torch.float64)
    assert NF4.encode(value) == torch.argmin((table - max(-1, min(1, value))).abs()).item()


def test_nf4_thresholds_of_bitsandbytes():
    # Los cortes escritos a mano en su núcleo de CUDA; por encima de cada uno empieza el código siguiente.
    cuts = (-0.8480964004993439, -0.6106329262256622, -0.4599952697753906, -0.33967943489551544,
            -0.23460740596055984, -0.13791173323988914, -0.045525018125772476, 0.03979014977812767, 0.1202552504837513,
            0.2035212516784668, 0.2920137718319893, 0.3893125355243683, 0.5016634166240692, 0.6427869200706482,
            0.8614784181118011)  # fmt: skip
    for code, cut in enumerate(cuts):
        assert (NF4.encode(cut - 1e-6), NF4.encode(cut + 1e-6)) == (code, code + 1)


def test_every_code_of_the_scaled_formats_comes_back():
    for fmt in (INT8, NF4, INT8.fit([3.3]), NF4.fit([0.07])):
        for code in range(1 << fmt.bits):
            if (fmt.levels, code) != (INT8.levels, 128):  # el −128, que no se usa, se queda en −127
                assert fmt.encode(fmt.decode(code)) == code
    assert INT8.decode(128) == -128 and INT8.round(-128) == -127


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="Un código de FP16 va de 0 a 65535 y este es 65536"):
        FP16.decode(1 << 16)
    with pytest.raises(ValueError, match="Un código de NF4 va de 0 a 15 y este es -1"):
        NF4.decode(-1)
    with pytest.raises(ValueError, match="INT8 no puede guardar NaN"):
        INT8.encode(math.nan)
    for values in ([], [0.0, 0.0], [1.0, math.inf]):
        with pytest.raises(ValueError, match="Para elegir la escala hace falta algún valor distinto de 0"):
            NF4.fit(values)


def test_the_seven_formats_are_listed():
    assert [fmt.bits for fmt in FORMATS.values()] == [32, 16, 16, 8, 8, 8, 4]


def test_a_bfloat16_weight_stops_moving_between_256_and_512_times_less():
    """Lo que dice el lab 6: hasta 256 veces menor lo mueve (salvo el empate de 1,0), y desde 512, nunca."""
    weights = (1 + torch.arange(1, 128) / 128).bfloat16()  # todos los de (1, 2)

    def moved(times: float) -> float:
        return (weights + (weights.float() / times).bfloat16() != weights).float().mean().item()

    assert moved(255) == 1 and 0 < moved(400) < 1 and moved(512) == 0
