"""PPO y GRPO: sus igualdades del primer paso, su recorte, que aprenden algo y que siguen después de un corte."""

from functools import partial

import pytest
import torch

from tests.align.tiny import PAD, PROMPTS, TARGETS, llama, policy, t5
from utils.align.grpo import GRPOConfig, group_advantages, grpo_iteration, grpo_loss, leave_one_out
from utils.align.ppo import PPOConfig, clipped_loss, clipped_value_loss, collect, ppo_iteration, update
from utils.align.rl_loop import iteration_prompts, learn
from utils.tune.lora import LoRAConfig, add_lora, base_fingerprint, merge, unload

FAMILIES = pytest.mark.parametrize("build", [llama, t5])
WANTED = 11


def count_wanted(answers) -> torch.Tensor:
    """Premia un token: la fracción de la respuesta que es `WANTED`."""
    return (answers.labels == WANTED).sum(-1) / answers.counted.sum(-1)


def adamw(model, rate: float = 3e-2) -> torch.optim.Optimizer:
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, weight_decay=0.0)


@FAMILIES
def test_at_step_zero_kl_is_zero_and_the_ratio_is_one(build):
    model = policy(build)
    rollout = collect(model, PROMPTS, count_wanted, PPOConfig(max_new_tokens=8), PAD, seed=0)
    assert (rollout.kl == 0).all()
    assert torch.equal(model(rollout.answers)[0], rollout.logprobs)  # ratio e⁰, exactamente 1
    assert abs(rollout.advantages[rollout.answers.counted].mean()) < 1e-6


def test_reference_with_the_adapter_of_sft_off_is_not_the_sft_model():
    """N3: apagar el adaptador que contiene el SFT devuelve la base; hay que fundirlo y poner otro con B = 0."""
    model = policy(llama)
    with torch.no_grad():
        for name, parameter in model.model.named_parameters():
            if name.endswith(".B"):
                parameter.normal_(std=0.1)
    assert (collect(model, PROMPTS, count_wanted, PPOConfig(max_new_tokens=8), PAD, seed=0).kl != 0).any()
    merge(model.model)
    add_lora(unload(model.model), LoRAConfig(rank=4, targets=TARGETS[llama]))
    assert (collect(model, PROMPTS, count_wanted, PPOConfig(max_new_tokens=8), PAD, seed=0).kl == 0).all()


def test_the_clip_stops_the_gradient_only_where_it_should():
    ratios, advantages = torch.tensor([0.5, 1.0, 1.5, 0.5, 1.0, 1.5]), torch.tensor([1.0, 1, 1, -1, -1, -1])
    logprobs = ratios.log().requires_grad_()
    clipped_loss(logprobs, torch.zeros(6), advantages, clip=0.2).sum().backward()
    assert (logprobs.grad != 0).tolist() == [True, True, False, False, True, True]
    torch.testing.assert_close(logprobs.grad[1], torch.tensor(-1.0))  # con ratio 1, el gradiente de −A·log p


def test_value_loss_takes_the_worse_of_the_two():
    values, old, returns = torch.tensor([0.1, 0.9]), torch.tensor([0.0, 0.0]), torch.tensor([1.0, -1.0])
    assert clipped_value_loss(values, old, returns, 0.2).tolist() == pytest.approx([0.405, 1.805])


@FAMILIES
def test_ppo_learns_what_is_rewarded_and_the_base_does_not_move(build):
    model = policy(build)
    base, config = base_fingerprint(model.model), PPOConfig(beta=0.01, max_new_tokens=8, epochs=4)
    optimizer = adamw(model)
    before = collect(model, PROMPTS * 8, count_wanted, config, PAD, seed=99).scores.mean()
    for seed in range(12):
        update(model, optimizer, collect(model, PROMPTS * 8, count_wanted, config, PAD, seed), config, seed)
    after = collect(model, PROMPTS * 8, count_wanted, config, PAD, seed=99)
    assert before < 0.15 and after.scores.mean() > before + 0.1
    assert after.kl.sum(-1).mean() > 0.5 and base_fingerprint(model.model) == base


def test_beta_holds_the_policy_near_its_reference():
    distances = []
    for beta in (0.0, 2.0):
        model, config = policy(llama), PPOConfig(beta=beta, max_new_tokens=8, epochs=4)
        optimizer = adamw(model)
        for seed in range(8):
            update(model, optimizer, collect(model, PROMPTS * 8, count_wanted, config, PAD, seed), config, seed)
        distances.append(collect(model, PROMPTS * 8, count_wanted, config, PAD, seed=99).kl.sum(-1).mean().item())
    assert distances[1] < distances[0] / 2


@pytest.mark.parametrize("loo", [False, True])
def test_grpo_and_rloo_learn_what_is_rewarded(loo):
    model = policy(llama).model
    config = GRPOConfig(group=8, max_new_tokens=8, leave_one_out=loo, minibatch=32)
    run = partial(grpo_iteration, model, adamw(model), reward=count_wanted, config=config, pad_id=PAD)
    rows = [run(PROMPTS, seed=seed) for seed in range(25)]
    assert rows[-1]["score"] > rows[0]["score"] + 0.1 and rows[0]["kl"] == 0.0


def test_group_advantages_ignore_a_constant_and_teach_nothing_from_ties():
    scores = torch.tensor([[1.0, 0.0, 0.5], [2.0, 2.0, 2.0]])
    for advantages in (group_advantages, leave_one_out):
        torch.testing.assert_close(advantages(scores), advantages(scores + 10.0), atol=1e-4, rtol=0)
        assert (advantages(scores)[1] == 0).all()
    with pytest.raises(ValueError, match="respuestas ≥ 2"):
        group_advantages(torch.ones(3, 1))
    with pytest.raises(ValueError, match="finito"):
        leave_one_out(torch.tensor([[1.0, float("inf")]]))
    with pytest.raises(ValueError, match="reference_logprobs"):
        grpo_loss(torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1), torch.ones(1, 1).bool(), beta=0.1)


def test_each_epoch_visits_every_prompt_once():
    prompts = [[i] for i in range(10)]
    for epoch in (0, 1):
        seen = [row[0] for i in range(5) for row in iteration_prompts(prompts, 2, seed=0, number=5 * epoch + i)]
        assert sorted(seen) == list(range(10))
    with pytest.raises(ValueError, match="baja batch_size"):
        iteration_prompts(prompts, 11, seed=0, number=0)


class Cut(Exception):
    pass


@pytest.mark.parametrize("method", ["ppo", "grpo"])
def test_a_cut_run_gives_the_same_curve(method, tmp_path):
    def run(folder, cut=None):
        model = policy(llama)
        trained = model if method == "ppo" else model.model
        iteration = partial(ppo_iteration, config=PPOConfig(max_new_tokens=4), pad_id=PAD, reward=count_wanted)
        if method == "grpo":
            iteration = partial(
                grpo_iteration, config=GRPOConfig(group=4, max_new_tokens=4), pad_id=PAD, reward=count_wanted
            )
        optimizer, done = adamw(trained), []

        def one(prompts, seed):
            if len(done) == cut:
                raise Cut
            done.append(seed)
            return iteration(trained, optimizer, prompts, seed=seed)

        return learn(trained, optimizer, PROMPTS, one, steps=6, batch_size=2, checkpoint=folder, checkpoint_every=2)

    whole = run(tmp_path / "entero")
    with pytest.raises(Cut):
        run(tmp_path / "cortado", cut=5)
    assert run(tmp_path / "cortado") == whole
