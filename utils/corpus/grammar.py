"""Un mundo de hechos inventados que se cuenta sin fin, y del que se sabe cuánto es imposible de adivinar.

«Ana Ruiz nació en Lima, colecciona sellos y toca el piano.» Hay 9216 personas y 8 relaciones, es decir, 73 728 hechos,
fijos para una misma semilla del mundo. De cada persona se habla según la ley de Zipf: de unas pocas, sin parar; de la
mayoría, casi nunca. Un modelo mayor, o uno que lea más, aprende hechos más raros, y siempre quedan más por aprender.
De quién se habla y qué se cuenta es azar: esa es la entropía, exacta, que ningún modelo puede bajar.

La idea de los hechos repartidos por Zipf es de Hutter (2021) y Michaud et al. (2023). Las palabras están en
`data/escala/gramatica.yaml`. Lo que NO hace: partir en trozos (cada entrada es un token) ni hablar de dos personas a la
vez.
"""

import math
from functools import cache

import numpy as np
import yaml

from utils.course.env import repo_root

#: El id del comienzo de frase. El punto final no es un token: todas las frases miden lo mismo.
START = 0


def zipf(n: int, exponent: float) -> np.ndarray:
    """Las probabilidades de Zipf (n,): la del puesto r es proporcional a r^(-exponent).

    >>> zipf(3, 1.0).round(3).tolist()
    [0.545, 0.273, 0.182]
    """
    weights = np.arange(1, n + 1) ** -float(exponent)
    return weights / weights.sum()


@cache
def load_words() -> dict:
    """Las listas de `data/escala/gramatica.yaml`: «nombres», «apellidos» y «relaciones», cada una con sus objetos."""
    path = repo_root() / "data" / "escala" / "gramatica.yaml"
    return yaml.safe_load(path.read_text("utf-8"))


