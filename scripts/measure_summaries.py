"""Ensayo: qué resúmenes da un encoder-decoder tras el ajuste del lab 11, con las tres cifras de `models/ENSAYOS.md`.

    python scripts/measure_summaries.py models/mini-flan-t5 --semilla 0 --tasa 0.01

Primero, sin ajustar, pide en una ficha todos los hechos de cada diálogo: lo que falte ahí no lo dará el ajuste.
Luego ajusta como el lab y resume los mismos diálogos. Da ROUGE-1, hechos y palabras rotas, y cinco ejemplos.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerFast, T5ForConditionalGeneration

from utils.corpus.instructions import load_instruction_grammar
from utils.course.env import repo_root, set_seed
from utils.course.hub import load_data
from utils.course.numerals import number
from utils.measure.facts import broken_words, fact_recall
from utils.measure.rouge import rouge_corpus
from utils.model.decoding import generate_texts
from utils.text.normalize import words
from utils.train.loop import train
from utils.train.objectives import Seq2Seq, tokenize_pairs
from utils.train.optim import adafactor

PROMPT = "Resume el diálogo.\n{dialogue}"


def forms(model: T5ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, test: list[dict]) -> list[str]:
    """Las fichas de `test`, con todos los hechos de cada diálogo."""
    fields = load_instruction_grammar(repo_root() / "data" / "instrucciones" / "gramatica.yaml")["campos"]
    asked = [", ".join(fields[name][0] for name in row["facts"]) for row in test]
    prompts = [f"Rellena la ficha con {a}.\n{row['dialogue']}" for a, row in zip(asked, test, strict=True)]
    return generate_texts(model, tokenizer, prompts, max_new_tokens=96)


def tune(
    model: T5ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, rows: list[dict], seed: int, rate: float
) -> None:
    """Ajusta el modelo a resumir `rows`, con los pasos y el lote del lab 11."""
    prompts, completions = [PROMPT.format(**row) for row in rows], [row["summary"] for row in rows]
    examples = tokenize_pairs(tokenizer, prompts, completions, max_prompt=256, max_completion=72)
    set_seed(seed)
    train(
        model, examples, Seq2Seq(tokenizer.pad_token_id), steps=300, batch_size=16, warmup=20, seed=seed,
        optimizer=adafactor(model, rate),
    )  # fmt: skip


def figures(outputs: list[str], test: list[dict], lexicon: set[str]) -> dict[str, float]:
    """ROUGE-1, hechos que llegan (medias por resumen) y palabras rotas (parte de todas las escritas).

    >>> row = {"dialogue": "Ana: Hola.", "references": ["Ana llama."], "facts": {"a": "Ana"}}
    >>> figures(["Ana llema."], [row], {"llama"})
    {'ROUGE-1': 0.5, 'hechos': 1.0, 'palabras rotas': 0.5}
    """
    rouge = rouge_corpus(outputs, [row["references"] for row in test])["rouge1"]
    facts = [fact_recall(output, row["facts"]) for output, row in zip(outputs, test, strict=True)]
    broken = [
        broken_words(output, lexicon.union(words(row["dialogue"])))
        for output, row in zip(outputs, test, strict=True)
    ]  # fmt: skip
    share = float(np.average(broken, weights=[len(words(output)) for output in outputs]))
    return {"ROUGE-1": float(np.mean(rouge)), "hechos": float(np.mean(facts)), "palabras rotas": share}


def main() -> None:
    parser = argparse.ArgumentParser(description="Mide los resúmenes de un mini tras el ajuste del lab 11.")
    parser.add_argument("carpeta", type=Path)
    parser.add_argument("--semilla", type=int, default=0)
    parser.add_argument("--tasa", type=float, default=4e-2, help="la de Adafactor; por defecto, la del lab 11")
    parser.add_argument("--dialogos", type=int, default=160)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    data = load_data("dialogues")
    test = data["test"][: chosen.dialogos]
    lexicon = {word for row in data["train"] for word in words(f"{row['dialogue']} {row['summary']}")}
    tokenizer = AutoTokenizer.from_pretrained(chosen.carpeta)
    model = T5ForConditionalGeneration.from_pretrained(chosen.carpeta, dtype=torch.float32).eval()
    found = [fact_recall(form, row["facts"]) for form, row in zip(forms(model, tokenizer, test), test, strict=True)]
    print(f"hechos en la ficha, sin ajustar: {number(float(np.mean(found)), 3)}")
    tune(model, tokenizer, data["train"], chosen.semilla, chosen.tasa)
    outputs = generate_texts(model, tokenizer, [PROMPT.format(**row) for row in test], max_new_tokens=64)
    print(" · ".join(f"{name} {number(value, 3)}" for name, value in figures(outputs, test, lexicon).items()))
    for output, row in list(zip(outputs, test, strict=True))[:5]:
        print(f"\nhumano: {row['summary']}\nmodelo: {output}")


if __name__ == "__main__":
    main()
