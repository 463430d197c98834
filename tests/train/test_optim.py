"""Los optimizadores dan los mismos pesos que torch; la tasa y el recorte, lo que transformers y torch."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import get_cosine_schedule_with_warmup, get_wsd_schedule

from utils.train.optim import SGD, Adam, AdamW, RMSprop, adafactor
from utils.train.schedule import clip_gradients, learning_rate_factor, wsd_factor

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


@pytest.mark.parametrize(("ours", "theirs", "options"), CASES)
def test_what_is_frozen_or_misses_its_gradient_moves_as_in_torch(ours, theirs, options):
    """Ni reducción de pesos ni inercia en los pasos en que falta: la cuenta sigue por parámetro."""
    model = _network()
    model[0].bias.requires_grad_(False).fill_(5.0)
    reference, x = copy.deepcopy(model), torch.randn(8, 6, dtype=torch.float64)
    for net, optimizer in (
        (model, ours(model.parameters(), **options)),
        (reference, theirs(reference.parameters(), **options)),
    ):
        for step in range(6):
            net(x).square().sum().backward()
            before = net[2].bias.detach().clone()
            if step in (1, 2, 4):
                net[2].bias.grad = None
            optimizer.step()
            optimizer.zero_grad()
            assert torch.equal(net[2].bias, before) == (step in (1, 2, 4))
    assert (model[0].bias == 5.0).all()
    for a, b in zip(model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_adafactor_leaves_what_is_frozen_or_misses_its_gradient():
    model = _network().float()
    model[0].requires_grad_(False)
    before = copy.deepcopy(model)
    optimizer = adafactor(model, 0.01)
    model(torch.randn(8, 6)).square().sum().backward()
    model[2].bias.grad = None
    optimizer.step()
    assert torch.equal(model[0].weight, before[0].weight) and torch.equal(model[2].bias, before[2].bias)
    assert not torch.equal(model[2].weight, before[2].weight)
    assert len(optimizer.state) == 1  # y no guardan nada


def test_a_shared_matrix_takes_one_step():
    """Como los embeddings y la salida de un modelo: su gradiente es la suma de los dos usos y el paso, uno."""
    embedding, head = nn.Embedding(3, 2), nn.Linear(2, 3, bias=False)
    head.weight = embedding.weight
    model = nn.Sequential(embedding, head).double()
    reference = copy.deepcopy(model)
    for net, kind in ((model, AdamW), (reference, torch.optim.AdamW)):
        optimizer = kind(net.parameters(), lr=0.1, weight_decay=0.1)
        for _ in range(3):
            net(torch.tensor([0, 1])).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()
    torch.testing.assert_close(model[0].weight, reference[0].weight, rtol=1e-9, atol=1e-12)


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
        (lambda w: SGD([w.detach()], lr=0.1), "deja al menos uno con requires_grad=True"),
        (lambda w: SGD([w, w], lr=0.1), "aparece dos veces"),
        (lambda w: SGD([w, 2 * w], lr=0.1), "no el resultado de una operación"),
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


@given(st.integers(10, 300), st.integers(0, 9))
def test_wsd_equals_transformers_one_step_ahead_in_the_warmup(total, warmup):
    warmup, down = min(warmup, total // 2), total // 5
    stable = total - warmup - down
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    options = {"num_decay_steps": down, "num_stable_steps": stable, "decay_type": "linear"}
    (theirs,) = get_wsd_schedule(optimizer, warmup, **options).lr_lambdas
    for step in range(total + 1):
        ours = wsd_factor(step, total, warmup, decay=down / total)
        assert ours == pytest.approx(theirs(step + (step < warmup)), abs=1e-9)


def test_wsd_does_not_know_the_total_until_it_goes_down():
    short, long = ([wsd_factor(step, total, 10) for step in range(80)] for total in (100, 1000))
    assert short == long
    cosines = [learning_rate_factor(79, total, 10) for total in (100, 1000)]
    assert abs(cosines[0] - cosines[1]) > 0.5


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


def test_a_repeated_parameter_is_clipped_once():
    weight, frozen = torch.zeros(2, requires_grad=True), torch.zeros(2)
    weight.grad = torch.tensor([3.0, 4.0])
    assert clip_gradients([weight, frozen, weight], max_norm=1.0) == 5.0
    assert weight.grad.tolist() == pytest.approx([0.6, 0.8], abs=1e-6)


def test_clipping_bad_input():
    weight = torch.ones(1, requires_grad=True)
    weight.grad = torch.tensor([float("inf")])
    with pytest.raises(ValueError, match="no es finito: mira si la pérdida lo es y si en el lote cuenta"):
        clip_gradients([weight], 1.0)
    with pytest.raises(ValueError, match="debe ser positivo"):
        clip_gradients([weight], 0.0)
