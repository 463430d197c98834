"""Modelos con formas y sin números, para contar sus parámetros sin cargarlos.

Se construyen en el dispositivo «meta» de torch, que no ocupa memoria: así se cuenta uno de mil millones de parámetros
en un portátil.

Lo que NO hace: calcular con ellos ni medir memoria.
"""

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, PretrainedConfig, PreTrainedModel, T5Config

#: El `config.json` publicado de google/flan-t5-base (Chung et al., 2022); la salida no comparte pesos con la entrada.
FLAN_T5_BASE = T5Config(
    d_model=768, d_kv=64, num_heads=12, d_ff=2048, num_layers=12, num_decoder_layers=12, vocab_size=32128,
    feed_forward_proj="gated-gelu", tie_word_embeddings=False,
)  # fmt: skip


def empty_model(config: PretrainedConfig) -> PreTrainedModel:
    """El modelo de esa configuración, en el dispositivo «meta».

    >>> sum(p.numel() for p in empty_model(FLAN_T5_BASE).parameters())
    247577856
    """
    auto = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    with torch.device("meta"):
        model = auto.from_config(config)
        # T5Config convierte tie_word_embeddings=False en scale_decoder_outputs=False, y transformers 5 no separa la
        # salida hasta que carga los pesos publicados y ve dos matrices distintas.
        if not getattr(config, "scale_decoder_outputs", True):
            model.lm_head.weight = nn.Parameter(torch.empty_like(model.lm_head.weight))
    return model
