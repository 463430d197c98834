"""La calculadora de LoRA: da lo mismo que `utils` y sirve con teclado, en el teléfono y sin JavaScript."""

import importlib
import json

import pytest

from scripts.export_golden import LORA_GOLDEN
from scripts.golden_lora import lora_cases
from tests.mechanisms.looks import EVERY_VIEW, fits, serious_violations
from tests.mechanisms.tiny_book import ROOT
from utils.train.lora_cost import lora_cost

PAGE = """# LoRA

```{widget} lora-calculator
model: FLAN-T5-base
rank: 32
alpha: 64
targets: [q, v]
```
"""
WIDGETS = ROOT / "_static" / "course" / "widgets"
BASE = 247_577_856

#: Devuelve los casos en que el navegador no da lo mismo; las fracciones llevan 1e-12 de margen.
RUN = """
(cases) => import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))).then((m) =>
  cases.filter(({ matrices, rank, adamw, model, numbers, even }) => {
    const got = m.loraCost(matrices, rank, adamw, model);
    const all = ["trained", "adapted", "model", "share", "fewer", "fp32", "half", "saved"].map((name) => got[name]);
    all.push(...matrices.map(([d, k]) => m.evenRank(d, k)));
    return [...numbers, ...even].some((want, i) => Math.abs(all[i] - want) > 1e-12 * Math.max(1, Math.abs(want)));
  }))
"""


def trained(page) -> str:
    return page.locator(".lc-total strong").inner_text().replace("\xa0", " ")


def facts(page) -> dict[str, str]:
    names, values = (page.locator(f".lc-facts {tag}").all_inner_texts() for tag in ("dt", "dd"))
    return {name: value.replace("\xa0", " ") for name, value in zip(names, values, strict=True)}


def rows(page) -> dict[str, list[str]]:
    found = page.locator(".lc-table tbody tr").all()
    return {
        r.locator("th").inner_text(): [t.replace("\xa0", " ") for t in r.locator("td").all_inner_texts()] for r in found
    }


def box(page, key: str) -> dict[str, float]:
    return page.locator(f"rect.is-{key}").evaluate(
        "(r) => ({ w: +r.getAttribute('width'), h: +r.getAttribute('height') })"
    )


def test_golden_file_is_up_to_date():
    stored = json.loads(LORA_GOLDEN.read_text(encoding="utf-8"))
    assert len(stored) == len(lora_cases()) >= 100
    for case, now in zip(stored, lora_cases(), strict=True):
        assert case["numbers"] == pytest.approx(now["numbers"], rel=1e-12), "ejecuta scripts/export_golden.py"
        assert case["matrices"] == now["matrices"] and case["even"] == pytest.approx(now["even"], rel=1e-12)


@pytest.mark.slow
def test_browser_equals_utils_on_every_golden_case(page):
    source = (WIDGETS / "lora.mjs").read_text(encoding="utf-8")
    cases = json.loads(LORA_GOLDEN.read_text(encoding="utf-8"))
    assert page.evaluate(RUN.replace("SOURCE", json.dumps(source)), cases) == []


