"""Un entrenamiento de las leyes de escala: un transformer de un ancho dado, D tokens de un texto que no se acaba.

Todos los entrenamientos comparten lo que no se estudia: dos bloques, lotes de 64 frases, una sola pasada por un texto
recién sorteado (ningún lote se repite), coseno que termina justo en D y tasa de aprendizaje inversa al ancho. Con la
misma semilla dan la misma pérdida.

Lo que NO hace: repartir presupuestos (`scripts/run_scaling.py`) ni ajustar la ley (`utils.cost.power_law`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from utils.corpus.grammar import FactGrammar
from utils.cost.flops import training_flops
from utils.course.env import device
from utils.model.logprobs import token_logprobs
from utils.model.transformer import Transformer, TransformerConfig
from utils.train.loop import step
from utils.train.schedule import Schedule, learning_rate_factor

LAYERS, HEAD_DIM, BATCH = 2, 16, 64
#: La tasa máxima es esta constante entre el ancho: probada con anchos de 8 a 64.
LEARNING_RATE = 0.64
#: Frases con que se mide la pérdida, las mismas para todos los entrenamientos.
HELD_OUT, HELD_OUT_SEED = 8192, 1_000_003


@dataclass(frozen=True)
class Run:
    """Lo que se decide: el ancho D del modelo, los tokens de entrenamiento y la semilla.

    >>> Run(width=16, tokens=500_000).steps(predicted=8)
    977
    """

    width: int
    tokens: float
    seed: int = 0

    def steps(self, predicted: int) -> int:
        """Pasos para ver `tokens` tokens con lotes de 64 frases de `predicted` tokens que adivinar."""
        return max(1, round(self.tokens / (BATCH * predicted)))


@dataclass
class Outcome:
    """Lo que se mide: N con embeddings y sin ellos, D de verdad, la pérdida (nats por token) y los segundos de CPU."""

    parameters: int
    non_embedding: int
    tokens: int
    loss: float
    seconds: float

    @property
    def flops(self) -> float:
        return training_flops(self.parameters, self.tokens)


def make_model(width: int, vocab_size: int, seed: int = 0) -> Transformer:
    """Un decodificador de dos bloques y `width` dimensiones, con RoPE, RMSNorm y embeddings compartidos con la salida.

    Error si `width` no se reparte en cabezas de unas 16 dimensiones, todas pares.

    >>> sum(p.numel() for p in make_model(16, vocab_size=457).parameters())
    13536
    """
    heads = max(1, width // HEAD_DIM)
    if width < 2 or width % (2 * heads):
        raise ValueError(f"El ancho {width} no se reparte en {heads} cabezas de tamaño par: usa 8, 12, 16, 24, 32…")
    torch.manual_seed(seed)
    config = TransformerConfig(vocab=vocab_size, dim=width, heads=heads, decoder_layers=LAYERS, activation="gelu")
    return Transformer(config)


def parameter_counts(width: int, vocab_size: int) -> tuple[int, int]:
    """N con todo (como Chinchilla) y N sin los embeddings (como Kaplan), sin crear el modelo.

    >>> parameter_counts(16, vocab_size=457)
    (13536, 6224)
    """
    blocks = LAYERS * (12 * width**2 + 2 * width) + width  # 4D² de atención, 8D² de la red y las normas
    return blocks + vocab_size * width, blocks


def token_losses(model: nn.Module, ids: Tensor) -> Tensor:
    """Pérdida de cada token menos el primero, en nats: ids (B, T) -> (B, T - 1)."""
    return -token_logprobs(model(ids[:, :-1]), ids[:, 1:])


@lru_cache(maxsize=2)
def held_out(world: FactGrammar) -> tuple[Tensor, float]:
    """Las frases de la medida, siempre las mismas, y cuánto se aparta su pérdida mínima de la entropía exacta.

    En 8192 frases sorteadas, la pérdida de quien lo supiera todo no es la entropía, sino algo cercano. Como se sabe
    cuánto se aparta, se resta, y la pérdida medida queda casi sin ruido.
    """
    ids = world.sample(HELD_OUT, np.random.default_rng(HELD_OUT_SEED))
    perfect = -world.log_probability(ids).mean() / (world.length - 1)
    return torch.from_numpy(ids), float(perfect - world.entropy)


@torch.no_grad()
def evaluate(model: nn.Module, world: FactGrammar) -> float:
    """Pérdida por token en frases nuevas, en nats; la de un modelo perfecto es `world.entropy`."""
    model.eval()
    ids, luck = held_out(world)
    where = next(model.parameters()).device
    losses = torch.cat([token_losses(model, part.to(where)) for part in ids.split(1024)])  # (8192, T - 1)
    return float(losses.double().mean()) - luck


def train_run(
    run: Run,
    world: FactGrammar,
    progress: Callable[[int, int], None] | None = None,
    batches: Callable[[np.random.Generator], np.ndarray] | None = None,
    factor: Callable[[int, int, int], float] = learning_rate_factor,
) -> tuple[Outcome, Transformer]:
    """Entrena desde cero y mide. Devuelve lo medido y el modelo, en modo evaluación.

    `progress(paso, pasos)` se llama tras cada paso. `batches(rng)` da el lote siguiente, (64, T); si no se dice, frases
    recién sorteadas. `factor` es la forma de la tasa. Error si el ancho no encaja o la pérdida deja de ser finita.
    """
    model = make_model(run.width, world.vocab_size, run.seed).to(device())
    rate, steps = LEARNING_RATE / run.width, run.steps(world.length - 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.0)
    schedule = Schedule(optimizer, steps, warmup=max(10, steps // 20), factor=factor)
    rng, started = np.random.default_rng([run.seed, 1]), time.process_time()
    model.train()
    for number in range(steps):
        ids = torch.from_numpy(batches(rng) if batches else world.sample(BATCH, rng)).to(device())  # (B, T)
        step(token_losses(model, ids).mean(), optimizer, number, schedule)
        if progress:
            progress(number + 1, steps)
    seconds = time.process_time() - started
    total, blocks = parameter_counts(run.width, world.vocab_size)
    outcome = Outcome(total, blocks, steps * BATCH * (world.length - 1), evaluate(model, world), seconds)
    return outcome, model


@torch.no_grad()
def recall(model: nn.Module, world: FactGrammar, rank: np.ndarray, relation: int) -> np.ndarray:
    """¿Sabe el modelo ese hecho de cada persona? Aciertos (n,) al completar «Laura Rey estudió…» con su favorito.

    `rank` (n,) son puestos, 0 para la persona más nombrada; `relation`, el número de la relación.
    """
    ids = torch.from_numpy(world.encode(rank, np.full((len(rank), 1), relation)))  # (n, 5)
    where = next(model.parameters()).device
    best = model(ids[:, :-1].to(where))[:, -1].argmax(-1).cpu()  # (n,)
    return (best == ids[:, -1]).numpy()
