"""Las comparaciones del lab 14: dos tareas nuevas, cinco maneras de ajustar el mismo modelo y lo que cuesta cada una.

Tarea «lugar»: de una frase con una persona, un lugar y una fecha, contestar solo el lugar. `mini-flan-t5` sabe sacar
las tres cosas juntas; nadie le ha enseñado a contestar una. Tarea «tercera»: pasar una frase de «yo» a «ella», que
obliga a cambiar el verbo y nadie le ha enseñado en absoluto.

Lo que NO hace: elegir la tasa de aprendizaje (`scripts/run_peft.py` la busca y la apunta) ni dibujar.
"""

import random
import time
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn

from utils.corpus.instructions import load_instruction_grammar
from utils.cost.saved_tensors import SavedTensors, measured_bytes
from utils.course.env import repo_root
from utils.course.hub import load_data
from utils.model.batching import to_device
from utils.model.decoding import generate_texts
from utils.model.surgery import trained_parameters
from utils.train.loop import History, train
from utils.train.objectives import Seq2Seq, tokenize_pairs
from utils.train.optim import trainable
from utils.tune.adapters import add_adapters
from utils.tune.lora import LoRAConfig, add_lora
from utils.tune.soft_prompts import PrefixTuning, PromptTuning, prompt_from_text

METHODS = ("completo", "LoRA", "adaptadores", "prefijo", "prompt blando")
#: De qué tamaño es cada método si no se dice otra cosa: el rango, el cuello de botella o los tokens virtuales.
SIZES = {"completo": 0, "LoRA": 4, "adaptadores": 8, "prefijo": 10, "prompt blando": 10}
#: De qué texto salen los vectores de partida de un prompt blando.
STARTS = {"lugar": "Según el texto, ¿cuál es el punto de encuentro?", "tercera": "Escribe la frase en tercera persona."}


@dataclass(frozen=True)
class Task:
    """Una tarea: pares (entrada, respuesta) para entrenar, elegir y probar."""

    name: str
    train: list[tuple[str, str]]
    validation: list[tuple[str, str]]
    test: list[tuple[str, str]]


@dataclass(frozen=True)
class Run:
    """Un entrenamiento: tarea, método, su tamaño, tasa de aprendizaje, semilla y pasos."""

    task: str
    method: str
    size: int
    learning_rate: float
    seed: int
    steps: int = 100
    batch_size: int = 16


@dataclass(frozen=True)
class Outcome:
    """Lo que salió: el modelo, su historia, la nota de cada frase de prueba (1 o 0) y los bytes, por partes."""

    model: nn.Module
    history: History
    parameters: int
    test: list[float]
    memory: dict[str, int]
    seconds: float  # de CPU, solo los pasos de entrenamiento


def load_task(name: str) -> Task:
    """Prepara una tarea; `ValueError` si no es «lugar» o «tercera».

    En «lugar», las frases de prueba están construidas de otra manera que las de entrenamiento; en «tercera» son
    combinaciones nuevas de palabras conocidas.
    """
    grammar = load_instruction_grammar(repo_root() / "data" / "instrucciones" / "gramatica.yaml")
    if name == "lugar":
        requests = tuple(request.replace("{texto}", "") for request in grammar["consignas"]["entidades"])
        return Task(name, *(_places(rows, requests) for rows in load_data("instructions").values()))
    if name == "tercera":
        words = grammar["traduccion"]
        pairs = [
            (f"yo {verb[0]} {thing} {when}", f"ella {verb[1]} {thing} {when}")
            for verb in words["verbos"] for thing in words["objetos"] for when in words["cuando"]
        ]  # fmt: skip
        random.Random(0).shuffle(pairs)
        return Task(name, pairs[300:], pairs[200:300], pairs[:200])
    raise ValueError(f"No hay una tarea «{name}»: elige «lugar» o «tercera».")


def _places(rows: list[dict], requests: tuple[str, ...]) -> list[tuple[str, str]]:
    """De las filas de entidades, la frase sin su consigna y el lugar."""
    pairs = []
    for row in rows:
        if row["task"] == "entidades":
            request = next(r for r in requests if row["prompt"].startswith(r))
            place = row["completion"].split("; lugar: ")[1].split("; fecha: ")[0]
            pairs.append((row["prompt"].removeprefix(request), place))
    return pairs


def build(base: nn.Module, tokenizer, run: Run) -> nn.Module:
    """Una copia de `base` preparada para entrenarse con el método de `run`; la base no se toca."""
    model = deepcopy(base)
    torch.manual_seed(run.seed)
    if run.method == "completo":
        return model
    if run.method == "LoRA":
        return add_lora(model, LoRAConfig(rank=run.size, alpha=2 * run.size, targets=("q", "v")))
    if run.method == "adaptadores":
        return add_adapters(model, run.size)
    if run.method == "prefijo":
        return PrefixTuning(model, run.size)
    if run.method == "prompt blando":
        return PromptTuning(model, prompt_from_text(base, tokenizer, STARTS[run.task], run.size))
    raise ValueError(f"No conozco el método «{run.method}»: elige entre {', '.join(METHODS)}.")


def exact_matches(model: nn.Module, tokenizer, pairs: list[tuple[str, str]], request: str = "") -> list[float]:
    """1 por cada respuesta voraz igual a la buena y 0 por las demás; `request` se pone delante de cada entrada."""
    outputs = generate_texts(model, tokenizer, [request + text for text, _ in pairs], max_new_tokens=24)
    return [float(output == answer) for output, (_, answer) in zip(outputs, pairs, strict=True)]


def encode(tokenizer, pairs: list[tuple[str, str]]) -> list[dict]:
    """Los ejemplos de entrenamiento de unos pares, sin consigna: la pone, o no, el método."""
    return tokenize_pairs(tokenizer, *map(list, zip(*pairs, strict=True)), max_prompt=64, max_completion=24)


def train_run(base: nn.Module, tokenizer, task: Task, run: Run) -> Outcome:
    """Entrena con AdamW, evalúa y pesa. Lo que decide el azar sale de la semilla de `run`."""
    model, objective = build(base, tokenizer, run), Seq2Seq(tokenizer.pad_token_id)
    optimizer = torch.optim.AdamW(trainable(model.parameters()), lr=run.learning_rate, weight_decay=0.0)
    examples = encode(tokenizer, task.train)
    started = time.process_time()
    history = train(
        model, examples, objective, steps=run.steps, batch_size=run.batch_size, optimizer=optimizer,
        warmup=run.steps // 10, seed=run.seed, description=f"{run.task}, {run.method}",
    )  # fmt: skip
    seconds = time.process_time() - started
    memory = training_bytes(model, optimizer, to_device(objective(examples[: run.batch_size]), model))
    return Outcome(
        model, history, trained_parameters(model)[0], exact_matches(model, tokenizer, task.test), memory, seconds
    )


def training_bytes(model: nn.Module, optimizer: torch.optim.Optimizer, batch: dict) -> dict[str, int]:
    """Bytes de un paso: pesos, gradientes, estados del optimizador y activaciones guardadas para ir hacia atrás."""
    model.train()
    with SavedTensors(model) as saved:
        loss = model(**batch).loss
    loss.backward()
    found = measured_bytes(model, optimizer) | {"activaciones": saved.bytes}
    model.zero_grad(set_to_none=True)
    model.eval()
    return found
