"""Entrena los modelos mini a partir de `data/`: `make models`.

    tokenizador  BPE de bytes, compartido por los cuatro
    mini-t5       encoder-decoder, solo restaurar trozos borrados
    mini-flan-t5  mini-t5 + instrucciones de varias tareas (nunca resumir diálogos), y copiar lo que no conoce
    mini-gpt      decoder (Llama), continuar texto
    mini-bert     encoder, adivinar palabras tapadas
    mini-razona   decoder (Llama) con su tokenizador, resolver problemas en cuatro formatos

Cada modelo se entrena con un solo hilo y van de dos en dos. Guarda puntos de control en `.cache/minis`: si se corta,
la siguiente ejecución sigue donde estaba y da el mismo resultado. `--solo mini-gpt` entrena uno.
"""

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from transformers import PreTrainedTokenizerFast

from scripts import copying_phase, razona_recipe
from utils.corpus.dialogues import DialogueGenerator, load_grammar
from utils.corpus.instructions import TRAINING_MIX, InstructionGenerator, load_instruction_grammar, load_lexicon
from utils.course.env import repo_root, set_seed
from utils.course.numerals import number
from utils.train.completions import CompletionLM
from utils.train.loop import History, train
from utils.train.objectives import CausalLM, MaskedLM, Seq2Seq, SpanCorruption, tokenize_pairs

sys.path.insert(0, str(Path(__file__).parent))
from mini_recipes import (
    RECIPES,
    TOKENIZER_CACHE,
    Recipe,
    build_model,
    load_texts,
    mini_tokenizer,
    save_mini,
    write_card,
)

SEED = 0
#: Los que no dependen de otro, repartidos entre los dos núcleos; mini-flan-t5 parte de mini-t5.
LANES = (("mini-t5", "mini-flan-t5"), ("mini-gpt", "mini-bert", "mini-razona"))
BLOCK = 128  # tokens por secuencia de texto


def objective_and_examples(recipe: Recipe, tokenizer: PreTrainedTokenizerFast):
    """Devuelve (objetivo, ejemplos de entrenamiento, ejemplos de validación) de una receta."""
    pad = tokenizer.pad_token_id
    if recipe.objective == "instrucciones":
        examples = _pairs(fresh_instructions(recipe.steps * recipe.batch_size), tokenizer)
        rows = (repo_root() / "data" / "instrucciones" / "validation.jsonl").read_text("utf-8").splitlines()
        return Seq2Seq(pad), examples, _pairs([json.loads(row) for row in rows], tokenizer)
    if recipe.objective == "razonamiento":
        known = razona_recipe.encode(tokenizer, razona_recipe.conversations(200, SEED, "validation"))
        return CompletionLM(pad), razona_recipe.training_examples(tokenizer, SEED), known
    blocks = {split: _blocks(split, tokenizer) for split in ("train", "validation")}
    if recipe.objective == "causal":
        return CausalLM(pad), blocks["train"], blocks["validation"]
    if recipe.objective == "palabras tapadas":
        special = frozenset(tokenizer.all_special_ids)
        return MaskedLM(pad, tokenizer.mask_token_id, len(tokenizer), special), blocks["train"], blocks["validation"]
    sentinels = tuple(tokenizer.convert_tokens_to_ids(f"<extra_id_{i}>") for i in range(32))
    return SpanCorruption(pad, tokenizer.eos_token_id, sentinels), blocks["train"], blocks["validation"]


def fresh_instructions(size: int) -> list[dict]:
    """`size` instrucciones distintas, de la misma gramática que `data/instrucciones`.

    Con las 12 000 del archivo, repetidas, el modelo las memoriza y no aprende a copiar: acierta el 0 % de las copias.
    """
    data = repo_root() / "data"
    dialogues = DialogueGenerator(*load_grammar(data / "dialogos" / "gramatica"), "train", SEED)
    grammar = load_instruction_grammar(data / "instrucciones" / "gramatica.yaml")
    lexicon = load_lexicon(data / "textos" / "trafalgar.txt")
    return list(itertools.islice(InstructionGenerator(grammar, dialogues, lexicon, SEED, TRAINING_MIX), size))


def _pairs(rows: list[dict], tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    prompts, completions = [row["prompt"] for row in rows], [row["completion"] for row in rows]
    return tokenize_pairs(tokenizer, prompts, completions, max_prompt=320, max_completion=128)


def _blocks(split: str, tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    """Cada texto, partido en secuencias de `BLOCK` tokens como mucho; se tiran los restos de menos de 8."""
    examples = []
    for ids in tokenizer(load_texts(split))["input_ids"]:
        examples += [
            {"input_ids": ids[i : i + BLOCK]} for i in range(0, len(ids), BLOCK) if len(ids[i : i + BLOCK]) >= 8
        ]
    return examples


def train_mini(name: str) -> History:
    """Entrena un mini de principio a fin, lo guarda en `models/` y escribe su ficha."""
    recipe = RECIPES[name]
    set_seed(SEED)
    torch.set_num_threads(1)
    tokenizer = mini_tokenizer(recipe.family)
    objective, examples, validation = objective_and_examples(recipe, tokenizer)
    model = build_model(recipe, tokenizer)
    checkpoint = repo_root() / ".cache" / "minis" / name
    history = train(
        model, examples, objective, steps=recipe.steps, batch_size=recipe.batch_size, optimizer=recipe.optimizer(model),
        warmup=recipe.warmup, seed=SEED, validation=validation, validate_every=250,
        checkpoint=checkpoint, checkpoint_every=100, description=name,
    )  # fmt: skip
    if name == "mini-flan-t5":
        first, copying = history, checkpoint.with_name("mini-flan-t5-copia")
        history = copying_phase.teach_copying(model, tokenizer, validation, copying)
        history.seconds += first.seconds
        shutil.rmtree(copying)
    save_mini(name, model, tokenizer)
    write_card(name, recipe, model, history)
    shutil.rmtree(checkpoint)  # ya no hace falta, y el próximo `make models` debe empezar de cero
    loss = number(history.validation[-1][1], 3)
    print(f"{name}: pérdida de validación {loss}, {history.seconds:.0f} s")
    return history


def main() -> None:
    parser = argparse.ArgumentParser(description="Entrena los modelos mini del curso.")
    parser.add_argument("--solo", choices=list(RECIPES), nargs="+", help="entrena solo estos, en este orden")
    chosen = parser.parse_args().solo
    if chosen:
        for name in chosen:
            train_mini(name)
        return
    TOKENIZER_CACHE.unlink(missing_ok=True)  # con los mismos datos sale el mismo; con otros, no debe servir el viejo
    mini_tokenizer("t5")  # se entrena una vez, antes de repartir el trabajo
    lanes = [subprocess.Popen([sys.executable, __file__, "--solo", *lane]) for lane in LANES]
    if any(lane.wait() for lane in lanes):
        sys.exit("Algún mini no terminó. Vuelve a ejecutar «make models»: sigue donde se quedó.")


if __name__ == "__main__":
    main()
