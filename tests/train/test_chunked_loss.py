"""La entropía cruzada por trozos: igual que la de torch, con su gradiente y mucho menos pico."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from utils.cost.live_storage import LiveStorage
from utils.train.chunked_loss import chunked_cross_entropy


def inputs(tokens=96, dim=16, vocab=800, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(tokens, dim, generator=generator).to(dtype).requires_grad_()
    weight = torch.randn(vocab, dim, generator=generator).to(dtype).requires_grad_()
    labels = torch.randint(0, vocab, (tokens,), generator=generator)
    labels[::5] = -100
    return hidden, weight, labels


def whole(hidden, weight, labels, chunk=None):
    return cross_entropy((hidden @ weight.T).float(), labels)


@pytest.mark.parametrize("chunk", [1, 7, 32, 96, 500])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-6), (torch.bfloat16, 2e-2)])
def test_same_loss_and_gradient_as_torch(chunk, dtype, tolerance):
    hidden, weight, labels = inputs(dtype=dtype)
    expected = whole(hidden, weight, labels)
    found = chunked_cross_entropy(hidden, weight, labels, chunk)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    wanted = torch.autograd.grad(expected, (hidden, weight))
    for got, right in zip(torch.autograd.grad(found, (hidden, weight)), wanted, strict=True):
        assert (got - right).norm() <= tolerance * right.norm()


def test_the_peak_is_that_of_one_chunk():
    peaks = []
    for loss, chunk in ((whole, None), (chunked_cross_entropy, 96), (chunked_cross_entropy, 12)):
        hidden, weight, labels = inputs()
        with LiveStorage([hidden, weight, labels]) as live:
            loss(hidden, weight, labels, chunk).backward()
        peaks.append(live.peak - 4 * (hidden.numel() + weight.numel()) - 8 * labels.numel())
    assert peaks[0] == pytest.approx(12 * 800 * 96, rel=0.05)  # 12 · V por token
    assert peaks[1] == pytest.approx(peaks[0], rel=0.05)
    assert peaks[2] < peaks[0] / 3  # lo que queda es el gradiente de la matriz, que no depende de los tokens


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, w, y: (h[None], w, y, 4), "aplana el lote"),
        (lambda h, w, y: (h, w.T, y, 4), "aplana el lote"),
        (lambda h, w, y: (h, w, y[:-1], 4), "una por vector"),
        (lambda h, w, y: (h, w, y, 0), "chunk debe ser 1 o más"),
    ],
)
def test_bad_input_says_what_to_do(change, message):
    with pytest.raises(ValueError, match=message):
        chunked_cross_entropy(*change(*inputs()))
