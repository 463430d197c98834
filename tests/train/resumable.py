"""El entrenamiento que las pruebas matan y reanudan. Se ejecuta en otro proceso:

python -m tests.train.resumable CARPETA [--muere-al-guardar N] [--despacio]
"""

import argparse
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import torch
from transformers import T5Config, T5ForConditionalGeneration

from utils.train.loop import History, train
from utils.train.objectives import SpanCorruption
from utils.train.optim import adafactor

STEPS, SAVE_EVERY = 60, 5
VOCAB, PAD, EOS = 64, 0, 1
SENTINELS = tuple(range(2, 8))


def tiny_t5(dropout: float = 0.0, seed: int = 0) -> T5ForConditionalGeneration:
    torch.manual_seed(seed)
    return T5ForConditionalGeneration(T5Config(
        vocab_size=VOCAB, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, dropout_rate=dropout,
        pad_token_id=PAD, eos_token_id=EOS, decoder_start_token_id=PAD, tie_word_embeddings=False))  # fmt: skip


def texts(n: int = 50, seed: int = 0) -> list[dict]:
    """Secuencias al azar de 8 a 30 tokens."""
    rng = np.random.default_rng(seed)
    return [{"input_ids": rng.integers(8, VOCAB, rng.integers(8, 31)).tolist()} for _ in range(n)]


def pairs(n: int = 20, seed: int = 0) -> list[dict]:
    """Pares de secuencias de longitud distinta: la respuesta repite el principio de la entrada."""
    rows = [row["input_ids"] for row in texts(n, seed)]
    return [{"input_ids": row, "labels": [*row[: 2 + i % 5], EOS]} for i, row in enumerate(rows)]


def run(folder: Path | None, pause: float = 0.0) -> History:
    """Entrena un T5 con dropout. `pause` deja tiempo para que lo maten a medias."""
    torch.set_num_threads(1)
    model = tiny_t5(dropout=0.3)
    corrupt = SpanCorruption(PAD, EOS, SENTINELS)

    def objective(examples, rng):
        time.sleep(pause)
        return corrupt(examples, rng)

    return train(
        model, texts(), objective, steps=STEPS, batch_size=4, optimizer=adafactor(model, 1e-2), warmup=10, seed=3,
        validation=texts(6, seed=9), validate_every=7, checkpoint=folder, checkpoint_every=SAVE_EVERY,
    )  # fmt: skip


def die_while_saving(count: int) -> None:
    """Cambia `torch.save` para que, a la vez número `count`, escriba la mitad del archivo y muera de verdad."""
    real, calls = torch.save, 0

    def save(state, path):
        nonlocal calls
        calls += 1
        real(state, path)
        if calls == count:
            with open(path, "r+b") as file:
                file.truncate(Path(path).stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    torch.save = save


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--muere-al-guardar", type=int, default=0)
    parser.add_argument("--despacio", action="store_true")
    arguments = parser.parse_args()
    if arguments.muere_al_guardar:
        die_while_saving(arguments.muere_al_guardar)
    history = run(arguments.folder, pause=0.01 if arguments.despacio else 0.0)
    (arguments.folder / "historia.json").write_text(json.dumps([history.losses, history.validation, history.tokens]))


if __name__ == "__main__":
    main()
