"""MinHash: una firma corta por documento que permite estimar cuánto se parecen dos sin volver a leerlos.

Se baraja el universo de trozos y de cada documento se apunta cuál de los suyos sale primero. Dos documentos apuntan el
mismo con probabilidad igual a su Jaccard (Broder, 1997). Con `k` barajadas, la fracción de coincidencias lo estima.

Una barajada se imita con una función h(x) = (a·x + b) mod 2^64, con `a` impar y `b`, los dos al azar (Dietzfelbinger
et al., 1997).

Lo que NO hace: decidir qué parejas comparar, que es cosa de `utils.text.lsh`.
"""

import math

import numpy as np

PERMUTATIONS = 128
_CHUNK = 2000  # documentos a la vez: sus trozos caben en la caché del procesador


def minhash(hashes: np.ndarray, starts: np.ndarray, permutations: int = PERMUTATIONS, seed: int = 0) -> np.ndarray:
    """Firmas (N, k) uint32 de los N documentos que da `shingle_hashes`.

    Los trozos repetidos de un documento no cuentan dos veces: el mínimo es el mismo. ValueError si no se pide al menos
    una barajada o si algún documento no tiene trozos.

    >>> from utils.text.shingles import shingle_hashes
    >>> signatures = minhash(*shingle_hashes(["el perro ladra", "El  perro ladra"]), permutations=16)
    >>> signatures.shape, bool((signatures[0] == signatures[1]).all())
    ((2, 16), True)
    """
    if permutations < 1:
        raise ValueError(f"permutations es {permutations}: hace falta al menos una.")
    if (np.diff(starts) < 1).any():
        raise ValueError("Hay un documento sin trozos: fíltralo antes de calcular su firma.")
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 2**64, permutations, dtype=np.uint64) | np.uint64(1)  # (k,)
    b = rng.integers(0, 2**64, permutations, dtype=np.uint64)  # (k,)
    documents = len(starts) - 1
    signatures = np.empty((documents, permutations), np.uint32)
    for first in range(0, documents, _CHUNK):
        last = min(documents, first + _CHUNK)
        chunk = hashes[starts[first] : starts[last]]  # (S',)
        offsets = starts[first:last] - starts[first]
        shuffled = np.empty_like(chunk)
        for i in range(permutations):
            np.multiply(chunk, a[i], out=shuffled)
            shuffled += b[i]
            lowest = np.minimum.reduceat(shuffled, offsets)  # (documentos del grupo,)
            signatures[first:last, i] = lowest >> np.uint64(32)  # los bits altos son los bien mezclados
    return signatures


def estimated_jaccard(signatures: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """La fracción de barajadas en que coincide cada pareja: `pairs` (P, 2), devuelve (P,).

    >>> estimated_jaccard(np.array([[1, 2, 3, 4], [1, 2, 9, 4]], np.uint32), np.array([[0, 1]])).tolist()
    [0.75]
    """
    return (signatures[pairs[:, 0]] == signatures[pairs[:, 1]]).mean(axis=1)


def standard_error(jaccard: float, permutations: int = PERMUTATIONS) -> float:
    """Error típico de la estimación: √(J (1 - J) / k), el de una proporción. Nunca pasa de 1 / (2 √k).

    >>> round(standard_error(0.8, permutations=128), 4)
    0.0354
    """
    if not 0 <= jaccard <= 1:
        raise ValueError(f"jaccard es {jaccard} y tiene que estar entre 0 y 1.")
    if permutations < 1:
        raise ValueError(f"permutations es {permutations}: hace falta al menos una.")
    return math.sqrt(jaccard * (1 - jaccard) / permutations)
