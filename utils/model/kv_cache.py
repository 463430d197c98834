"""La caché de claves y valores (*KV cache*): generar sin releer lo ya leído.

Cada token nuevo solo necesita su propia consulta y las claves y los valores de los anteriores, que no cambian:
la máscara causal impide que un token vea lo que viene después. Guardarlos convierte un paso que recalcula la
frase entera en uno que calcula un token. Aquí están la caché, una pasada por un Llama o un Qwen2 de transformers
que la usa (con sus proyecciones y nuestra atención) y la decodificación voraz con ella y sin ella.

No admite relleno ni frases de longitud distinta en un lote, no sortea y no reserva memoria por adelantado: cada
paso copia las claves al alargarlas. El bucle general es `utils.model.decoding.generate`.
"""

import math

import torch
from torch import Tensor, nn

from utils.model.positions import check_length, rope

ARCHITECTURES = ("llama", "qwen2")


class KVCache:
    """Las claves y los valores de cada capa, (B, H_kv, T, D_h) cada uno, para los T tokens ya leídos.

    >>> cache = KVCache(layers=1)
    >>> keys, values = cache.append(0, torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4))
    >>> keys, values = cache.append(0, torch.ones(1, 2, 1, 4), torch.ones(1, 2, 1, 4))
    >>> cache.length, tuple(keys.shape), cache.nbytes
    (4, (1, 2, 4, 4), 256)
    """

    def __init__(self, layers: int) -> None:
        self.keys: list[Tensor | None] = [None] * layers
        self.values: list[Tensor | None] = [None] * layers

    @property
    def length(self) -> int:
        """Tokens guardados, T."""
        return 0 if self.keys[-1] is None else self.keys[-1].shape[2]

    @property
    def nbytes(self) -> int:
        """Bytes que ocupa."""
        return sum(t.numel() * t.element_size() for t in (*self.keys, *self.values) if t is not None)

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Añade las de los tokens nuevos, (B, H_kv, N, D_h), y devuelve las de todos, (B, H_kv, T + N, D_h)."""
        if self.keys[layer] is not None:
            keys = torch.cat([self.keys[layer], keys], dim=2)  # (B, H_kv, T + N, D_h)
            values = torch.cat([self.values[layer], values], dim=2)  # (B, H_kv, T + N, D_h)
        self.keys[layer], self.values[layer] = keys, values
        return keys, values

    def crop(self, length: int) -> None:
        """Olvida todo menos los `length` primeros tokens; ValueError si no hay tantos."""
        if not 0 <= length <= self.length:
            raise ValueError(f"La caché guarda {self.length} tokens y no se puede recortar a {length}.")
        if length < self.length:
            self.keys = [keys[:, :, :length] for keys in self.keys]  # (B, H_kv, length, D_h)
            self.values = [values[:, :, :length] for values in self.values]  # (B, H_kv, length, D_h)


def cache_bytes(config, length: int, batch: int = 1, bytes_per_number: int = 4) -> int:
    """Bytes de la caché de un modelo: 2 (claves y valores) · capas · H_kv · D_h · T · B · bytes por número.

    `config` es la de un Llama o un Qwen2. ValueError si la longitud o el lote no son positivos.

    >>> from transformers import LlamaConfig
    >>> cache_bytes(LlamaConfig(num_hidden_layers=30, num_key_value_heads=3, head_dim=64), length=1)
    46080
    """
    if length < 1 or batch < 1:
        raise ValueError(f"La longitud y el lote deben ser al menos 1 y son {length} y {batch}.")
    return (
        2
        * config.num_hidden_layers
        * config.num_key_value_heads
        * _head_dim(config)
        * length
        * batch
        * bytes_per_number
    )


@torch.no_grad()
def next_logits(model: nn.Module, ids: Tensor, cache: KVCache | None = None, last: int = 1) -> Tensor:
    """Los logits de las `last` últimas posiciones, (B, last, V), leyendo `ids` (B, N) detrás de lo que hay en la caché.

    Sin caché, `ids` es la frase entera y se calcula toda. Con ella, `ids` son solo los tokens nuevos, sus claves y
    valores se añaden y el resultado es el mismo. ValueError si no hay tokens, si no caben en las posiciones del
    modelo, si `last` es mayor que N, si algún id está fuera del vocabulario o si el modelo no es un Llama o un Qwen2
    con RoPE sin escalar.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                      num_attention_heads=2)
    >>> model, cache = LlamaForCausalLM(config).eval(), KVCache(1)
    >>> whole = next_logits(model, torch.tensor([[3, 5, 7]]))
    >>> _ = next_logits(model, torch.tensor([[3, 5]]), cache)
    >>> torch.allclose(whole, next_logits(model, torch.tensor([[7]]), cache), atol=1e-5)
    True
    """
    config = model.config
    _check(config, ids, last)
    past = 0 if cache is None else cache.length
    new = ids.shape[1]
    check_length(past + new, config.max_position_embeddings)
    places = torch.arange(past, past + new, device=ids.device)  # (N,)
    # El token nuevo i puede mirar todo lo guardado y los nuevos hasta él mismo.
    visible = torch.arange(past + new, device=ids.device) <= places[:, None]  # (N, T + N)

    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, _head_dim(config))).transpose(1, 2)  # (B, N, H·D_h) -> (B, H, N, D_h)

    x = model.model.embed_tokens(ids)  # (B, N, D)
    for index, layer in enumerate(model.model.layers):
        attention, normed = layer.self_attn, layer.input_layernorm(x)
        theta = config.rope_parameters["rope_theta"]
        query = rope(heads(attention.q_proj(normed)), places, theta)  # (B, H, N, D_h)
        keys = rope(heads(attention.k_proj(normed)), places, theta)  # (B, H_kv, N, D_h)
        values = heads(attention.v_proj(normed))  # (B, H_kv, N, D_h)
        if cache is not None:
            keys, values = cache.append(index, keys, values)  # (B, H_kv, T + N, D_h)
        x = x + attention.o_proj(_attend(query, keys, values, visible))  # (B, N, D)
        x = x + layer.mlp(layer.post_attention_layernorm(x))  # (B, N, D)
    return model.lm_head(model.model.norm(x[:, -last:]))  # (B, last, V)


def _attend(query: Tensor, keys: Tensor, values: Tensor, visible: Tensor) -> Tensor:
    """Atención con máscara, (B, N, H·D_h). Cada grupo de H / H_kv consultas comparte una clave y un valor."""
    group = query.shape[1] // keys.shape[1]
    query = query.unflatten(1, (-1, group))  # (B, H_kv, G, N, D_h)
    scores = query @ keys[:, :, None].transpose(-1, -2) / math.sqrt(query.shape[-1])  # (B, H_kv, G, N, T)
    weights = scores.masked_fill(~visible, -math.inf).softmax(dim=-1)  # (B, H_kv, G, N, T)
    mixed = weights @ values[:, :, None]  # (B, H_kv, G, N, D_h)
    return mixed.flatten(1, 2).transpose(1, 2).flatten(2)  # (B, N, H·D_h)


def greedy(model: nn.Module, ids: Tensor, max_new_tokens: int, *, use_cache: bool = True) -> Tensor:
    """Decodificación voraz de `max_new_tokens` tokens, con caché o recalculando la frase entera en cada paso.

    `ids` (B, T), sin relleno -> (B, max_new_tokens). No se para en el token de fin: sirve para comparar costes, y los
    dos caminos dan los mismos tokens. Los errores son los de `next_logits`.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
    ...                      num_attention_heads=2)
    >>> model, ids = LlamaForCausalLM(config).eval(), torch.tensor([[3, 5]])
    >>> torch.equal(greedy(model, ids, 4), greedy(model, ids, 4, use_cache=False))
    True
    """
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens debe ser al menos 1 y es {max_new_tokens}.")
    cache = KVCache(model.config.num_hidden_layers) if use_cache else None
    start, current = ids.shape[1], ids
    for _ in range(max_new_tokens):
        token = next_logits(model, current, cache)[:, -1].argmax(dim=-1, keepdim=True)  # (B, 1)
        ids = torch.cat([ids, token], dim=1)  # (B, T + 1)
        current = token if use_cache else ids
    return ids[:, start:]


def _head_dim(config) -> int:
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def _check(config, ids: Tensor, last: int) -> None:
    kind = config.model_type
    if kind not in ARCHITECTURES or config.rope_parameters.get("rope_type", "default") != "default":
        raise ValueError(
            f"Esta caché recorre modelos {' o '.join(ARCHITECTURES)} con RoPE sin escalar y este es {kind}: "
            "usa utils.model.decoding.generate, que sirve para todos."
        )
    if ids.dim() != 2 or ids.numel() == 0:
        raise ValueError(f"ids debe tener forma (B, N) con N >= 1 y tiene {tuple(ids.shape)}: el prompt está vacío.")
    if not 1 <= last <= ids.shape[1]:
        raise ValueError(f"last = {last} no cabe: hay {ids.shape[1]} tokens nuevos y solo de ellos se calculan logits.")
    if ids.min() < 0 or ids.max() >= config.vocab_size:
        raise ValueError(f"Hay un id fuera del vocabulario: los ids van de 0 a {config.vocab_size - 1}.")
