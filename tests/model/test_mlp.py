"""La retropropagación a mano da lo mismo que autograd y que las diferencias finitas."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from utils.model.mlp import ACTIVATIONS, MLP, cross_entropy, mean_squared_error


def _autograd(mlp, x, y):
    """La misma red con torch: pérdida y gradientes por autograd."""
    functions = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "identity": lambda z: z}
    name = next(n for n, pair in ACTIVATIONS.items() if pair[0] is mlp.function)
    a = x
    for i, (w, b) in enumerate(zip(mlp.weights, mlp.biases, strict=True)):
        a = a @ w + b
        if i < len(mlp.weights) - 1:
            a = functions[name](a)
    loss = nn.functional.cross_entropy(a, y)
    return loss.item(), torch.autograd.grad(loss, mlp.parameters)


@given(
    st.sampled_from(list(ACTIVATIONS)), st.lists(st.integers(1, 9), min_size=0, max_size=3), st.integers(1, 6),
    st.integers(0, 99),
)  # fmt: skip
def test_gradients_equal_autograd(activation, hidden, batch, seed):
    mlp = MLP((4, *hidden, 3), activation, seed=seed, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, 4, generator=generator, dtype=torch.float64)
    y = torch.randint(0, 3, (batch,), generator=generator)
    loss, grad = cross_entropy(mlp.forward(x), y)
    mlp.backward(grad)
    expected_loss, expected = _autograd(mlp, x, y)
    assert loss == pytest.approx(expected_loss, abs=1e-12)
    for parameter, reference in zip(mlp.parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, reference, rtol=1e-9, atol=1e-12)


def test_gradients_with_dropout_equal_finite_differences():
    mlp = MLP((3, 6, 6, 2), "tanh", dtype=torch.float64)
    x, y = (
        torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64),
        torch.tensor([0, 1, 1, 0, 1]),
    )

    def loss():
        return cross_entropy(mlp.forward(x, dropout=0.5, generator=torch.Generator().manual_seed(7)), y)

    mlp.backward(loss()[1])
    for parameter in mlp.parameters:
        flat, step = parameter.detach().view(-1), 1e-6
        for i in range(len(flat)):
            before = flat[i].item()
            flat[i] = before + step
            up = loss()[0]
            flat[i] = before - step
            down = loss()[0]
            flat[i] = before
            assert parameter.grad.view(-1)[i].item() == pytest.approx((up - down) / (2 * step), abs=1e-7)


def test_input_gradient_equals_autograd():
    mlp = MLP((4, 5, 3), "sigmoid", dtype=torch.float64)
    x = torch.randn(2, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    grad = mlp.backward(mean_squared_error(mlp.forward(x), torch.zeros(2, 3, dtype=torch.float64))[1])
    leaf = x.clone().requires_grad_()
    out = torch.sigmoid(leaf @ mlp.weights[0] + mlp.biases[0]) @ mlp.weights[1] + mlp.biases[1]
    (expected,) = torch.autograd.grad(out.square().mean(), leaf)
    torch.testing.assert_close(grad, expected)


def test_dropout_keeps_the_mean_and_evaluation_is_deterministic():
    mlp = MLP((1, 2000, 1), "identity")
    x = torch.ones(1, 1)
    with torch.no_grad():
        mlp.weights[0].fill_(1.0)
        mlp.weights[1].fill_(1 / 2000)
    generator = torch.Generator().manual_seed(0)
    noisy = torch.stack([mlp.forward(x, dropout=0.3, generator=generator) for _ in range(50)])
    assert noisy.std() > 0 and noisy.mean().item() == pytest.approx(1.0, abs=0.01)
    assert mlp.forward(x).item() == mlp.forward(x).item() == pytest.approx(1.0, abs=1e-4)


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_cross_entropy_is_stable_and_equals_torch(a, b):
    logits = torch.tensor([[a, b], [0.0, 1.0]], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0, 1])
    expected = nn.functional.cross_entropy(logits, y)
    expected.backward()
    loss, grad = cross_entropy(logits.detach(), y)
    assert loss == pytest.approx(expected.item(), rel=1e-12, abs=1e-12)
    torch.testing.assert_close(grad, logits.grad)


def test_same_seed_same_network():
    one, two, other = MLP((3, 4, 2), seed=1), MLP((3, 4, 2), seed=1), MLP((3, 4, 2), seed=2)
    assert torch.equal(one.weights[0], two.weights[0]) and not torch.equal(one.weights[0], other.weights[0])


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda: MLP((3,)), "al menos la entrada y la salida"),
        (lambda: MLP((3, 0, 2)), "1 unidad o más"),
        (lambda: MLP((3, 2), "swish"), "No conozco la activación «swish»"),
        (lambda: MLP((3, 2)).forward(torch.zeros(3)), r"se espera \(B, 3\)"),
        (lambda: MLP((3, 4, 2)).forward(torch.zeros(1, 3), dropout=1.0), r"dropout debe estar en \[0, 1\)"),
        (lambda: MLP((3, 2)).backward(torch.zeros(1, 2)), "llama antes a forward"),
        (lambda: cross_entropy(torch.zeros(2, 3), torch.tensor([0])), "B clases"),
        (lambda: cross_entropy(torch.zeros(1, 3), torch.tensor([3])), "fuera de 0 a 2"),
        (lambda: mean_squared_error(torch.zeros(2, 1), torch.zeros(2)), "no coinciden"),
    ],
)
def test_bad_input(action, message):
    with pytest.raises(ValueError, match=message):
        action()
