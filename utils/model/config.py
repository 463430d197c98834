"""Los ajustes de un transformer: qué pilas tiene, de qué tamaño y con qué piezas.

Lo que NO hace: construir el modelo, que es cosa de `utils.model.transformer`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class TransformerConfig:
    """Los ajustes de un modelo. Los de fábrica son los de un transformer moderno pequeño; `ValueError` si no encajan.

    >>> TransformerConfig(vocab=10, decoder_layers=2).head_dim is None
    True
    """

    vocab: int  # V
    dim: int = 128  # D
    heads: int = 4  # H
    encoder_layers: int = 0
    decoder_layers: int = 0
    kv_heads: int | None = None  # cabezas de clave y valor; None: tantas como H
    head_dim: int | None = None  # None: D / H
    hidden: int | None = None  # ancho de la red de cada posición, F; None: 4 D
    positions: Literal["learned", "sinusoidal", "rope", "relative"] = "rope"
    max_positions: int | None = 512  # None: sin tope (solo con «relative»)
    norm: Literal["layer", "rms"] = "rms"
    pre_norm: bool = True
    activation: Literal["relu", "gelu", "geglu", "swiglu"] = "swiglu"
    bias: bool = False
    dropout: float = 0.0
    norm_eps: float = 1e-6
    rope_base: float = 10000.0
    tied: bool = True  # la matriz de salida es la de embeddings
    masked_lm: bool = False  # las dos piezas propias de BERT: norma tras los embeddings y una capa más antes de V

    def __post_init__(self):
        if self.encoder_layers + self.decoder_layers < 1:
            raise ValueError("El modelo no tiene capas: da encoder_layers, decoder_layers o los dos.")
        if self.positions not in ("learned", "sinusoidal", "rope", "relative"):
            raise ValueError(f"No hay posiciones «{self.positions}»: elige learned, sinusoidal, rope o relative.")
        if self.norm not in ("layer", "rms"):
            raise ValueError(f"No hay una norma «{self.norm}»: elige layer o rms.")
        if self.max_positions is None and self.positions != "relative":
            raise ValueError(f"Las posiciones «{self.positions}» necesitan un máximo: da max_positions.")
