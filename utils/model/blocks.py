"""Las piezas que se apilan en un transformer: normas, red de cada posición, bloque y pila.

Un bloque es «mirar» (atención) y «pensar» (red *feed-forward*), cada una sumada a lo que entró y normalizada. Con
los mismos bloques se hacen BERT, T5 y Llama; solo cambian los ajustes de `TransformerConfig`.

Lo que NO hace: embeddings ni logits, que son de `utils.model.transformer`.
"""

import math

import torch
from torch import Tensor, nn

from utils.model.attention import MultiHeadAttention
from utils.model.config import TransformerConfig
from utils.model.positions import relative_buckets
from utils.model.precision import at_least_float32

#: Casillas de distancia de T5 y distancia a partir de la cual todas caen en la última.
BUCKETS, MAX_DISTANCE = 32, 128


class LayerNorm(nn.Module):
    """Deja cada vector con media 0 y varianza 1, y después lo estira y desplaza. Fuente: Ba et al. (2016).

    >>> [round(v, 3) for v in LayerNorm(2, eps=0.0)(torch.tensor([1.0, 3.0])).tolist()]
    [-1.0, 1.0]
    """

    def __init__(self, dim: int, eps: float = 1e-5):
        super().__init__()
        self.eps, self.weight, self.bias = eps, nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        wide = at_least_float32(x)  # (B, T, D): en float16, el cuadrado de 300 desborda
        centred = wide - wide.mean(-1, keepdim=True)  # (B, T, D)
        variance = centred.square().mean(-1, keepdim=True)  # (B, T, 1)
        return (self.weight * centred * (variance + self.eps).rsqrt() + self.bias).to(x.dtype)  # (B, T, D)


class RMSNorm(nn.Module):
    """Como LayerNorm sin restar la media: divide por la raíz de la media de los cuadrados. Zhang y Sennrich (2019).

    >>> [round(v, 3) for v in RMSNorm(2, eps=0.0)(torch.tensor([3.0, 4.0])).tolist()]
    [0.849, 1.131]
    """

    def __init__(self, dim: int, eps: float = 1e-6):
        super().__init__()
        self.eps, self.weight = eps, nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        wide = at_least_float32(x)  # (B, T, D): en float16, el cuadrado de 300 desborda
        return (self.weight * wide * (wide.square().mean(-1, keepdim=True) + self.eps).rsqrt()).to(x.dtype)  # (B, T, D)


def relu(x: Tensor) -> Tensor:
    """Deja pasar lo positivo: max(x, 0)."""
    return x.clamp(min=0)


def gelu(x: Tensor) -> Tensor:
    """x por la probabilidad de que una normal estándar quede por debajo de x. Fuente: Hendrycks y Gimpel (2016).

    >>> round(gelu(torch.tensor(1.0)).item(), 4)
    0.8413
    """
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def gelu_tanh(x: Tensor) -> Tensor:
    """La aproximación de GELU con tangente hiperbólica, la que usa T5 1.1.

    >>> round(gelu_tanh(torch.tensor(1.0)).item(), 4)
    0.8412
    """
    wide = at_least_float32(x)  # el cubo de 41 ya no cabe en float16
    return (0.5 * wide * (1 + torch.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)))).to(x.dtype)


def silu(x: Tensor) -> Tensor:
    """x por su sigmoide, también llamada *swish*."""
    return x * torch.sigmoid(x)


#: Nombre -> (función, con puerta). Con puerta, una segunda proyección decide cuánto pasa de cada coordenada.
ACTIVATIONS = {"relu": (relu, False), "gelu": (gelu, False), "geglu": (gelu_tanh, True), "swiglu": (silu, True)}


