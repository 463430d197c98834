"""LM Evaluation Harness con nuestras preguntas: los mismos aciertos que los nuestros, uno a uno y sin red."""

import socket

import pytest

from utils.corpus.questions import LETTERS, context, letters_context
from utils.course.hub import load_data, load_model, load_tokenizer
from utils.measure import harness
from utils.measure.benchmark import HARNESS_NAMES, choose, hits, score_options

needs_lm_eval = pytest.mark.skipif(not harness.installed(), reason="lm_eval se instala aparte: «make test» lo hace")


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return load_data("questions")["test"]


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("lm_eval ha intentado salir a la red")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def same(model, tokenizer, rows, run, contexts, options, delimiter=" "):
    scores = score_options(model, tokenizer, contexts, options, delimiter=delimiter)
    for ours, theirs in zip(scores, run.logprobs, strict=True):
        assert [score.logprob for score in ours] == pytest.approx(theirs, abs=1e-3)
    for name in run.metrics:
        found = hits(choose(scores, HARNESS_NAMES[name]), [row["answer"] for row in rows])
        assert found == run.hits[name] and run.metrics[name] == pytest.approx(sum(found) / len(found))


@needs_lm_eval
@pytest.mark.slow
def test_a_causal_model_gets_the_same_answers(rows, no_network):
    model, tokenizer = load_model("causal"), load_tokenizer("causal")
    numbers = range(0, len(rows), 4)  # de todas las áreas
    some = [rows[i] for i in numbers]
    run = harness.run_harness(model, tokenizer, questions=numbers)
    assert set(run.metrics) == {"acc", "acc_norm", "acc_bytes"} and len(run.logprobs) == len(some)
    same(model, tokenizer, some, run, [context(r) for r in some], [r["options"] for r in some])


@needs_lm_eval
@pytest.mark.slow
def test_letters_and_an_encoder_decoder_too(rows, no_network):
    some = rows[:40]
    model, tokenizer = load_model("causal"), load_tokenizer("causal")
    run = harness.run_harness(model, tokenizer, "preguntas_letras", questions=range(40))
    same(model, tokenizer, some, run, [letters_context(r) for r in some], [list(LETTERS)] * 40)
    model, tokenizer = load_model("seq2seq"), load_tokenizer("seq2seq")
    run = harness.run_harness(model, tokenizer, questions=range(40), delimiter="")
    same(model, tokenizer, some, run, [context(r) for r in some], [r["options"] for r in some], delimiter="")


def test_without_lm_eval_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(harness, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="--no-deps --require-hashes -r requirements-lm-eval"):
        harness.run_harness(None, None)


@needs_lm_eval
def test_an_unknown_task_lists_the_known_ones():
    with pytest.raises(ValueError, match="elige entre preguntas, preguntas_letras"):
        harness.run_harness(None, None, "mmlu")
