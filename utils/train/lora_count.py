"""Cuántos parámetros entrena LoRA: la fórmula para una matriz y la cuenta de un modelo entero sin cargar sus pesos.

El modelo se construye en el dispositivo «meta» de torch: las formas están, los números no, y no ocupa memoria. Así se
cuenta uno de mil millones de parámetros en un portátil.

Lo que NO hace: entrenar ni medir memoria.
"""

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, PretrainedConfig, PreTrainedModel, T5Config

from utils.train.lora import LoRAConfig, add_lora, trained_parameters

#: El `config.json` publicado de google/flan-t5-base (Chung et al., 2022); la salida no comparte pesos con la entrada.
FLAN_T5_BASE = T5Config(
    d_model=768, d_kv=64, num_heads=12, d_ff=2048, num_layers=12, num_decoder_layers=12, vocab_size=32128,
    feed_forward_proj="gated-gelu", tie_word_embeddings=False,
)  # fmt: skip


def lora_parameters(out_features: int, in_features: int, rank: int) -> int:
    """Parámetros de LoRA en una matriz de out_features × in_features: r · (d + k), en vez de d · k.

    >>> lora_parameters(512, 64, rank=8), 512 * 64, lora_parameters(4096, 4096, rank=8)
    (4608, 32768, 65536)
    """
    if min(out_features, in_features, rank) < 1:
        raise ValueError("Las dos dimensiones y el rango son enteros de 1 en adelante.")
    return rank * (out_features + in_features)


def empty_model(config: PretrainedConfig) -> PreTrainedModel:
    """El modelo de esa configuración, con formas y sin números (dispositivo «meta»)."""
    auto = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    with torch.device("meta"):
        model = auto.from_config(config)
        # T5Config convierte tie_word_embeddings=False en scale_decoder_outputs=False, y transformers 5 no separa la
        # salida hasta que carga los pesos publicados y ve dos matrices distintas.
        if not getattr(config, "scale_decoder_outputs", True):
            model.lm_head.weight = nn.Parameter(torch.empty_like(model.lm_head.weight))
    return model


def count_lora(config: PretrainedConfig, lora: LoRAConfig) -> tuple[int, int]:
    """(parámetros que entrena LoRA, parámetros del modelo con LoRA) para la arquitectura de `config`.

    >>> count_lora(FLAN_T5_BASE, LoRAConfig(rank=32, targets=("q", "v")))
    (3538944, 251116800)
    """
    return trained_parameters(add_lora(empty_model(config), lora))
