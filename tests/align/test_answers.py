"""Las respuestas: las mismas log-probabilidades que de una en una, y el estado del que sale cada token."""

import pytest
import torch

from tests.align.tiny import EOS, PAD, PROMPTS, llama, t5
from utils.align.answers import Answers, answer_states, answer_token_logprobs, cut_at_end, pack_answers, respond
from utils.model.logprobs import label_logprobs

ANSWERS = [[4, 5, EOS], [7], [6, 6], [9, 8, 7]]


@pytest.mark.parametrize("build", [llama, t5])
def test_padding_of_the_batch_changes_no_logprob(build):
    model = build()
    together = answer_token_logprobs(model, pack_answers(PROMPTS, ANSWERS, PAD))
    for i, (prompt, answer) in enumerate(zip(PROMPTS, ANSWERS, strict=True)):
        alone = answer_token_logprobs(model, pack_answers([prompt], [answer], PAD))[0]
        torch.testing.assert_close(together[i, : len(answer)], alone)
        assert (together[i, len(answer) :] == 0).all()


def test_logprobs_are_those_of_the_general_function():
    model, (prompt, answer) = llama(), (PROMPTS[0], ANSWERS[0])
    row, labels = torch.tensor([prompt + answer]), torch.tensor([[-100] * len(prompt) + answer])
    expected = label_logprobs(model, row, None, labels)[0, len(prompt) :]
    torch.testing.assert_close(answer_token_logprobs(model, pack_answers([prompt], [answer], PAD))[0], expected)


@pytest.mark.parametrize("build", [llama, t5])
def test_the_state_of_a_token_is_the_one_that_predicts_it(build):
    model = build()
    logits, states = answer_states(model, pack_answers(PROMPTS, ANSWERS, PAD))
    if build is t5 and model.config.tie_word_embeddings:
        states = states * model.model_dim**-0.5  # T5 escala el estado antes de la capa de salida compartida
    torch.testing.assert_close(model.lm_head(states), logits)


@pytest.mark.parametrize("build", [llama, t5])
def test_respond_gives_what_it_generated_until_the_end(build):
    answers = respond(build(), PROMPTS, PAD, max_new_tokens=12, temperature=1.0, seed=3)
    assert answers.labels.shape[0] == len(PROMPTS) and answers.labels.shape[1] <= 12
    for row in answers.labels.tolist():
        kept = [token for token in row if token != -100]
        assert row == kept + [-100] * (len(row) - len(kept)) and EOS not in kept[:-1]


def test_cut_keeps_a_row_that_never_ends():
    assert cut_at_end(torch.tensor([[4, 4], [1, 1]]), [1]).tolist() == [[4, 4], [1, -100]]


def test_bad_batches_say_what_is_wrong():
    with pytest.raises(ValueError, match="una por prompt"):
        pack_answers(PROMPTS, ANSWERS[:1], PAD)
    with pytest.raises(ValueError, match="sin ningún token"):
        pack_answers([[4], [5]], [[6], []], PAD)
    with pytest.raises(ValueError, match="no tiene ningún token"):
        pack_answers([[4], []], [[6], [7]], PAD)
    with pytest.raises(ValueError, match="posiciones"):
        answer_states(llama(), pack_answers([[4] * 30], [[5] * 9], PAD))


def test_take_keeps_rows_together():
    batch = pack_answers(PROMPTS, ANSWERS, PAD).take(torch.tensor([2, 0]))
    assert isinstance(batch, Answers) and batch.labels[0, :2].tolist() == ANSWERS[2] and len(batch) == 2
