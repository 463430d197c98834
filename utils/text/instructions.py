"""Genera el conjunto de instrucciones con que se entrena `mini-flan-t5`: varias tareas y varias consignas por tarea.

Tareas: sentimiento, tema, entidades, pregunta, traduccion (español <-> inglés) y copia. Las preguntas y los temas
se hacen sobre diálogos como los de `utils.text.dialogues`; ninguna tarea pide resumir: eso se aprende en el lab 11.

Lo que NO hace: sintetizar con un modelo (Alpaca, Evol-Instruct). Todo sale de una gramática y una semilla.
"""

import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import yaml

from utils.text.dialogues import DialogueGenerator, contract

TASKS = ("sentimiento", "tema", "entidades", "pregunta", "traduccion", "copia")
CONSONANTS = ["b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch", "ll", "tr", "pl"]
SYLLABLES = [consonant + vowel for consonant in CONSONANTS for vowel in "aeiou"]
#: De cada 10 combinaciones de sujeto, verbo, objeto y momento, una se reserva para evaluar la traducción.
HELD_OUT_TRANSLATION = 10


def load_instruction_grammar(path: Path) -> dict:
    """Lee la gramática de instrucciones (`data/instrucciones/gramatica.yaml`)."""
    return yaml.safe_load(path.read_text("utf-8"))


class InstructionGenerator:
    """Sortea ejemplos {"task", "prompt", "completion"} de todas las tareas, por igual.

    En `test`, los textos usan nombres, objetos y frases que `train` no tiene. Se repiten las consignas y los juicios
    del sentimiento: un modelo de dos millones de parámetros no puede saber qué significa una palabra que no ha visto.
    """

    def __init__(self, grammar: dict, dialogues: DialogueGenerator, seed: int):
        self.grammar, self.dialogues, self.part = grammar, dialogues, dialogues.part
        self.held_out = dialogues.split != "train"
        self.rng = random.Random(f"{seed}-{dialogues.split}-instrucciones")

    def __iter__(self) -> Iterator[dict]:
        seen = set()
        while True:
            for task in TASKS:
                example = self.example(task)
                if example["prompt"] not in seen:
                    seen.add(example["prompt"])
                    yield example

    def example(self, task: str) -> dict:
        """Un ejemplo de `task`; la consigna se elige al azar entre las de la tarea."""
        fields, completion, prompts = getattr(self, f"_{task}")()
        prompt = self.rng.choice(self.grammar["consignas"][prompts]).format(**fields)
        return {"task": task, "prompt": prompt, "completion": completion}

    def _sentimiento(self):
        lists = self.grammar["sentimiento"]
        label = self.rng.choice(["positivo", "negativo"])
        subject, ending = (self.rng.choice(lists[k][self.part]) for k in ("sujetos", "remates"))
        verdict = self.rng.choice(lists[label])
        text = f"{subject[0].upper()}{subject[1:]} {verdict}. {ending}".strip()
        return {"texto": text}, label, "sentimiento"

    def _tema(self):
        dialogue = self.dialogues.example()
        return {"texto": dialogue["dialogue"]}, dialogue["domain"], "tema"

    def _pregunta(self):
        dialogue = self.dialogues.example()
        fact = self.rng.choice([f for f in dialogue["facts"] if f in self.grammar["preguntas"]])
        question = self.rng.choice(self.grammar["preguntas"][fact]).format(a=dialogue["facts"]["a"])
        return {"texto": dialogue["dialogue"], "pregunta": question}, dialogue["facts"][fact], "pregunta"

    def _entidades(self):
        common = self.dialogues.common
        person, place = (self.rng.choice(common[k][self.part]) for k in ("nombres", "lugares"))
        date = self.rng.choice(common["dias"] + common["antes"])
        template = self.rng.choice(self.grammar["entidades"][self.part])
        text = template.format(persona=person, lugar=place, fecha=date, fecha_m=date[0].upper() + date[1:])
        return {"texto": contract(text)}, f"persona: {person}; lugar: {place}; fecha: {date}", "entidades"

    def _traduccion(self):
        lists = self.grammar["traduccion"]
        while True:  # se sortea hasta dar con una combinación de esta partición
            subject, thing, when = (self.rng.choice(list(lists[k])) for k in ("sujetos", "objetos", "cuando"))
            verb = self.rng.randrange(len(lists["verbos"]))
            if (zlib.crc32(f"{subject}{verb}{thing}{when}".encode()) % HELD_OUT_TRANSLATION == 0) == self.held_out:
                break
        first, third, first_en, third_en = lists["verbos"][verb]
        es_verb, en_verb = (first, first_en) if subject == "yo" else (third, third_en)
        spanish = f"{subject} {es_verb} {thing} {when}"
        english = f"{lists['sujetos'][subject]} {en_verb} {lists['objetos'][thing]} {lists['cuando'][when]}"
        if self.rng.random() < 0.5:
            return {"texto": spanish}, english, "traduccion_es_en"
        return {"texto": english}, spanish, "traduccion_en_es"

    def _copia(self):
        """Frases reales y palabras inventadas: copiar lo que no se ha visto nunca obliga a mirar la entrada."""
        if self.rng.random() < 0.5:
            text = self.rng.choice(self.dialogues.example()["dialogue"].split("\n"))
        else:
            text = " ".join(self._pseudoword() for _ in range(self.rng.randint(3, 9)))
        return {"texto": text}, text, "copia"

    def _pseudoword(self) -> str:
        word = "".join(self.rng.choices(SYLLABLES, k=self.rng.randint(2, 3)))
        return word.capitalize() if self.rng.random() < 0.3 else word
