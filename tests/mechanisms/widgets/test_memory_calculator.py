"""La calculadora de memoria: da lo mismo que `utils` y sirve con teclado, en el teléfono y sin JavaScript."""

import json
import random
from bisect import bisect_right
from dataclasses import asdict

from widgets.memory_calculator import MODELS

from tests.mechanisms.looks import EVERY_VIEW, fits, read_table, serious_violations
from tests.mechanisms.tiny_book import ROOT
from utils.cost.activations import ATTENTIONS
from utils.cost.decoder_shape import DecoderShape
from utils.cost.memory import GPUS, OPTIMIZERS, PRECISIONS, USABLE, gpus_that_fit, training_memory
from utils.course.numerals import show

PAGE = """# Memoria

```{widget} memory-calculator
model: Llama 2 7B
batch: 1
length: 2048
precision: mixed
optimizer: adamw
```
"""
LLAMA = DecoderShape(32, 4096, 32, 11008, 32000)
BAD_BODIES = [
    ({"modelo": "x"}, "sobra la clave `modelo`"),
    ({"model": "GPT-5"}, "elige entre: mini-gpt"),
    ({"batch": 0}, "debe ser un entero entre 1 y 100000"),
    ({"checkpointing": "sí"}, "debe ser true o false"),
    ({"optimizer": "lion"}, "elige entre: sgd"),
]

#: Devuelve los casos en que el navegador no da los mismos bytes.
RUN = """
(m, cases) =>
  cases.filter(({ shape, options, parameters, memory, largest }) => {
    const got = m.trainingMemory(shape, options);
    return m.parameters(shape) !== parameters || m.largestBatch(shape, options, 14.4e9) !== largest
      || Object.keys(memory).some((key) => JSON.stringify(got[key]) !== JSON.stringify(memory[key]));
  })
"""


def total(page) -> str:
    return page.locator(".mc-total strong").inner_text()


def parts(page) -> dict[str, str]:
    return {name: cells[-1] for name, cells in read_table(page, ".mc-parts").items()}


def gpus(page) -> dict[str, list[str]]:
    return {name: cells[1:] for name, cells in read_table(page, ".mc-gpus").items()}


def expected(**options) -> str:
    options = {"batch": 1, "length": 2048, "precision": "mixed"} | options
    return f"{show(training_memory(LLAMA, **options).gigabytes)}\xa0GB"


def golden_cases() -> list[dict]:
    """La memoria de modelos y ajustes al azar, byte a byte, y el lote más grande que cabe en 14,4 GB."""
    generator = random.Random(0)
    return [_case(generator) for _ in range(120)]


def _case(generator: random.Random) -> dict:
    kv_heads = generator.choice([1, 2, 8])
    heads = kv_heads * generator.choice([1, 4])
    sizes = {
        "layers": generator.randint(1, 80), "d_model": heads * generator.choice([16, 64, 128]), "heads": heads,
        "d_ff": generator.randint(32, 30000), "vocab_size": generator.randint(100, 200_000), "kv_heads": kv_heads,
        "tied": generator.random() < 0.5,
    }  # fmt: skip
    shape = DecoderShape(**sizes)
    options = {
        "length": generator.randint(1, generator.choice([8, 5000])), "precision": generator.choice(list(PRECISIONS)),
        "optimizer": generator.choice(OPTIMIZERS), "attention": generator.choice(ATTENTIONS),
        "checkpointing": generator.random() < 0.5,
    }  # fmt: skip
    batch, room = generator.randint(1, 40), USABLE * GPUS["T4"] * 1e9
    memory = training_memory(shape, batch=batch, **options)
    # El pico no baja al crecer el lote: cuántos caben se busca por mitades.
    batches = range(1, 2**40)
    largest = bisect_right(batches, room, key=lambda b: training_memory(shape, batch=b, **options).total)
    names = {"d_model": "dModel", "d_ff": "dFf", "vocab_size": "vocab", "kv_heads": "kvHeads"}
    return {
        "shape": {names.get(key, key): value for key, value in sizes.items()},
        "options": options | {"batch": batch, "precision": asdict(PRECISIONS[options["precision"]])},
        "parameters": shape.parameters, "largest": largest,
        "memory": asdict(memory) | {"total": memory.total, "fullest": memory.fullest},
    }  # fmt: skip


def test_golden_covers_what_does_not_fit(golden):
    assert any(case["largest"] == 0 for case in golden) and any(case["largest"] > 1 for case in golden)
    assert {case["memory"]["fullest"] for case in golden} >= {"loss", "embeddings", "step", "last layer"}


def test_browser_equals_utils_on_every_golden_case(run_module, golden):
    assert run_module("memory.mjs", RUN, golden) == []


def test_the_models_have_the_published_parameters():
    config = json.loads((ROOT / "models" / "mini-gpt" / "config.json").read_text())
    ours = MODELS["mini-gpt (el del curso)"]
    assert (ours.layers, ours.d_model, ours.heads, ours.d_ff, ours.vocab_size) == tuple(
        config[name]
        for name in ("num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "vocab_size")
    )
    published = {"SmolLM2-135M": 134_515_008, "TinyLlama-1.1B": 1_100_048_384, "Llama 3.2 1B": 1_235_814_400,
                 "Llama 2 7B": 6_738_415_616, "Llama 3.1 8B": 8_030_261_248, "Llama 2 13B": 13_015_864_320,
                 "Llama 3.1 70B": 70_553_706_496}  # fmt: skip
    assert {name: MODELS[name].parameters for name in published} == published
    # Qwen2.5 lleva sesgos en consultas, claves y valores, que esta cuenta no incluye.
    assert MODELS["Qwen2.5-0.5B"].parameters == 494_032_768 - 24 * (896 + 2 * 128)


def test_the_settings_change_the_total(page):
    assert total(page) == expected()
    page.get_by_label("Rehacer activaciones").check()
    assert total(page) == expected(checkpointing=True) and "Capa que se rehace" not in parts(page)
    page.get_by_role("combobox", name="Precisión").select_option("fp32")
    assert total(page) == expected(checkpointing=True, precision="fp32")
    page.get_by_role("combobox", name="Optimizador").select_option("adafactor")
    assert total(page) == expected(checkpointing=True, precision="fp32", optimizer="adafactor")
    page.get_by_role("combobox", name="Atención").select_option("eager")
    page.get_by_role("textbox", name="Lote").fill("4")
    page.get_by_role("textbox", name="Longitud").fill("4 096")
    more = {"batch": 4, "length": 4096, "attention": "eager"}
    assert total(page) == expected(checkpointing=True, precision="fp32", optimizer="adafactor", **more)
    assert "Capa que se rehace" in parts(page)
    assert "al volver por la primera capa" in page.locator(".mc-total").inner_text()
    page.get_by_role("combobox", name="Optimizador").select_option("sgd")
    assert "Optimizador" not in parts(page)
    label = page.locator(".mc-bar").get_attribute("aria-label")
    assert all(name in label for name in parts(page))


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


@EVERY_VIEW
def test_it_fits_and_has_no_serious_axe_violations(page):
    page.locator("summary").click()
    page.get_by_role("textbox", name="Capas").fill("hola")
    page.get_by_label("Rehacer activaciones").check()
    assert fits(page)
    page.wait_for_timeout(300)
    assert serious_violations(page, "memory-calculator") == []


def test_with_and_without_javascript_say_the_same(page, plain):
    static = parts(plain)
    assert static.pop("Total") == total(page) and static == parts(page)
    assert "GPU donde cabe: H200" in plain.locator("caption").inner_text()
    assert plain.locator("memory-calculator input").count() == 0
