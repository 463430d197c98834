"""TF-IDF: un texto como vector de palabras, donde pesan más las que salen en él y en pocos textos más.

El peso de una palabra es cuántas veces sale en el texto (*term frequency*) por su idf, ln((1 + n) / (1 + df)) + 1,
donde n son los textos con que se ajusta y df, en cuántos aparece. Después cada fila se divide por su norma. Es la
variante de scikit-learn, y da sus mismos números. Fuente: Spärck Jones (1972), con el suavizado de scikit-learn.

Lo que NO hace: n-gramas, raíces ni descartar palabras; las palabras son las de `utils.text.normalize`.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from utils.text.normalize import words


class Tfidf:
    """Se ajusta con `fit` a los textos de entrenamiento y con `transform` convierte otros en filas de una matriz.

    `idf=False` y `unit=False` dejan solo las cuentas: una bolsa de palabras. `min_count` descarta las palabras que
    salen en menos textos que eso. Una palabra que no se vio en `fit` no cuenta.

    >>> model = Tfidf().fit(["el gato", "el perro", "el pez"])
    >>> [(word, round(float(model.idf[i]), 3)) for word, i in model.vocabulary.items()]
    [('el', 1.0), ('gato', 1.693), ('perro', 1.693), ('pez', 1.693)]
    """

    def __init__(self, idf: bool = True, unit: bool = True, min_count: int = 1):
        self.use_idf, self.unit, self.min_count = idf, unit, min_count
        self.vocabulary: dict[str, int] = {}

    def fit(self, texts: Sequence[str]) -> "Tfidf":
        """Aprende el vocabulario, en orden alfabético, y el idf de cada palabra. Error si no queda ninguna."""
        if isinstance(texts, str):
            raise ValueError("Se espera una lista de textos: para uno solo pasa [texto].")
        counts = Counter(word for text in texts for word in set(words(text)))
        kept = sorted(word for word, n in counts.items() if n >= self.min_count)
        if not kept:
            raise ValueError("Los textos no tienen ninguna palabra que conservar: revísalos o baja min_count.")
        self.vocabulary = {word: i for i, word in enumerate(kept)}
        df = np.array([counts[word] for word in kept])  # (V,)
        self.idf = np.log((1 + len(texts)) / (1 + df)) + 1  # (V,)
        return self

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Una fila por texto, (N, V), rala. Un texto sin palabras conocidas es una fila de ceros."""
        if isinstance(texts, str):
            raise ValueError("Se espera una lista de textos: para uno solo pasa [texto].")
        if not self.vocabulary:
            raise ValueError("Falta ajustar el vocabulario: llama antes a fit con los textos de entrenamiento.")
        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            found = Counter(self.vocabulary[word] for word in words(text) if word in self.vocabulary)
            rows += [row] * len(found)
            columns += found.keys()
            values += found.values()
        matrix = csr_matrix((np.array(values, float), (rows, columns)), shape=(len(texts), len(self.vocabulary)))
        if self.use_idf:
            matrix = matrix.multiply(self.idf).tocsr()
        if self.unit:
            norms = np.sqrt(matrix.multiply(matrix).sum(axis=1)).A1  # (N,)
            matrix = matrix.multiply(1 / np.where(norms == 0, 1, norms)[:, None]).tocsr()
        return matrix
