"""LSH por bandas: qué parejas merece la pena comparar, sin mirarlas todas.

La firma se corta en `bands` bandas de `rows` filas y dos documentos son candidatos si coinciden enteros en alguna banda
(Leskovec, Rajaraman y Ullman, 2020, capítulo 3). Con Jaccard s, eso pasa con probabilidad 1 - (1 - s^r)^b: una curva en
forma de S.

Lo que NO hace: comprobar las candidatas, que es cosa de quien la usa.
"""

import numpy as np

from utils.text.shingles import mix


def candidate_probability(jaccard, bands: int, rows: int):
    """Probabilidad de que dos documentos con ese Jaccard sean candidatos. Admite un número o un array.

    >>> round(candidate_probability(0.8, bands=18, rows=7), 3), round(candidate_probability(0.4, bands=18, rows=7), 3)
    (0.986, 0.029)
    """
    return 1 - (1 - jaccard**rows) ** bands


def choose_bands(permutations: int, threshold: float, recall: float = 0.95) -> tuple[int, int]:
    """El reparto (bandas, filas) con las filas más largas que aún halla `recall` de las parejas en el umbral.

    Cuantas más filas, menos candidatas falsas; lo que se pide es no perder las verdaderas. ValueError si los números no
    tienen sentido o si ni con bandas de una fila se llega.

    >>> choose_bands(128, threshold=0.8)
    (18, 7)
    """
    if not 0 < threshold <= 1 or not 0 < recall < 1:
        raise ValueError(f"threshold ({threshold}) y recall ({recall}) van entre 0 y 1: prueba con 0.8 y 0.95.")
    for rows in range(permutations, 0, -1):
        if candidate_probability(threshold, permutations // rows, rows) >= recall:
            return permutations // rows, rows
    raise ValueError(
        f"Con {permutations} barajadas no se llega a un recall de {recall} en Jaccard {threshold}: usa más."
    )


def candidate_pairs(signatures: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """Las parejas candidatas, (P, 2) con i < j y sin repetir.

    Dentro de un cubo, cada documento se empareja con el siguiente y no con todos: con m copias da m - 1 parejas en
    lugar de m (m - 1) / 2, y al unirlas en grupos se recuperan las demás. ValueError si las bandas no
    caben en la firma.

    >>> candidate_pairs(np.array([[1, 2, 3, 4], [9, 9, 3, 4], [5, 6, 7, 8]], np.uint32), bands=2, rows=2).tolist()
    [[0, 1]]
    """
    documents, permutations = signatures.shape
    if bands < 1 or rows < 1 or bands * rows > permutations:
        raise ValueError(f"{bands} bandas de {rows} filas no caben en una firma de {permutations}: usa choose_bands.")
    found = []
    for band in range(bands):
        keys = np.full(documents, band + 1, np.uint64)  # (N,)
        for column in range(band * rows, (band + 1) * rows):
            keys = mix(keys ^ signatures[:, column])
        order = np.argsort(keys, kind="stable")  # dentro de un cubo, de menor a mayor índice
        same = keys[order[1:]] == keys[order[:-1]]
        found.append(np.stack([order[:-1][same], order[1:][same]], axis=1))  # (P', 2)
    return np.unique(np.concatenate(found), axis=0)  # (P, 2)
