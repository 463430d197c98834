"""Nuestro bucle, `Trainer` y `SFTTrainer` dan las mismas pérdidas con los mismos ejemplos en el mismo orden."""

import pytest
import torch

from utils.course.hub import load_data, load_model, load_tokenizer
from utils.studies.tool_runs import completion_examples, loop_losses, same_order, sft_losses, trainer_losses

SETTINGS = {"batch_size": 4, "warmup": 1, "seed": 0}


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer("causal")


@pytest.fixture(scope="module")
def pairs() -> tuple[list[str], list[str]]:
    rows = [row for row in load_data("instructions")["train"] if row["task"] == "sentimiento"][:22]
    return [row["prompt"] + "\nRespuesta:" for row in rows], [" " + row["completion"] for row in rows]


def start() -> dict:
    model = load_model("causal")
    return {"model": model, "optimizer": torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)}


@pytest.mark.slow
def test_the_three_tools_lose_the_same_at_every_step(tokenizer, pairs):
    examples = completion_examples(tokenizer, *pairs)
    order = same_order(examples, batch_size=4, seed=0)
    ours = loop_losses(examples=examples, pad_id=tokenizer.pad_token_id, **start(), **SETTINGS)
    theirs = trainer_losses(examples=examples, pad_id=tokenizer.pad_token_id, **start(), **SETTINGS)
    trl = sft_losses(tokenizer=tokenizer, pairs=pairs, order=order, **start(), **SETTINGS)
    assert len(ours) == len(order) // 4 == 5 and ours[-1] < ours[0]
    assert theirs == pytest.approx(ours, abs=1e-5) and trl == pytest.approx(ours, abs=1e-5)


def test_only_the_completion_and_its_end_are_learnt(tokenizer, pairs):
    example = completion_examples(tokenizer, *pairs)[0]
    learnt = [t for t, m in zip(example["input_ids"], example["assistant_masks"], strict=True) if m]
    assert learnt[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(learnt[:-1]).strip() == pairs[1][0].strip()
    assert tokenizer.eos_token_id not in example["input_ids"][:-1]


def test_a_prompt_that_does_not_start_the_text_is_told(tokenizer):
    with pytest.raises(ValueError, match="se mezclan al cortarlos"):
        completion_examples(tokenizer, ["Di algo.\n"], ["hola"])


def test_same_order_is_the_one_of_the_loop():
    examples = [{"input_ids": [1] * length} for length in (9, 2, 7, 3, 5)]
    order = same_order(examples, batch_size=2, seed=0)
    assert len(order) == 4 and len(set(order)) == 4
    assert same_order(examples, batch_size=2, seed=0) == order
