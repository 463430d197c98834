"""Modelos diminutos con pesos al azar, para las pruebas de alinear: uno de cada familia y los prompts que leen."""

import torch
from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

from utils.align.ppo import ActorCritic
from utils.tune.lora import LoRAConfig, add_lora

PAD, EOS = 0, 1
PROMPTS = [[5, 6, 7], [8], [9, 4], [3, 3, 3, 3]]


def llama(seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=24, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=32, initializer_range=0.3, pad_token_id=PAD, eos_token_id=EOS, bos_token_id=2,
    )).eval()  # fmt: skip


def t5(seed: int = 0) -> T5ForConditionalGeneration:
    torch.manual_seed(seed)
    return T5ForConditionalGeneration(T5Config(
        vocab_size=24, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2, decoder_start_token_id=PAD,
        pad_token_id=PAD, eos_token_id=EOS)).eval()  # fmt: skip


TARGETS = {llama: ("v_proj", "o_proj", "down_proj"), t5: ("v", "o", "wo")}


def policy(build, seed: int = 0) -> ActorCritic:
    torch.manual_seed(seed)
    return ActorCritic(add_lora(build(), LoRAConfig(rank=4, targets=TARGETS[build]))).eval()
