"""Generar muchos textos: los lotes no se dejan a nadie y el resultado vuelve en el orden de entrada."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from utils.model import batching
from utils.model.batching import generate_texts, length_batches


@given(st.lists(st.integers(0, 99), max_size=60), st.integers(1, 9))
def test_length_batches_use_every_index_once_and_in_order_of_length(lengths, size):
    batches = length_batches(lengths, size)
    order = [i for batch in batches for i in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[i] for i in order] == sorted(lengths)
    assert all(len(batch) == size for batch in batches[:-1])


class Letters:
    """Un tokenizador de letras, con lo justo para `generate_texts`."""

    def __call__(self, texts, padding, truncation, max_length, return_tensors):
        from transformers import BatchEncoding

        rows = [[ord(c) for c in text[:max_length]] for text in texts]
        width = max(map(len, rows))
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
        return BatchEncoding({"input_ids": ids, "attention_mask": (ids != 0).long()})

    def batch_decode(self, ids, skip_special_tokens):
        return [" " + "".join(chr(i) for i in row if i) for row in ids.tolist()]


@pytest.mark.parametrize("size", [1, 2, 50])
def test_texts_come_back_in_the_order_of_the_prompts(monkeypatch, size):
    calls = []

    def echo(model, ids, mask, max_new_tokens, **options):
        calls.append((len(ids), options))
        return ids[:, :max_new_tokens]

    monkeypatch.setattr(batching, "generate", echo)
    prompts = ["una frase larga", "corta", "mediana es", "x", "otra más"]
    texts = generate_texts(torch.nn.Linear(1, 1), Letters(), prompts, max_new_tokens=4, batch_size=size, top_k=3)
    assert texts == [prompt[:4].strip() for prompt in prompts]
    assert sum(n for n, _ in calls) == 5 and max(n for n, _ in calls) == min(size, 5)
    assert all(options == {"top_k": 3} for _, options in calls)


def test_an_empty_prompt_is_explained():
    with pytest.raises(ValueError, match="El prompt número 1 está vacío"):
        generate_texts(None, None, ["hola", " "], max_new_tokens=1)
