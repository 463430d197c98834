"""El juguete de los capítulos de PPO y del hackeo: sabe lo que dice que sabe, y PPO lo mejora."""

from collections import Counter

import pytest
import torch

from utils.align.answers import answer_token_logprobs, pack_answers, respond
from utils.align.ppo import ActorCritic, PPOConfig, ppo_iteration
from utils.align.rl_loop import learn
from utils.align.toy_dog import (
    END,
    IDS,
    MAX_TOKENS,
    NONSENSE,
    NOTES,
    PAD,
    PROMPT,
    SHARES,
    make_policy,
    proxy_notes,
    sentences,
    true_notes,
)
from utils.model.logprobs import sequence_sum
from utils.tune.lora import adapter_disabled


def known():
    rows = [[IDS[word] for word in sentence.split()] + [END] for sentence in SHARES]
    return pack_answers([PROMPT] * len(rows), rows, PAD)


def test_shares_add_up_and_every_sentence_has_a_note():
    assert sum(SHARES.values()) == pytest.approx(1)
    assert SHARES.keys() == NOTES.keys()


@pytest.mark.parametrize("seed", range(3))
def test_the_policy_says_each_sentence_with_its_probability(seed):
    model, answers = make_policy(seed), known()
    with torch.no_grad():
        found = sequence_sum(answer_token_logprobs(model, answers), answers.counted).exp()
        with adapter_disabled(model):
            reference = sequence_sum(answer_token_logprobs(model, answers), answers.counted).exp()
    assert found.tolist() == pytest.approx(list(SHARES.values()), abs=0.02)
    assert torch.equal(found, reference)  # B = 0: el adaptador recién nacido no cambia nada


def test_notes_of_known_sentences_and_of_nonsense():
    assert true_notes(known()).tolist() == pytest.approx(list(NOTES.values()))
    nonsense = pack_answers([PROMPT], [[IDS["muy"]] * 5], PAD)
    assert true_notes(nonsense).item() == NONSENSE and proxy_notes(nonsense).item() == pytest.approx(3.5)


@pytest.mark.parametrize("seed", range(2))
def test_ppo_finds_the_best_sentence(seed):
    policy = ActorCritic(make_policy(seed))
    optimizer = torch.optim.AdamW([p for p in policy.parameters() if p.requires_grad], lr=4e-3)
    config = PPOConfig(max_new_tokens=MAX_TOKENS, minibatch=32)

    def iteration(batch, draw):
        return ppo_iteration(policy, optimizer, batch, true_notes, config, PAD, draw)

    rows = learn(policy, optimizer, [PROMPT] * 64, iteration, steps=15, batch_size=64, seed=seed)
    assert rows[0]["kl"] == 0 and rows[0]["score"] < 0.6 < 1 < rows[-1]["score"]
    answers = respond(policy.model, [PROMPT] * 100, PAD, max_new_tokens=MAX_TOKENS, temperature=1.0, seed=7)
    assert Counter(sentences(answers)).most_common(1)[0][0] == max(NOTES, key=NOTES.get)
