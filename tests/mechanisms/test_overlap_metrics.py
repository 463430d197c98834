"""ROUGE y BLEU en directo: da lo mismo que `utils` y sirve con teclado, en el teléfono y sin JavaScript."""

import importlib
import json

import pytest

from scripts.export_golden import OVERLAP_GOLDEN
from scripts.golden_overlap import TEA, overlap_cases
from tests.mechanisms.looks import EVERY_VIEW, fits, serious_violations
from tests.mechanisms.tiny_book import ROOT
from utils.course.numerals import show
from utils.measure.bleu import sentence_bleu
from utils.measure.rouge import rouge

PAGE = """# Coincidencias

```{widget} overlap-metrics
reference: It is cold outside.
candidate: It is very cold outside.
view: rougeL
```
"""
WIDGETS = ROOT / "_static" / "course" / "widgets"
COLD = "It is cold outside."

#: Devuelve los casos en que el navegador parte el texto o cuenta de otra manera; los números llevan 1e-9 de margen.
RUN = """
(cases) => import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))).then((m) => {
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const near = (a, b) => a.length === b.length && a.every((x, i) => Math.abs(x - b[i]) <= 1e-9 * Math.max(1, b[i]));
  return cases.filter((c) => {
    const texts = [c.candidate, c.reference];
    const scores = m.rouge(...texts.map(m.words));
    const goodRouge = Object.entries(c.rouge).every(([kind, want]) =>
      near(["precision", "recall", "f1"].map((x) => scores[kind][x]), want));
    const goodBleu = Object.entries(c.bleu).every(([name, want]) => {
      const tokens = texts.map(m.TOKENIZERS[name]);
      const { score, brevity, orders } = m.bleu(...tokens);
      return same(tokens, want.tokens)
        && same(["overlap", "total"].map((x) => orders.map((order) => order[x])), want.counts)
        && near([score, brevity, ...orders.map((o) => o.precision)], [want.score, want.brevity, ...want.precisions]);
    });
    return !(same(texts.map(m.words), c.words) && goodRouge && goodBleu);
  });
})
"""


