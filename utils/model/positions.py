"""Cómo sabe un transformer en qué lugar está cada token: sinusoides, RoPE y el sesgo relativo de T5.

La atención no distingue el orden: si barajas las palabras, baraja igual su salida. Hay tres formas de decírselo:
sumar un vector a cada embedding (sinusoides), girar las consultas y las claves (RoPE) o sumar un número a cada
puntuación según la distancia (T5).

Lo que NO hace: los embeddings de posición aprendidos, que son un `nn.Embedding` de `utils.model.transformer`, ni
estirar el contexto (ALiBi, YaRN).
"""

import math

import torch
from torch import Tensor


def check_length(length: int, positions: int | None) -> None:
    """Comprueba que un modelo con `positions` posiciones (None: sin tope, como T5) puede leer `length` tokens.

    >>> check_length(512, 512), check_length(10_000, None)
    (None, None)
    """
    if positions is not None and length > positions:
        raise ValueError(
            f"La secuencia llega a {length} tokens y el modelo tiene {positions} posiciones: recórtala, pártela o "
            "genera menos tokens."
        )


def sinusoidal(positions: int, dim: int) -> Tensor:
    """La tabla de senos y cosenos que se suma a los embeddings: posiciones 0 a T - 1, (T, D).

    La columna 2i es sen(t / 10000^(2i/D)) y la 2i+1, el coseno del mismo ángulo. Error si `dim` es impar o algún
    tamaño no es positivo. Fuente: Vaswani et al. (2017), sección 3.5.

    >>> [[round(x, 3) for x in row] for row in sinusoidal(2, 4).tolist()]
    [[0.0, 1.0, 0.0, 1.0], [0.841, 0.54, 0.01, 1.0]]
    """
    if positions < 1:
        raise ValueError(f"Hace falta al menos una posición y se piden {positions}.")
    angles = torch.arange(positions)[:, None] * _frequencies(dim, 10000.0)  # (T, D/2)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)  # (T, D/2, 2) -> (T, D)


def rope(x: Tensor, positions: Tensor | None = None, base: float = 10000.0) -> Tensor:
    """Gira cada pareja de coordenadas de `x` un ángulo proporcional a su posición (*rotary position embedding*).

    `x` (B, H, T, D) son consultas o claves; las parejas son (i, i + D/2), como en Llama. `positions`: None (0 a
    T - 1), (T,) o (B, T). El producto de una consulta y una clave giradas depende solo de la distancia entre ellas.
    Devuelve (B, H, T, D). Error si D es impar o las posiciones no encajan. Fuente: Su et al. (2021), sección 3.4.2.

    >>> [round(v, 3) for v in rope(torch.tensor([1.0, 0.0]).expand(1, 1, 2, 2)).flatten().tolist()]
    [1.0, 0.0, 0.54, 0.841]
    """
    if x.dim() != 4:
        raise ValueError(f"rope espera (B, H, T, D) y ha recibido {tuple(x.shape)}: reparte antes en cabezas.")
    batch, _, length, dim = x.shape
    if positions is None:
        positions = torch.arange(length, device=x.device)  # (T,)
    if positions.shape not in {(length,), (batch, length), (1, length)}:
        raise ValueError(
            f"Las posiciones deben tener forma ({length},) o ({batch}, {length}) y tienen {tuple(positions.shape)}."
        )
    angles = positions[..., None].float() * _frequencies(dim, base).to(x.device)  # (T, D/2) o (B, T, D/2)
    if angles.dim() == 3:
        angles = angles[:, None]  # (B, 1, T, D/2): el mismo giro en todas las cabezas
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x.chunk(2, dim=-1)  # (B, H, T, D/2) dos veces
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)  # (B, H, T, D)


def relative_buckets(queries: int, keys: int, *, causal: bool, buckets: int = 32, max_distance: int = 128) -> Tensor:
    """A qué casilla va la distancia entre cada consulta y cada clave en T5: enteros (T, S) de 0 a `buckets` - 1.

    Las distancias cortas tienen casilla propia; las largas comparten casillas cada vez más anchas, en escala
    logarítmica, y a partir de `max_distance` todas caen en la última. Con `causal` (decodificador) solo cuenta el
    pasado; sin él (codificador), la mitad de las casillas es para cada lado. Cada casilla tiene un número aprendido
    por cabeza que se suma a la puntuación. Fuente: Raffel et al. (2020), sección 2.1.

    >>> relative_buckets(1, 4, causal=False, buckets=8).tolist()
    [[0, 5, 6, 6]]
    """
    if queries < 1 or keys < 1:
        raise ValueError(f"Hacen falta al menos una consulta y una clave, y hay {queries} y {keys}.")
    per_side = buckets if causal else buckets // 2
    exact = per_side // 2
    if exact < 1 or max_distance <= exact:
        raise ValueError(
            f"Con {buckets} casillas no se puede llegar a la distancia {max_distance}: cambia una de las dos."
        )
    offset = torch.arange(keys)[None, :] - torch.arange(queries)[:, None]  # (T, S): clave menos consulta
    side = torch.zeros_like(offset) if causal else (offset > 0) * per_side  # (T, S)
    distance = (-offset).clamp(min=0) if causal else offset.abs()  # (T, S)
    ratio = (distance.clamp(min=1).float() / exact).log() / math.log(max_distance / exact)  # (T, S)
    far = (exact + (ratio * (per_side - exact)).long()).clamp(max=per_side - 1)  # (T, S)
    return side + torch.where(distance < exact, distance, far)  # (T, S)


def _frequencies(dim: int, base: float) -> Tensor:
    """La velocidad de giro de cada pareja, de 1 radián por posición a casi nada: (D/2,)."""
    if dim < 2 or dim % 2:
        raise ValueError(f"La dimensión debe ser par, porque las coordenadas van por parejas, y es {dim}.")
    return 1.0 / base ** (torch.arange(0, dim, 2).float() / dim)  # (D/2,)
