"""Trozos solapados de un texto (*shingles*) y su parecido exacto: el índice de Jaccard.

Un documento se convierte en el conjunto de sus trozos de `n` caracteres seguidos, y dos documentos se parecen tanto
como la parte que comparten de la unión de sus conjuntos (Broder, 1997). Cada trozo se guarda como un número de 64 bits,
y todo el corpus se calcula de una vez con numpy.

Lo que NO hace: buscar qué pares merece la pena comparar, que es cosa de `utils.text.lsh`.
"""

from collections.abc import Sequence

import numpy as np

from utils.text.normalize import normalize

LENGTH = 5
_BASE = np.uint64(1_099_511_628_211)  # primo de FNV: solo hace falta que sea impar y grande


def shingle_hashes(texts: Sequence[str], n: int = LENGTH) -> tuple[np.ndarray, np.ndarray]:
    """Los trozos de `n` caracteres de todos los textos, seguidos, y dónde empieza cada texto.

    Devuelve (hashes (S,) uint64, starts (N + 1,)): los del texto i son `hashes[starts[i]:starts[i + 1]]`, con
    repeticiones. Antes pasa por `normalize`, así que no cuentan las mayúsculas ni los espacios de más. Un texto más
    corto que `n` da un solo trozo. ValueError si algún texto está vacío o `n` no es positivo.

    >>> hashes, starts = shingle_hashes(["Hola, Ana", "hola,  ana.", "No"])
    >>> starts.tolist(), int(np.isin(hashes[5:11], hashes[:5]).sum())  # el segundo añade un trozo, con el punto
    ([0, 5, 11, 12], 5)
    """
    if n < 1:
        raise ValueError(f"n es {n}: un trozo tiene al menos un carácter.")
    clean = [normalize(text) for text in texts]
    if empty := [i for i, text in enumerate(clean) if not text]:
        raise ValueError(f"El texto número {empty[0]} está vacío: fíltralo antes de buscar duplicados.")
    clean = [text.ljust(n, "\0") for text in clean]
    lengths = np.array([len(text) for text in clean], dtype=np.int64)  # (N,)
    # «surrogatepass»: medio emoji cortado es un carácter más, no un error
    codes = np.frombuffer("".join(clean).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)  # (C,)
    windows = len(codes) - n + 1
    if windows < 1:
        return np.empty(0, np.uint64), np.zeros(1, np.int64)
    hashes = codes[:windows].copy()  # (C - n + 1,)
    for offset in range(1, n):
        hashes *= _BASE  # el polinomio de los n caracteres, módulo 2^64
        hashes += codes[offset : windows + offset]
    crossing = (lengths.cumsum()[:, None] - np.arange(1, n)).ravel()  # ventanas que saltan al texto siguiente
    inside = np.ones(windows, dtype=bool)
    inside[crossing[crossing < windows]] = False
    return mix(hashes[inside]), np.concatenate([[0], (lengths - n + 1).cumsum()])


def mix(values: np.ndarray) -> np.ndarray:
    """Desordena enteros de 64 bits sin que dos distintos choquen: el final de splitmix64 (Steele et al., 2014).

    >>> len(set(mix(np.arange(1000, dtype=np.uint64)).tolist()))
    1000
    """
    values = values ^ (values >> np.uint64(30))
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def jaccard(a: str, b: str, n: int = LENGTH) -> float:
    """Parecido de Jaccard de dos textos, de 0 (nada en común) a 1 (los mismos trozos).

    >>> jaccard("el perro ladra", "el perro ladró")  # 9 trozos comunes de 11
    0.8181818181818182
    """
    hashes, starts = shingle_hashes([a, b], n)
    return float(jaccard_pairs(hashes, starts, np.array([[0, 1]]))[0])


def jaccard_pairs(hashes: np.ndarray, starts: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Parecido exacto de cada pareja de textos: `pairs` (P, 2) índices, devuelve (P,).

    >>> jaccard_pairs(np.array([7, 8, 8, 9], np.uint64), np.array([0, 2, 4]), np.array([[0, 1]])).round(2).tolist()
    [0.33]
    """
    sets = {int(i): np.unique(hashes[starts[i] : starts[i + 1]]) for i in np.unique(pairs)}
    result = np.empty(len(pairs))
    for row, (i, j) in enumerate(pairs.tolist()):
        common = len(np.intersect1d(sets[i], sets[j], assume_unique=True))
        result[row] = common / (len(sets[i]) + len(sets[j]) - common)
    return result
