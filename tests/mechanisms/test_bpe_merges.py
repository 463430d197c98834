"""Las fusiones de BPE paso a paso: dan lo mismo que `utils` y sirven con teclado, en el teléfono y sin JavaScript."""

import json
import shutil

import pytest

from scripts.export_golden import BPE_GOLDEN, bpe_cases
from tests.mechanisms.looks import EVERY_VIEW, fits, serious_violations
from tests.mechanisms.tiny_book import ROOT, build, make_project

TEXT = "el sol sale solo, la sal sala y el sol se posa en la sala"
PAGE = f"""# Fusiones

```{{widget}} bpe-merges
text: {TEXT}
```
"""
RUN = """
(texts) => import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))).then((module) =>
  texts.map((text) => {
    const steps = module.mergeSteps(text);
    return { text, words: module.splitWords(text),
             merges: steps.slice(1).map(({ left, right, count }) => [left, right, count]),
             tokens: steps.at(-1).words.flat() };
  }))
"""


@pytest.fixture(scope="module")
def golden() -> list[dict]:
    return json.loads(BPE_GOLDEN.read_text(encoding="utf-8"))


def tokens(page) -> list[str]:
    return page.locator(".bm-token").all_text_contents()


def seen(token: list[int]) -> str:
    return bytes(token).decode().replace(" ", "·")


def test_golden_file_is_up_to_date(golden):
    assert golden == bpe_cases(), "ejecuta scripts/export_golden.py"
    assert len(golden) >= 40
    assert any(not case["merges"] for case in golden) and max(len(case["merges"]) for case in golden) >= 10


@pytest.mark.slow
def test_browser_equals_utils_on_every_golden_case(page, golden):
    source = (ROOT / "_static" / "course" / "widgets" / "bpe.mjs").read_text(encoding="utf-8")
    results = page.evaluate(RUN.replace("SOURCE", json.dumps(source)), [case["text"] for case in golden])
    for case, result in zip(golden, results, strict=True):
        assert result == case, case["text"]


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    for _ in range(4):
        page.get_by_role("button", name="Fusión siguiente").click()
    assert fits(page)
    assert serious_violations(page, "bpe-merges") == []


@pytest.mark.slow
@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_static_table_without_javascript(page, golden):
    rows = page.locator("bpe-merges table tbody tr")
    assert rows.count() == min(8, len(golden[0]["merges"]))
    left, right, count = golden[0]["merges"][0]
    assert rows.first.locator("code").all_inner_texts() == [seen(left), seen(right), seen(left + right)]
    assert rows.first.locator("td").last.inner_text() == str(count)
    assert page.locator("bpe-merges input").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"), [("texto: hola", "sobra la clave `texto`"), ("text: ''", "entre 1 y 160")]
)
def test_bad_bodies_are_told_in_spanish(tmp_path, body, message):
    folder = make_project(tmp_path, intro=PAGE.replace(f"text: {TEXT}", body))
    shutil.rmtree(folder / "chapters")
    result = build(folder)
    assert result.returncode != 0 and message in result.stderr
