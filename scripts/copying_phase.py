"""La segunda fase de mini-flan-t5: que copie palabras que nunca ha visto.

La mezcla es `COPYING_MIX`, casi toda de diálogos con palabras inventadas de los que hay que sacar hechos. En siete de
cada diez ejemplos las palabras se cortan al azar, igual en el prompt y en la respuesta: así se entrena cada trozo
y un nombre nuevo no se rompe. Lo usa `train_minis`; lo que se probó antes está en `models/ENSAYOS.md`.
"""

import itertools
import random
from pathlib import Path

from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

from utils.corpus.dialogues import DialogueGenerator, load_grammar
from utils.corpus.instructions import COPYING_MIX, InstructionGenerator, load_instruction_grammar, load_lexicon
from utils.course.env import repo_root
from utils.text.subword_cuts import RandomCuts
from utils.train.loop import History, train
from utils.train.objectives import Example, Seq2Seq
from utils.train.optim import adafactor

#: Otra semilla que la de la primera fase: los diálogos son otros.
SEED, STEPS, BATCH, RATE = 1, 4800, 24, 1e-2
WHOLE, CUT_WORDS = 0.3, 0.4  # ejemplos sin cortes, y parte de las palabras que se corta en los demás
MAX_PROMPT, MAX_COMPLETION = 384, 128


def copying_rows(size: int) -> list[dict]:
    """`size` ejemplos de la mezcla de copiar."""
    data = repo_root() / "data"
    dialogues = DialogueGenerator(*load_grammar(data / "dialogos" / "gramatica"), "train", SEED)
    grammar = load_instruction_grammar(data / "instrucciones" / "gramatica.yaml")
    lexicon = load_lexicon(data / "textos" / "trafalgar.txt")
    return list(itertools.islice(InstructionGenerator(grammar, dialogues, lexicon, SEED, COPYING_MIX), size))


def cut_pairs(rows: list[dict], tokenizer: PreTrainedTokenizerFast) -> list[Example]:
    """Los ids de cada ejemplo, acabados en </s>, con sus palabras cortadas igual en el prompt y en la respuesta."""
    rng, cuts, examples = random.Random(SEED), RandomCuts(tokenizer, CUT_WORDS), []
    end = [tokenizer.eos_token_id]
    for row in rows:
        cuts.words = 0.0 if rng.random() < WHOLE else CUT_WORDS
        prompt, completion = cuts([row["prompt"], row["completion"]], rng)
        examples.append({"input_ids": prompt[: MAX_PROMPT - 1] + end, "labels": completion[: MAX_COMPLETION - 1] + end})
    return examples


def teach_copying(
    model: T5ForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    validation: list[Example],
    checkpoint: Path,
) -> History:
    """Sigue entrenando el modelo, con puntos de control en `checkpoint`, y devuelve lo que pasó."""
    return train(
        model, cut_pairs(copying_rows(STEPS * BATCH), tokenizer), Seq2Seq(tokenizer.pad_token_id), steps=STEPS,
        batch_size=BATCH, warmup=100, seed=SEED, optimizer=adafactor(model, RATE), validation=validation,
        validate_every=500, checkpoint=checkpoint, checkpoint_every=100, description="mini-flan-t5, copiar",
    )  # fmt: skip
