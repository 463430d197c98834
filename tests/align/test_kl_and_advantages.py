"""La KL, sus estimaciones y las ventajas, frente a su definición."""

import pytest
import torch

from utils.align.advantages import gae, token_rewards, whiten
from utils.align.kl import exact_kl, k1, k2, k3


def test_estimates_average_to_the_exact_kl():
    torch.manual_seed(0)
    policy, reference = torch.randn(8), torch.randn(8)
    tokens = policy.softmax(-1).multinomial(200_000, replacement=True)
    ours, theirs = policy.log_softmax(-1)[tokens], reference.log_softmax(-1)[tokens]
    exact = exact_kl(policy, reference)
    for estimate in (k1, k3):
        values = estimate(ours, theirs)
        assert abs(values.mean() - exact) < 4.5 * values.std() / len(values) ** 0.5
    biased = k2(ours, theirs)
    assert abs(biased.mean() - exact) > 10 * biased.std() / len(biased) ** 0.5  # k2 sí tiene sesgo
    assert (k1(ours, theirs) < 0).any() and (k2(ours, theirs) >= 0).all() and (k3(ours, theirs) >= 0).all()


def test_kl_equals_torch_and_is_zero_with_itself():
    torch.manual_seed(0)
    policy, reference = torch.randn(3, 5, 8), torch.randn(3, 5, 8)
    expected = torch.nn.functional.kl_div(
        reference.log_softmax(-1), policy.log_softmax(-1), reduction="none", log_target=True
    ).sum(-1)
    torch.testing.assert_close(exact_kl(policy, reference), expected)
    assert (exact_kl(policy, policy) == 0).all()
    forbidden = torch.tensor([0.0, float("-inf")])
    assert exact_kl(forbidden, torch.zeros(2)).item() == pytest.approx(0.6931, abs=1e-4)
    with pytest.raises(ValueError, match="misma forma"):
        exact_kl(policy, reference[:1])


@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 0.95), (0.9, 0.5), (1.0, 0.0), (0.99, 1.0)])
def test_gae_is_the_sum_of_its_definition(gamma, lam):
    torch.manual_seed(0)
    rewards, values = torch.randn(3, 6), torch.randn(3, 6)
    lengths = torch.tensor([6, 4, 1])
    counted = torch.arange(6) < lengths[:, None]
    advantages, returns = gae(rewards, values, counted, gamma, lam)
    for row, length in enumerate(lengths.tolist()):
        r, v = rewards[row, :length], torch.cat([values[row, :length], torch.zeros(1)])
        deltas = r + gamma * v[1:] - v[:-1]
        for t in range(length):
            expected = sum((gamma * lam) ** k * deltas[t + k] for k in range(length - t))
            torch.testing.assert_close(advantages[row, t], expected)
        assert (advantages[row, length:] == 0).all()
    torch.testing.assert_close(returns, torch.where(counted, advantages + values, 0.0))


def test_the_score_arrives_once_and_at_the_last_token():
    counted = torch.tensor([[True, True, True], [True, False, False]])
    rewards = token_rewards(torch.tensor([3.0, -1.0]), torch.zeros(2, 3), counted, beta=0.1)
    assert rewards.tolist() == [[0, 0, 3], [-1, 0, 0]]
    with pytest.raises(ValueError, match="finito"):
        token_rewards(torch.tensor([3.0, float("nan")]), torch.zeros(2, 3), counted, beta=0.1)


def test_whitened_advantages_have_mean_zero():
    torch.manual_seed(0)
    counted = torch.rand(4, 9) > 0.3
    white = whiten(torch.randn(4, 9) * 7 + 3, counted)
    assert abs(white[counted].mean()) < 1e-6 and abs(white[counted].std() - 1) < 1e-5 and (white[~counted] == 0).all()
    with pytest.raises(ValueError, match="solo token"):
        whiten(torch.ones(1, 2), torch.tensor([[True, False]]))
