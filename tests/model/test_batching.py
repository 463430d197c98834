"""Lotes: el relleno va por donde se pide y no se deja a nadie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.model.batching import attention_mask, length_batches, pad, token_positions


@given(st.lists(st.integers(0, 99), max_size=60), st.integers(1, 9))
def test_length_batches_use_every_index_once_and_in_order_of_length(lengths, size):
    batches = length_batches(lengths, size)
    order = [i for batch in batches for i in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[i] for i in order] == sorted(lengths)
    assert all(len(batch) == size for batch in batches[:-1])


rows = st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=9), min_size=1, max_size=6)


@given(rows, st.sampled_from(["left", "right"]))
def test_padding_goes_to_its_side_and_the_mask_gives_the_rows_back(rows, side):
    ids, mask = pad(rows, 0, side), attention_mask(rows, side)
    assert ids.shape == mask.shape == (len(rows), max(map(len, rows)))
    assert [row[kept.bool()].tolist() for row, kept in zip(ids, mask, strict=True)] == rows
    assert not ids[mask == 0].any()
    assert mask[:, -1 if side == "left" else 0].all()
    positions = [place[kept.bool()].tolist() for place, kept in zip(token_positions(mask), mask, strict=True)]
    assert positions == [list(range(len(row))) for row in rows]


def test_an_unknown_side_is_explained():
    with pytest.raises(ValueError, match="side es 'derecha'"):
        pad([[1]], 0, "derecha")
