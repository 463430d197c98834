"""Escribe los valores de referencia de los widgets: lo que `utils` calcula y el navegador debe repetir.

    python scripts/export_golden.py

Deja un archivo por widget en `tests/mechanisms/golden/`. Las pruebas comprueban que están al día y que el JavaScript de
`_static/course/widgets/` da lo mismo (las probabilidades, con 1e-6 de margen). No prueba nada por sí mismo.
"""

import json
import math
import random
from dataclasses import asdict, replace
from pathlib import Path

import torch

from scripts.golden_lora import lora_cases
from scripts.golden_overlap import overlap_cases
from utils.compress.formats import E4M3, E5M2, FORMATS, INT8, NF4, NumberFormat
from utils.course.numerals import in_words, show
from utils.measure.activations import ATTENTIONS
from utils.measure.decoder_shape import DecoderShape
from utils.measure.flops import PEAK_TFLOPS, gpu_hours, petaflop_days, training_flops
from utils.measure.memory import GPUS, OPTIMIZERS, PRECISIONS, USABLE, training_memory
from utils.measure.scaling import BESIROGLU_2024, HOFFMANN_2022, chinchilla_optimum
from utils.model.decoding import probabilities
from utils.text.bpe import ByteBPE
from utils.text.bpe_train import count_words, merge_steps
from utils.text.pretokenize import split_words

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "mechanisms" / "golden" / "sampling.json"
BPE_GOLDEN = GOLDEN.with_name("bpe.json")
FORMATS_GOLDEN = GOLDEN.with_name("formats.json")
TEXT_GOLDEN = GOLDEN.with_name("numbers.json")
MEMORY_GOLDEN = GOLDEN.with_name("memory.json")
PLANNER_GOLDEN = GOLDEN.with_name("planner.json")
OVERLAP_GOLDEN = GOLDEN.with_name("overlap.json")
LORA_GOLDEN = GOLDEN.with_name("lora.json")

# Los logits son múltiplos de 1/8: así son exactos en float32 y el margen mide solo las fórmulas.
LOGITS = {
    "erratas": [10.0, 5.0, 2.0],
    "capítulo": [4.5, 3.75, 3.0, 2.25, 1.5, 0.75, 0.0, -0.75, -1.5, -3.0],
    "empates": [2.0, 1.0, 1.0, 1.0, 0.5, 0.5],
    "todos iguales": [1.0] * 8,
    "empate en cabeza": [3.0, 3.0, 3.0, -1.0],
    "uno solo": [0.0],
    "muy grandes": [1000.0, 999.0, -1000.0],
    "uno imposible": [1.0, -math.inf, 0.5],
}
# La trampa de erratas: en binario 0.60 + 0.30 < 0.90, y aun así el tercero sale.
TRAP = [math.log(p) for p in (0.60, 0.30, 0.10)]
# La misma trampa con diez tokens iguales: sumar 0.1 ocho o nueve veces se queda corto también en float64.
EQUAL = [0.0] * 10


