"""La calculadora de memoria: da lo mismo que `utils` y sirve con teclado, en el teléfono y sin JavaScript."""

import importlib
import json

import pytest

from scripts.export_golden import MEMORY_GOLDEN, memory_cases
from tests.mechanisms.looks import EVERY_VIEW, fits, serious_violations
from tests.mechanisms.tiny_book import ROOT
from utils.course.numerals import show
from utils.measure.decoder_shape import DecoderShape
from utils.measure.memory import GPUS, gpus_that_fit, training_memory

PAGE = """# Memoria

```{widget} memory-calculator
model: Llama 2 7B
batch: 1
length: 2048
precision: mixed
optimizer: adamw
```
"""
WIDGETS = ROOT / "_static" / "course" / "widgets"
LLAMA = DecoderShape(32, 4096, 32, 11008, 32000)

#: Devuelve los casos en que el navegador no da los mismos bytes.
RUN = """
(cases) => import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }))).then((module) =>
  cases.filter(({ shape, options, parameters, memory, largest }) => {
    const got = module.trainingMemory(shape, options);
    return module.parameters(shape) !== parameters || module.largestBatch(shape, options, 14.4e9) !== largest
      || Object.keys(memory).some((key) => got[key] !== memory[key]);
  }))
"""


def total(page) -> str:
    return page.locator(".mc-total strong").inner_text()


def parts(page) -> dict[str, str]:
    rows = page.locator(".mc-parts tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").last.inner_text() for row in rows}


