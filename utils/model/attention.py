"""La atención desde cero: softmax, entropía cruzada, máscara causal, atención y varias cabezas.

Notación: B lote, H cabezas, T consultas, S claves, D dimensión, V vocabulario. Una máscara es booleana y True
significa «puede mirar».

Lo que NO hace: la atención por bloques que ahorra memoria (FlashAttention) ni la caché de claves y valores.
"""

import math

import torch
from torch import Tensor, nn

from utils.model.batching import IGNORE
from utils.model.positions import rope
from utils.model.precision import at_least_float32


def softmax(scores: Tensor, dim: int = -1) -> Tensor:
    """Exponencia y reparte: números positivos que suman 1 a lo largo de `dim`.

    Restar antes el máximo no cambia el resultado y evita desbordar: exp(10000) es infinito, exp(0) es 1. Si todo es
    -inf (no hay a quién mirar), devuelve ceros en vez de NaN. Misma forma y tipo que `scores`, aunque con 16 bits las
    cuentas van en 32.

    >>> softmax(torch.tensor([10000.0, 10000.0, -math.inf])).tolist()
    [0.5, 0.5, 0.0]
    """
    wide = at_least_float32(scores)  # (..., S)
    peak = wide.detach().amax(dim, keepdim=True).clamp(min=torch.finfo(wide.dtype).min)  # (..., 1)
    exps = (wide - peak).exp()  # (..., S), entre 0 y 1
    weights = exps / exps.sum(dim, keepdim=True).clamp(min=torch.finfo(wide.dtype).tiny)  # (..., S)
    return weights.to(scores.dtype)


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = IGNORE) -> Tensor:
    """Menos el logaritmo de la probabilidad del token correcto, en nats, promediado sobre los que cuentan.

    `logits` (..., V) y `targets` (...), ids o `ignore_index` en lo que no cuenta. Calcula el logaritmo de la softmax
    directamente: con logits de 10 000 el logaritmo de una probabilidad redondeada a 0 sería infinito. Devuelve un
    escalar, en float32 o, si los logits lo son, en float64. Error si las formas no encajan, un id no existe o no cuenta
    ninguno.

    >>> round(cross_entropy(torch.zeros(1, 4), torch.tensor([2])).item(), 4)  # a ciegas entre 4: ln 4
    1.3863
    """
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"A los logits {tuple(logits.shape)} les corresponden etiquetas {tuple(logits.shape[:-1])} "
            f"y hay {tuple(targets.shape)}: una por posición."
        )
    counted = targets != ignore_index  # (...)
    if not counted.any():
        raise ValueError(f"Todas las etiquetas son {ignore_index}: no hay nada que aprender en este lote.")
    logits, targets = at_least_float32(logits[counted]), targets[counted]  # (N, V), (N,)
    if targets.min() < 0 or targets.max() >= logits.shape[-1]:
        raise ValueError(f"Hay una etiqueta fuera del vocabulario: los ids van de 0 a {logits.shape[-1] - 1}.")
    shifted = logits - logits.detach().amax(-1, keepdim=True)  # (N, V)
    log_total = shifted.exp().sum(-1).log()  # (N,)
    return (log_total - shifted.gather(-1, targets[:, None]).squeeze(-1)).mean()


def causal_mask(queries: int, keys: int | None = None, device: torch.device | None = None) -> Tensor:
    """Quién puede mirar a quién si no se ve el futuro: (T, S), un triángulo de True.

    Con más claves que consultas, las consultas son las últimas posiciones (así se usa con una caché).

    >>> causal_mask(3).int().tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    keys = queries if keys is None else keys
    if not 1 <= queries <= keys:
        raise ValueError(f"Con {queries} consultas y {keys} claves no hay máscara causal: hacen falta T >= 1 y S >= T.")
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)  # (T, S)


def padding_mask(attention_mask: Tensor) -> Tensor:
    """Convierte la máscara del tokenizador, (B, S) con 1 en los tokens de verdad, en (B, 1, 1, S) booleana.

    >>> padding_mask(torch.tensor([[1, 1, 0]])).tolist()
    [[[[True, True, False]]]]
    """
    if attention_mask.dim() != 2:
        raise ValueError(f"La máscara de relleno debe ser (B, S) y es {tuple(attention_mask.shape)}.")
    return attention_mask.bool()[:, None, None, :]  # (B, 1, 1, S): vale para toda cabeza y toda consulta


def attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Atención por producto escalar: softmax(Q Kᵀ / √D + sesgo) V. Devuelve la mezcla y los pesos.

    `query` (..., T, D), `key` (..., S, D), `value` (..., S, E) -> (..., T, E) y pesos (..., T, S), que suman 1 por
    fila. `mask`, booleana, y `bias` se difunden (*broadcast*) a (..., T, S). Una consulta sin nadie a quien mirar da
    ceros. Error si las formas no encajan. Fuente: Vaswani et al. (2017), ecuación 1.

    >>> mixed, weights = attention(torch.zeros(1, 2), torch.ones(2, 2), torch.tensor([[0.0], [10.0]]))
    >>> mixed.item(), weights.tolist()  # a todos por igual: la media
    (5.0, [[0.5, 0.5]])
    """
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"No encajan: consultas {tuple(query.shape)}, claves {tuple(key.shape)} y valores {tuple(value.shape)}. "
            "Consulta y clave comparten la última dimensión; clave y valor, la penúltima."
        )
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (..., T, S)
    if bias is not None:
        scores = scores + bias  # (..., T, S)
    if mask is not None:
        _check_mask(mask, scores)
        scores = scores.masked_fill(~mask, -math.inf)  # (..., T, S); e^-inf = 0
    weights = softmax(scores)  # (..., T, S)
    return weights @ value, weights  # (..., T, E), (..., T, S)


