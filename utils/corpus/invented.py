"""Palabras que nadie ha visto y frases hechas con ellas, para que copiar sea la única manera de acertar.

Un modelo pequeño que ve siempre las mismas dos mil palabras aprende a recordarlas, y rompe la primera que no conoce.
`WordMaker` inventa las que hagan falta, con el aspecto de las de un texto: sortea cada letra según las tres de antes.
`InventedDialogues` da los mismos diálogos que `utils.corpus.dialogues`, con los hechos llenos de esas palabras.

Lo que NO hace: palabras con significado. Un diálogo así no se entiende; se puede leer, señalar y copiar.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from utils.corpus.dialogues import DialogueGenerator

ORDER = 3  # letras que se miran para sortear la siguiente
EDGE = "^"  # lo que hay antes de la primera letra y después de la última
SHORT = 3  # las palabras de tres letras o menos, «de», «la», «no», se dejan como están
ENDINGS = ("ar", "ar", "er", "ir")  # de un infinitivo


class WordMaker:
    """Inventa palabras parecidas a las de una lista, con una cadena de Markov de letras.

    >>> WordMaker(["cama", "camino", "caminar", "marea"]).word(random.Random(1))
    'cama'
    """

    def __init__(self, words: Sequence[str]):
        following: dict[str, Counter] = defaultdict(Counter)
        for word in words:
            text = EDGE * ORDER + word + EDGE
            for i in range(ORDER, len(text)):
                following[text[i - ORDER : i]][text[i]] += 1
        self.following = {context: (list(c), list(c.values())) for context, c in following.items()}

    def word(self, rng: random.Random, shortest: int = 4, longest: int = 11) -> str:
        """Una palabra de entre `shortest` y `longest` letras, quizá de la lista."""
        while True:
            text = EDGE * ORDER
            while len(text) <= ORDER + longest:
                letters, counts = self.following[text[-ORDER:]]
                letter = rng.choices(letters, counts)[0]
                if letter == EDGE:
                    break
                text += letter
            word = text[ORDER:]
            if shortest <= len(word) <= longest:
                return word

    def fill(self, phrase: str, rng: random.Random, share: float = 0.7) -> str:
        """La frase con parte de sus palabras largas cambiadas por otras inventadas; los huecos no se tocan.

        >>> WordMaker(["cama", "camino"]).fill("la moto de {pos} prima", random.Random(0), share=1.0)
        'la camino de {pos} cama'
        """
        words = phrase.split()
        for i, word in enumerate(words):
            if len(word) > SHORT and word.isalpha() and rng.random() < share:
                words[i] = self.word(rng)
        return " ".join(words)


class InventedDialogues(DialogueGenerator):
    """Los diálogos de una partición, con nombres y hechos inventados en una parte `share` de ellos."""

    def __init__(self, common: dict, domains: list[dict], split: str, seed: int, maker: WordMaker, share: float):
        super().__init__(common, domains, split, seed)
        self.maker, self.share = maker, share

    def _facts(self, domain: dict, kind: str) -> dict[str, str]:
        facts = super()._facts(domain, kind)
        if self.rng.random() > self.share:
            return facts
        facts |= {name: self.maker.word(self.rng).capitalize() for name in ("a", "b")}
        for name in ("cosa", "falla", "objeto", "encargo", "motivo", "lugar"):
            if name in facts:
                facts[name] = self.maker.fill(facts[name], self.rng)
        if "accion" in facts and self.rng.random() < 0.5:
            facts["accion"] = self.maker.word(self.rng, longest=7) + self.rng.choice(ENDINGS)
        return facts
