"""Lotes y pérdidas en los que nada cuenta: se saltan o se dice la causa en español, nunca un NaN.

La lista es completa: una prueba recorre los módulos que hacen ejemplos o miden pérdidas y falla si les sale una función
de la que aquí no se diga nada.
"""

import importlib
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.test_half_precision import bert, llama, t5
from utils.measure.benchmark import OptionScore, accuracy, choose, hits, longest, score_options
from utils.measure.perplexity import TextScore, bits_per_byte, perplexity, score_texts
from utils.model import attention, mlp
from utils.model.batching import (
    IGNORE,
    attention_mask,
    check_batch,
    counted_labels,
    length_batches,
    pad,
    token_positions,
)
from utils.model.decoding import generate_texts
from utils.model.load import from_huggingface
from utils.model.logprobs import (
    label_logprobs,
    sequence_logprob,
    sequence_mean,
    sequence_sum,
    token_entropies,
    token_logprobs,
)
from utils.model.word2vec import negative_sampling, train_word2vec
from utils.studies.hf_trainer import fit_with_trainer
from utils.studies.scaling_run import Run, token_losses
from utils.train.cloze import Cloze
from utils.train.completions import CompletionLM, pack_masked, score_completions
from utils.train.loop import epoch_batches, evaluate_loss, example_length, train, useful_tokens
from utils.train.mixture import mix, mixing_rates
from utils.train.objectives import CausalLM, MaskedLM, Seq2Seq, SpanCorruption, packed_positions, tokenize_pairs
from utils.train.packing import pack, padding_share
from utils.train.permutation import permutation_mask
from utils.train.pretraining import Pretraining
from utils.tune.hard_prompts import prompt_loss, search

PAD, END, MASK = 0, 1, 2
CAUSAL, MASKED = CausalLM(PAD), MaskedLM(PAD, MASK, 40, frozenset({PAD, END, MASK}))
SENTINELS = tuple(range(39, 30, -1))
SPANS, CLOZE = SpanCorruption(PAD, END, SENTINELS), Cloze(PAD, END, MASK, SENTINELS, special=3)
ALL_PROMPT = {"input_ids": [4, 5, 6], "prompt_length": 3}
LONG_PROMPT = {"input_ids": [4, 5, 6], "prompt_length": 7}
USEFUL = {"input_ids": [4, 5, 6, 7], "prompt_length": 1}
SILENT = {"input_ids": [4, 5], "assistant_masks": [0, 0]}
NO_ANSWER = {"input_ids": [4, 5], "labels": [IGNORE, IGNORE]}
NOBODY_PREDICTS = {"input_ids": [4, 5], "assistant_masks": [0, 1], "position_ids": [0, 0]}
IDS = torch.tensor([[4, 5, 6]])
NOTHING = torch.full((1, 3), IGNORE)
CAUSE = r"En el lote del paso 0 no cuenta ninguna etiqueta, así que no hay nada que aprender"


def fit(build, examples, objective, batch_size=1):
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    history = train(model, examples, objective, steps=2, batch_size=batch_size, optimizer=optimizer, seed=0)
    assert all(p.isfinite().all() for p in model.parameters())
    return history.losses


def fit_in_transformers(examples):
    model = llama()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    return fit_with_trainer(model, examples, CAUSAL, steps=1, batch_size=1, optimizer=optimizer, warmup=0, seed=0)


def ours(build):
    return Pretraining(from_huggingface(build()), PAD)


class Glued:
    """Un tokenizador que junta la opción con el final del prompt y la deja sin tokens."""

    def encode(self, text, add_special_tokens=True):
        return [5, 6]


