"""La máscara de XLNet, comprobada contra el XLNet de transformers: la permutación es del objetivo, no de la red."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import XLNetConfig, XLNetLMHeadModel

from utils.train.permutation import permutation_mask

T = 6


@pytest.fixture(scope="module")
def xlnet():
    torch.manual_seed(0)
    config = XLNetConfig(vocab_size=20, d_model=16, n_layer=2, n_head=2, d_inner=16, dropout=0.0, attn_type="bi")
    return XLNetLMHeadModel(config).eval()


def predict(model, ids, visible):
    """Los logits de cada posición cuando se predice viendo solo `visible`; XLNet marca con 1 lo que NO se ve."""
    with torch.no_grad():
        return model(
            input_ids=ids[None], perm_mask=(~visible).float()[None], target_mapping=torch.eye(len(ids))[None]
        ).logits[0]  # (T, V)


@given(st.permutations(range(T)))
def test_sees_exactly_what_was_predicted_before(order):
    mask = permutation_mask(order)
    for turn, position in enumerate(order):
        assert set(mask[position].nonzero().flatten().tolist()) == set(order[:turn])


def test_reading_order_is_the_causal_model():
    assert permutation_mask(range(T)).equal(torch.ones(T, T).tril(-1).bool())


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 0, 5, 1, 4, 2]])
def test_the_same_network_serves_every_order(xlnet, order):
    """Errata 21: con los mismos pesos, cambiar de orden solo cambia de qué tokens depende cada predicción.

    La posición que va primero no ve nada y se deja fuera: la máscara de XLNet es un número grande y no un infinito, así
    que una fila tapada entera reparte la atención por igual en lugar de anularla.
    """
    visible = permutation_mask(order)
    ids = torch.arange(3, 3 + T)
    base = predict(xlnet, ids, visible)
    for j in range(T):
        changed = ids.clone()
        changed[j] = 15
        moved = (predict(xlnet, changed, visible) - base).abs().amax(-1) > 1e-6  # (T,)
        assert moved[order[1:]].equal(visible[order[1:], j])


def test_over_all_orders_each_token_sees_every_other_half_the_time():
    import itertools

    masks = torch.stack([permutation_mask(order) for order in itertools.permutations(range(4))]).float()
    assert torch.allclose(masks.mean(0), (1 - torch.eye(4)) / 2)


@pytest.mark.parametrize("order", [[0, 0, 1], [1, 2, 3], []])
def test_rejects_what_is_not_a_permutation(order):
    with pytest.raises(ValueError, match="una sola vez"):
        permutation_mask(order)
