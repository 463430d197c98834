"""El mismo entrenamiento con `Trainer`, de transformers: para comparar nuestro bucle con la herramienta de siempre.

Recibe los mismos ejemplos, el mismo objetivo y el mismo optimizador. Lo único que no coincide es el orden: `Trainer`
baraja a su manera y no agrupa por longitud.
"""

import tempfile

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, Trainer, TrainingArguments

from utils.train.loop import Objective
from utils.train.objectives import Example
from utils.train.schedule import learning_rate_factor


def fit_with_trainer(
    model: torch.nn.Module,
    examples: list[Example],
    objective: Objective,
    *,
    steps: int,
    batch_size: int,
    optimizer: torch.optim.Optimizer,
    warmup: int,
    seed: int,
) -> float:
    """Entrena `model` y lo deja en modo evaluación. Devuelve los segundos que tardó."""
    schedule = LambdaLR(optimizer, lambda step: learning_rate_factor(step, steps, warmup))
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, max_steps=steps, per_device_train_batch_size=batch_size, max_grad_norm=1.0, seed=seed,
            remove_unused_columns=False, save_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True,
            use_cpu=next(model.parameters()).device.type == "cpu",
        )  # fmt: skip
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=examples,
            data_collator=lambda batch: objective(batch, None),
            optimizers=(optimizer, schedule),
        )
        trainer.remove_callback(PrinterCallback)  # escribiría un diccionario por época
        result = trainer.train()
    model.eval()
    return result.metrics["train_runtime"]