#: Nombre -> (llamada en la que nada cuenta, la causa que tiene que decir).
EXPLAINED = {
    "batching.pad": (lambda: pad([], 0), "ningún token"),
    "batching.pad: vacías": (lambda: pad([[], []], 0), "ningún token"),
    "batching.attention_mask": (lambda: attention_mask([[5], []]), "ejemplo número 1 .* ningún token"),
    "objectives.tokenize_pairs": (lambda: tokenize_pairs(None, [], [], 5, 5), "ningún par"),
    "objectives.Seq2Seq": (lambda: Seq2Seq(PAD)([]), "ningún token"),
    "objectives.Seq2Seq: sin respuesta": (lambda: Seq2Seq(PAD)([{"input_ids": [4], "labels": []}]), "ningún token"),
    "objectives.CausalLM": (lambda: CAUSAL([{"input_ids": [4]}, {"input_ids": []}]), "ejemplo número 1"),
    "objectives.MaskedLM": (lambda: MASKED([{"input_ids": [END, MASK]}], rng()), "solo hay tokens especiales"),
    "objectives.SpanCorruption": (lambda: SPANS([{"input_ids": [4]}], rng()), "tiene 1 tokens y hacen falta"),
    "objectives.SpanCorruption: tasa": (lambda: SpanCorruption(PAD, END, SENTINELS, rate=0), "rate es la fracción"),
    "objectives.SpanCorruption: trozos": (lambda: SpanCorruption(PAD, END, SENTINELS, mean_span=0), "mean_span"),
    "objectives.SpanCorruption: centinelas": (lambda: SpanCorruption(PAD, END, (39,)), "dos centinelas"),
    "packing.pack": (lambda: pack([[5], []], 4), "documento número 1 está vacío"),
    "packing.padding_share": (lambda: padding_share([], 4), "al menos un ejemplo"),
    "completions.CompletionLM": (lambda: CompletionLM(PAD)([]), "ningún token"),
    "completions.score_completions": (lambda: score_completions(llama(), [], PAD), "No hay ejemplos"),
    "completions.score_completions: callado": (lambda: score_completions(llama(), [SILENT], PAD), "nada que puntuar"),
    "completions.score_completions: nadie": (
        lambda: score_completions(llama(), [NOBODY_PREDICTS], PAD), "nada que puntuar"
    ),
    "cloze.Cloze": (lambda: CLOZE("causal", []), "ningún token"),
    "cloze.Cloze: sin huecos": (lambda: CLOZE("trozos", [([7, 8], [])]), "no esconde ningún token"),
    "cloze.Cloze: hueco vacío": (lambda: CLOZE("tapadas", [([7, 8], [(1, 1)])]), "ni quedar vacíos, entre 0 y 2"),
    "cloze.Cloze: hueco fuera": (lambda: CLOZE("tapadas", [([7, 8], [(1, 5)])]), "entre 0 y 2"),
    "cloze.Cloze: el primero": (lambda: CLOZE("causal", [([7, 8], [(0, 1)])]), "no se le pregunta el primer token"),
    "mixture.mixing_rates": (lambda: mixing_rates({}), "al menos un ejemplo"),
    "mixture.mix": (lambda: mix({}, {}, 4, seed=0), "de 0 conjuntos"),
    "mixture.mix: sin ejemplos": (lambda: mix({"a": []}, {"a": 1.0}, 4, seed=0), "no hay ninguno"),
    "permutation.permutation_mask": (lambda: permutation_mask([]), "una sola vez"),
    "pretraining.Pretraining": (lambda: ours(llama)(IDS, NOTHING), "Todas las etiquetas son -100"),
    "pretraining.Pretraining: un token": (lambda: ours(llama)(IDS[:, :1], IDS[:, :1]), "nada que aprender"),
    "pretraining.Pretraining: bert": (lambda: ours(bert)(IDS, NOTHING), "Todas las etiquetas son -100"),
    "pretraining.Pretraining: t5": (lambda: ours(t5)(IDS, NOTHING), "Todas las etiquetas son -100"),
    "scaling_run.token_losses": (lambda: token_losses(from_huggingface(llama()), IDS[:, :1]), "dimensiones vacías"),
    "loop.train": (lambda: fit(llama, [], CAUSAL), "Hay 0 ejemplos"),
    "loop.train: es todo prompt": (lambda: fit(llama, [ALL_PROMPT] * 2, CAUSAL), CAUSE),
    "loop.train: prompt de más": (lambda: fit(llama, [LONG_PROMPT] * 2, CAUSAL), CAUSE),
    "loop.train: un token": (lambda: fit(llama, [{"input_ids": [4]}] * 2, CAUSAL), CAUSE),
    "loop.train: callado": (lambda: fit(llama, [SILENT] * 2, CompletionLM(PAD)), CAUSE),
    "loop.train: sin respuesta": (lambda: fit(t5, [NO_ANSWER] * 2, Seq2Seq(PAD)), CAUSE),
    "loop.train: nuestro": (lambda: fit(lambda: ours(llama), [ALL_PROMPT] * 2, CAUSAL), CAUSE),
    "loop.evaluate_loss": (lambda: evaluate_loss(llama(), [], CAUSAL, 2), "No hay ejemplos"),
    "loop.evaluate_loss: nada": (lambda: evaluate_loss(llama(), [ALL_PROMPT], CAUSAL, 2), "no cuenta ninguna etiqueta"),
    "hf_trainer.fit_with_trainer": (lambda: fit_in_transformers([ALL_PROMPT]), "no cuenta ninguna etiqueta"),
    "hard_prompts.prompt_loss": (
        lambda: prompt_loss(t5(), torch.zeros(1, 32), Seq2Seq(PAD)([NO_ANSWER])), "no cuenta ninguna etiqueta"
    ),
    "hard_prompts.search": (lambda: search(t5(), [4], [], steps=1), "No hay lotes"),
    "perplexity.TextScore": (lambda: TextScore(0.0, 0), "no predice ningún token"),
    "perplexity.perplexity": (lambda: perplexity([]), "ningún texto"),
    "perplexity.bits_per_byte": (lambda: bits_per_byte([], []), "una por texto"),
    "perplexity.score_texts": (lambda: score_texts(llama(), []), "ningún texto"),
    "perplexity.score_texts: un token": (lambda: score_texts(llama(), [[4]]), "hacen falta 2"),
    "benchmark.OptionScore": (lambda: OptionScore(0.0, 0, "sí"), "0 tokens"),
    "benchmark.score_options": (lambda: score_options(llama(), Glued(), ["a"], [["b", "c"]]), "ganaría siempre"),
    "benchmark.choose": (lambda: choose([[]]), "no tiene opciones"),
    "benchmark.longest": (lambda: longest([["a"], []]), "número 1 no tiene opciones"),
    "benchmark.accuracy": (lambda: accuracy([], []), "una por pregunta"),
    "benchmark.hits": (lambda: hits([], []), "una por pregunta"),
    "decoding.generate_texts": (lambda: generate_texts(llama(), None, [" "], max_new_tokens=1), "está vacío"),
    "attention.cross_entropy": (lambda: attention.cross_entropy(torch.zeros(1, 3, 5), NOTHING), "nada que aprender"),
    "mlp.cross_entropy": (lambda: mlp.cross_entropy(torch.zeros(0, 3), torch.zeros(0).long()), "B >= 1"),
    "mlp.mean_squared_error": (lambda: mlp.mean_squared_error(torch.zeros(0), torch.zeros(0)), "ninguna salida"),
    "logprobs.sequence_logprob": (lambda: sequence_logprob(llama(), IDS, None, NOTHING), "no hay respuesta que medir"),
    "logprobs.sequence_sum": (lambda: sequence_sum(torch.zeros(1, 3), NOTHING > 0), "no hay respuesta que medir"),
    "logprobs.sequence_mean": (lambda: sequence_mean(torch.zeros(1, 3), NOTHING > 0), "no hay respuesta que medir"),
    "batching.check_batch": (lambda: check_batch(IDS, 0 * IDS), "quita del lote los textos vacíos"),
    "batching.check_batch: sin textos": (lambda: check_batch(IDS[:0], None), "al menos un texto"),
    "word2vec.negative_sampling": (
        lambda: negative_sampling(torch.zeros(0, 3), torch.zeros(0, 3), torch.zeros(0, 2, 3)), "ninguna pareja"
    ),
    "word2vec.train_word2vec": (lambda: train_word2vec([["hola"], ["tú"]] * 9), "ninguna pareja de vecinas"),
}  # fmt: skip
#: Nombre -> (llamada en la que nada cuenta, lo que tiene que dar: nada).
EMPTY = {
    "batching.counted_labels": (lambda: counted_labels({"labels": NOTHING}), 0),
    "objectives.packed_positions": (lambda: packed_positions([]), {}),
    "objectives.CausalLM: prompt": (lambda: CAUSAL([ALL_PROMPT])["labels"].tolist(), [[IGNORE] * 3]),
    "objectives.CausalLM: de más": (lambda: CAUSAL([LONG_PROMPT, ALL_PROMPT])["labels"].tolist(), [[IGNORE] * 3] * 2),
    "packing.pack": (lambda: pack([], 4), []),
    "completions.pack_masked": (lambda: pack_masked([], 4), []),
    "mixture.mix": (lambda: mix({"a": [1]}, {"a": 1.0}, 0, seed=0), []),
    "loop.epoch_batches": (lambda: epoch_batches([], 2, 0, 0), []),
    "loop.example_length": (lambda: example_length({"input_ids": []}), 0),
    "loop.useful_tokens": (lambda: useful_tokens({"attention_mask": torch.zeros(1, 2), "labels": NOTHING}), 0),
    "pretraining.Pretraining: token_losses": (lambda: ours(llama).token_losses(IDS, NOTHING).tolist(), [[0.0] * 3]),
    "scaling_run.Run": (lambda: Run(width=8, tokens=0).steps(predicted=8), 1),
    "benchmark.choose": (lambda: choose([]), []),
    "benchmark.longest": (lambda: longest([]), []),
    "logprobs.token_logprobs": (lambda: token_logprobs(torch.zeros(1, 3, 9), NOTHING).tolist(), [[0.0] * 3]),
    "logprobs.token_entropies": (lambda: token_entropies(torch.zeros(1, 3, 9), NOTHING).tolist(), [[0.0] * 3]),
    "logprobs.label_logprobs": (lambda: label_logprobs(llama(), IDS, None, NOTHING).tolist(), [[0.0] * 3]),
    "batching.token_positions": (lambda: token_positions(torch.zeros(1, 2)).tolist(), [[0, 0]]),
    "batching.length_batches": (lambda: length_batches([], 4), []),
    "decoding.generate_texts": (lambda: generate_texts(llama(), None, [], max_new_tokens=1), []),
}
#: Lo que no hace ejemplos ni mide una pérdida, o siempre tiene algo que medir.
OTHER = {
    "loop.History", "loop.model_loss", "loop.step", "loop.apply_gradients", "batching.to_device",
    "packing.document_mask", "benchmark.encode_pair",
    "scaling_run.Outcome", "scaling_run.make_model", "scaling_run.parameter_counts", "scaling_run.held_out",
    "scaling_run.evaluate", "scaling_run.train_run", "scaling_run.recall",  # su texto no se acaba y nunca está vacío
    "hf_trainer.trainer_arguments", "hf_trainer.on_one_gpu", "hf_trainer.schedule", "hf_trainer.step_losses",
}  # fmt: skip
MODULES = (
    "train.objectives", "train.packing", "train.completions", "train.cloze", "train.mixture", "train.permutation",
    "train.pretraining", "train.loop", "studies.scaling_run", "studies.hf_trainer", "tune.hard_prompts",
    "measure.perplexity", "measure.benchmark", "model.batching", "model.logprobs",
)  # fmt: skip


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_every_function_says_what_it_does_with_nothing():
    """Si falla, hay una función nueva: dale algo en lo que nada cuente y apunta aquí qué hace."""
    modules = {name.partition(".")[2]: importlib.import_module(f"utils.{name}") for name in MODULES}
    public = {
        f"{short}.{name}"
        for short, module in modules.items()
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }
    said = {name.partition(":")[0] for name in [*EXPLAINED, *EMPTY]} | OTHER
    assert public <= said
    assert {name for name in said if name.partition(".")[0] in modules} <= public


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_cause_is_named(name):
    call, cause = EXPLAINED[name]
    with pytest.raises(ValueError, match=cause) as error:
        call()
    assert "tasa de aprendizaje" not in str(error.value)
    assert not re.search(r"\b(the|must|expected|arg|empty)\b", str(error.value))


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_gives_nothing(name):
    call, expected = EMPTY[name]
    assert call() == expected