@pytest.mark.slow
def test_the_matrices_are_those_of_the_built_models(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "_ext")
    models = importlib.import_module("widget_lora").MODELS
    from transformers import AutoConfig, LlamaConfig

    from utils.train.lora import LoRAConfig
    from utils.train.lora_count import FLAN_T5_BASE, count_lora

    llama = {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
    configs = {
        "FLAN-T5-base": FLAN_T5_BASE,
        "mini-flan-t5 (el del curso)": AutoConfig.from_pretrained(ROOT / "models" / "mini-flan-t5"),
        "mini-gpt (el del curso)": AutoConfig.from_pretrained(ROOT / "models" / "mini-gpt"),
        "Llama 2 7B": LlamaConfig(**llama, intermediate_size=11008, vocab_size=32000),
        "Llama 3.1 8B": LlamaConfig(**llama, intermediate_size=14336, vocab_size=128256, num_key_value_heads=8),
    }
    for name, config in configs.items():
        for targets in (["q", "v"], ["k"], ["o"], ["ffn"]):
            groups = [group for key in targets for group in models[name]["targets"][key]]
            cost = lora_cost([tuple(group[1:]) for group in groups], rank=4, model=models[name]["parameters"])
            lora = LoRAConfig(rank=4, targets=tuple(group[0] for group in groups))
            assert (cost.trained, cost.model + cost.trained) == count_lora(config, lora), (name, targets)


@pytest.mark.slow
def test_errata_24_flan_t5_base(page):
    assert trained(page) == "3 538 944" and "1,41\xa0% del modelo" in page.locator(".lc-total").inner_text()
    assert facts(page) == {
        "Modelo": "248 millones", "Frente a entrenar esas W": "91,7 % menos", "Adaptador en FP32": "14,2 MB",
        "Adaptador en 16 bits": "7,08 MB", "Optimizador que te ahorras": "1,95 GB", "Escala, α/r": "2",
    }  # fmt: skip
    assert rows(page)["q"] == ["36 de 768 × 768", "1 769 472", "21,2 millones"]
    page.locator(".wf-status", has_text="Por debajo de r = 384").wait_for()  # llega con un poco de retraso


@pytest.mark.slow
def test_errata_22_one_matrix(page):
    page.get_by_role("button", name="512 × 64, r = 8").press("Enter")
    assert rows(page)["W"][-1] == "32 768" == facts(page)["W entera"]
    assert trained(page) == "4608" and facts(page)["Frente a entrenar esas W"] == "85,9 % menos"
    assert page.get_by_role("group", name="Matrices adaptadas").count() == 0
    page.get_by_role("button", name="4096 × 4096, r = 8").press("Enter")
    assert trained(page) == "65 536" and "a escala medirían" in page.locator(".lc-thin").inner_text()
    page.get_by_role("textbox", name="Rango, r").fill("4096")
    assert facts(page)["Frente a entrenar esas W"] == "100 % más"
    assert facts(page)["Optimizador, de más"] == "134 MB"
    page.locator(".wf-status", has_text="Con r = 2048 o más, LoRA ya no ahorra nada").wait_for()


@pytest.mark.slow
def test_rank_targets_and_model(page):
    page.get_by_role("combobox", name="Modelo").select_option("Llama 3.1 8B")
    page.get_by_label("k, claves").check()
    page.get_by_role("textbox", name="Rango, r").fill("16")
    matrices = [(4096, 4096, 32), (1024, 4096, 32), (1024, 4096, 32)]
    cost = lora_cost(matrices, rank=16, model=8_030_261_248)
    assert trained(page) == f"{cost.trained:,}".replace(",", " ") and facts(page)["Escala, α/r"] == "4"
    assert list(rows(page)) == ["q_proj", "v_proj", "k_proj"] or list(rows(page)) == ["q_proj", "k_proj", "v_proj"]
    before = lora_cost(matrices[1:2], rank=16).trained
    for name in ("q, consultas", "k, claves", "v, valores"):
        page.get_by_label(name).uncheck()
    assert page.get_by_role("alert").filter(has_text="Elige al menos una matriz").is_visible()
    assert trained(page) == f"{before:,}".replace(",", " ")  # lo último que valía
    page.get_by_label("red de cada capa").check()
    assert list(rows(page)) == ["gate_proj", "up_proj", "down_proj"]
    assert page.locator(".wf-error:visible").count() == 0


@pytest.mark.slow
def test_the_picture_is_to_scale(page):
    w, b, a = (box(page, key) for key in "wba")
    assert w["w"] == pytest.approx(w["h"]) and b["h"] == pytest.approx(w["h"]) and a["w"] == pytest.approx(w["w"])
    assert b["w"] / w["w"] == pytest.approx(32 / 768) and a["h"] == pytest.approx(b["w"])
    page.get_by_label("red de cada capa").check()
    page.get_by_role("combobox", name="Matriz del dibujo").select_option("wi_0")
    w, b, a = (box(page, key) for key in "wba")
    assert w["h"] / w["w"] == pytest.approx(2048 / 768) and b["h"] == pytest.approx(w["h"])
    assert a["w"] == pytest.approx(w["w"])
    label = page.locator(".lc-plot svg").get_attribute("aria-label")
    assert label.replace("\xa0", " ") == "A la misma escala, W mide 2048 × 768; B, 2048 × 32, y A, 32 × 768."


@pytest.mark.slow
def test_errors_keep_the_last_good_numbers(page):
    rank = page.get_by_role("textbox", name="Rango, r")
    for text, message in (("hola", "No entiendo «hola»"), ("2,5", "un entero entre 1"), ("0", "un entero entre 1")):
        rank.fill(text)
        assert message in page.locator(".wf-error:visible").inner_text() and trained(page) == "3 538 944"
    rank.fill("8")
    page.get_by_role("textbox", name="Escala").fill("0")
    assert "mayor que 0" in page.locator(".wf-error:visible").inner_text() and facts(page)["Escala, α/r"] == "8"


@pytest.mark.slow
@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    page.get_by_label("red de cada capa").check()
    page.get_by_role("textbox", name="Rango, r").fill("hola")
    assert fits(page)
    page.get_by_role("button", name="Llama 2 7B, todas").click()
    assert fits(page)
    page.wait_for_timeout(500)
    assert serious_violations(page, "lora-calculator") == []


@pytest.mark.slow
def test_with_and_without_javascript_say_the_same(page, plain):
    assert rows(plain) == rows(page)
    caption = plain.locator("lora-calculator caption").inner_text().replace("\xa0", " ")
    assert "3 538 944 parámetros entrenados, el 1,41 %" in caption and facts(page)["Adaptador en FP32"] in caption
    assert plain.locator("lora-calculator input").count() == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"rango": 8}, "sobra la clave `rango`"),
        ({"model": "GPT-5"}, "elige entre: mini-flan-t5"),
        ({"rank": 0}, "debe ser un entero entre 1"),
        ({"alpha": 0}, "`alpha` vale 0"),
        ({"targets": ["q", "w"]}, "algunas de estas matrices: q, k, v, o, ffn"),
        ({"targets": []}, "algunas de estas matrices"),
    ],
)
def test_bad_bodies_are_told_in_spanish(monkeypatch, body, message):
    monkeypatch.syspath_prepend(ROOT / "_ext")
    with pytest.raises(ValueError, match=message):
        importlib.import_module("widget_lora").lora_spec(body)
