"""Ensayo: sigue entrenando mini-flan-t5 para que copie palabras que nunca ha visto.

    python scripts/train_copying.py --pasos 7000

Parte del mini publicado y de la mezcla `COPYING_MIX`, con las palabras cortadas al azar en siete de cada diez ejemplos.
Guarda un punto de control cada 250 pasos en `.cache/minis/copia` y sigue desde él; al terminar deja ahí el modelo.
Lo que se midió con él está en `models/ENSAYOS.md`. No toca `models/`.
"""

import argparse
import itertools
import json
import os
import random

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerFast, T5ForConditionalGeneration

from utils.corpus.dialogues import DialogueGenerator, load_grammar
from utils.corpus.instructions import COPYING_MIX, InstructionGenerator, load_instruction_grammar, load_lexicon
from utils.course.env import repo_root, set_seed
from utils.text.subword_cuts import RandomCuts
from utils.train.loop import train
from utils.train.objectives import Seq2Seq
from utils.train.optim import adafactor

SEED, BATCH, RATE = 1, 24, 1e-2
WHOLE, CUT_WORDS = 0.3, 0.4  # ejemplos sin cortes, y parte de las palabras que se corta en los demás
MAX_PROMPT, MAX_COMPLETION = 384, 128


def copying_rows(size: int) -> list[dict]:
    """`size` ejemplos de la mezcla de copiar, con otra semilla que los de `make models`."""
    data = repo_root() / "data"
    dialogues = DialogueGenerator(*load_grammar(data / "dialogos" / "gramatica"), "train", SEED)
    grammar = load_instruction_grammar(data / "instrucciones" / "gramatica.yaml")
    lexicon = load_lexicon(data / "textos" / "trafalgar.txt")
    return list(itertools.islice(InstructionGenerator(grammar, dialogues, lexicon, SEED, COPYING_MIX), size))


def cut_pairs(rows: list[dict], tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    """Los ids de cada ejemplo, acabados en </s>, con sus palabras cortadas igual en el prompt y en la respuesta."""
    rng, cuts, examples = random.Random(SEED), RandomCuts(tokenizer, CUT_WORDS), []
    end = [tokenizer.eos_token_id]
    for row in rows:
        cuts.words = 0.0 if rng.random() < WHOLE else CUT_WORDS
        prompt, completion = cuts([row["prompt"], row["completion"]], rng)
        examples.append({"input_ids": prompt[: MAX_PROMPT - 1] + end, "labels": completion[: MAX_COMPLETION - 1] + end})
    return examples


def main() -> None:
    parser = argparse.ArgumentParser(description="Sigue entrenando mini-flan-t5 para que copie palabras nuevas.")
    parser.add_argument("--pasos", type=int, default=7000)
    steps = parser.parse_args().pasos
    set_seed(SEED)
    torch.set_num_threads(1)
    base, out = repo_root() / "models" / "mini-flan-t5", repo_root() / ".cache" / "minis" / "copia"
    tokenizer = AutoTokenizer.from_pretrained(base)
    examples = cut_pairs(copying_rows(steps * BATCH), tokenizer)
    lines = (repo_root() / "data" / "instrucciones" / "validation.jsonl").read_text("utf-8").splitlines()
    validation = [
        {"input_ids": tokenizer(row["prompt"])["input_ids"], "labels": tokenizer(row["completion"])["input_ids"]}
        for row in map(json.loads, lines[:200])
    ]
    model = T5ForConditionalGeneration.from_pretrained(base, dtype=torch.float32, dropout_rate=0.0)
    history = train(
        model, examples, Seq2Seq(tokenizer.pad_token_id), steps=steps, batch_size=BATCH, warmup=100, seed=SEED,
        optimizer=adafactor(model, RATE), validation=validation, validate_every=500,
        checkpoint=out / "ck", checkpoint_every=250, description="copia",
    )  # fmt: skip
    model.config.dropout_rate = 0.1  # se entrena sin dropout y se ajusta con el de T5
    model.half().save_pretrained(out)
    tokenizer.save_pretrained(out)
    print(f"pérdida de validación {history.validation[-1][1]:.3f}, {history.seconds:.0f} s")


if __name__ == "__main__":
    main()
