"""Pone en nuestro transformer los pesos de un modelo de Hugging Face: T5, BERT, Llama y Qwen2.

Es una lista de nombres: cómo se llama cada matriz allí y cómo se llama aquí. Lo que esos modelos tienen de particular
y es una constante se funde en los pesos, para que el código del modelo no lleve excepciones:

- T5 no divide las puntuaciones por √D: la consulta se multiplica por √D_head y queda igual.
- T5 multiplica la salida por 1/√D si comparte la matriz de embeddings: lo absorbe la última norma.
- BERT suma un vector de segmento: el del primer segmento se suma a las posiciones.

Lo que NO hace: descargar nada, ni segundos segmentos de BERT, ni RoPE escalado (YaRN, Llama 3.1).
"""

import math

import torch
from torch import Tensor, nn

from utils.model.transformer import Transformer, TransformerConfig

State = dict[str, Tensor]
#: Nombre allí -> nombre aquí, dentro de una capa.
LLAMA = {
    "self_attn.q_proj": "attention.query", "self_attn.k_proj": "attention.key", "self_attn.v_proj": "attention.value",
    "self_attn.o_proj": "attention.output", "mlp.gate_proj": "feed_forward.gate", "mlp.up_proj": "feed_forward.up",
    "mlp.down_proj": "feed_forward.down", "input_layernorm": "norm_attention",
    "post_attention_layernorm": "norm_feed_forward",
}  # fmt: skip
BERT = {
    "attention.self.query": "attention.query", "attention.self.key": "attention.key",
    "attention.self.value": "attention.value", "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "norm_attention", "intermediate.dense": "feed_forward.up",
    "output.dense": "feed_forward.down", "output.LayerNorm": "norm_feed_forward",
}  # fmt: skip
T5_PARTS = {"q": "query", "k": "key", "v": "value", "o": "output"}


def from_huggingface(model: nn.Module) -> Transformer:
    """Nuestro modelo, en modo evaluación, con una copia de los pesos de `model`: los mismos logits.

    `model`: `T5ForConditionalGeneration`, `BertForMaskedLM`, `LlamaForCausalLM` o `Qwen2ForCausalLM`. `ValueError` si
    es otra clase o lleva algo que aquí no existe.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> theirs = LlamaForCausalLM(LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                                       num_attention_heads=2)).eval()
    >>> ids = torch.tensor([[3, 5, 7]])
    >>> torch.allclose(from_huggingface(theirs)(ids), theirs(ids).logits, atol=1e-5)
    True
    """
    converters = {"t5": _t5, "bert": _bert, "llama": _llama, "qwen2": _llama}
    family = model.config.model_type
    if family not in converters:
        raise ValueError(f"No sé cargar «{family}»: puedo con {', '.join(converters)}.")
    try:
        config, state = converters[family](model.config, dict(model.state_dict()))
    except KeyError as missing:
        raise ValueError(f"Al modelo le falta {missing}: ¿es la clase con la cabeza de lenguaje?") from missing
    with torch.device("meta"):  # sin reservar ni sortear pesos que se van a sustituir
        ours = Transformer(config)
    expected = set(ours.state_dict())
    if config.tied:
        state["head.weight"] = state["embedding.weight"]
    for name in expected - state.keys():  # Qwen2 lleva sesgo solo en q, k y v
        if not name.endswith(".bias"):
            raise ValueError(f"Al modelo le falta «{name}»: sus capas no son las que espero.")
        state[name] = torch.zeros_like(ours.get_parameter(name), device=model.device)
    state = {name: tensor.detach().clone() for name, tensor in state.items() if name in expected}
    ours.load_state_dict(state, assign=True)
    ours.tie()
    return ours.eval()


def _llama(c, theirs: State) -> tuple[TransformerConfig, State]:
    rope = c.rope_parameters
    if rope.get("rope_type", "default") != "default":
        raise ValueError(f"Este modelo estira el contexto con «{rope['rope_type']}»; aquí solo hay RoPE sin escalar.")
    if c.hidden_act != "silu":
        raise ValueError(f"Este modelo usa «{c.hidden_act}» y aquí Llama lleva SwiGLU.")
    config = TransformerConfig(
        vocab=c.vocab_size, dim=c.hidden_size, heads=c.num_attention_heads, decoder_layers=c.num_hidden_layers,
        kv_heads=c.num_key_value_heads, head_dim=getattr(c, "head_dim", None), hidden=c.intermediate_size,
        positions="rope", max_positions=c.max_position_embeddings, norm="rms", activation="swiglu",
        bias="model.layers.0.self_attn.q_proj.bias" in theirs, norm_eps=c.rms_norm_eps, rope_base=rope["rope_theta"],
        tied=c.tie_word_embeddings,
    )  # fmt: skip
    state = {
        "embedding.weight": theirs["model.embed_tokens.weight"],
        "decoder.norm.weight": theirs["model.norm.weight"],
    }
    state["head.weight"] = theirs["lm_head.weight"]
    return config, state | _layers(theirs, "model.layers", "decoder.blocks", LLAMA)


