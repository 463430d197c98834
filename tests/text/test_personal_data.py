"""Datos personales: lo que hay que tapar y, sobre todo, lo que no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.text.personal_data import find_personal_data, mask_personal_data

FOUND = {
    "ana.perez+alta@correo.co.uk": "correo",
    "José_Ñ@empresa-sur.es": "correo",
    "612345678": "teléfono",
    "612 345 678": "teléfono",
    "612-34-56-78": "teléfono",
    "91 234 56 78": "teléfono",
    "+34 912 345 678": "teléfono",
    "0034 612345678": "teléfono",
    "+52 55 1234 5678": "teléfono",
    "+1 (555) 123 4567": "teléfono",
    "192.168.1.20": "ip",
    "8.8.8.8": "ip",
    "2001:db8::8a2e:370:7334": "ip",
    "12345678Z": "dni",
    "12.345.678-Z": "dni",
    "X1234567L": "dni",
}
LEFT_ALONE = [
    "Cuesta 612.345.678 € al año.",
    "Cuesta 612 345 678 euros.",
    "Son $ 612 345 678 de deuda.",
    "Viven 912 345 678 habitantes.",
    "El 12/05/2024 a las 10:30:15.",
    "El 2024-05-12.",
    "Del 1990 al 2024.",
    "La versión 10.2.0.1 corrige un fallo.",
    "Instala v3.11.7.2 o posterior.",
    "La IP 300.1.1.1 no existe.",
    "El apartado 1.2.3.4.5 del manual.",
    "Mide 3,141592653 metros.",
    "El pedido 123456789 ya salió.",
    "Vale 1.234.567,89 euros.",
    "12345678A no lleva la letra correcta.",
    "Arroba sola: @usuario, y precio a 3 @ 2 euros.",
    "Código 61234567890.",
    "Son las 12:30 :: 14:00 de siempre.",
    "C++ usa std::vector y ::global.",
]


@pytest.mark.parametrize("text", FOUND)
@pytest.mark.parametrize("frame", ["{}", "Escribe a {} hoy.", "({})", "Es este: {}.", "«{}»", "{}, por favor", "¿{}?"])
def test_masks_what_it_must(text, frame):
    assert mask_personal_data(frame.format(text)) == frame.format(f"[{FOUND[text].upper()}]")


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_leaves_alone_what_only_looks_alike(text):
    assert mask_personal_data(text) == text


def test_several_in_order():
    text = "Ana (ana@x.es, 612345678) entró desde 10.0.0.1; su DNI es 12345678Z."
    assert mask_personal_data(text) == "Ana ([CORREO], [TELÉFONO]) entró desde [IP]; su DNI es [DNI]."
    assert [f.kind for f in find_personal_data(text)] == ["correo", "teléfono", "ip", "dni"]
    assert all(text[f.start : f.end] == f.text for f in find_personal_data(text))


@given(st.text("ab@.:+ -6123456789€[]()", max_size=60))
def test_masking_twice_is_masking_once(text):
    once = mask_personal_data(text)
    assert mask_personal_data(once) == once


def test_a_long_text_takes_no_time():
    assert mask_personal_data("a." * 20_000 + "1" * 20_000 + ":" * 5000)


@given(st.integers(0, 99_999_999))
def test_only_one_letter_makes_a_dni(number):
    hits = [x for x in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if mask_personal_data(f"{number:08d}{x}") == "[DNI]"]
    assert hits == ["TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]]


def test_bad_input():
    with pytest.raises(ValueError, match="convierte antes el dato"):
        mask_personal_data(612345678)
