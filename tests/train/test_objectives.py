"""Los objetivos: qué ve el modelo, qué cuenta en la pérdida y qué no cambia con el relleno."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from transformers import DataCollatorForLanguageModeling

from tests.train.resumable import EOS, PAD, SENTINELS, VOCAB, pairs, tiny_t5
from utils.course.hub import load_tokenizer
from utils.studies.classic import ClassicPadding
from utils.train.objectives import CausalLM, MaskedLM, Seq2Seq, SpanCorruption, tokenize_pairs

IGNORE = -100


def test_padding_does_not_change_the_logits():
    model, examples = tiny_t5().eval(), pairs(6)
    together = Seq2Seq(PAD)(examples)
    logits = model(**together).logits  # (B, S, V)
    for i, example in enumerate(examples):
        alone = model(**Seq2Seq(PAD)([example])).logits[0]
        torch.testing.assert_close(logits[i, : len(example["labels"])], alone, rtol=1e-4, atol=1e-5)
    assert (together["labels"] == IGNORE).sum() == together["labels"].numel() - sum(len(e["labels"]) for e in examples)
    assert together["attention_mask"].sum() == sum(len(e["input_ids"]) for e in examples)


def test_causal_labels():
    batch = CausalLM(PAD)([{"input_ids": [4, 5, 6, 7], "prompt_length": 2}, {"input_ids": [8, 9]}])
    assert batch["labels"].tolist() == [[IGNORE, IGNORE, 6, 7], [IGNORE, 9, IGNORE, IGNORE]]
    assert batch["input_ids"].tolist() == [[4, 5, 6, 7], [8, 9, PAD, PAD]]


def test_masked_lm_rates():
    """80 000 tokens: cada proporción, a menos de 5 desviaciones típicas de la suya."""
    special = frozenset({0, 1, 2, 3})
    objective = MaskedLM(pad_id=0, mask_id=3, vocab_size=1000, special_ids=special)
    rng = np.random.default_rng(0)
    rows = [[2, *rng.integers(4, 1000, 98).tolist(), 1] for _ in range(816)]
    batch = objective([{"input_ids": row} for row in rows], np.random.default_rng(1))
    original, seen, labels = torch.tensor(rows), batch["input_ids"], batch["labels"]
    chosen = labels != IGNORE
    assert torch.equal(labels[chosen], original[chosen]) and torch.equal(seen[~chosen], original[~chosen])
    assert not chosen[:, 0].any() and not chosen[:, -1].any()  # los especiales no se tapan

    def close(count, total, rate):
        return abs(int(count) - total * rate) < 5 * (total * rate * (1 - rate)) ** 0.5

    total = int(chosen.sum())
    masked, kept = (seen[chosen] == 3), (seen[chosen] == labels[chosen])
    other = seen[chosen][~masked & ~kept]
    assert close(total, 816 * 98, 0.15) and close(masked.sum(), total, 0.8)
    assert close(kept.sum(), total, 0.1 + 0.1 / 996) and close(len(other), total, 0.1 * 995 / 996)
    assert other.min() >= 4 and other.max() < 1000


def test_masked_lm_leaves_padding_alone():
    objective = MaskedLM(0, 3, 50, frozenset({1, 2, 3}), rate=1.0)
    batch = objective([{"input_ids": [9, 8]}, {"input_ids": [7]}], np.random.default_rng(0))
    assert batch["labels"].tolist() == [[9, 8], [7, IGNORE]]
    assert batch["input_ids"][1, 1] == 0 and batch["attention_mask"].tolist() == [[1, 1], [1, 0]]


MANY = tuple(range(1000, 1032))
CORRUPTION = SpanCorruption(PAD, EOS, MANY)


def rebuild(source: list[int], target: list[int]) -> list[int]:
    """El texto de partida: cada centinela de la entrada se cambia por lo que el objetivo dice de él."""
    hidden, current = {}, None
    for token in target[:-1]:
        if token in MANY:
            current, hidden[token] = token, []
        else:
            hidden[current].append(token)
    return [t for token in source[:-1] for t in (hidden[token] if token in MANY else [token])]


@given(st.lists(st.integers(8, 900), min_size=2, max_size=300), st.integers(0, 2**32 - 1))
def test_source_and_target_rebuild_the_text(ids, seed):
    source, target = CORRUPTION.corrupt(ids, np.random.default_rng(seed))
    assert source[-1] == target[-1] == EOS
    assert rebuild(source, target) == ids
    used = [token for token in source if token in MANY]
    assert used == list(MANY[: len(used)])  # centinelas en orden, cada uno una vez
    assert [token for token in target if token in MANY] == list(MANY[: len(used) + 1])
    assert len([token for token in target[:-1] if token not in MANY]) == max(1, round(0.15 * len(ids)))


def test_spans_hide_15_percent_in_pieces_of_3():
    rng = np.random.default_rng(0)
    hidden = spans = 0
    starts = set()
    for _ in range(200):
        source, target = CORRUPTION.corrupt(list(range(100, 220)), rng)
        spans += sum(token in MANY for token in source)
        hidden += sum(token not in MANY for token in target[:-1])
        starts.add(source.index(MANY[0]))
    assert hidden == 200 * 18 and hidden / spans == 3
    assert len(starts) > 20  # los trozos caen en sitios distintos


def test_a_text_too_short_to_corrupt_is_explained():
    with pytest.raises(ValueError, match="La secuencia tiene 1 tokens y hacen falta al menos 2"):
        CORRUPTION.corrupt([9], np.random.default_rng(0))


@pytest.mark.parametrize("ignore", [True, False])
@pytest.mark.parametrize("mask", [True, False])
def test_classic_padding_turns_on_each_defect_alone(ignore, mask):
    batch = ClassicPadding(PAD, 4, 3, ignore_padding=ignore, mask_padding=mask)([{"input_ids": [5, 6], "labels": [7]}])
    assert batch["input_ids"].tolist() == [[5, 6, PAD, PAD]]
    assert batch["labels"].tolist() == [[7, *([IGNORE] * 2 if ignore else [PAD] * 2)]]
    assert batch["attention_mask"].tolist() == [[1, 1, 0, 0] if mask else [1] * 4]


def test_the_classic_defects_change_the_loss_and_the_correct_one_does_not():
    model, examples = tiny_t5().eval(), pairs(6)

    def loss(ignore, mask):
        return model(**ClassicPadding(PAD, 40, 20, ignore_padding=ignore, mask_padding=mask)(examples)).loss.item()

    right = model(**Seq2Seq(PAD)(examples)).loss.item()
    assert loss(True, True) == pytest.approx(right, rel=1e-5)
    assert loss(False, True) != pytest.approx(right, rel=1e-3)
    assert loss(True, False) != pytest.approx(right, rel=1e-4)


def test_classic_padding_truncates():
    batch = ClassicPadding(PAD, 2, 1, True, True)([{"input_ids": [5, 6, 7], "labels": [8, 9]}])
    assert batch["input_ids"].tolist() == [[5, 6]] and batch["labels"].tolist() == [[8]]


@pytest.mark.parametrize(("prompt", "completion"), [("", "algo"), ("algo", "  ")])
def test_an_empty_text_is_explained(prompt, completion):
    with pytest.raises(ValueError, match="El par número 1 tiene un texto vacío"):
        tokenize_pairs(None, ["uno", prompt], ["dos", completion], 5, 5)


def test_span_corruption_makes_a_batch():
    rows = [{"input_ids": list(range(8, 8 + n))} for n in (10, 30)]
    batch = SpanCorruption(PAD, EOS, SENTINELS)(rows, np.random.default_rng(0))
    assert batch["input_ids"].shape == batch["attention_mask"].shape and batch["labels"].shape[0] == 2
    assert batch["input_ids"].max() < VOCAB and (batch["labels"] == IGNORE).any()


def test_masked_lm_agrees_with_transformers():
    """Las proporciones de `DataCollatorForLanguageModeling`, sobre los mismos textos."""
    tokenizer = load_tokenizer("encoder")
    special, mask = frozenset(tokenizer.all_special_ids), tokenizer.mask_token_id
    rng = np.random.default_rng(0)
    rows = [{"input_ids": [2, *rng.integers(36, len(tokenizer), 126).tolist(), 1]} for _ in range(500)]
    original = torch.tensor([row["input_ids"] for row in rows])
    ours = MaskedLM(tokenizer.pad_token_id, mask, len(tokenizer), special)(rows, np.random.default_rng(1))
    theirs = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15, seed=1)(rows)

    def table(batch):
        chosen = batch["labels"] != IGNORE
        masked, kept = batch["input_ids"] == mask, batch["input_ids"] == original
        return [int((chosen & masked).sum()), int((chosen & kept).sum()), int((chosen & ~masked & ~kept).sum()),
            int((~chosen).sum())]  # fmt: skip

    assert chi2_contingency([table(ours), table(theirs)]).pvalue > 0.001


def test_masked_lm_never_draws_a_special_token():
    special = frozenset({0, 3, 19})  # en cualquier sitio del vocabulario, no solo al principio
    objective = MaskedLM(0, 3, 20, special, rate=1.0)
    rows = [{"input_ids": [5] * 4000}]
    drawn = set(objective(rows, np.random.default_rng(0))["input_ids"].flatten().tolist()) - {3}
    assert drawn == set(range(20)) - special


@pytest.mark.parametrize("rate", [0.0, 1.5])
def test_an_impossible_rate_is_explained(rate):
    with pytest.raises(ValueError, match="entre 0 y 1"):
        MaskedLM(0, 3, 20, frozenset({0, 3}), rate=rate)
