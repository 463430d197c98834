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
    "(+34) 600 123 456": "teléfono",
    "(+34)600123456": "teléfono",
    "(0034) 600-123-456": "teléfono",
    "+34 (91) 234 56 78": "teléfono",
    "(600) 123 456": "teléfono",
    "(+52) 55 1234 5678": "teléfono",
    "612\u00a0345\u00a0678": "teléfono",
    "fe80::1": "ip",
    "jose\u0301@man\u0303ana.es": "correo",
    "ES91 2100 0418 4502 0005 1332": "iban",
    "ES9121000418450200051332": "iban",
    "GB82 WEST 1234 5698 7654 32": "iban",
    "4111 1111 1111 1111": "tarjeta",
    "5555-5555-5555-4444": "tarjeta",
    "378282246310005": "tarjeta",
    "3782 822463 10005": "tarjeta",
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
    "El operador C::D llama a A::B.",
    "Abrimos a las 10::30 (o 10:30).",
    "Lee la sección 3.1.4.1 y el apartado 3.1.4.2.",
    "Lee las secciones 3.1.4.1, 3.1.4.2 y 3.1.4.3.",
    "Véase la seccio\u0301n 3.1.4.1.",
    "Según el art. 3.1.4.1, § 4.1.2.3 y cap. 1.2.3.4.",
    "La referencia ES92 2100 0418 4502 0005 1332 no cuadra.",
    "El envío 4111 1111 1111 1112 no es una tarjeta.",
    "El código de barras 1111 1111 1111 1117 tampoco.",
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


def test_the_words_after_an_iban_are_not_part_of_it():
    text = "Al ES91 2100 0418 4502 0005 1332 HOY MISMO, y otro al DE89370400440532013000."
    assert mask_personal_data(text) == "Al [IBAN] HOY MISMO, y otro al [IBAN]."


@pytest.mark.parametrize("title", ["La 3.1.4.1", "Desde el Norte 10.0.0.1", "Vivo: 10.0.0.1"])
def test_a_word_that_only_ends_like_a_section_hides_nothing(title):
    assert mask_personal_data(title).endswith("[IP]")


def iban(country: str, account: str) -> str:
    """Un IBAN con sus cifras de control, que son 98 menos el resto de dividir el número entre 97."""
    number = int("".join(str(int(c, 36)) for c in f"{account}{country}00"))
    return f"{country}{98 - number % 97:02d}{account}"


COUNTRY, ACCOUNT = (st.from_regex(pattern, fullmatch=True) for pattern in (r"[A-Z]{2}", r"[0-9A-Z]{11,30}"))


@given(COUNTRY, ACCOUNT, st.integers(1, 96))
def test_only_one_pair_of_check_digits_makes_an_iban(country, account, error):
    right = iban(country, account)
    for spaced in (right, " ".join(right[i : i + 4] for i in range(0, len(right), 4))):
        assert mask_personal_data(f"Paga al {spaced}.") == "Paga al [IBAN]."
    wrong = f"{country}{(int(right[2:4]) + error) % 100:02d}{account}"
    if (int(right[2:4]) + error) % 100 % 97 != int(right[2:4]) % 97:  # el 98 y el 01 dan el mismo resto
        assert "[IBAN]" not in mask_personal_data(f"Paga al {wrong}.")


@given(st.integers(2, 6), st.integers(0, 10**14 - 1))
def test_only_one_last_digit_makes_a_card(first, rest):
    hits = [d for d in range(10) if mask_personal_data(f"Con la {first}{rest:014d}{d}.") == "Con la [TARJETA]."]
    assert len(hits) == 1


@given(st.text("ab@.:+ -6123456789€[]()ES", max_size=60))
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
    for function in (find_personal_data, mask_personal_data):
        with pytest.raises(ValueError, match="convierte antes el dato"):
            function(612345678)
    assert find_personal_data("") == [] and mask_personal_data("") == ""
