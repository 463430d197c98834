"""Los optimizadores dan los mismos pesos que torch; la tasa y el recorte, lo que transformers y torch."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import get_cosine_schedule_with_warmup

from utils.train.optim import SGD, Adam, AdamW, RMSprop
from utils.train.schedule import clip_gradients, learning_rate_factor

CASES = [
    (SGD, torch.optim.SGD, {"lr": 0.05}),
    (SGD, torch.optim.SGD, {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.01}),
    (RMSprop, torch.optim.RMSprop, {"lr": 0.002}),
    (RMSprop, torch.optim.RMSprop, {"lr": 0.002, "alpha": 0.9, "weight_decay": 0.01}),
    (Adam, torch.optim.Adam, {"lr": 0.01}),
    (Adam, torch.optim.Adam, {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    (AdamW, torch.optim.AdamW, {"lr": 0.01}),
    (AdamW, torch.optim.AdamW, {"lr": 0.01, "betas": (0.9, 0.95), "weight_decay": 0.3}),
]


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3)).double()


def _fit(model, optimizer, steps=100, warmup=10):
    """Entrena con datos nuevos en cada paso y una tasa que cambia; la primera capa falta en los 5 primeros pasos."""
    generator = torch.Generator().manual_seed(1)
    own = hasattr(optimizer, "lr")
    peak = optimizer.lr if own else optimizer.param_groups[0]["lr"]
    for step in range(steps):
        rate = peak * learning_rate_factor(step, steps, warmup)
        if own:
            optimizer.lr = rate
        else:
            optimizer.param_groups[0]["lr"] = rate
        x = torch.randn(8, 6, generator=generator, dtype=torch.float64)
        nn.functional.cross_entropy(model(x), x.argmax(-1) % 3).backward()
        if step < 5:
            model[0].weight.grad = None
        optimizer.step()
        optimizer.zero_grad()
    return model


@pytest.mark.parametrize(("ours", "theirs", "options"), CASES)
def test_a_hundred_steps_equal_torch(ours, theirs, options):
    model = _network()
    reference = copy.deepcopy(model)
    start = [p.clone() for p in model.parameters()]
    _fit(model, ours(model.parameters(), **options))
    _fit(reference, theirs(reference.parameters(), **options))
    for before, a, b in zip(start, model.parameters(), reference.parameters(), strict=True):
        assert (a - before).abs().max() > 1e-3  # se ha movido
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_adam_and_adamw_differ_only_in_the_decay():
    one, two, three = _network(), _network(), _network()
    _fit(one, Adam(one.parameters(), lr=0.01))
    _fit(two, AdamW(two.parameters(), lr=0.01, weight_decay=0.0))
    _fit(three, AdamW(three.parameters(), lr=0.01, weight_decay=0.5))
    torch.testing.assert_close(one[0].weight, two[0].weight, rtol=0, atol=0)
    assert (one[0].weight - three[0].weight).abs().max() > 1e-3


def test_zero_grad_forgets():
    weight = torch.ones(2, requires_grad=True)
    optimizer = SGD([weight], lr=0.1)
    weight.sum().backward()
    optimizer.zero_grad()
    optimizer.step()
    assert weight.grad is None and weight.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda w: SGD([], lr=0.1), "No hay parámetros"),
        (lambda w: SGD([w.detach()], lr=0.1), "requires_grad"),
        (lambda w: SGD([w], lr=0.0), "debe ser positiva"),
        (lambda w: SGD([w], lr=float("nan")), "debe ser positiva"),
        (lambda w: SGD([w], lr=0.1, momentum=1.0), r"momentum debe estar en \[0, 1\)"),
        (lambda w: RMSprop([w], lr=0.1, alpha=-0.1), r"alpha debe estar en \[0, 1\)"),
        (lambda w: Adam([w], betas=(0.9, 1.0)), r"betas debe estar en \[0, 1\)"),
        (lambda w: AdamW([w], weight_decay=-1.0), "no puede ser negativo"),
    ],
)
def test_bad_settings(build, message):
    with pytest.raises(ValueError, match=message):
        build(torch.ones(2, requires_grad=True))


@given(st.integers(2, 300), st.integers(0, 60))
def test_schedule_equals_transformers_one_step_ahead_in_the_warmup(total, warmup):
    warmup = min(warmup, total - 1)
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, warmup, total)
    (theirs,) = schedule.lr_lambdas
    for step in range(total + 1):
        assert learning_rate_factor(step, total, warmup) == pytest.approx(theirs(step + (step < warmup)), abs=1e-12)


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_clipping_equals_torch(scale, limit):
    model = _network()
    x = torch.randn(8, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    (scale * model(x).square().sum()).backward()
    model[2].bias.grad = None
    reference = copy.deepcopy(model)
    for a, b in zip(model.parameters(), reference.parameters(), strict=True):
        b.grad = None if a.grad is None else a.grad.clone()
    norm = clip_gradients(model.parameters(), limit)
    expected = nn.utils.clip_grad_norm_(reference.parameters(), limit)
    assert norm == pytest.approx(expected.item(), rel=1e-9)
    for a, b in zip(model.parameters(), reference.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            torch.testing.assert_close(a.grad, b.grad, rtol=1e-9, atol=1e-12)


def test_clipping_bad_input():
    weight = torch.ones(1, requires_grad=True)
    weight.grad = torch.tensor([float("inf")])
    with pytest.raises(ValueError, match="no es finito"):
        clip_gradients([weight], 1.0)
    with pytest.raises(ValueError, match="debe ser positivo"):
        clip_gradients([weight], 0.0)
