"""El mismo ajuste fino con tres herramientas: nuestro bucle, `Trainer` de transformers y `SFTTrainer` de TRL.

Las tres reciben los mismos ejemplos en el mismo orden y devuelven la pérdida de cada paso; así se puede comprobar que
hacen lo mismo. A `SFTTrainer` se le dan los textos, porque convertirlos en tokens y tapar el prompt es parte de lo que
ofrece.

Lo que NO hace: comparar velocidades (con pasos tan cortos se mide el arranque) ni usar varias GPU.
"""

import tempfile
import warnings
from collections.abc import Sequence

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from utils.studies.hf_trainer import fit_with_trainer, on_one_gpu, schedule, step_losses, trainer_arguments
from utils.train.completions import CompletionLM
from utils.train.loop import epoch_batches, train
from utils.train.objectives import Example


def completion_examples(
    tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], completions: Sequence[str]
) -> list[Example]:
    """Cada par en ids, con el token de fin y una máscara que deja aprender solo la respuesta.

    `ValueError` si los ids del prompt no son el comienzo de los del texto entero: al usar el modelo, el prompt no se
    cortaría como en el entrenamiento.
    """
    examples = []
    for prompt, completion in zip(prompts, completions, strict=True):
        start = tokenizer(prompt)["input_ids"]
        ids = tokenizer(prompt + completion + tokenizer.eos_token)["input_ids"]
        if ids[: len(start)] != start:
            raise ValueError(
                f"«{prompt[-20:]}» y «{completion[:20]}» se mezclan al cortarlos en tokens: "
                "acaba el prompt en un signo, como «:», y empieza la respuesta por un espacio."
            )
        examples.append({"input_ids": ids, "assistant_masks": [0] * len(start) + [1] * (len(ids) - len(start))})
    return examples


def same_order(examples: Sequence[Example], batch_size: int, seed: int) -> list[int]:
    """El orden en que los toma nuestro bucle en la primera época, para dárselos así a las otras herramientas."""
    lengths = [len(example["input_ids"]) for example in examples]
    return [i for batch in epoch_batches(lengths, batch_size, seed, epoch=0) for i in batch]


def loop_losses(model, examples, *, batch_size: int, optimizer, warmup: int, seed: int, pad_id: int) -> list[float]:
    """Una época con `utils.train.loop`. Devuelve la pérdida de cada paso, en nats por token de la respuesta."""
    steps = len(same_order(examples, batch_size, seed)) // batch_size
    options = {"steps": steps, "batch_size": batch_size, "optimizer": optimizer, "warmup": warmup, "seed": seed}
    return train(model, list(examples), CompletionLM(pad_id), **options).losses


def trainer_losses(model, examples, *, batch_size: int, optimizer, warmup: int, seed: int, pad_id: int) -> list[float]:
    """Lo mismo con `Trainer`: los ejemplos ya van en ids, y el lote lo hace nuestro objetivo."""
    rows = [examples[i] for i in same_order(examples, batch_size, seed)]
    options = {"steps": len(rows) // batch_size, "batch_size": batch_size, "optimizer": optimizer, "warmup": warmup}
    return fit_with_trainer(model, rows, CompletionLM(pad_id), seed=seed, shuffle=False, **options)


def sft_losses(
    model: PreTrainedModel,
    tokenizer,
    pairs,
    order: Sequence[int],
    *,
    batch_size: int,
    optimizer,
    warmup: int,
    seed: int,
) -> list[float]:
    """Lo mismo con `SFTTrainer`, que recibe los textos: `pairs` son dos listas, prompts y respuestas.

    Tres de sus valores por omisión se cambian porque no son los de las otras dos: recalcular activaciones, BF16 y el
    límite de 1024 tokens.
    """
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar
    from trl import SFTConfig, SFTTrainer

    disable_progress_bar()
    prompts, completions = pairs
    steps = len(order) // batch_size
    rows = {"prompt": [prompts[i] for i in order], "completion": [completions[i] for i in order]}
    with tempfile.TemporaryDirectory() as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # gradient_checkpointing cambia de nombre en transformers 6
            different = {"gradient_checkpointing": False, "bf16": False, "max_length": None}
            same = trainer_arguments(model, steps=steps, batch_size=batch_size, seed=seed, shuffle=False)
            arguments = on_one_gpu(SFTConfig(folder, **different, **same))
        trainer = SFTTrainer(
            model,
            arguments,
            train_dataset=Dataset.from_dict(rows),
            processing_class=tokenizer,
            optimizers=(optimizer, schedule(optimizer, steps, warmup)),
        )
        return step_losses(trainer)
