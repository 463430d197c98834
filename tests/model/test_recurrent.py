"""Las celdas escritas a mano son las de torch, y leer palabra por palabra es leer la secuencia."""

import pytest
import torch
from torch import nn

from utils.model.recurrent import LSTMLanguageModel, gru_cell, lstm_cell, rnn_cell


def _setup(kind):
    torch.manual_seed(0)
    cell = kind(5, 7)
    weights = (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
    return cell, weights, torch.randn(3, 5), torch.randn(3, 7), torch.randn(3, 7)


@pytest.mark.parametrize(("kind", "ours"), [(nn.RNNCell, rnn_cell), (nn.GRUCell, gru_cell)])
def test_rnn_and_gru_equal_torch(kind, ours):
    cell, weights, x, h, _ = _setup(kind)
    torch.testing.assert_close(ours(x, h, weights), cell(x, h))


def test_lstm_equals_torch():
    cell, weights, x, h, c = _setup(nn.LSTMCell)
    for got, expected in zip(lstm_cell(x, h, c, weights), cell(x, (h, c)), strict=True):
        torch.testing.assert_close(got, expected)


def test_language_model_equals_the_cell_word_by_word():
    torch.manual_seed(1)
    model = LSTMLanguageModel(vocab_size=11, width=6)
    ids = torch.randint(0, 11, (2, 9))
    lstm = model.lstm
    weights = (lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0, lstm.bias_hh_l0)
    h = c = torch.zeros(2, 6)
    logits = []
    for t in range(9):
        h, c = lstm_cell(model.embedding(ids[:, t]), h, c, weights)
        logits.append(model.head(h))
    torch.testing.assert_close(model(ids), torch.stack(logits, dim=1))


def test_the_future_does_not_change_the_past_and_the_memory_lasts():
    model = LSTMLanguageModel(vocab_size=11, width=6, layers=2)
    ids = torch.randint(0, 11, (1, 9))
    changed = ids.clone()
    changed[0, 5] = (changed[0, 5] + 1) % 11
    before, after = model(ids), model(changed)
    assert torch.equal(before[:, :5], after[:, :5]) and not torch.equal(before[:, 5:], after[:, 5:])
    assert all(model.lstm.get_parameter(f"bias_ih_l{i}")[6:12].eq(1).all() for i in (0, 1))


def test_an_open_forget_gate_keeps_the_memory_for_ever():
    weights = (torch.zeros(4, 1), torch.zeros(4, 1), torch.tensor([-100.0, 100.0, 0.0, 0.0]), torch.zeros(4))
    h, c = torch.zeros(1, 1), torch.full((1, 1), 0.7)
    for _ in range(1000):
        h, c = lstm_cell(torch.randn(1, 1), h, c, weights)
    assert c.item() == pytest.approx(0.7)


def test_bad_shapes():
    _, weights, x, h, c = _setup(nn.LSTMCell)
    with pytest.raises(ValueError, match=r"los pesos deben medir \(7, 5\)"):
        rnn_cell(x, h, weights)
    with pytest.raises(ValueError, match="la misma forma"):
        lstm_cell(x, h, c[:, :3], weights)
