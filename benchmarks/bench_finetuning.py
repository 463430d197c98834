"""Mide nuestra receta de ajuste fino y la del laboratorio clásico, en la misma ejecución, e imprime el cociente.

    nuestra   lotes de longitud parecida, relleno hasta el más largo del lote; generación por lotes
    clásica   entradas y etiquetas rellenas hasta 512 tokens; generación de uno en uno con `model.generate`

Mismo modelo, ejemplos, lote, optimizador, bucle, hilos y precisión; ambas generan con caché KV y sin azar.
Se cuentan solo los tokens útiles (entrada y etiquetas sin relleno), que son los mismos para las dos. Las rondas se
alternan, la primera llamada de cada receta se descarta y se toma la mediana. No mide la calidad: eso es cosa del lab.

Uso: python benchmarks/bench_finetuning.py [--pasos 4 --resumenes 32 --rondas 3]. Falla si el cociente no llega a 5.
"""

import argparse
import contextlib
import copy
import io
import json
import statistics
import sys
import time
from collections.abc import Callable

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from utils.course.env import limit_threads, repo_root, set_seed
from utils.course.numerals import number
from utils.model.decoding import generate_texts
from utils.studies.classic import ClassicPadding
from utils.train.loop import epoch_batches, train
from utils.train.objectives import Seq2Seq, tokenize_pairs
from utils.train.optim import adafactor

FIXED_LENGTH, BATCH, NEW_TOKENS, TARGET = 512, 8, 60, 5.0


def read(split: str, count: int) -> tuple[list[str], list[str]]:
    """Los primeros `count` diálogos, como prompts, y sus resúmenes."""
    lines = (repo_root() / "data" / "dialogos" / f"{split}.jsonl").read_text("utf-8").splitlines()[:count]
    rows = [json.loads(line) for line in lines]
    return [f"Resume este diálogo:\n{row['dialogue']}" for row in rows], [row["summary"] for row in rows]


def seconds(work: Callable[[], object]) -> tuple[float, object]:
    """Segundos que tarda `work` y lo que devuelve; se calla la barra de progreso."""
    with contextlib.redirect_stderr(io.StringIO()):
        start = time.perf_counter()
        result = work()
        return time.perf_counter() - start, result


def one_by_one(model, tokenizer, prompts: list[str]) -> list[str]:
    """La generación del laboratorio clásico: un diálogo cada vez."""
    texts = []
    for prompt in prompts:
        encoded = tokenizer(prompt, return_tensors="pt", truncation=True, max_length=FIXED_LENGTH)
        with torch.no_grad():
            ids = model.generate(**encoded, max_new_tokens=NEW_TOKENS, do_sample=False, num_beams=1)
        texts.append(tokenizer.decode(ids[0], skip_special_tokens=True).strip())
    return texts


def main() -> int:
    """Devuelve 0 si se cumple el objetivo."""
    parser = argparse.ArgumentParser(description="Compara nuestra receta de ajuste fino con la clásica.")
    parser.add_argument("--pasos", type=int, default=4, help="pasos de entrenamiento por ronda")
    parser.add_argument("--resumenes", type=int, default=32, help="resúmenes generados por ronda")
    parser.add_argument("--rondas", type=int, default=3)
    options = parser.parse_args()

    folder = repo_root() / "models" / "mini-flan-t5"
    if not (folder / "model.safetensors").exists():
        sys.exit("Falta models/mini-flan-t5: ejecuta «make models».")
    threads = limit_threads()
    set_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    examples = tokenize_pairs(tokenizer, *read("train", 800), FIXED_LENGTH, FIXED_LENGTH)
    prompts, _ = read("test", options.resumenes)
    pad = tokenizer.pad_token_id
    objectives = {
        "nuestra": Seq2Seq(pad),
        "clásica": ClassicPadding(pad, FIXED_LENGTH, FIXED_LENGTH, ignore_padding=False, mask_padding=False),
    }
    generators = {
        "nuestra": lambda texts: generate_texts(
            model, tokenizer, texts, max_new_tokens=NEW_TOKENS, max_prompt=FIXED_LENGTH
        ),
        "clásica": lambda texts: one_by_one(model, tokenizer, texts),
    }

    def fit(objective, steps: int) -> float:
        trained = copy.deepcopy(model)
        options = dict(steps=steps, batch_size=BATCH, optimizer=adafactor(trained, 1e-2), seed=0)
        return seconds(lambda: train(trained, examples, objective, **options))[0]

    used = epoch_batches([len(e["input_ids"]) for e in examples], BATCH, 0, 0)[: options.pasos]
    trained_tokens = sum(len(examples[i]["input_ids"]) + len(examples[i]["labels"]) for batch in used for i in batch)
    times: dict[tuple[str, str], list[float]] = {}
    outputs = {}
    for name in objectives:  # calentamiento
        fit(objectives[name], 1)
        seconds(lambda name=name: generators[name](prompts[:2]))
    for _ in range(options.rondas):
        for name in objectives:
            times.setdefault((name, "entrenar"), []).append(fit(objectives[name], options.pasos))
            elapsed, outputs[name] = seconds(lambda name=name: generators[name](prompts))
            times.setdefault((name, "generar"), []).append(elapsed)

    generated = {name: sum(map(len, tokenizer(texts)["input_ids"])) for name, texts in outputs.items()}
    same = sum(a == b for a, b in zip(outputs["nuestra"], outputs["clásica"], strict=True))
    median = {key: statistics.median(values) for key, values in times.items()}
    training = {name: trained_tokens / median[name, "entrenar"] for name in objectives}
    generating = {name: generated[name] / median[name, "generar"] for name in objectives}
    spent = {name: median[name, "entrenar"] + median[name, "generar"] for name in objectives}
    total = {name: (trained_tokens + generated[name]) / spent[name] for name in objectives}
    print(f"{options.pasos} pasos de {BATCH} diálogos y {len(prompts)} resúmenes, mediana de {options.rondas} rondas")
    print(f"hilos: {threads} · precisión: float32")
    print(f"resúmenes iguales en las dos recetas: {same} de {len(prompts)}")
    print(f"{'tokens útiles/s':<20}{'clásica':>10}{'nuestra':>10}{'cociente':>10}")
    for title, speed in (("entrenar", training), ("generar", generating), ("entrenar y generar", total)):
        ratio = speed["nuestra"] / speed["clásica"]
        print(f"{title:<20}{speed['clásica']:>10.0f}{speed['nuestra']:>10.0f}{number(ratio, 1):>10}")
    print(f"cociente: {number(ratio, 1)} (objetivo: al menos {number(TARGET, 0)})")
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