# --- lo que no cuenta no cambia lo que cuenta -----------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_examples_that_teach_nothing_do_not_move_the_measure(batch_size):
    model = llama()
    expected = evaluate_loss(model, [USEFUL], CAUSAL, 1)
    got = evaluate_loss(model, [ALL_PROMPT, USEFUL, LONG_PROMPT, {"input_ids": [4]}], CAUSAL, batch_size)
    assert got == pytest.approx(expected, rel=1e-6)


def test_a_batch_with_something_to_learn_trains():
    losses = fit(llama, [ALL_PROMPT, USEFUL], CAUSAL, batch_size=2)
    assert all(map(math.isfinite, losses))


ids = st.lists(st.integers(3, 39), min_size=1, max_size=12)
examples = st.lists(st.tuples(ids, st.integers(0, 15)), min_size=1, max_size=5)


@settings(deadline=None)
@given(examples)
def test_causal_labels_have_the_shape_of_the_ids_whatever_the_prompt_measures(rows):
    batch = CAUSAL([{"input_ids": row, "prompt_length": prompt} for row, prompt in rows])
    assert batch["labels"].shape == batch["input_ids"].shape == batch["attention_mask"].shape
    assert counted_labels(batch) == sum(max(0, len(row) - max(1, prompt)) for row, prompt in rows)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 39), min_size=1, max_size=6), min_size=1, max_size=4), st.integers(0, 999))
