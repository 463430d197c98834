"""Opción múltiple: la log p token a token, el relleno que no influye y los errores que se explican."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from utils.course.hub import load_model, load_tokenizer
from utils.measure.benchmark import OptionScore, accuracy, choose, encode_pair, hits, longest, score_options
from utils.measure.stats import wilson

CONTEXTS = ["Ana: Hola, quería reservar", "¿De qué color es el caballo blanco de Santiago?", "Hola,"]
OPTIONS = [
    ["una mesa.", "el jueves que viene, si puede ser."],
    ["Blanco", "Negro", "No lo sé"],
    ["buenas tardes", "ñu"],
]


@pytest.fixture(scope="module")
def causal():
    return load_model("causal"), load_tokenizer("causal")


@pytest.fixture(scope="module")
def seq2seq():
    return load_model("seq2seq"), load_tokenizer("seq2seq")


def test_a_causal_model_sums_the_log_p_of_the_option_token_by_token(causal):
    model, tokenizer = causal
    (row, *_) = score_options(model, tokenizer, CONTEXTS[:1], OPTIONS[:1])
    prompt = tokenizer.encode(CONTEXTS[0])
    for score in row:
        ids, total = tokenizer.encode(f"{CONTEXTS[0]} {score.text}"), 0.0
        for t in range(len(prompt), len(ids)):
            with torch.no_grad():
                logits = model(torch.tensor([ids[:t]])).logits[0, -1]
            total += logits.log_softmax(-1)[ids[t]].item()
        assert score.logprob == pytest.approx(total, abs=1e-4) and score.tokens == len(ids) - len(prompt)


def test_an_encoder_decoder_gives_minus_its_own_loss(seq2seq):
    model, tokenizer = seq2seq
    scores = score_options(model, tokenizer, CONTEXTS, OPTIONS, delimiter="")
    for context, row in zip(CONTEXTS, scores, strict=True):
        for score in row:
            ids = torch.tensor([tokenizer.encode(score.text, add_special_tokens=False)])
            with torch.no_grad():
                loss = model(**tokenizer(context, return_tensors="pt"), labels=ids).loss.item()
            assert score.logprob == pytest.approx(-loss * ids.shape[1], rel=1e-4)


@pytest.mark.parametrize("name", ["causal", "seq2seq"])
def test_batches_and_padding_do_not_change_the_scores(name, request):
    model, tokenizer = request.getfixturevalue(name)
    alone = [score_options(model, tokenizer, [c], [o])[0] for c, o in zip(CONTEXTS, OPTIONS, strict=True)]
    for size in (1, 3, 32):
        together = score_options(model, tokenizer, CONTEXTS, OPTIONS, batch_size=size)
        for a, b in zip(alone, together, strict=True):
            assert [s.text for s in a] == [s.text for s in b]
            assert [s.logprob for s in a] == pytest.approx([s.logprob for s in b], abs=1e-3)


def test_trailing_spaces_of_the_prompt_go_to_the_option(causal):
    _, tokenizer = causal
    for context, continuation in (("Hola,", " Ana"), ("Hola, ", "Ana")):
        prompt, ids = encode_pair(tokenizer, context, continuation, encoder_decoder=False)
        assert tokenizer.decode(prompt, skip_special_tokens=True) == "Hola," and tokenizer.decode(ids).strip() == "Ana"


def test_each_norm_can_choose_another_option():
    row = [OptionScore(-5.0, 1, "sí"), OptionScore(-9.0, 3, "ñññññ"), OptionScore(-8.5, 9, "abcdef")]
    assert [choose([row], by)[0] for by in ("sum", "chars", "bytes", "tokens")] == [0, 2, 1, 2]
    with pytest.raises(ValueError, match="elige entre sum, chars, bytes, tokens"):
        choose([row], "words")


def test_a_tie_goes_to_the_first_option():
    assert choose([[OptionScore(-1.0, 1, "a"), OptionScore(-1.0, 1, "b")]]) == [0]
    assert longest([["uno", "dos"]]) == [0]


@given(st.integers(1, 500), st.data())
def test_wilson_equals_scipy(n, data):
    k = data.draw(st.integers(0, n))
    ours, theirs = wilson(k, n), binomtest(k, n).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_wilson_covers_what_it_promises():
    generator = torch.Generator().manual_seed(0)
    draws = (torch.rand(2000, 120, generator=generator) < 0.25).sum(1).tolist()
    covered = sum(w.low <= 0.25 <= w.high for w in (wilson(k, 120) for k in draws)) / len(draws)
    assert 0.93 < covered < 0.97


@pytest.mark.parametrize(
    ("contexts", "options", "message"),
    [
        ([], [], "Hay 0 prompts"),
        (["a"], [], "pasa una por prompt"),
        ([" "], [["a", "b"]], "prompt número 0 está vacío"),
        (["a"], [["b"]], "al menos dos opciones"),
        (["a"], [["b", " "]], "ninguna vacía"),
        (["a"], ["bc"], "al menos dos opciones"),
        (["palabra " * 600], [["b", "c"]], "el modelo admite 512"),
    ],
)
def test_bad_input_says_what_to_do(causal, contexts, options, message):
    with pytest.raises(ValueError, match=message):
        score_options(*causal, contexts, options)


def test_bad_figures_say_what_to_do():
    with pytest.raises(ValueError, match="una por pregunta"):
        hits([1], [1, 2])
    with pytest.raises(ValueError, match="una por pregunta"):
        accuracy([], [])
    with pytest.raises(ValueError, match="no es una proporción"):
        wilson(5, 4)
    with pytest.raises(ValueError, match="level"):
        wilson(1, 4, level=95)
