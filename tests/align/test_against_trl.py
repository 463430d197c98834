"""Nuestras pérdidas y las de TRL, con los mismos pesos y los mismos datos: el mismo número, paso a paso."""

import copy

import pytest
import torch
from datasets import Dataset
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification
from trl import DPOConfig, DPOTrainer, GRPOTrainer, RewardConfig, RewardTrainer
from trl import GRPOConfig as TRLGRPOConfig

from utils.align.answers import answer_token_logprobs, pack_answers
from utils.align.dpo import AnswerPairs, dpo_loss, margins
from utils.align.grpo import group_advantages, grpo_loss
from utils.align.reward import RewardModel, TextPairs, reward_loss
from utils.course.env import repo_root
from utils.train.loop import step

STEPS, RATE = 20, 3e-3
ROWS = [
    {"prompt": "Ana: ¿Vienes el", "chosen": " martes a las tres?", "rejected": " miércoles?"},
    {"prompt": "Luis: No puedo", "chosen": " porque llueve.", "rejected": " nunca, y no me llames más."},
    {"prompt": "Tema:", "chosen": " vivienda", "rejected": " un taller de coches"},
    {"prompt": "Repite: sol", "chosen": " sol", "rejected": " luna"},
]


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(repo_root() / "models" / "mini-gpt")


def config(tokenizer) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        pad_token_id=tokenizer.pad_token_id, num_labels=1,
    )  # fmt: skip


def options(folder) -> dict:
    return dict(
        output_dir=str(folder), max_steps=STEPS, per_device_train_batch_size=len(ROWS), learning_rate=RATE,
        lr_scheduler_type="constant", weight_decay=0.0, max_grad_norm=1.0, report_to=[], save_strategy="no",
        use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True,
    )  # fmt: skip


def recorded(trainer_class, losses: list[float]):
    """Un entrenador de TRL que además apunta la pérdida de cada paso con todas sus cifras."""

    class Recorded(trainer_class):
        def compute_loss(self, *args, **kwargs):
            found = super().compute_loss(*args, **kwargs)
            losses.append(float((found[0] if isinstance(found, tuple) else found).detach()))
            return found

    return Recorded


def ours(model, batch, loss) -> list[float]:
    """Las pérdidas de entrenar `STEPS` pasos con el mismo lote y el optimizador de TRL."""
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0), []
    model.train()
    for number in range(STEPS):
        value = loss(model, batch)
        losses.append(value.item())
        step(value, optimizer, number)
    return losses


def test_reward_losses_are_those_of_reward_trainer(tokenizer, tmp_path):
    torch.manual_seed(0)
    theirs, losses = LlamaForSequenceClassification(config(tokenizer)), []
    torch.nn.init.zeros_(theirs.score.weight)
    model = RewardModel(copy.deepcopy(theirs.model))
    rows = [
        {side: tokenizer(row["prompt"] + row[side])["input_ids"] for side in ("chosen", "rejected")} for row in ROWS
    ]
    data = Dataset.from_list([{f"{side}_ids": ids for side, ids in row.items()} for row in rows])
    recorded(RewardTrainer, losses)(
        model=theirs, args=RewardConfig(**options(tmp_path)), train_dataset=data, processing_class=tokenizer
    ).train()
    mine = ours(model, TextPairs(tokenizer.pad_token_id)(rows), reward_loss)
    assert mine[0] == pytest.approx(0.693147, abs=1e-6) and mine[-1] < 0.3
    assert mine == pytest.approx(losses, abs=1e-5)


def test_dpo_losses_are_those_of_dpo_trainer(tokenizer, tmp_path):
    torch.manual_seed(0)
    model, losses = LlamaForCausalLM(config(tokenizer)), []
    policy, reference = copy.deepcopy(model), copy.deepcopy(model).eval()
    trainer = recorded(DPOTrainer, losses)(
        model=model, ref_model=copy.deepcopy(reference), args=DPOConfig(**options(tmp_path), beta=0.3),
        train_dataset=Dataset.from_list(ROWS), processing_class=tokenizer,
    )  # fmt: skip
    rows = [{name.removesuffix("_ids"): row[name] for name in row} for row in trainer.train_dataset.to_list()]
    trainer.train()
    batch = AnswerPairs(tokenizer.pad_token_id)(rows)
    mine = ours(policy, batch, lambda model, batch: dpo_loss(margins(model, batch, reference), beta=0.3))
    assert mine[0] == pytest.approx(0.693147, abs=1e-6) and mine[-1] < 0.3
    assert mine == pytest.approx(losses, abs=1e-5)


def test_grpo_loss_is_that_of_trl_on_the_same_batch(tokenizer, tmp_path):
    torch.manual_seed(0)
    LlamaForCausalLM(config(tokenizer)).save_pretrained(tmp_path / "base")  # de ahí carga TRL la referencia
    model = LlamaForCausalLM.from_pretrained(tmp_path / "base")
    arguments = TRLGRPOConfig(
        output_dir=str(tmp_path), beta=0.1, loss_type="grpo", use_bias_correction_kl=False,
        per_device_train_batch_size=4, num_generations=4,
        report_to=[], use_cpu=True, bf16=False, gradient_checkpointing=False,
    )  # fmt: skip
    trainer = GRPOTrainer(
        model=model, reward_funcs=lambda completions, **_: [0.0] * len(completions), args=arguments,
        train_dataset=Dataset.from_list([{"prompt": "Hola"}] * 4), processing_class=tokenizer,
    )  # fmt: skip
    trainer.model.eval()
    trainer.current_gradient_accumulation_steps = 1
    batch = pack_answers(
        [[5, 6], [7], [8, 9, 10], [11]], [[12, 13], [14], [15, 16, 17], [18, 19]], tokenizer.pad_token_id
    )
    logprobs = answer_token_logprobs(model, batch)
    old, reference = (logprobs.detach() + 0.3 * torch.randn_like(logprobs) for _ in range(2))
    advantages = group_advantages(torch.tensor([[1.0, 0.0, 0.0, 0.5]])).flatten()
    theirs = trainer._compute_loss(model, {
        "prompt_ids": batch.prompts, "prompt_mask": batch.prompt_mask,
        "completion_ids": batch.labels.clamp(min=0), "completion_mask": batch.counted.long(),
        "advantages": advantages, "old_per_token_logps": old, "ref_per_token_logps": reference,
    })  # fmt: skip
    mine = grpo_loss(logprobs, old, advantages, batch.counted, reference, beta=0.1, clip=arguments.epsilon)
    assert mine.item() == pytest.approx(theirs.item(), abs=1e-5)
    gradient = torch.autograd.grad(mine, model.lm_head.weight, retain_graph=True)[0]
    torch.testing.assert_close(gradient, torch.autograd.grad(theirs, model.lm_head.weight)[0], atol=1e-5, rtol=1e-4)
