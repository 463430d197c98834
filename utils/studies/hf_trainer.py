"""El mismo entrenamiento con `Trainer`, de transformers: para comparar nuestro bucle con la herramienta de siempre.

Recibe los mismos ejemplos, el mismo objetivo y el mismo optimizador. Lo único que no coincide es el orden, porque
`Trainer` baraja a su manera y no agrupa por longitud; con `shuffle=False` se le da el que se quiera.
"""

import tempfile

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, Trainer, TrainingArguments

from utils.model.batching import Batch, counted_labels
from utils.train.loop import Objective
from utils.train.objectives import Example
from utils.train.schedule import learning_rate_factor

#: Lo que `Trainer` haría por su cuenta y aquí no se quiere: guardar y escribir. Las pérdidas se apuntan a cada paso.
QUIET = {
    "save_strategy": "no", "logging_strategy": "steps", "logging_steps": 1, "report_to": [], "disable_tqdm": True,
    "max_grad_norm": 1.0,
}  # fmt: skip


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
    shuffle: bool = True,
) -> list[float]:
    """Entrena `model` y lo deja en modo evaluación. Devuelve la pérdida de cada paso, en nats por token.

    Sin `shuffle` toma los ejemplos en el orden en que llegan. Error si en un lote no cuenta ninguna etiqueta: `Trainer`
    apuntaría una pérdida de 0 y seguiría.
    """

    def collate(batch: list[Example]) -> Batch:
        tensors = objective(batch, None)
        if not counted_labels(tensors):
            raise ValueError("En un lote no cuenta ninguna etiqueta: quita los ejemplos que son solo prompt.")
        return tensors

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            remove_unused_columns=False,
            **trainer_arguments(model, steps=steps, batch_size=batch_size, seed=seed, shuffle=shuffle),
        )
        trainer = Trainer(
            model=model,
            args=on_one_gpu(arguments),
            train_dataset=examples,
            data_collator=collate,
            optimizers=(optimizer, schedule(optimizer, steps, warmup)),
        )
        return step_losses(trainer)


def trainer_arguments(model: torch.nn.Module, *, steps: int, batch_size: int, seed: int, shuffle: bool) -> dict:
    """Los argumentos que comparten `Trainer` y `SFTTrainer`."""
    return {
        "max_steps": steps,
        "per_device_train_batch_size": batch_size,
        "seed": seed,
        "train_sampling_strategy": "random" if shuffle else "sequential",
        "use_cpu": next(model.parameters()).device.type == "cpu",
        **QUIET,
    }


def on_one_gpu(arguments: TrainingArguments) -> TrainingArguments:
    """Impide que `Trainer` reparta entre todas las GPU que vea: con dos, cada lote sería el doble sin decirlo."""
    arguments._n_gpu = min(arguments.n_gpu, 1)  # no tiene otro mando; el propio Trainer lo cambia así
    return arguments


def schedule(optimizer: torch.optim.Optimizer, steps: int, warmup: int) -> LambdaLR:
    """La tasa de aprendizaje de nuestro bucle, en la forma que pide `Trainer`."""
    return LambdaLR(optimizer, lambda step: learning_rate_factor(step, steps, warmup))


def step_losses(trainer: Trainer) -> list[float]:
    """Entrena en silencio y deja el modelo en modo evaluación. Devuelve la pérdida de cada paso."""
    trainer.remove_callback(PrinterCallback)  # escribiría un diccionario por paso
    trainer.train()
    trainer.model.eval()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
