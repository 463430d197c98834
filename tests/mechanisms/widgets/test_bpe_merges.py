"""Las fusiones de BPE paso a paso: dan lo mismo que `utils` y sirven con teclado, en el teléfono y sin JavaScript."""

import random

import pytest

from tests.mechanisms.looks import EVERY_VIEW, fits, serious_violations
from utils.text.bpe import ByteBPE
from utils.text.bpe_train import count_words, merge_steps
from utils.text.pretokenize import split_words

TEXT = "el sol sale solo, la sal sala y el sol se posa en la sala"
PAGE = f"""# Fusiones

```{{widget}} bpe-merges
text: {TEXT}
```
"""
BAD_BODIES = [
    ({"texto": "hola"}, "sobra la clave `texto`"),
    ({"text": ""}, "entre 1 y 160"),
]

RUN = """
(m, texts) =>
  texts.map((text) => {
    const steps = m.mergeSteps(text);
    return { text, words: m.splitWords(text),
             merges: steps.slice(1).map(({ left, right, count }) => [left, right, count]),
             tokens: steps.at(-1).words.flat() };
  })
"""

TEXTS = (
    TEXT, "ab ba ab ba", "aaaaaaaaaa aaaaaaa", "banana bandana", "¡Ñandú, ñandú! ¿Pingüino o pingüina?", "",
    "x", "  dos  espacios \n\n y saltos\r\n", "don't they'll we're I'm it's",
    "日本 日本語 日本", "👩🏽‍🚀👩🏽‍🚀", "12 123 1234 12345",
    "tres tristes tigres tragaban trigo en un trigal, en tres tristes trastos", "\u00a0\u2003 e\u0301e\u0301",
)  # fmt: skip


def golden_cases() -> list[dict]:
    """Cada texto con sus palabras, las fusiones de parejas repetidas y cómo queda; los tokens son listas de bytes."""
    generator = random.Random(0)
    mixed = ["".join(generator.choices("aab ñ'r", k=generator.randint(5, 60))) for _ in range(30)]
    return [_case(text) for text in (*TEXTS, *mixed)]


def _case(text: str) -> dict:
    bpe, merges = ByteBPE(), []
    for step in merge_steps(bpe, count_words(text)) if text else ():
        if step.count < 2:
            break
        merges.append([*(list(bpe.vocabulary[i]) for i in step.pair), step.count])
    last = ByteBPE(bpe.merges[: len(merges)])  # la última fusión leída ya no se repetía
    return {
        "text": text,
        "words": split_words(text),
        "merges": merges,
        "tokens": [list(last.vocabulary[i]) for i in last.encode(text)],
    }


def tokens(page) -> list[str]:
    return page.locator(".bm-token").all_text_contents()


def seen(token: list[int]) -> str:
    return bytes(token).decode().replace(" ", "·")


def test_golden_covers_texts_with_many_merges_and_with_none(golden):
    assert any(not case["merges"] for case in golden) and max(len(case["merges"]) for case in golden) >= 10


def test_browser_equals_utils_on_every_golden_case(run_module, golden):
    results = run_module("bpe.mjs", RUN, [case["text"] for case in golden])
    for case, result in zip(golden, results, strict=True):
        assert result == case, case["text"]


def test_forward_and_back(page, golden):
    case = golden[0]
    assert case["text"] == TEXT
    after, before = (
        page.get_by_role("button", name="Fusión siguiente"),
        page.get_by_role("button", name="Fusión anterior"),
    )
    assert len(tokens(page)) == len(TEXT.encode())
    assert before.get_attribute("aria-disabled") == "true"
    before.press("Enter")  # no hace nada
    assert len(tokens(page)) == len(TEXT.encode())
    for number, (left, right, count) in enumerate(case["merges"], start=1):
        after.press("Enter")
        row = page.locator(".bm-table tbody tr").first
        assert row.locator("th").inner_text() == str(number)
        assert row.locator("code").all_inner_texts() == [seen(left), seen(right), seen(left + right)]
        assert f"aparecían juntos {count} veces" in page.locator(".bm-status").inner_text()
        assert set(page.locator(".bm-token.is-new").all_text_contents()) == {seen(left + right)}
    assert tokens(page) == [seen(token) for token in case["tokens"]]
    after.press("Enter")
    assert after.get_attribute("aria-disabled") == "true"
    assert "Ninguna pareja más se repite" in page.locator(".bm-status").inner_text()
    before.press("Enter")
    assert page.locator(".bm-table tbody tr").count() == len(case["merges"]) - 1
    page.get_by_role("button", name="Restablecer").click()
    assert len(tokens(page)) == len(TEXT.encode())


def test_the_reader_types_a_text(page):
    box = page.get_by_role("textbox", name="Tu texto")
    box.fill("ñu ñu ñu")
    assert tokens(page)[:3] == ["\\xc3", "\\xb1", "u"]
    after = page.get_by_role("button", name="Fusión siguiente")
    after.press("Enter")
    # las tres parejas de «ñu» empatan y gana la de ids menores, aunque parta la ñ
    assert tokens(page)[:2] == ["\\xc3", "\\xb1\\x75"]
    after.press("Enter")
    assert tokens(page)[0] == "ñu"
    box.fill("")
    assert page.locator(".bm-status").inner_text() == "Escribe un texto para ver sus fusiones."
    box.fill("sol")
    assert "ninguna pareja se repite" in page.locator(".bm-status").inner_text()
    box.fill("<b>x</b> <b>x</b>")
    assert page.locator(".bm-tokens b").count() == 0


@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    for _ in range(4):
        page.get_by_role("button", name="Fusión siguiente").click()
    assert fits(page)
    assert serious_violations(page, "bpe-merges") == []


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_static_table_without_javascript(page, golden):
    rows = page.locator("bpe-merges table tbody tr")
    assert rows.count() == min(8, len(golden[0]["merges"]))
    left, right, count = golden[0]["merges"][0]
    assert rows.first.locator("code").all_inner_texts() == [seen(left), seen(right), seen(left + right)]
    assert rows.first.locator("td").last.inner_text() == str(count)
    assert page.locator("bpe-merges input").count() == 0
