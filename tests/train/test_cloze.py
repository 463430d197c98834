"""La misma pregunta en tres formatos: los mismos tokens escondidos, y ninguno a la vista de quien no debe verlo."""

import pytest
import torch

from utils.train.cloze import Cloze
from utils.train.objectives import IGNORE, SpanCorruption

CLOZE = Cloze(pad_id=0, end_id=1, mask_id=2, sentinels=(3, 4, 5), special=6)
ITEMS = [([10, 11, 12, 13, 14], [(1, 3)]), ([20, 21, 22, 23], [(1, 2), (3, 4)])]


@pytest.mark.parametrize("objective", ["causal", "tapadas", "trozos"])
def test_the_three_answer_for_the_same_tokens(objective):
    batch = CLOZE(objective, ITEMS)
    asked = [row[mask].tolist() for row, mask in zip(batch["labels"], CLOZE.is_text(batch), strict=True)]
    assert asked == [[11, 12], [21, 23]]


def test_each_format():
    assert CLOZE("causal", ITEMS)["input_ids"].tolist() == [[10, 11, 12, 13, 14, 1], [20, 21, 22, 23, 1, 0]]
    assert CLOZE("tapadas", ITEMS)["input_ids"].tolist() == [[10, 2, 2, 13, 14, 1], [20, 2, 22, 2, 1, 0]]
    spans = CLOZE("trozos", ITEMS)
    assert spans["input_ids"].tolist() == [[10, 3, 13, 14, 1], [20, 3, 22, 4, 1]]
    assert spans["labels"].tolist() == [[3, 11, 12, 4, 1, IGNORE], [3, 21, 4, 23, 5, 1]]
    assert torch.equal(spans["attention_mask"], torch.ones(2, 5, dtype=torch.long))


def test_the_spans_can_be_restored():
    objective = SpanCorruption(0, 1, (3, 4, 5))
    batch = CLOZE("trozos", ITEMS)
    for (ids, _), source, target in zip(ITEMS, batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
        assert objective.restore(source, [token for token in target if token != IGNORE]) == ids


def test_bad_input_is_explained():
    with pytest.raises(ValueError, match="No hay un objetivo «bert»"):
        CLOZE("bert", ITEMS)
    with pytest.raises(ValueError, match="hace falta uno más que trozos"):
        CLOZE("trozos", [([6, 7, 8, 9], [(0, 1), (1, 2), (2, 3)])])
