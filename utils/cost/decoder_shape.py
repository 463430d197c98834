"""Los tamaños de un decodificador como Llama y las matrices que salen de ellos.

Con seis números (capas, D, cabezas, F, V y cabezas de clave) se sabe la forma de cada matriz de pesos, y de ahí sale
cuántos parámetros hay y cuánto recuerda cada optimizador.

Lo que NO hace: contar bytes, que es cosa de `utils.cost.memory`, ni describir otras familias (T5, BERT).
"""

import math
from dataclasses import dataclass

from utils.cost.sizes import require_positive_integers


@dataclass(frozen=True)
class DecoderShape:
    """Un decodificador con RMSNorm, RoPE y SwiGLU, sin sesgos. `ValueError` si algún tamaño no encaja.

    `kv_heads`: cabezas de clave y valor, tantas como `heads` si no se dicen. `head_dim`: D / H si no se dice.
    `tied`: la salida comparte matriz con los embeddings.

    >>> DecoderShape(layers=32, d_model=4096, heads=32, d_ff=11008, vocab_size=32000).parameters  # Llama 2 7B
    6738415616
    """

    layers: int
    d_model: int  # D
    heads: int  # H
    d_ff: int  # F
    vocab_size: int  # V
    kv_heads: int | None = None
    head_dim: int | None = None
    tied: bool = False

    def __post_init__(self):
        sizes = {name: getattr(self, name) for name in ("layers", "d_model", "heads", "d_ff", "vocab_size")}
        sizes |= {name: v for name in ("kv_heads", "head_dim") if (v := getattr(self, name)) is not None}
        require_positive_integers(**sizes)
        if self.head_dim is None and self.d_model % self.heads:
            raise ValueError(f"{self.heads} cabezas no dividen a D = {self.d_model}: elige otro número o da head_dim.")
        if self.heads % (self.kv_heads or self.heads):
            raise ValueError(f"{self.kv_heads} cabezas de clave no dividen a {self.heads}: cada una sirve a un grupo.")

    @classmethod
    def from_config(cls, config) -> "DecoderShape":
        """Los tamaños de una configuración de transformers de la familia Llama."""
        return cls(
            config.num_hidden_layers,
            config.hidden_size,
            config.num_attention_heads,
            config.intermediate_size,
            config.vocab_size,
            config.num_key_value_heads,
            config.head_dim,
            config.tie_word_embeddings,
        )

    @property
    def query_dim(self) -> int:
        """Ancho de todas las consultas juntas, H · D_head: casi siempre, D."""
        return self.heads * (self.head_dim or self.d_model // self.heads)

    @property
    def kv_dim(self) -> int:
        """Ancho de todas las claves juntas, H_kv · D_head."""
        return self.query_dim // self.heads * (self.kv_heads or self.heads)

    def shapes(self) -> list[tuple[int, ...]]:
        """La forma de cada parámetro, una vez cada uno.

        >>> DecoderShape(layers=1, d_model=4, heads=2, d_ff=8, vocab_size=10, tied=True).shapes()[:3]
        [(10, 4), (4, 4), (4, 4)]
        """
        d, q, kv, f = self.d_model, self.query_dim, self.kv_dim, self.d_ff
        layer = [(q, d), (kv, d), (kv, d), (d, q), (f, d), (f, d), (d, f), (d,), (d,)]
        head = [] if self.tied else [(self.vocab_size, d)]
        return [(self.vocab_size, d), *layer * self.layers, (d,), *head]

    @property
    def parameters(self) -> int:
        """N, cuántos números aprende el modelo."""
        return sum(math.prod(shape) for shape in self.shapes())
