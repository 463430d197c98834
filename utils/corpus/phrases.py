"""Frases paralelas en español e inglés y su vocabulario de palabras: el corpus del traductor del lab 2.

Cada frase es sujeto + verbo + objeto + momento, de la gramática de `data/instrucciones`. De cada diez combinaciones una
se reserva para la prueba, la misma que reserva `utils.corpus.instructions`: todas sus palabras se ven al entrenar, pero
nunca juntas.

Lo que NO hace: partir palabras (para eso está BPE) ni frases con otro orden.
"""

import itertools
import unicodedata
import zlib
from collections.abc import Iterable

from utils.corpus.instructions import HELD_OUT_TRANSLATION

PAD, START, EOS = "<pad>", "<start>", "<eos>"


def parallel_phrases(grammar: dict) -> dict[str, list[tuple[str, str]]]:
    """Todas las frases de la gramática como pares (español, inglés): {"train": [...], "test": [...]}.

    `grammar`: lo que devuelve `utils.corpus.instructions.load_instruction_grammar`.

    >>> lists = {"sujetos": {"yo": "I"}, "verbos": [["veo", "ve", "see", "sees"]]}
    >>> lists |= {"objetos": {"el tren": "the train"}, "cuando": {"hoy": "today"}}
    >>> parts = parallel_phrases({"traduccion": lists})
    >>> parts["train"] + parts["test"]
    [('yo veo el tren hoy', 'I see the train today')]
    """
    lists = grammar["traduccion"]
    parts: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    for subject, number, thing, when in itertools.product(
        lists["sujetos"], range(len(lists["verbos"])), lists["objetos"], lists["cuando"]
    ):
        first, third, first_en, third_en = lists["verbos"][number]
        verb, verb_en = (first, first_en) if subject == "yo" else (third, third_en)
        spanish = f"{subject} {verb} {thing} {when}"
        english = f"{lists['sujetos'][subject]} {verb_en} {lists['objetos'][thing]} {lists['cuando'][when]}"
        held_out = zlib.crc32(f"{subject}{number}{thing}{when}".encode()) % HELD_OUT_TRANSLATION == 0
        parts["test" if held_out else "train"].append((spanish, english))
    return parts


class WordVocabulary:
    """Un id por palabra, con tres especiales delante: relleno (0), inicio (1) y fin (2).

    >>> vocabulary = WordVocabulary(["la gata", "la luna"])
    >>> vocabulary.encode("la luna"), vocabulary.decode([1, 4, 3, 2, 0])
    ([4, 5, 2], 'la gata')
    """

    def __init__(self, texts: Iterable[str]):
        words = sorted({word for text in texts for word in _split(text)})
        # por orden alfabético, para que los ids no dependan del de las frases
        self.words = [PAD, START, EOS, *words]
        self.ids = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """Los ids de las palabras y, al final, el de fin. `ValueError` si el texto está vacío o trae otra palabra."""
        words = _split(text)
        if not words:
            raise ValueError("El texto está vacío: no hay nada que traducir.")
        if unknown := [word for word in words if word not in self.ids]:
            raise ValueError(f"«{unknown[0]}» no está en el vocabulario: usa palabras de las frases de entrenamiento.")
        return [self.ids[word] for word in words] + [self.ids[EOS]]

    def decode(self, ids: Iterable[int]) -> str:
        """El texto hasta el primer token de fin, sin especiales. `ValueError` si un id no existe."""
        words = []
        for number in ids:
            if not 0 <= number < len(self):
                raise ValueError(f"El id {number} no existe: este vocabulario va de 0 a {len(self) - 1}.")
            if self.words[number] == EOS:
                break
            if self.words[number] not in (PAD, START):
                words.append(self.words[number])
        return " ".join(words)


def _split(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).split()  # «é» es la misma letra escrita con uno o con dos caracteres
