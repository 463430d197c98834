"""La escala del ruido: recupera la señal y el ruido que se ponen, y avisa cuando no se puede."""

import pytest
import torch

from utils.train.noise_scale import NoiseScale, flat_gradient, noise_scale


@pytest.mark.parametrize("each", [1, 4, 16])
def test_it_finds_the_signal_and_the_noise_that_were_put(each):
    generator = torch.Generator().manual_seed(0)
    signal = torch.randn(500, generator=generator) / 10  # |G|² de unos 5
    spread = 2.0  # desviación de cada componente en un ejemplo: tr(Σ) = 500 · 4
    gradients = signal + spread / each**0.5 * torch.randn(400, 500, generator=generator)
    found = noise_scale(gradients, each)
    assert found.noise == pytest.approx(2000, rel=0.05)
    assert found.signal == pytest.approx(signal.square().sum().item(), rel=0.2)


def test_the_estimates_have_no_bias():
    """La media de muchas estimaciones con pocos lotes es la verdad; la norma al cuadrado a secas, no."""
    generator = torch.Generator().manual_seed(1)
    signal = torch.ones(50)  # |G|² = 50
    draws = [signal + torch.randn(4, 50, generator=generator) for _ in range(3000)]
    found = [noise_scale(draw, 1) for draw in draws]
    assert sum(f.signal for f in found) / len(found) == pytest.approx(50, rel=0.03)
    assert sum(f.noise for f in found) / len(found) == pytest.approx(50, rel=0.03)
    plain = sum(draw.mean(0).square().sum().item() for draw in draws) / len(draws)
    assert plain == pytest.approx(50 + 50 / 4, rel=0.03)


def test_half_the_steps_until_the_noise_scale_and_no_more_after():
    scale = NoiseScale(signal=1.0, noise=100.0)
    assert scale.steps(1) / scale.steps(2) > 1.9 and scale.steps(1000) / scale.steps(2000) < 1.06


def test_flat_gradient_is_the_whole_one():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    model(torch.randn(5, 3)).square().sum().backward()
    norms = sum(p.grad.square().sum().item() for p in model.parameters())
    vector = flat_gradient(model)
    assert vector.shape == (3 * 4 + 4 + 4 * 2 + 2,) and vector.square().sum().item() == pytest.approx(norms)
    assert all(p.grad is None for p in model.parameters())


def test_bad_input_says_what_to_do():
    with pytest.raises(ValueError, match="dos lotes o más"):
        noise_scale(torch.ones(1, 3), 1)
    with pytest.raises(ValueError, match="usa más lotes"):
        noise_scale(torch.tensor([[1.0], [-1.0]]), 1)