def cells(page, name: str) -> dict[str, list[str]]:
    rows = page.locator(f".om-{name} tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows}


def marked(page, line: int, kind: str = "is-match") -> list[str]:
    return page.locator(".om-tokens").nth(line).locator(f".{kind}").all_inner_texts()


def write(page, candidate: str, reference: str | None = None) -> None:
    page.get_by_role("textbox", name="Candidato").fill(candidate)
    if reference is not None:
        page.get_by_role("textbox", name="Referencia").fill(reference)


def look_at(page, view: str) -> None:
    page.get_by_role("combobox", name="Qué se resalta").select_option(view)


def test_golden_file_is_up_to_date():
    stored = json.loads(OVERLAP_GOLDEN.read_text(encoding="utf-8"))
    assert len(stored) == len(overlap_cases()) >= 100
    for case, now in zip(stored, overlap_cases(), strict=True):
        assert case["words"] == now["words"], "ejecuta scripts/export_golden.py"
        assert {k: pytest.approx(v) for k, v in case["rouge"].items()} == now["rouge"]
        for name, bleu in case["bleu"].items():
            assert bleu["tokens"] == now["bleu"][name]["tokens"] and bleu["counts"] == now["bleu"][name]["counts"]
            assert bleu["score"] == pytest.approx(now["bleu"][name]["score"], rel=1e-12)
    assert {len(case["bleu"]["13a"]["precisions"]) for case in stored} == {0, 1, 2, 3, 4}


@pytest.mark.slow
def test_browser_equals_utils_on_every_golden_case(page):
    source = (WIDGETS / "overlap.mjs").read_text(encoding="utf-8")
    cases = json.loads(OVERLAP_GOLDEN.read_text(encoding="utf-8"))
    assert page.evaluate(RUN.replace("SOURCE", json.dumps(source)), cases) == []


@pytest.mark.slow
def test_errata_5_the_common_subsequence_need_not_be_contiguous(page):
    assert marked(page, 0) == ["it", "is", "cold", "outside"] == marked(page, 1)
    assert cells(page, "rouge")["ROUGE-L"] == ["4/5 =\xa00,8", "4/4 =\xa01", "0,889"]
    page.locator(".wf-status", has_text="mide 4: «it is cold outside». ROUGE-1 0,889").wait_for()  # llega con retraso


@pytest.mark.slow
def test_errata_6_a_negation_scores_the_same(page):
    before = cells(page, "rouge")
    assert before["ROUGE-2"] == ["2/4 =\xa00,5", "2/3 =\xa00,667", "0,571"]
    page.get_by_role("button", name="Lo contrario").press("Enter")
    assert cells(page, "rouge") == before and page.get_by_role("textbox", name="Candidato").input_value() == (
        "It is not cold outside."
    )
    assert marked(page, 1) == ["it", "is", "cold", "outside"]
    assert cells(page, "grams") == {
        "it is": ["1", "1", "1"], "is not": ["1", "0", "0"], "not cold": ["1", "0", "0"],
        "cold outside": ["1", "1", "1"],
    }  # fmt: skip


@pytest.mark.slow
def test_errata_7_repeating_is_clipped_and_order_counts(page):
    page.get_by_role("button", name="Repetir").click()
    assert marked(page, 1) == ["cold"] and marked(page, 1, "is-cut") == ["cold"] * 3
    assert cells(page, "grams") == {"cold": ["4", "1", "1"]}
    assert cells(page, "rouge")["ROUGE-1"][0] == "1/4 =\xa00,25"
    page.get_by_role("button", name="Desordenar").click()
    f1 = {kind: row[-1] for kind, row in cells(page, "rouge").items()}
    assert f1 == {"ROUGE-1": "1", "ROUGE-2": "0,333", "ROUGE-L": "0,5"}


@pytest.mark.slow
def test_errata_8_the_cups_of_tea(page):
    for text, score in (
        ("I am very happy that I am drinking a cup of tea.", "53,88"),
        ("I am very happy that I am drinking a warm cup of tea.", "74,97"),
        ("I am very happy to say that I am drinking a warm tea.", "77,21"),
        (TEA, "100"),
    ):
        write(page, text, TEA)
        assert cells(page, "bleu")["BLEU"][-1] == score == show(sentence_bleu(text, TEA).score, 4)
    assert "case:mixed|eff:yes|tok:13a|smooth:exp" in page.locator(".wf-note").inner_text()


@pytest.mark.slow
def test_the_parts_of_bleu_are_explained(page):
    write(page, "hace frío", "hoy hace mucho frío")
    rows = cells(page, "bleu")
    assert list(rows) == ["Precisión de 1-gramas, p₁", "Precisión de 2-gramas, p₂", "Brevedad, BP", "BLEU"]
    assert rows["Precisión de 2-gramas, p₂"] == ["0 de 1, suavizada a 0,5", "0,5"]
    assert rows["Brevedad, BP"] == ["2 tokens, menos que 4: exp(1 − 4/2)", "0,368"]
    assert rows["BLEU"] == ["100 · BP · (p₁·p₂)^(1/2)", "26,01"]
    write(page, "nada que ver")
    assert cells(page, "bleu")["BLEU"] == ["ningún token coincide", "0"]
    write(page, "")
    assert page.locator(".om-empty").inner_text() == "sin palabras" and cells(page, "rouge")["ROUGE-1"][0] == "no hay"


@pytest.mark.slow
def test_spanish_letters_and_signs(page):
    look_at(page, "rouge1")
    page.get_by_role("button", name="Una tilde").click()
    assert "niña" in marked(page, 1) and "pasé" not in marked(page, 1) and "año" in marked(page, 1)
    page.get_by_role("button", name="¿Y los signos?").click()
    tokens = page.locator(".om-tokens").nth(0).locator(".om-token")
    assert tokens.all_inner_texts()[0] == "¿Mañana" and "¿Mañana" not in marked(page, 0)
    page.get_by_role("combobox", name="Tokens de BLEU").select_option("es")
    assert tokens.all_inner_texts()[:2] == ["¿", "Mañana"] and "Mañana" in marked(page, 0)
    assert "tok:es" in page.locator(".wf-note").inner_text()
    write(page, "<b>niño</b>", "nin\u0303o")  # el texto nunca se interpreta como HTML
    look_at(page, "rouge1")
    assert marked(page, 1) == ["niño"]


@pytest.mark.slow
@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    page.get_by_role("button", name="Repetir").click()
    write(page, "cold cold " + "supercalifragilístico" * 6)
    assert fits(page)
    look_at(page, "bleu2")
    assert fits(page)
    page.wait_for_timeout(500)
    assert serious_violations(page, "overlap-metrics") == []


@pytest.mark.slow
def test_with_and_without_javascript_say_the_same(page, plain):
    scores = rouge("It is very cold outside.", COLD)
    static = cells(plain, "rouge")
    assert static["ROUGE-L"] == [show(value) for value in scores["rougeL"]]
    for kind, row in cells(page, "rouge").items():
        assert static[kind] == [cell.split("\xa0")[-1] for cell in row]
    live, still = cells(page, "bleu"), cells(plain, "bleu")
    assert {name: row[-1] for name, row in live.items()} == {name: row[-1] for name, row in still.items()}
    assert plain.locator("overlap-metrics textarea").count() == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"texto": "x"}, "sobra la clave `texto`"),
        ({"reference": ""}, "entre 1 y 300 caracteres"),
        ({"candidate": 7}, "entre 1 y 300 caracteres"),
        ({"view": "rouge9"}, "elige entre: rouge1"),
        ({"tokenizer": "intl"}, "elige entre: 13a, es"),
    ],
)
def test_bad_bodies_are_told_in_spanish(monkeypatch, body, message):
    monkeypatch.syspath_prepend(ROOT / "_ext")
    with pytest.raises(ValueError, match=message):
        importlib.import_module("widget_overlap").overlap_spec(body)