def _bert(c, theirs: State) -> tuple[TransformerConfig, State]:
    if c.hidden_act != "gelu":
        raise ValueError(f"Este modelo usa «{c.hidden_act}» y aquí BERT lleva GELU.")
    config = TransformerConfig(
        vocab=c.vocab_size, dim=c.hidden_size, heads=c.num_attention_heads, encoder_layers=c.num_hidden_layers,
        hidden=c.intermediate_size, positions="learned", max_positions=c.max_position_embeddings, norm="layer",
        pre_norm=False, activation="gelu", bias=True, dropout=c.hidden_dropout_prob, norm_eps=c.layer_norm_eps,
        tied=c.tie_word_embeddings, masked_lm=True,
    )  # fmt: skip
    embeddings, head = "bert.embeddings.", "cls.predictions."
    segment = theirs[embeddings + "token_type_embeddings.weight"][0]  # (D,)
    state = {
        "embedding.weight": theirs[embeddings + "word_embeddings.weight"],
        "position.weight": theirs[embeddings + "position_embeddings.weight"] + segment,  # (T_max, D)
        "head.weight": theirs[head + "decoder.weight"],
        "head.bias": theirs[head + "bias"],
    }
    for part in ("weight", "bias"):
        state[f"embedding_norm.{part}"] = theirs[f"{embeddings}LayerNorm.{part}"]
        state[f"transform.{part}"] = theirs[f"{head}transform.dense.{part}"]
        state[f"transform_norm.{part}"] = theirs[f"{head}transform.LayerNorm.{part}"]
    return config, state | _layers(theirs, "bert.encoder.layer", "encoder.blocks", BERT)


def _t5(c, theirs: State) -> tuple[TransformerConfig, State]:
    activations = {"relu": "relu", "gated-gelu": "geglu"}
    if c.feed_forward_proj not in activations or c.relative_attention_num_buckets != 32:
        raise ValueError("De T5 solo sé cargar los de activación relu o gated-gelu y 32 casillas de distancia.")
    # la configuración no lo dice bien: T5 1.1 tiene dos matrices y anuncia una
    tied = theirs["lm_head.weight"].data_ptr() == theirs["shared.weight"].data_ptr()
    config = TransformerConfig(
        vocab=c.vocab_size, dim=c.d_model, heads=c.num_heads, encoder_layers=c.num_layers,
        decoder_layers=c.num_decoder_layers, head_dim=c.d_kv, hidden=c.d_ff, positions="relative", max_positions=None,
        norm="rms", activation=activations[c.feed_forward_proj], dropout=c.dropout_rate,
        norm_eps=c.layer_norm_epsilon, tied=tied,
    )  # fmt: skip
    scale = c.d_model**-0.5 if c.scale_decoder_outputs else 1.0
    state = {"embedding.weight": theirs["shared.weight"], "head.weight": theirs["lm_head.weight"]}
    for side in ("encoder", "decoder"):
        first = f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        state[f"{side}.bias.weight"] = theirs[first]  # (32, H), el mismo en todas las capas
        state[f"{side}.norm.weight"] = theirs[f"{side}.final_layer_norm.weight"] * (scale if side == "decoder" else 1)
        attention = {0: ("SelfAttention", "attention"), 1: ("EncDecAttention", "cross")}
        last = 1 if side == "encoder" else 2  # el decodificador tiene la cruzada en medio
        names = {
            f"layer.{last}.DenseReluDense.wo": "feed_forward.down",
            f"layer.{last}.layer_norm": "norm_feed_forward",
        }
        if config.activation == "relu":
            names[f"layer.{last}.DenseReluDense.wi"] = "feed_forward.up"
        else:
            names[f"layer.{last}.DenseReluDense.wi_0"] = "feed_forward.gate"
            names[f"layer.{last}.DenseReluDense.wi_1"] = "feed_forward.up"
        for number in range(last):
            there, here = attention[number]
            names |= {f"layer.{number}.{there}.{a}": f"{here}.{b}" for a, b in T5_PARTS.items()}
            names[f"layer.{number}.layer_norm"] = f"norm_{here}"
        state |= _layers(theirs, f"{side}.block", f"{side}.blocks", names)
    for name in state:
        if name.endswith("query.weight"):
            state[name] = state[name] * math.sqrt(c.d_kv)
    return config, state


def _layers(theirs: State, prefix: str, ours: str, names: dict[str, str]) -> State:
    """Las matrices de todas las capas, con nuestros nombres."""
    state = {}
    for name, tensor in theirs.items():
        if name.startswith(prefix + "."):
            number, _, rest = name[len(prefix) + 1 :].partition(".")
            there, _, kind = rest.rpartition(".")
            if there in names:
                state[f"{ours}.{number}.{names[there]}.{kind}"] = tensor
    return state
