"""El transformer entero: de ids a logits, como codificador, decodificador o los dos.

Con `encoder_layers` y `decoder_layers` se elige la familia: solo codificador (BERT), solo decodificador (Llama) o
ambos (T5). Los demás ajustes (`utils.model.config`) cambian las piezas: posiciones, norma,
activación, *pre-norm* o *post-norm*.

Lo que NO hace: generar con caché (`utils.model.decoding`) ni tokenizar. Sus pesos nacen al azar; los de un modelo de
Hugging Face los pone `utils.model.load`.
"""

import math
from dataclasses import dataclass, field

from torch import Tensor, nn

from utils.model.attention import causal_mask, padding_mask
from utils.model.blocks import LayerNorm, Stack, gelu
from utils.model.config import TransformerConfig
from utils.model.positions import check_length, sinusoidal

__all__ = ["Transformer", "TransformerConfig", "Weights"]


@dataclass
class Weights:
    """Los pesos de atención de una pasada, por capa: los propios (B, H, T, T) y los cruzados (B, H, T, S)."""

    encoder: list[Tensor] = field(default_factory=list)
    decoder: list[Tensor] = field(default_factory=list)
    cross: list[Tensor] = field(default_factory=list)


class Transformer(nn.Module):
    """De ids (B, T) a logits (B, T, V).

    >>> import torch
    >>> model = Transformer(TransformerConfig(vocab=10, dim=16, encoder_layers=1, decoder_layers=1))
    >>> tuple(model(torch.tensor([[1, 2, 3]]), source=torch.tensor([[4, 5, 6, 7]])).shape)
    (1, 3, 10)
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        c = self.config = config
        self.embedding = nn.Embedding(c.vocab, c.dim)
        if c.positions == "learned":
            self.position = nn.Embedding(c.max_positions, c.dim)
        elif c.positions == "sinusoidal":
            self.register_buffer("table", sinusoidal(c.max_positions, c.dim), persistent=False)  # (T_max, D)
        self.embedding_norm = LayerNorm(c.dim, c.norm_eps) if c.masked_lm else nn.Identity()
        self.dropout = nn.Dropout(c.dropout)
        self.encoder = Stack(c, c.encoder_layers, causal=False) if c.encoder_layers else None
        both = bool(c.encoder_layers and c.decoder_layers)
        self.decoder = Stack(c, c.decoder_layers, causal=True, cross=both) if c.decoder_layers else None
        if c.masked_lm:
            self.transform, self.transform_norm = nn.Linear(c.dim, c.dim), LayerNorm(c.dim, c.norm_eps)
        self.head = nn.Linear(c.dim, c.vocab, bias=c.masked_lm)
        self.apply(self._initialise)
        self.tie()

    def tie(self) -> None:
        """Si `tied`, hace que la salida y los embeddings sean la misma matriz."""
        if self.config.tied:
            self.head.weight = self.embedding.weight

    def _initialise(self, module: nn.Module) -> None:
        """Pesos pequeños al azar y sesgos a 0: así los primeros logits son casi iguales y la pérdida, casi ln V."""
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        *,
        source: Tensor | None = None,
        source_mask: Tensor | None = None,
        return_weights: bool = False,
    ) -> Tensor | tuple[Tensor, Weights]:
        """`ids` (B, T) -> logits (B, T, V) y, si se piden, los pesos de atención.

        Con codificador y decodificador, `source` (B, S) es lo que se lee e `ids`, lo que se va escribiendo. Las
        máscaras (B, T) y (B, S) llevan 0 en el relleno.
        """
        weights = Weights()
        if self.decoder is None:
            x, weights.encoder, _ = self._run(self.encoder, ids, mask)
        elif self.encoder is None:
            x, weights.decoder, _ = self._run(self.decoder, ids, mask)
        else:
            if source is None:
                raise ValueError(
                    "Este modelo tiene codificador y decodificador: pasa también source=, lo que debe leer."
                )
            memory, weights.encoder, _ = self._run(self.encoder, source, source_mask)
            x, weights.decoder, weights.cross = self._run(self.decoder, ids, mask, memory, source_mask)
        logits = self.logits(x)  # (B, T, V)
        return (logits, weights) if return_weights else logits

    def encode(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Lee `ids` (B, S) una sola vez: (B, S, D), lo que después mira el decodificador."""
        if self.encoder is None:
            raise ValueError("Este modelo no tiene codificador: crea uno con encoder_layers >= 1.")
        return self._run(self.encoder, ids, mask)[0]

    def decode(self, ids: Tensor, memory: Tensor, memory_mask: Tensor | None = None) -> Tensor:
        """Logits (B, T, V) de lo escrito hasta ahora, `ids` (B, T), mirando lo leído, `memory` (B, S, D)."""
        if self.encoder is None or self.decoder is None:
            raise ValueError("decode es para modelos con codificador y decodificador: llama al modelo directamente.")
        return self.logits(self._run(self.decoder, ids, None, memory, memory_mask)[0])

    def logits(self, x: Tensor) -> Tensor:
        """Del vector de cada posición, (B, T, D), a una puntuación por token del vocabulario, (B, T, V)."""
        if self.config.masked_lm:
            x = self.transform_norm(gelu(self.transform(x)))  # (B, T, D)
        return self.head(x)  # (B, T, V)

    def embed(self, ids: Tensor) -> Tensor:
        """De ids (B, T) a vectores (B, T, D), con su posición sumada si el modelo la suma."""
        c, length = self.config, ids.shape[-1]
        if ids.dim() != 2 or ids.numel() == 0:
            raise ValueError(f"Los ids deben tener forma (B, T), sin dimensiones vacías, y tienen {tuple(ids.shape)}.")
        check_length(length, c.max_positions)
        if ids.min() < 0 or ids.max() >= c.vocab:
            raise ValueError(f"Hay un id fuera del vocabulario: van de 0 a {c.vocab - 1}. ¿Es el mismo tokenizador?")
        x = self.embedding(ids)  # (B, T, D)
        if c.positions == "learned":
            x = x + self.position.weight[:length]  # (B, T, D)
        elif c.positions == "sinusoidal":
            x = x * math.sqrt(c.dim) + self.table[:length]  # (B, T, D); el factor es del artículo, sección 3.4
        return self.dropout(self.embedding_norm(x))

    def _run(
        self,
        stack: Stack,
        ids: Tensor,
        mask: Tensor | None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> tuple[Tensor, list[Tensor], list[Tensor | None]]:
        """Embeddings, máscaras y la pila entera."""
        x = self.embed(ids)  # (B, T, D)
        visible = None if mask is None else self._padding(mask, x)  # (B, 1, 1, T)
        if stack.causal:
            causal = causal_mask(ids.shape[1], device=ids.device)  # (T, T)
            visible = causal if visible is None else visible & causal  # (T, T) o (B, 1, T, T)
        across = None
        if memory is not None and memory_mask is not None:
            across = self._padding(memory_mask, memory)  # (B, 1, 1, S)
        return stack(x, visible, memory, across)

    @staticmethod
    def _padding(mask: Tensor, x: Tensor) -> Tensor:
        if mask.shape != x.shape[:2]:
            raise ValueError(
                f"La forma de la máscara es {tuple(mask.shape)} y debe ser {tuple(x.shape[:2])}, la de los ids: "
                "usa la que devuelve el tokenizador."
            )
        return padding_mask(mask)