def test_a_masked_batch_always_hides_something_that_can_be_hidden(rows, seed):
    able = sum(token > MASK for row in rows for token in row)
    call = [{"input_ids": row} for row in rows], np.random.default_rng(seed)
    if not able:
        with pytest.raises(ValueError, match="solo hay tokens especiales"):
            MASKED(*call)
        return
    batch = MASKED(*call)
    hidden = batch["labels"] != IGNORE
    assert 1 <= hidden.sum() <= able and (batch["labels"][hidden] > MASK).all()


def test_the_token_of_a_batch_with_none_is_drawn_fairly():
    """Con una tasa casi nula siempre hay que elegir uno: cada uno de los 4 sale una de cada 4 veces."""
    objective = MaskedLM(PAD, MASK, 40, frozenset({PAD, END, MASK}), rate=1e-12)
    counts = np.zeros(5)
    for seed in range(2000):
        labels = objective([{"input_ids": [5, 6, END, 7, 8]}], np.random.default_rng(seed))["labels"][0]
        assert (labels != IGNORE).sum() == 1
        counts += (labels != IGNORE).numpy()
    assert counts[2] == 0
    # cuatro binomiales (2000; 0,25), desviación 19,4: a cuatro desviaciones, alfa < 0,0003 con las cuatro
    assert (abs(counts[[0, 1, 3, 4]] - 500) < 4 * 19.4).all()