class FeedForward(nn.Module):
    """La red que «piensa», la misma en cada posición: ensancha, aplica una no linealidad y vuelve a D.

    Sin puerta: W₂ f(W₁ x). Con puerta (GEGLU, SwiGLU): W₂ (f(W_g x) ⊙ W₁ x). Fuente: Shazeer (2020).

    >>> tuple(FeedForward(8, 32, "swiglu")(torch.zeros(1, 5, 8)).shape)
    (1, 5, 8)
    """

    def __init__(self, dim: int, hidden: int, activation: str = "relu", bias: bool = False):
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"No hay una activación «{activation}»: elige entre {', '.join(ACTIVATIONS)}.")
        self.activation, gated = ACTIVATIONS[activation]
        self.up = nn.Linear(dim, hidden, bias=bias)
        self.gate = nn.Linear(dim, hidden, bias=bias) if gated else None
        self.down = nn.Linear(hidden, dim, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        wide = self.up(x)  # (B, T, F)
        wide = self.activation(wide) if self.gate is None else self.activation(self.gate(x)) * wide  # (B, T, F)
        return self.down(wide)  # (B, T, D)


class Block(nn.Module):
    """Un bloque: atención propia, atención cruzada si hay codificador al que mirar, y red de cada posición.

    Cada subcapa se suma a lo que entró (conexión residual). Con *pre-norm* se normaliza la entrada de la subcapa;
    con *post-norm*, como en 2017, el resultado de la suma.
    """

    def __init__(self, config: TransformerConfig, cross: bool):
        super().__init__()
        c = config
        shape = (c.dim, c.heads, c.kv_heads, c.head_dim, c.bias)
        norm = LayerNorm if c.norm == "layer" else RMSNorm
        self.pre_norm, self.dropout = c.pre_norm, nn.Dropout(c.dropout)
        self.attention = MultiHeadAttention(*shape, rope_base=c.rope_base if c.positions == "rope" else None)
        self.norm_attention = norm(c.dim, c.norm_eps)
        if cross:
            self.cross, self.norm_cross = MultiHeadAttention(*shape), norm(c.dim, c.norm_eps)
        self.feed_forward = FeedForward(c.dim, c.hidden or 4 * c.dim, c.activation, c.bias)
        self.norm_feed_forward = norm(c.dim, c.norm_eps)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None,
        bias: Tensor | None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """`x` (B, T, D) -> (B, T, D), los pesos de la atención propia y los de la cruzada."""
        update, weights = self.attention(self._enter(x, self.norm_attention), mask=mask, bias=bias)
        x = self._leave(x + self.dropout(update), self.norm_attention)  # (B, T, D)
        cross_weights = None
        if memory is not None:
            update, cross_weights = self.cross(self._enter(x, self.norm_cross), memory, memory_mask)
            x = self._leave(x + self.dropout(update), self.norm_cross)  # (B, T, D)
        update = self.feed_forward(self._enter(x, self.norm_feed_forward))
        return self._leave(x + self.dropout(update), self.norm_feed_forward), weights, cross_weights

    def _enter(self, x: Tensor, norm: nn.Module) -> Tensor:
        return norm(x) if self.pre_norm else x

    def _leave(self, x: Tensor, norm: nn.Module) -> Tensor:
        return x if self.pre_norm else norm(x)


class Stack(nn.Module):
    """Una pila de bloques: un codificador (cada token mira a todos) o un decodificador (solo al pasado)."""

    def __init__(self, config: TransformerConfig, layers: int, causal: bool, cross: bool = False):
        super().__init__()
        self.causal = causal
        self.blocks = nn.ModuleList(Block(config, cross) for _ in range(layers))
        self.bias = nn.Embedding(BUCKETS, config.heads) if config.positions == "relative" else None
        norm = LayerNorm if config.norm == "layer" else RMSNorm
        # con post-norm, el último bloque ya sale normalizado
        self.norm = norm(config.dim, config.norm_eps) if config.pre_norm else nn.Identity()

    def forward(
        self, x: Tensor, mask: Tensor | None, memory: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor], list[Tensor | None]]:
        """`x` (B, T, D) -> (B, T, D) y, por capa, los pesos (B, H, T, T) y los cruzados (B, H, T, S)."""
        bias = None
        if self.bias is not None:
            cells = relative_buckets(
                x.shape[1], x.shape[1], causal=self.causal, buckets=BUCKETS, max_distance=MAX_DISTANCE
            )
            bias = self.bias(cells.to(x.device)).permute(2, 0, 1)  # (T, T, H) -> (H, T, T)
        own, cross = [], []
        for block in self.blocks:
            x, weights, cross_weights = block(x, mask, bias, memory, memory_mask)  # (B, T, D)
            own.append(weights)
            cross.append(cross_weights)
        return self.norm(x), own, cross