def gpus(page) -> dict[str, list[str]]:
    rows = page.locator(".mc-gpus tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts()[1:] for row in rows}


def expected(**options) -> str:
    options = {"batch": 1, "length": 2048, "precision": "mixed"} | options
    return f"{show(training_memory(LLAMA, **options).gigabytes)}\xa0GB"


def test_golden_file_is_up_to_date():
    cases = memory_cases()
    assert json.loads(MEMORY_GOLDEN.read_text(encoding="utf-8")) == cases, "ejecuta scripts/export_golden.py"
    assert any(case["largest"] == 0 for case in cases) and any(case["largest"] > 1 for case in cases)


@pytest.mark.slow
def test_browser_equals_utils_on_every_golden_case(page):
    source = (WIDGETS / "memory.mjs").read_text(encoding="utf-8")
    cases = json.loads(MEMORY_GOLDEN.read_text(encoding="utf-8"))
    assert page.evaluate(RUN.replace("SOURCE", json.dumps(source)), cases) == []


def test_the_models_have_the_published_parameters(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "_ext")
    models = importlib.import_module("widget_memory").MODELS
    config = json.loads((ROOT / "models" / "mini-gpt" / "config.json").read_text())
    ours = models["mini-gpt (el del curso)"]
    assert (ours.layers, ours.d_model, ours.heads, ours.d_ff, ours.vocab_size) == tuple(
        config[name]
        for name in ("num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "vocab_size")
    )
    published = {"SmolLM2-135M": 134_515_008, "TinyLlama-1.1B": 1_100_048_384, "Llama 3.2 1B": 1_235_814_400,
                 "Llama 2 7B": 6_738_415_616, "Llama 3.1 8B": 8_030_261_248, "Llama 2 13B": 13_015_864_320,
                 "Llama 3.1 70B": 70_553_706_496}  # fmt: skip
    assert {name: models[name].parameters for name in published} == published
    # Qwen2.5 lleva sesgos en consultas, claves y valores, que esta cuenta no incluye.
    assert models["Qwen2.5-0.5B"].parameters == 494_032_768 - 24 * (896 + 2 * 128)


@pytest.mark.slow
def test_the_settings_change_the_total(page):
    assert total(page) == expected()
    page.get_by_label("Rehacer activaciones").check()
    assert total(page) == expected(checkpointing=True) and "Capa que se rehace" in parts(page)
    page.get_by_role("combobox", name="Precisión").select_option("fp32")
    assert total(page) == expected(checkpointing=True, precision="fp32")
    page.get_by_role("combobox", name="Optimizador").select_option("adafactor")
    assert total(page) == expected(checkpointing=True, precision="fp32", optimizer="adafactor")
    page.get_by_role("combobox", name="Atención").select_option("eager")
    page.get_by_role("textbox", name="Lote").fill("4")
    page.get_by_role("textbox", name="Longitud").fill("4 096")
    more = {"batch": 4, "length": 4096, "attention": "eager"}
    assert total(page) == expected(checkpointing=True, precision="fp32", optimizer="adafactor", **more)
    page.get_by_role("combobox", name="Optimizador").select_option("sgd")
    assert "Optimizador" not in parts(page)
    label = page.locator(".mc-bar").get_attribute("aria-label")
    assert all(name in label for name in parts(page))


@pytest.mark.slow
def test_which_gpus_fit(page):
    memory = training_memory(LLAMA, batch=1, length=2048, precision="mixed")
    fitting = [name for name, cells in gpus(page).items() if cells[0].startswith("Sí")]
    assert [name.split(" de ")[0] for name in fitting] == [n.split(" de ")[0] for n in gpus_that_fit(memory.total)]
    assert len(gpus(page)) == len(GPUS)
    assert gpus(page)["T4 de 16\xa0GB"][1] == "ninguno"
    page.get_by_role("combobox", name="Modelo").select_option("SmolLM2-135M")
    page.get_by_role("combobox", name="Precisión").select_option("bf16")
    assert gpus(page)["T4 de 16\xa0GB"][0].endswith("pero no calcula en BF16")
    biggest = int(gpus(page)["T4 de 16\xa0GB"][1].replace("\xa0", ""))
    page.get_by_role("textbox", name="Lote").fill(str(biggest))
    assert gpus(page)["T4 de 16\xa0GB"][0].startswith("Sí")
    page.get_by_role("textbox", name="Lote").fill(str(biggest + 1))
    assert gpus(page)["T4 de 16\xa0GB"][0].startswith("No: faltan")
    page.locator(".wf-status", has_text="Hacen falta").wait_for()  # llega con un poco de retraso, a propósito


@pytest.mark.slow
def test_own_sizes_and_their_errors(page):
    page.locator("summary").press("Enter")
    before = total(page), parts(page)
    heads = page.get_by_role("textbox", name="Cabezas, H")
    heads.fill("31")
    assert page.get_by_role("alert").filter(has_text="31 cabezas no dividen a D = 4096").is_visible()
    assert (total(page), parts(page)) == before and heads.input_value() == "31"
    heads.fill("32")
    assert page.locator(".wf-error:visible").count() == 0
    for text, message in (
        ("hola", "No entiendo «hola»"),
        ("2,5", "un entero entre 1 y 1000"),
        ("0", "un entero entre 1"),
    ):
        page.get_by_role("textbox", name="Capas").fill(text)
        assert message in page.locator(".wf-error:visible").inner_text()
        assert (total(page), parts(page)) == before
    page.get_by_role("textbox", name="Capas").fill("16")
    assert page.get_by_role("combobox", name="Modelo").input_value() == "a medida"
    half = DecoderShape(16, 4096, 32, 11008, 32000)
    memory = training_memory(half, batch=1, length=2048, precision="mixed")
    assert total(page) == f"{show(memory.gigabytes)}\xa0GB"
    page.get_by_role("combobox", name="Modelo").select_option("Llama 2 7B")
    assert page.get_by_role("textbox", name="Capas").input_value() == "32" and total(page) == before[0]


@pytest.mark.slow
@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    page.locator("summary").click()
    page.get_by_role("textbox", name="Capas").fill("hola")
    page.get_by_label("Rehacer activaciones").check()
    assert fits(page)
    page.wait_for_timeout(300)
    assert serious_violations(page, "memory-calculator") == []


@pytest.mark.slow
def test_with_and_without_javascript_say_the_same(page, plain):
    static = parts(plain)
    assert static.pop("Total") == total(page) and static == parts(page)
    assert "GPU donde cabe: H200" in plain.locator("caption").inner_text()
    assert plain.locator("memory-calculator input").count() == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"modelo": "x"}, "sobra la clave `modelo`"),
        ({"model": "GPT-5"}, "elige entre: mini-gpt"),
        ({"batch": 0}, "debe ser un entero entre 1 y 100000"),
        ({"checkpointing": "sí"}, "debe ser true o false"),
        ({"optimizer": "lion"}, "elige entre: sgd"),
    ],
)
def test_bad_bodies_are_told_in_spanish(monkeypatch, body, message):
    monkeypatch.syspath_prepend(ROOT / "_ext")
    with pytest.raises(ValueError, match=message):
        importlib.import_module("widget_memory").memory_spec(body)
