"""Log-probabilidades frente a PyTorch: valores, gradientes, lo que no cuenta, lo que ocupan y las que da un modelo."""

import math

import pytest
import torch
from torch.nn import functional as F

from tests.model.test_half_precision import IDS, llama, output_and_gradient, randn, t5
from utils.cost.saved_tensors import SavedTensors
from utils.model.batching import IGNORE, attention_mask, pad
from utils.model.logprobs import (
    label_logprobs,
    sequence_logprob,
    sequence_mean,
    sequence_sum,
    token_entropies,
    token_logprobs,
)

LOGITS = randn(2, 4, 7) * 5
LABELS = torch.tensor([[IGNORE, 3, 0, IGNORE], [6, IGNORE, 5, 2]])
COUNTED = LABELS != IGNORE


def minus_cross_entropy(logits: torch.Tensor) -> torch.Tensor:
    return -F.cross_entropy(logits.flatten(0, 1), LABELS.flatten(), reduction="none").view(LABELS.shape)


def test_logprobs_are_the_cross_entropy_of_torch_and_so_is_their_gradient():
    got, gradient = output_and_gradient(lambda x: token_logprobs(x, LABELS), LOGITS)
    expected, slope = output_and_gradient(minus_cross_entropy, LOGITS)
    assert torch.equal(got, expected)
    torch.testing.assert_close(gradient, slope)
    assert not gradient[~COUNTED].any()  # lo que no cuenta no se mueve


@pytest.mark.parametrize("function", [token_logprobs, token_entropies])
def test_gradients_are_those_of_finite_differences(function):
    logits = LOGITS.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: function(x, LABELS), logits)


def test_entropies_are_those_of_torch_and_a_forbidden_token_adds_nothing():
    logits = LOGITS.clone()
    logits[1, 0, :3] = -math.inf
    got, gradient = output_and_gradient(lambda x: token_entropies(x, LABELS), logits)
    expected = torch.distributions.Categorical(logits=logits.clamp(min=-1e4)).entropy()
    torch.testing.assert_close(got, expected * COUNTED)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("function", [token_logprobs, token_entropies])
def test_what_does_not_count_may_be_anything(function):
    logits = LOGITS.masked_fill(~COUNTED[..., None], math.nan)
    got, gradient = output_and_gradient(lambda x: function(x, LABELS), logits)
    assert torch.equal(got, function(LOGITS, LABELS))
    assert gradient.isfinite().all()
    nothing = torch.full_like(LABELS, IGNORE)
    assert function(logits, nothing).tolist() == [[0.0] * 4] * 2


def test_only_what_counts_is_kept_for_the_backward_pass():
    """De 64 casillas cuentan 4: se guardan 4 filas de 1000, y los índices; una softmax entera serían 64."""
    hidden, head = randn(2, 32, 8).requires_grad_(), torch.nn.Linear(8, 1000, bias=False)
    labels = torch.full((2, 32), IGNORE)
    labels[:, 30:] = 5
    with SavedTensors(head) as saved:
        loss = -token_logprobs(head(hidden), labels).sum()
    assert 4 * 4 * 1000 <= saved.bytes < 6 * 4 * 1000
    loss.backward()
    assert hidden.grad[:, 30:].any() and not hidden.grad[:, :30].any()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS[:, :3], "una por posición"),
        (LABELS.clamp(min=-1), "van de 0 a 6"),
        (LABELS.masked_fill(LABELS == 6, 7), "van de 0 a 6"),
    ],
)
def test_labels_that_cannot_be_are_explained(labels, message):
    with pytest.raises(ValueError, match=message):
        token_logprobs(LOGITS, labels)


def test_sums_and_means_only_see_what_counts_and_an_empty_row_is_explained():
    values = LOGITS[..., 0].masked_fill(~COUNTED, math.nan)
    for row in range(2):
        kept = LOGITS[row, :, 0][COUNTED[row]]
        assert sequence_sum(values, COUNTED)[row].item() == pytest.approx(kept.sum().item())
        assert sequence_mean(values, COUNTED)[row].item() == pytest.approx(kept.mean().item())
    for function in (sequence_sum, sequence_mean):
        with pytest.raises(ValueError, match="no cuenta ningún token"):
            function(values, COUNTED & torch.tensor([[True], [False]]))


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_causal_model_gives_each_token_in_its_place_whatever_the_padding(side):
    model, rows = llama(), [[5, 9, 4, 11, 1], [7, 20, 21]]
    ids, mask = pad(rows, 0, side), attention_mask(rows, side)
    labels = ids.masked_fill((mask == 0) | (mask.cumsum(1) < 2), IGNORE)
    got = label_logprobs(model, ids, mask, labels)
    assert got.shape == labels.shape and not got[labels == IGNORE].any()
    for row, tokens in enumerate(rows):
        whole = torch.tensor([tokens])
        alone = token_logprobs(model(whole).logits[:, :-1], whole[:, 1:])
        torch.testing.assert_close(got[row][labels[row] != IGNORE], alone[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("build", [llama, t5])
def test_the_loss_of_transformers_is_minus_the_mean_and_trains_the_same(build):
    labels = IDS.masked_fill(torch.tensor([1, 1, 0, 0, 0]).bool(), IGNORE) if build is llama else IDS
    gradients = []
    for ours in (True, False):
        model = build()
        logprobs = label_logprobs(model, IDS, None, labels)
        loss = -logprobs.sum() / (labels != IGNORE).sum() if ours else model(input_ids=IDS, labels=labels).loss
        loss.backward()
        gradients.append((loss.detach(), [p.grad for p in model.parameters()]))
    torch.testing.assert_close(*gradients)


def test_to_measure_a_sequence_saves_no_graph():
    labels = IDS.masked_fill(torch.arange(5) < 2, IGNORE)
    total = sequence_logprob(llama(), IDS, None, labels)
    assert not total.requires_grad
    torch.testing.assert_close(total, sequence_sum(label_logprobs(llama(), IDS, None, labels), labels != IGNORE))
