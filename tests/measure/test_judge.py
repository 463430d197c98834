"""El juez: los números de una sola pasada, el cambio de orden y lo que se lee de los veredictos."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from utils.course.env import repo_root
from utils.course.hub import load_model, load_tokenizer
from utils.measure.judge import Verdicts, judge_pairs, label_margins

MARGINS = st.lists(st.floats(-5, 5), min_size=3, max_size=3)
QUESTIONS = ["¿Qué día quedan?", "¿Quién llama?", "¿A qué hora es la cita del mes que viene?"]
X, Y = ["el lunes", "Ana", "a las dos"], ["el martes", "Luis y también su hermana", "a las seis y media"]


@pytest.fixture(scope="module")
def mini():
    return load_model("causal"), load_tokenizer("causal")


def test_margins_equal_the_logits_of_each_prompt_alone(mini):
    model, tokenizer = mini
    prompts = [f"Pregunta: {question}\n" * times for times, question in enumerate(QUESTIONS, 1)]
    labels = ("a", "y")
    margins = label_margins(model, tokenizer, prompts, labels, batch_size=3)
    for prompt, margin in zip(prompts, margins, strict=True):
        with torch.no_grad():
            logp = model(torch.tensor([tokenizer.encode(prompt)])).logits[0, -1].log_softmax(-1)
        one, other = (tokenizer.encode(label, add_special_tokens=False)[0] for label in labels)
        assert margin == pytest.approx((logp[one] - logp[other]).item(), abs=1e-4)
    # Este tokenizador pone él el espacio de delante: con otro más, la letra serían dos tokens.
    assert np.array_equal(label_margins(model, tokenizer, prompts, (" a", " y"), batch_size=3), margins)


def test_judging_the_other_way_round_swaps_the_two_orders(mini):
    options = {"labels": ("a", "y"), "template": "{question} {a} o {b}:"}
    verdicts, swapped = judge_pairs(*mini, QUESTIONS, X, Y, **options), judge_pairs(*mini, QUESTIONS, Y, X, **options)
    assert np.allclose(verdicts.first, swapped.second) and np.allclose(verdicts.second, swapped.first)
    assert np.allclose(verdicts.preference, -swapped.preference) and np.allclose(verdicts.bias, swapped.bias)


@given(MARGINS, MARGINS)
def test_bias_and_preference_rebuild_the_verdicts(first, second):
    verdicts = Verdicts(first, second)
    assert np.allclose(verdicts.bias + verdicts.preference, first)
    assert np.allclose(verdicts.bias - verdicts.preference, second)
    assert verdicts.win_rate().estimate + Verdicts(second, first).win_rate().estimate == pytest.approx(1) or 0 in [
        *first, *second]  # fmt: skip


def test_an_honest_a_stubborn_and_a_noisy_judge():
    rng = np.random.default_rng(0)
    taste = rng.normal(1, 1, 500)  # prefiere x casi siempre
    honest, stubborn = Verdicts(taste, -taste), Verdicts(taste + 9, -taste + 9)
    assert honest.consistency().estimate == 1 and honest.first_position().estimate == 0.5
    assert stubborn.consistency().estimate == 0 and stubborn.first_position().estimate == 1
    assert stubborn.win_rate().estimate == 0.5
    for judge in (honest, stubborn):  # promediar los dos órdenes recupera lo que opina
        assert judge.debiased_win_rate().estimate == pytest.approx((taste > 0).mean())
    coin = Verdicts(rng.normal(size=4000), rng.normal(size=4000))
    for rate in (coin.consistency(), coin.first_position(), coin.win_rate(), coin.debiased_win_rate()):
        assert rate.estimate == pytest.approx(0.5, abs=0.03)


def test_the_pairs_of_the_lab_are_what_their_card_says():
    folder = repo_root() / "data" / "juez"
    rows = [json.loads(line) for line in (folder / "pares.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 128 and f"{len(rows)} parejas" in (folder / "README.md").read_text("utf-8")
    assert len({row["question"] for row in rows}) == len({row["id"] for row in rows}) == len(rows)
    assert all(set(row) == {"id", "question", "good", "bad"} and row["good"] != row["bad"] for row in rows)
    longer = np.sign([len(row["good"]) - len(row["bad"]) for row in rows])
    assert abs(longer.mean()) < 0.3  # la longitud no delata la buena


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model, tok: judge_pairs(model, tok, [], [], []), "debe haber una de cada"),
        (lambda model, tok: judge_pairs(model, tok, ["a"], ["b"], ["c", "d"]), "debe haber una de cada"),
        (lambda model, tok: judge_pairs(model, tok, ["a"], ["b"], ["c"], template="{a} {b}"), "{question}, {a} y {b}"),
        (lambda model, tok: label_margins(model, tok, ["a"], ("primera opción", " b")), "más de un token"),
        (lambda model, tok: label_margins(model, tok, ["a"], ("a", "a")), "dos tokens distintos"),
        (lambda model, tok: Verdicts([1.0], [1.0, 2.0]), "igual de largas"),
        (lambda model, tok: Verdicts([float("nan")], [1.0]), "no es un número"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(mini, call, message):
    with pytest.raises(ValueError, match=message):
        call(*mini)
