"""Quitar lo repetido: documentos y líneas idénticos y documentos casi iguales.

Lo idéntico se encuentra con un diccionario. Lo casi igual, con firmas MinHash, bandas LSH y una comprobación exacta de
las candidatas (Lee et al., 2022, sección 4.2); las parejas se unen en grupos y de cada grupo queda el primero.

Lo que NO hace: encontrar paráfrasis, que no comparten letras, ni trozos copiados dentro de textos distintos.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from utils.text.lsh import candidate_pairs, choose_bands
from utils.text.minhash import PERMUTATIONS, minhash
from utils.text.normalize import normalize
from utils.text.shingles import LENGTH, jaccard_pairs, shingle_hashes


def exact_groups(texts: Sequence[str]) -> list[int]:
    """De cada texto, el índice del primero que es idéntico a él salvo en mayúsculas y espacios.

    >>> exact_groups(["Hola, Ana.", "Adiós.", "hola,  ana."])
    [0, 1, 0]
    """
    first: dict[str, int] = {}
    return [first.setdefault(normalize(text), i) for i, text in enumerate(texts)]


def drop_repeated_lines(documents: Sequence[str], minimum_words: int = 4) -> list[str]:
    """Quita de cada documento las líneas que ya han salido, en él o en uno anterior (menús, avisos, pies de página).

    Las de menos de `minimum_words` palabras se respetan: «Sí.» no es un menú. Un documento puede quedar vacío.

    >>> drop_repeated_lines(["Acepta las cookies de la web\\nEl gato duerme.", "acepta las cookies de la web\\nSí."])
    ['Acepta las cookies de la web\\nEl gato duerme.', 'Sí.']
    """
    seen: set[str] = set()
    cleaned = []
    for document in documents:
        lines = []
        for line in document.split("\n"):
            key = normalize(line)
            if len(key.split()) >= minimum_words:
                if key in seen:
                    continue
                seen.add(key)
            lines.append(line)
        cleaned.append("\n".join(lines))
    return cleaned


@dataclass(frozen=True)
class NearDuplicates:
    """Lo que encuentra `find_near_duplicates`.

    `pairs` (P, 2) y `jaccard` (P,) son las candidatas que pasan el umbral y su parecido exacto; `candidates`, cuántas
    hubo que comprobar; `groups[i]`, el menor índice del grupo del documento i, que es él mismo si nadie se le parece.
    """

    pairs: np.ndarray
    jaccard: np.ndarray
    candidates: int
    groups: list[int]

    @property
    def kept(self) -> list[int]:
        """Los documentos que se quedan: el primero de cada grupo."""
        return [i for i, group in enumerate(self.groups) if i == group]


def find_near_duplicates(
    texts: Sequence[str],
    threshold: float = 0.8,
    permutations: int = PERMUTATIONS,
    recall: float = 0.95,
    n: int = LENGTH,
    seed: int = 0,
) -> NearDuplicates:
    """Agrupa los textos con Jaccard de al menos `threshold` sobre trozos de `n` caracteres.

    Una pareja que esté justo en el umbral se encuentra con probabilidad `recall` o más. Que dos textos acaben en el
    mismo grupo no asegura que se parezcan entre sí: puede unirlos un tercero. ValueError con textos vacíos o números
    sin sentido.

    >>> texts = ["Luis vende una bicicleta roja en Lugo.", "Ana cocina.", "Luis vende una bicicleta roja en Lugo!"]
    >>> find_near_duplicates(texts).kept
    [0, 1]
    """
    bands, rows = choose_bands(permutations, threshold, recall)
    exact = exact_groups(texts)
    unique = np.flatnonzero(np.array(exact, dtype=np.int64) == np.arange(len(exact)))  # los idénticos no se comparan
    hashes, starts = shingle_hashes([texts[i] for i in unique], n)
    candidates = candidate_pairs(minhash(hashes, starts, permutations, seed), bands, rows)  # (C, 2)
    jaccard = jaccard_pairs(hashes, starts, candidates)  # (C,)
    passed = jaccard >= threshold
    pairs = unique[candidates[passed]]  # (P, 2)
    links = [*pairs.tolist(), *((first, i) for i, first in enumerate(exact))]
    return NearDuplicates(pairs, jaccard[passed], len(candidates), connect(len(texts), links))


def connect(count: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """El menor elemento del grupo de cada uno, si cada enlace une dos (*union-find*).

    >>> connect(5, [(1, 3), (3, 4)])
    [0, 1, 2, 1, 1]
    """
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]  # acorta el camino para la próxima vez
            i = parent[i]
        return i

    for i, j in links:
        low, high = sorted((root(i), root(j)))
        parent[high] = low
    return [root(i) for i in range(count)]
