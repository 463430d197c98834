"""La calculadora de LoRA: da lo mismo que `utils` y sirve con teclado, en el teléfono y sin JavaScript."""

import random

import pytest
from transformers import AutoConfig, LlamaConfig
from widgets.lora_calculator import MODELS

from tests.mechanisms.looks import EVERY_VIEW, fits, read_table, serious_violations
from tests.mechanisms.tiny_book import ROOT
from utils.cost.empty_models import FLAN_T5_BASE, empty_model
from utils.model.surgery import trained_parameters
from utils.tune.lora import LoRAConfig, add_lora
from utils.tune.lora_cost import ADAMW_BYTES, even_rank, lora_cost

PAGE = """# LoRA

```{widget} lora-calculator
model: FLAN-T5-base
rank: 32
alpha: 64
targets: [q, v]
```
"""
BAD_BODIES = [
    ({"rango": 8}, "sobra la clave `rango`"),
    ({"model": "GPT-5"}, "elige entre: mini-flan-t5"),
    ({"rank": 0}, "debe ser un entero entre 1"),
    ({"alpha": 0}, "`alpha` vale 0"),
    ({"targets": ["q", "w"]}, "algunas de estas matrices: q, k, v, o, ffn"),
    ({"targets": []}, "algunas de estas matrices"),
]

#: Devuelve los casos en que el navegador no da lo mismo; las fracciones llevan 1e-12 de margen.
RUN = """
(m, cases) =>
  cases.filter(({ matrices, rank, adamw, model, numbers, even }) => {
    const got = m.loraCost(matrices, rank, adamw, model);
    const all = ["trained", "adapted", "model", "share", "fewer", "fp32", "half", "saved"].map((name) => got[name]);
    all.push(...matrices.map(([d, k]) => m.evenRank(d, k)));
    return [...numbers, ...even].some((want, i) => Math.abs(all[i] - want) > 1e-12 * Math.max(1, Math.abs(want)));
  })
"""


def trained(page) -> str:
    return page.locator(".lc-total strong").inner_text().replace("\xa0", " ")


def facts(page) -> dict[str, str]:
    names, values = (page.locator(f".lc-facts {tag}").all_inner_texts() for tag in ("dt", "dd"))
    return {name: value.replace("\xa0", " ") for name, value in zip(names, values, strict=True)}


def rows(page) -> dict[str, list[str]]:
    return {name: [t.replace("\xa0", " ") for t in cells] for name, cells in read_table(page, ".lc-table").items()}


def box(page, key: str) -> dict[str, float]:
    return page.locator(f"rect.is-{key}").evaluate(
        "(r) => ({ w: +r.getAttribute('width'), h: +r.getAttribute('height') })"
    )


def golden_cases() -> list[dict]:
    """El coste de grupos de matrices al azar y de los ejemplos de las erratas 22 y 24."""
    generator = random.Random(0)
    known = [([(768, 768, 72)], 32, 247_577_856), ([(512, 64, 1)], 8, None), ([(4096, 4096, 1)], 8, None)]
    return [_case(*case) for case in (*known, *(_random_case(generator) for _ in range(120)))]


def _random_case(generator: random.Random) -> tuple[list[tuple[int, int, int]], int, int | None]:
    sizes = [generator.randint(1, 30_000) for _ in range(2 * generator.randint(1, 6))]
    matrices = [(d, k, generator.randint(1, 100)) for d, k in zip(sizes[::2], sizes[1::2], strict=True)]
    adapted = sum(d * k * times for d, k, times in matrices)
    return matrices, generator.randint(1, 512), generator.choice([None, adapted + generator.randint(0, 10**9)])


def _case(matrices: list[tuple[int, int, int]], rank: int, model: int | None) -> dict:
    cost = lora_cost(matrices, rank, model)
    numbers = [cost.trained, cost.adapted, cost.model, cost.share, cost.fewer, cost.disk_bytes(4), cost.disk_bytes(2)]
    return {
        "matrices": [list(group) for group in matrices], "rank": rank, "adamw": ADAMW_BYTES, "model": model,
        "numbers": [*numbers, cost.optimizer_saved], "even": [even_rank(d, k) for d, k, _ in matrices],
    }  # fmt: skip


def test_browser_equals_utils_on_every_golden_case(run_module, golden):
    assert run_module("lora.mjs", RUN, golden) == []


@pytest.mark.slow
def test_the_matrices_are_those_of_the_built_models():
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
            groups = [group for key in targets for group in MODELS[name]["targets"][key]]
            cost = lora_cost([tuple(group[1:]) for group in groups], rank=4, model=MODELS[name]["parameters"])
            lora = LoRAConfig(rank=4, targets=tuple(group[0] for group in groups))
            built = trained_parameters(add_lora(empty_model(config), lora))
            assert (cost.trained, cost.model + cost.trained) == built, (name, targets)


def test_errata_24_flan_t5_base(page):
    assert trained(page) == "3 538 944" and "1,41\xa0% del modelo" in page.locator(".lc-total").inner_text()
    assert facts(page) == {
        "Modelo": "248 millones", "Frente a entrenar esas W": "91,7 % menos", "Adaptador en FP32": "14,2 MB",
        "Adaptador en 16 bits": "7,08 MB", "Optimizador que te ahorras": "1,95 GB", "Escala, α/r": "2",
    }  # fmt: skip
    assert rows(page)["q"] == ["36 de 768 × 768", "1 769 472", "21,2 millones"]
    page.locator(".wf-status", has_text="Por debajo de r = 384").wait_for()  # llega con un poco de retraso


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


def test_errors_keep_the_last_good_numbers(page):
    rank = page.get_by_role("textbox", name="Rango, r")
    for text, message in (("hola", "No entiendo «hola»"), ("2,5", "un entero entre 1"), ("0", "un entero entre 1")):
        rank.fill(text)
        assert message in page.locator(".wf-error:visible").inner_text() and trained(page) == "3 538 944"
    rank.fill("8")
    page.get_by_role("textbox", name="Escala").fill("0")
    assert "mayor que 0" in page.locator(".wf-error:visible").inner_text() and facts(page)["Escala, α/r"] == "8"


@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    page.get_by_label("red de cada capa").check()
    page.get_by_role("textbox", name="Rango, r").fill("hola")
    assert fits(page)
    page.get_by_role("button", name="Llama 2 7B, todas").click()
    assert fits(page)
    page.wait_for_timeout(500)
    assert serious_violations(page, "lora-calculator") == []


def test_with_and_without_javascript_say_the_same(page, plain):
    assert rows(plain) == rows(page)
    caption = plain.locator("lora-calculator caption").inner_text().replace("\xa0", " ")
    assert "3 538 944 parámetros entrenados, el 1,41 %" in caption and facts(page)["Adaptador en FP32"] in caption
    assert plain.locator("lora-calculator input").count() == 0