class FactGrammar:
    """El mundo y su generador de frases: comienzo, nombre, apellido y `facts_per_sentence` veces relación y objeto.

    `exponent` es el de Zipf de las personas; a mayor exponente, menos se habla de las raras. `seed` fija los hechos, no
    las frases. Error si en una frase no caben tantos hechos.

    >>> world = FactGrammar()
    >>> world.subjects, world.facts, world.vocab_size, world.length
    (9216, 73728, 457, 9)
    >>> world.render(world.sample(2, np.random.default_rng(0)))[1]
    'Laura Rey trabaja en un archivo, desayuna café y estudió cine.'
    """

    def __init__(self, exponent: float = 1.5, facts_per_sentence: int = 3, seed: int = 0):
        words = load_words()
        self.names, self.surnames = words["nombres"], words["apellidos"]
        self.relations, objects = list(words["relaciones"]), list(words["relaciones"].values())
        if not 1 <= facts_per_sentence <= len(self.relations):
            raise ValueError(
                f"Caben de 1 a {len(self.relations)} hechos por frase, sin repetir relación, y pides "
                f"{facts_per_sentence}."
            )
        self.k = facts_per_sentence
        self.words = ["<s>", *self.names, *self.surnames, *self.relations, *(o for group in objects for o in group)]
        self.vocab_size, self.length = len(self.words), 3 + 2 * self.k
        self.subjects = len(self.names) * len(self.surnames)
        self.probabilities = zipf(self.subjects, exponent)  # por puesto, del más nombrado al menos
        self._cumulative = self.probabilities.cumsum()
        rng = np.random.default_rng(seed)
        self._pair = rng.permutation(self.subjects)  # puesto -> nombre y apellido
        self._rank = np.argsort(self._pair)
        self._objects = len(objects[0])
        popular = zipf(self._objects, 1.0)
        self._facts = np.stack(
            [rng.choice(self._objects, size=self.subjects, p=popular) for _ in self.relations], axis=1
        )  # (personas, relaciones): qué objeto
        self._first_surname = 1 + len(self.names)
        self._first_relation = self._first_surname + len(self.surnames)
        self._first_object = self._first_relation + len(self.relations)

    @property
    def facts(self) -> int:
        """Cuántos hechos hay en el mundo."""
        return self._facts.size

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Cuenta `n` frases nuevas: ids (n, T). Con otro estado de `rng`, otras frases sobre los mismos hechos."""
        rank = np.minimum(np.searchsorted(self._cumulative, rng.random(n)), self.subjects - 1)  # (n,)
        relation = np.argsort(rng.random((n, len(self.relations))), axis=1)[:, : self.k]  # (n, K), sin repetir
        return self.encode(rank, relation)

    def encode(self, rank: np.ndarray, relation: np.ndarray) -> np.ndarray:
        """Las frases verdaderas de esas personas, por puesto (n,), y esas relaciones (n, K): ids (n, T)."""
        ids = np.zeros((len(rank), 3 + 2 * relation.shape[1]), dtype=np.int64)
        pair = self._pair[rank]
        ids[:, 1] = 1 + pair // len(self.surnames)
        ids[:, 2] = self._first_surname + pair % len(self.surnames)
        ids[:, 3::2] = self._first_relation + relation
        ids[:, 4::2] = self._object(rank[:, None], relation)
        return ids

    def rank(self, ids: np.ndarray) -> np.ndarray:
        """De quién habla cada frase (n, T): su puesto (n,), 0 para la persona más nombrada."""
        return self._rank[(ids[:, 1] - 1) * len(self.surnames) + ids[:, 2] - self._first_surname]

    def log_probability(self, ids: np.ndarray) -> np.ndarray:
        """Logaritmo de la probabilidad exacta de cada frase (n,); -inf si cuenta algo falso o repite relación.

        >>> world = FactGrammar()
        >>> ids = world.sample(2, np.random.default_rng(0))
        >>> ids[1, 4] = ids[0, 4]  # ahora Laura Rey trabaja en una escuela, y es falso
        >>> world.log_probability(ids).round(2).tolist()
        [-8.85, -inf]
        """
        rank, relation = self.rank(ids), ids[:, 3::2] - self._first_relation  # (n,), (n, K)
        true = (ids[:, 4::2] == self._object(rank[:, None], relation)).all(1)
        ordered = np.sort(relation, axis=1)
        true &= (ordered[:, 1:] != ordered[:, :-1]).all(1)
        chosen = sum(math.log(len(self.relations) - i) for i in range(relation.shape[1]))
        return np.where(true, np.log(self.probabilities[rank]) - chosen, -np.inf)

    @property
    def floor(self) -> list[float]:
        """La entropía de cada token dado lo anterior, en nats (T - 1): lo mínimo que puede perder un modelo ahí."""
        by_pair = self.probabilities[self._rank].reshape(len(self.names), len(self.surnames))
        name, person = (-(p[p > 0] * np.log(p[p > 0])).sum() for p in (by_pair.sum(1), by_pair))
        relations = [math.log(len(self.relations) - i) for i in range(self.k)]
        return [float(name), float(person - name), *(x for r in relations for x in (r, 0.0))]

    @property
    def entropy(self) -> float:
        """La entropía media por token, en nats: la pérdida irreducible E de este idioma, sin estimar nada.

        >>> round(FactGrammar().entropy, 4)
        1.1139
        """
        return sum(self.floor) / len(self.floor)

    def render(self, ids: np.ndarray) -> list[str]:
        """Las frases (n, T) en español."""
        return [self._sentence([self.words[i] for i in row[1:]]) for row in ids]

    def _sentence(self, words: list[str]) -> str:
        *first, last = (" ".join(words[i : i + 2]) for i in range(2, len(words), 2))
        return f"{words[0]} {words[1]} {', '.join(first)}{' y ' if first else ''}{last}."

    def _object(self, rank: np.ndarray, relation: np.ndarray) -> np.ndarray:
        return self._first_object + relation * self._objects + self._facts[rank, relation]
