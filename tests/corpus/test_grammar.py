"""El mundo de hechos: la entropía que dice tener es la suya, y lo que cuenta es verdad."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.corpus.grammar import START, FactGrammar, load_words, zipf

WORLD = FactGrammar()


def test_words_are_unique_and_every_relation_has_the_same_number_of_objects():
    words = load_words()
    assert len(set(words["nombres"])) == len(set(words["apellidos"])) == 96
    assert {len(set(objects)) for objects in words["relaciones"].values()} == {32}
    assert WORLD.facts == 73_728 and WORLD.subjects == 9216


@given(st.integers(0, 2**32 - 1))
def test_every_sampled_sentence_is_true_and_has_one_shape(seed):
    ids = WORLD.sample(20, np.random.default_rng(seed))
    assert ids.shape == (20, WORLD.length) and (ids[:, 0] == START).all()
    assert ids.max() < WORLD.vocab_size
    assert np.isfinite(WORLD.log_probability(ids)).all()


def test_sampled_sentences_cost_the_stated_entropy():
    ids = WORLD.sample(200_000, np.random.default_rng(0))
    cost = -WORLD.log_probability(ids) / (WORLD.length - 1)  # (n,), nats por token
    margin = 4 * cost.std() / math.sqrt(len(cost))
    assert abs(cost.mean() - WORLD.entropy) < margin < 0.01


def test_probabilities_of_all_sentences_of_a_small_world_add_up_to_one():
    small = FactGrammar(facts_per_sentence=1)
    relations = np.arange(8)[:, None]
    total = 0.0
    for rank in range(small.subjects):
        total += np.exp(small.log_probability(small.encode(np.full(8, rank), relations))).sum()
    assert total == pytest.approx(1.0)


def test_the_floor_is_the_exact_entropy_of_each_position():
    # La persona entera se sabe con el nombre y el apellido; el objeto, con la persona y la relación.
    assert sum(WORLD.floor[:2]) == pytest.approx(-(WORLD.probabilities * np.log(WORLD.probabilities)).sum())
    assert WORLD.floor[2:] == pytest.approx([math.log(8), 0, math.log(7), 0, math.log(6), 0])
    assert WORLD.entropy == pytest.approx(np.mean(WORLD.floor))
    names = WORLD.sample(300_000, np.random.default_rng(1))[:, 1]
    counts = np.bincount(names)[1:97] / len(names)
    assert -(counts * np.log(counts)).sum() == pytest.approx(WORLD.floor[0], abs=0.01)


def test_people_are_named_by_zipf():
    rank = WORLD.rank(WORLD.sample(200_000, np.random.default_rng(2)))
    seen = np.bincount(rank, minlength=WORLD.subjects)[:5] / len(rank)
    assert seen == pytest.approx(WORLD.probabilities[:5], rel=0.05)
    assert WORLD.probabilities == pytest.approx(zipf(9216, 1.5))


def test_facts_depend_on_the_world_seed_and_not_on_the_sentence_seed():
    ids = WORLD.sample(500, np.random.default_rng(3))
    assert np.isfinite(FactGrammar(seed=0).log_probability(ids)).all()
    assert np.isinf(FactGrammar(seed=1).log_probability(ids)).any()


def test_a_false_or_repeated_fact_is_impossible():
    ids = WORLD.sample(2, np.random.default_rng(0))
    lie, repeated = ids[:1].copy(), ids[:1].copy()
    lie[0, 4] += 1 if lie[0, 4] + 1 < WORLD.vocab_size else -1
    repeated[0, 5:7] = repeated[0, 3:5]
    assert WORLD.log_probability(lie) == -np.inf and WORLD.log_probability(repeated) == -np.inf


def test_rare_people_never_run_out():
    """En un millón de frases no se oye hablar de todos: siempre quedan hechos sin leer."""
    ranks = WORLD.rank(WORLD.sample(1_000_000, np.random.default_rng(4)))
    assert len(np.unique(ranks)) < WORLD.subjects


def test_renders_spanish():
    (sentence,) = WORLD.render(WORLD.encode(np.array([0]), np.array([[0, 4, 2]])))
    assert sentence.startswith("Laura Rey nació en ") and sentence.endswith(".") and " y colecciona " in sentence


@pytest.mark.parametrize("wrong", [0, 9])
def test_too_many_facts_say_what_to_do(wrong):
    with pytest.raises(ValueError, match="Caben de 1 a 8 hechos"):
        FactGrammar(facts_per_sentence=wrong)