@settings(deadline=None)
@given(st.integers(2, 40), st.floats(1e-6, 1), st.floats(1, 50), st.integers(2, 9), st.integers(0, 99))
def test_spans_of_any_rate_hide_and_show_something(length, rate, mean_span, sentinels, seed):
    text = list(range(100, 100 + length))
    objective = SpanCorruption(PAD, END, SENTINELS[:sentinels], rate=rate, mean_span=mean_span)
    source, target = objective.corrupt(text, np.random.default_rng(seed))
    visible, hidden = (sum(token >= 100 for token in side) for side in (source, target))
    assert visible >= 1 and hidden >= 1 and visible + hidden == length
    assert hidden == min(max(1, round(length * rate)), length - 1)  # la cuenta de T5
    assert objective.restore(source, target) == text


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(3, 12))
def test_every_document_learns_its_end_even_if_it_measures_the_block(lengths, block):
    documents = [list(range(100, 100 + n)) for n in [*lengths, block, block - 1, 2 * block]]
    batch = CAUSAL(pack(documents, block, END))
    learned = batch["input_ids"][batch["labels"] != IGNORE]
    assert (learned == END).sum() == len(documents)
    assert all(counted_labels(CAUSAL([row])) > 0 for row in pack(documents, block, END))


def test_word2vec_survives_an_epoch_without_pairs():
    """Con el submuestreo, una época de un texto corto puede quedarse sin parejas; con todas, se dice."""
    sentences = [["hola", "tú"]] * 10
    names, vectors = train_word2vec(sentences, epochs=40, subsample=0.02, seed=0)
    assert len(names) == 2 and vectors.isfinite().all()
    with pytest.raises(ValueError, match="sube subsample"):
        train_word2vec(sentences, epochs=1, subsample=1e-9, seed=0)