def _settings(size: int) -> list[tuple[float, int | None, float | None]]:
    """Ajustes (temperatura, top_k, top_p) para un vocabulario de `size` tokens, con todos los extremos."""
    return [
        (1.0, None, None), (0.1, None, None), (0.5, None, None), (2.0, None, None), (3.0, None, None),
        (1.0, 1, None), (1.0, size, 1.0), (1.0, None, 0.01), (1.0, None, 0.5), (0.7, (size + 1) // 2, 0.9),
        (3.0, max(1, size - 1), 0.95), (0.1, (size + 1) // 2, 0.999),
    ]  # fmt: skip


def golden_cases() -> list[dict]:
    """Los casos con las probabilidades que calcula `utils` ahora mismo."""
    cases = [(name, logits, *setting) for name, logits in LOGITS.items() for setting in _settings(len(logits))]
    cases += [("trampa 0,60 + 0,30", TRAP, 1.0, None, p) for p in (0.6, 0.8999, 0.9, 0.9001, 1.0)]
    cases += [("trampa de diez iguales", EQUAL, 1.0, None, p / 10) for p in range(1, 10)]
    generator = random.Random(0)
    for number in range(20):
        logits = [generator.randint(-48, 48) / 8 for _ in range(generator.randint(3, 40))]
        top_k = generator.choice([None, generator.randint(1, len(logits))])
        top_p = generator.choice([None, generator.uniform(0.05, 1)])
        cases.append((f"al azar {number}", logits, generator.uniform(0.1, 3), top_k, top_p))
    return [_case(*case) for case in cases]


def _case(name: str, logits: list[float], temperature: float, top_k: int | None, top_p: float | None) -> dict:
    probs = probabilities(torch.tensor(logits, dtype=torch.float64), temperature, top_k, top_p)  # (V,)
    return {
        "name": name,
        "logits": [None if math.isinf(logit) else logit for logit in logits],  # JSON no tiene -inf
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "probabilities": [round(prob, 9) for prob in probs.double().tolist()],
    }


BPE_TEXTS = (
    "el sol sale solo, la sal sala y el sol se posa en la sala",
    "ab ba ab ba", "aaaaaaaaaa aaaaaaa", "banana bandana", "¡Ñandú, ñandú! ¿Pingüino o pingüina?", "",
    "x", "  dos  espacios \n\n y saltos\r\n", "don't they'll we're I'm it's",
    "日本 日本語 日本", "👩🏽‍🚀👩🏽‍🚀", "12 123 1234 12345",
    "tres tristes tigres tragaban trigo en un trigal, en tres tristes trastos", "\u00a0\u2003 e\u0301e\u0301",
)  # fmt: skip


def bpe_cases() -> list[dict]:
    """Cada texto con sus palabras, las fusiones de parejas repetidas y cómo queda; los tokens son listas de bytes."""
    generator = random.Random(0)
    mixed = ["".join(generator.choices("aab ñ'r", k=generator.randint(5, 60))) for _ in range(30)]
    return [_bpe_case(text) for text in (*BPE_TEXTS, *mixed)]


def _bpe_case(text: str) -> dict:
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


NUMBERS = (
    0.0, -0.0, 1.0, 3.141592, math.pi, 0.1, 1 / 3, -2.5, 0.5, 1.5, 127.5, -127.5, 448.0, 464.0, 465.0, 65504.0, 65519.0,
    65520.0, -61440.0, 3.4028235677973366e38, 1e300, 1e-7, 2.0**-24, 2.0**-25, 1.5 * 2.0**-24, 1e-45, 5e-324, math.inf,
    -math.inf, math.nan,
)  # fmt: skip


def format_cases() -> list[list]:
    """Números en cada formato, como [formato, escala, número, código, bits, lo que guarda, anterior, siguiente].

    Y los formatos de 8 bits o menos, enteros: [formato, todos sus valores].
    """
    generator = random.Random(0)
    values = [*NUMBERS, *(generator.choice([-1, 1]) * 2 ** generator.uniform(-30, 20) for _ in range(15))]
    scaled = [replace(fmt, scale=scale) for fmt in (INT8, NF4) for scale in (0.02, 0.7)]
    cases = []
    for fmt in (*FORMATS.values(), *scaled):
        usable = [value for value in values if not (math.isnan(value) and fmt.name in ("INT8", "NF4"))]
        cases += [_format_case(fmt, value) for value in usable]
    return cases + [
        [fmt.name, [_plain(fmt.decode(code)) for code in range(1 << fmt.bits)]] for fmt in (E4M3, E5M2, INT8, NF4)
    ]


def _format_case(fmt: NumberFormat, value: float) -> list:
    code = fmt.encode(value)
    around = (None, None) if math.isnan(fmt.decode(code)) else fmt.neighbours(code)
    numbers = [_plain(number) for number in (fmt.decode(code), *around)]
    return [fmt.name, getattr(fmt, "scale", None), _plain(value), code, fmt.pattern(code), *numbers]


def _plain(number: float | None) -> float | str | None:
    """JSON no tiene infinitos ni NaN: van como textos, que JavaScript convierte con Number."""
    if number is None or math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


TEXTS = (
    0.0, 1.0, -0.00134, 0.00009999, 0.0001, 9.9996e-5, 0.1, 9999.0, 12345.678, 999.96, 9999999.0, 1e7, 7e9, 1e6, 1.4e12,
    2e17, 3.15e23, 5.96e-8, 1e300, -123456.0, 999.9996e6, 65504.0,
)  # fmt: skip


def text_cases() -> list[list]:
    """Cómo se escribe cada número, como [número, cifras, texto, texto con palabras]."""
    return [[value, digits, show(value, digits), in_words(value, digits)] for value in TEXTS for digits in (2, 3, 9)]


def memory_cases() -> list[dict]:
    """La memoria de modelos y ajustes al azar, byte a byte, y el lote más grande que cabe en 14,4 GB."""
    generator = random.Random(0)
    return [_memory_case(generator) for _ in range(120)]


def _memory_case(generator: random.Random) -> dict:
    kv_heads = generator.choice([1, 2, 8])
    heads = kv_heads * generator.choice([1, 4])
    sizes = {
        "layers": generator.randint(1, 80), "d_model": heads * generator.choice([16, 64, 128]), "heads": heads,
        "d_ff": generator.randint(32, 30000), "vocab_size": generator.randint(100, 200_000), "kv_heads": kv_heads,
        "tied": generator.random() < 0.5,
    }  # fmt: skip
    shape = DecoderShape(**sizes)
    options = {
        "length": generator.randint(1, 5000), "precision": generator.choice(list(PRECISIONS)),
        "optimizer": generator.choice(OPTIMIZERS), "attention": generator.choice(ATTENTIONS),
        "checkpointing": generator.random() < 0.5,
    }  # fmt: skip
    batch, room = generator.randint(1, 40), USABLE * GPUS["T4"] * 1e9
    memory = training_memory(shape, batch=batch, **options)
    # La memoria crece con el lote en línea recta: basta con dos puntos para saber cuántos caben.
    one, two = (training_memory(shape, batch=b, **options).total for b in (1, 2))
    largest = 0 if one > room else 1 + int((room - one) // (two - one))
    names = {"d_model": "dModel", "d_ff": "dFf", "vocab_size": "vocab", "kv_heads": "kvHeads"}
    return {
        "shape": {names.get(key, key): value for key, value in sizes.items()},
        "options": options | {"batch": batch, "precision": asdict(PRECISIONS[options["precision"]])},
        "parameters": shape.parameters, "memory": asdict(memory) | {"total": memory.total}, "largest": largest,
    }  # fmt: skip


def planner_cases() -> list[dict]:
    """El coste y los repartos óptimos de entrenamientos al azar, de los de un portátil a los mayores."""
    generator = random.Random(0)
    cases = []
    for _ in range(40):
        n, d = 10 ** generator.uniform(6, 13), 10 ** generator.uniform(6, 15)
        gpu, mfu, flops = generator.choice(list(PEAK_TFLOPS)), generator.uniform(0.05, 1), training_flops(n, d)
        optima = [chinchilla_optimum(flops), HOFFMANN_2022.optimum(flops), BESIROGLU_2024.optimum(flops)]
        hours = gpu_hours(flops, PEAK_TFLOPS[gpu], mfu)
        numbers = [flops, petaflop_days(flops), hours, HOFFMANN_2022.loss(n, d), BESIROGLU_2024.loss(n, d)]
        numbers += [number for best in optima for number in (best.parameters, best.tokens)]
        cases.append({"plan": [n, d], "peak": PEAK_TFLOPS[gpu], "mfu": mfu, "numbers": numbers})
    return cases


def main() -> None:
    for path, cases in (
        (GOLDEN, golden_cases()), (BPE_GOLDEN, bpe_cases()), (FORMATS_GOLDEN, format_cases()),
        (TEXT_GOLDEN, text_cases()), (MEMORY_GOLDEN, memory_cases()),
        (PLANNER_GOLDEN, planner_cases()), (OVERLAP_GOLDEN, overlap_cases()), (LORA_GOLDEN, lora_cases()),
    ):  # fmt: skip
        lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
        print(f"{len(cases)} casos en {path.name}")


if __name__ == "__main__":
    main()
