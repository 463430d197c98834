"""Objetivos de entrenamiento: de ejemplos en ids a un lote de tensores con sus etiquetas.

Un objetivo es un objeto que se llama con una lista de ejemplos y un generador de azar, y devuelve el diccionario
que espera un modelo de Hugging Face. Rellena hasta el ejemplo más largo del lote (*dynamic padding*), pone
`attention_mask` a 0 en el relleno y -100 en las etiquetas que no cuentan: `-100` es el único valor que la
entropía cruzada de PyTorch ignora.

Los ejemplos pueden venir empaquetados por `utils.train.packing`, con `position_ids`: el lote los lleva también.

Lo que NO hace: partir documentos ni empaquetarlos, ni construir la máscara que los separa.
"""

from dataclasses import dataclass

import numpy as np
import torch

from utils.model.batching import IGNORE, Batch, attention_mask, pad

Example = dict[str, list[int]]


def packed_positions(examples: list[Example]) -> Batch:
    """Las posiciones de un lote empaquetado, {"position_ids"} (B, T), o nada si sus ejemplos no lo están.

    El relleno repite la posición 0, que es la de un documento nuevo.

    >>> packed_positions([{"input_ids": [7, 1, 8], "position_ids": [0, 1, 0]}])["position_ids"].tolist()
    [[0, 1, 0]]
    """
    rows = [example["position_ids"] for example in examples if "position_ids" in example]
    if rows and len(rows) < len(examples):
        raise ValueError("Hay ejemplos empaquetados y sin empaquetar en el mismo lote: pasa todos por pack.")
    return {"position_ids": pad(rows, 0)} if rows else {}


def tokenize_pairs(tokenizer, prompts: list[str], completions: list[str], max_prompt: int, max_completion: int):
    """Convierte pares instrucción-respuesta en ejemplos {"input_ids", "labels"} para un encoder-decoder.

    Trunca a `max_prompt` y `max_completion` tokens. Lanza `ValueError` si no hay pares o un texto está vacío.
    """
    if not prompts:
        raise ValueError("No hay ningún par que tokenizar.")
    for i, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        if not prompt.strip() or not completion.strip():
            raise ValueError(f"El par número {i} tiene un texto vacío: quítalo o complétalo antes de entrenar.")
    sources = tokenizer(prompts, truncation=True, max_length=max_prompt)["input_ids"]
    targets = tokenizer(completions, truncation=True, max_length=max_completion)["input_ids"]
    return [{"input_ids": s, "labels": t} for s, t in zip(sources, targets, strict=True)]


@dataclass(frozen=True)
class Seq2Seq:
    """Instrucción -> respuesta en un encoder-decoder: solo se aprende la respuesta.

    >>> batch = Seq2Seq(pad_id=0)([{"input_ids": [4, 5], "labels": [6]}, {"input_ids": [7], "labels": [8, 9]}])
    >>> batch["labels"].tolist()
    [[6, -100], [8, 9]]
    """

    pad_id: int

    def __call__(self, examples: list[Example], rng: np.random.Generator | None = None) -> Batch:
        sources = [example["input_ids"] for example in examples]
        return {
            "input_ids": pad(sources, self.pad_id),  # (B, T)
            "attention_mask": attention_mask(sources),  # (B, T)
            "labels": pad([example["labels"] for example in examples], IGNORE),  # (B, S)
        }


@dataclass(frozen=True)
class CausalLM:
    """Predecir el token siguiente. Las etiquetas son la propia entrada: el modelo las desplaza por dentro.

    El primer token no lo predice nadie: su etiqueta es -100, igual que la del primero de cada documento de una
    secuencia empaquetada. Si el ejemplo trae `prompt_length`, esos primeros tokens, quizá todos, tampoco cuentan.

    >>> CausalLM(pad_id=0)([{"input_ids": [4, 5, 6], "prompt_length": 1}])["labels"].tolist()
    [[-100, 5, 6]]
    """

    pad_id: int

    def __call__(self, examples: list[Example], rng: np.random.Generator | None = None) -> Batch:
        rows = [example["input_ids"] for example in examples]
        skips = [min(max(1, e.get("prompt_length", 0)), len(row)) for e, row in zip(examples, rows, strict=True)]
        labels = pad([[IGNORE] * skip + row[skip:] for row, skip in zip(rows, skips, strict=True)], IGNORE)  # (B, T)
        positions = packed_positions(examples)
        if positions:
            labels = labels.masked_fill(positions["position_ids"] == 0, IGNORE)  # (B, T)
        return {
            "input_ids": pad(rows, self.pad_id),
            "attention_mask": attention_mask(rows),
            "labels": labels,
            **positions,
        }