def _check_mask(mask: Tensor, scores: Tensor) -> None:
    if mask.dtype != torch.bool:
        raise ValueError("La máscara debe ser booleana, con True donde se puede mirar: usa mask.bool().")
    fits = mask.dim() <= scores.dim() and all(
        m in (1, s) for m, s in zip(mask.shape[::-1], scores.shape[::-1], strict=False)
    )
    if not fits:
        raise ValueError(
            f"La máscara {tuple(mask.shape)} no se difunde a las puntuaciones {tuple(scores.shape)}: "
            "cada dimensión debe ser 1 o coincidir (relleno (B, 1, 1, S), causal (T, S))."
        )


class MultiHeadAttention(nn.Module):
    """Varias atenciones a la vez, cada una sobre su trozo de D_head coordenadas, y una mezcla final.

    Con `kv_heads` < `heads`, varias consultas comparten clave y valor (*grouped-query attention*, Ainslie et al.,
    2023), como en Llama. Con `rope_base`, gira consultas y claves según su posición. Fuente: Vaswani et al. (2017),
    sección 3.2.2. Error si `heads` no divide a `dim` (sin `head_dim`) o `kv_heads` no divide a `heads`.

    >>> layer = MultiHeadAttention(dim=8, heads=2)
    >>> mixed, weights = layer(torch.zeros(1, 5, 8))
    >>> tuple(mixed.shape), tuple(weights.shape)
    ((1, 5, 8), (1, 2, 5, 5))
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        kv_heads: int | None = None,
        head_dim: int | None = None,
        bias: bool = False,
        rope_base: float | None = None,
    ):
        super().__init__()
        kv_heads = heads if kv_heads is None else kv_heads
        if head_dim is None and dim % heads:
            raise ValueError(f"{heads} cabezas no dividen a la dimensión {dim}: elige otro número o da head_dim.")
        if heads % kv_heads:
            raise ValueError(f"{kv_heads} cabezas de clave no dividen a {heads}: cada una sirve a un grupo entero.")
        self.head_dim = dim // heads if head_dim is None else head_dim
        self.group, self.rope_base = heads // kv_heads, rope_base
        self.query = nn.Linear(dim, heads * self.head_dim, bias=bias)
        self.key = nn.Linear(dim, kv_heads * self.head_dim, bias=bias)
        self.value = nn.Linear(dim, kv_heads * self.head_dim, bias=bias)
        self.output = nn.Linear(heads * self.head_dim, dim, bias=bias)

    def forward(
        self, x: Tensor, memory: Tensor | None = None, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """`x` (B, T, D) mira a `memory` (B, S, D) o, si no hay, a sí misma. Devuelve (B, T, D) y pesos (B, H, T, S)."""
        source = x if memory is None else memory
        query = self._split(self.query(x))  # (B, H, T, D_head)
        key, value = self._split(self.key(source)), self._split(self.value(source))  # (B, H_kv, S, D_head)
        if self.rope_base is not None and memory is None:
            query, key = rope(query, base=self.rope_base), rope(key, base=self.rope_base)
        if self.group > 1:
            key, value = (t.repeat_interleave(self.group, dim=1) for t in (key, value))  # (B, H, S, D_head)
        mixed, weights = attention(query, key, value, mask, bias)  # (B, H, T, D_head), (B, H, T, S)
        return self.output(mixed.transpose(1, 2).flatten(2)), weights  # (B, T, D), (B, H, T, S)

    def _split(self, x: Tensor) -> Tensor:
        """Reparte las coordenadas entre las cabezas: (B, T, H * D_head) -> (B, H, T, D_head)."""
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