@dataclass(frozen=True)
class MaskedLM:
    """Adivinar palabras tapadas (BERT, Devlin et al. 2019, §3.1).

    De cada 100 tokens se eligen 15, o los que diga `rate`; de esos, el 80 % se cambia por [MASK], el 10 % por un
    token corriente al azar y el 10 % se deja igual. Solo los elegidos cuentan en la pérdida, y los especiales no se
    eligen nunca. Cada token se sortea por su cuenta: en un texto corto puede no tocar ninguno. Si no toca en todo el
    lote, se elige uno. Error si `rate` no está entre 0 y 1 o si en el lote solo hay tokens especiales.

    >>> objective = MaskedLM(pad_id=0, mask_id=2, vocab_size=9, special_ids=frozenset({0, 1, 2}), rate=1.0)
    >>> objective([{"input_ids": [7, 8, 1]}], np.random.default_rng(0))["labels"].tolist()
    [[7, 8, -100]]
    """

    pad_id: int
    mask_id: int
    vocab_size: int
    special_ids: frozenset[int]
    rate: float = 0.15

    def __post_init__(self):
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate es la fracción de tokens que se tapan, entre 0 y 1, y es {self.rate}.")

    def __call__(self, examples: list[Example], rng: np.random.Generator) -> Batch:
        rows = [example["input_ids"] for example in examples]
        ids = pad(rows, self.pad_id).numpy()  # (B, T)
        candidates = ~np.isin(ids, list(self.special_ids | {self.pad_id}))
        if not candidates.any():
            raise ValueError("En el lote solo hay tokens especiales y ninguno que tapar: quita esos textos.")
        chosen = candidates & (rng.random(ids.shape) < self.rate)
        if not chosen.any():
            chosen.flat[rng.choice(np.flatnonzero(candidates))] = True
        labels = np.where(chosen, ids, IGNORE)
        dice = rng.random(ids.shape)
        ids = np.where(chosen & (dice < 0.8), self.mask_id, ids)
        ordinary = np.setdiff1d(np.arange(self.vocab_size), list(self.special_ids | {self.pad_id}))
        random_ids = ordinary[rng.integers(0, len(ordinary), ids.shape)]
        ids = np.where(chosen & (dice >= 0.8) & (dice < 0.9), random_ids, ids)
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": attention_mask(rows),
            "labels": torch.from_numpy(labels),
            **packed_positions(examples),
        }


@dataclass(frozen=True)
class SpanCorruption:
    """Restaurar trozos borrados (T5, Raffel et al. 2020, §3.3.4).

    Borra el 15 % de los tokens en trozos de 3 de media; cada trozo se cambia por un centinela. El objetivo dice,
    por cada centinela, qué había debajo: entrada `a <X> d <Y>`, objetivo `<X> b c <Y> e <Z>`. `sentinels` son sus ids
    en el orden en que se usan, que en T5 es de mayor a menor: <extra_id_0> es el último del vocabulario. La cuenta es
    la de `random_spans_noise_mask`, del código de T5: un número fijo de tokens y de trozos, todas las formas de
    repartirlos por igual y siempre algún token a la vista. Error si el texto no llega a 2 tokens o un ajuste no vale.
    """

    pad_id: int
    eos_id: int
    sentinels: tuple[int, ...]
    rate: float = 0.15
    mean_span: float = 3.0

    def __post_init__(self):
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate es la fracción de tokens que se borran, entre 0 y 1, y es {self.rate}.")
        if not self.mean_span >= 1:
            raise ValueError(f"mean_span es lo que miden los trozos de media, 1 token o más, y es {self.mean_span}.")
        if len(self.sentinels) < 2:
            raise ValueError("Hacen falta dos centinelas: uno para el trozo y otro que cierra el objetivo.")

    def __call__(self, examples: list[Example], rng: np.random.Generator) -> Batch:
        pairs = [self.corrupt(example["input_ids"], rng) for example in examples]
        corrupted = [{"input_ids": source, "labels": target} for source, target in pairs]
        return Seq2Seq(self.pad_id)(corrupted)

    def corrupt(self, ids: list[int], rng: np.random.Generator) -> tuple[list[int], list[int]]:
        """Parte `ids` en trozos que alternan visible y borrado. Devuelve (entrada, objetivo)."""
        if len(ids) < 2:
            raise ValueError(f"La secuencia tiene {len(ids)} tokens y hacen falta al menos 2 para borrar un trozo.")
        noise = min(max(1, round(len(ids) * self.rate)), len(ids) - 1)
        spans = min(max(1, round(noise / self.mean_span)), len(self.sentinels) - 1, len(ids) - noise)
        hidden = _random_partition(noise, spans, rng)
        visible = _random_partition(len(ids) - noise, spans, rng)
        source, target, position = [], [], 0
        for sentinel, keep, drop in zip(self.sentinels, visible, hidden, strict=False):
            source += [*ids[position : position + keep], sentinel]
            target += [sentinel, *ids[position + keep : position + keep + drop]]
            position += keep + drop
        return [*source, self.eos_id], [*target, self.sentinels[spans], self.eos_id]

    def restore(self, source: list[int], target: list[int]) -> list[int]:
        """El camino de vuelta: cambia cada centinela de la entrada por lo que el objetivo dice de él.

        Error si la entrada lleva un centinela que el objetivo no nombra.

        >>> SpanCorruption(pad_id=0, eos_id=1, sentinels=(98, 99)).restore([5, 98, 7, 1], [98, 6, 99, 1])
        [5, 6, 7]
        """
        hidden: dict[int, list[int]] = {}
        for token in target:
            if token in self.sentinels:
                current = hidden.setdefault(token, [])
            elif token != self.eos_id and hidden:
                current.append(token)
        if missing := [t for t in source if t in self.sentinels and t not in hidden]:
            raise ValueError(f"El objetivo no dice qué había bajo los centinelas {missing}: ¿son de otro texto?")
        return [t for token in source if token != self.eos_id for t in hidden.get(token, [token])]


def _random_partition(total: int, parts: int, rng: np.random.Generator) -> list[int]:
    """Reparte `total` en `parts` trozos de al menos 1, todas las particiones por igual.

    >>> sum(_random_partition(10, 3, np.random.default_rng(0)))
    10
    """
    cuts = np.sort(rng.choice(np.arange(1, total), size=parts - 1, replace=False))
    return np.diff(np.concatenate([[0], cuts, [total]])).tolist()
