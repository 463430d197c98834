"""Genera el conjunto de instrucciones con que se entrena `mini-flan-t5`: varias tareas y varias consignas por tarea.

Tareas: sentimiento, tema, entidades, pregunta, traduccion (español <-> inglés) y copia. Las preguntas y los temas
se hacen sobre diálogos como los de `utils.corpus.dialogues`; ninguna tarea pide resumir: eso se aprende en el lab 11.
Hay una séptima, `ficha`, que pide varios hechos de un diálogo a la vez. No está en `data/instrucciones`: solo entrena.

Lo que NO hace: sintetizar con un modelo (Alpaca, Evol-Instruct). Todo sale de una gramática y una semilla.
"""

import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from utils.corpus.dialogues import DialogueGenerator, contract, read_yaml
from utils.corpus.invented import InventedDialogues, WordMaker

TASKS = ("sentimiento", "tema", "entidades", "pregunta", "traduccion", "copia")
#: Con qué frecuencia se entrena cada tarea en la segunda parte: casi todo es leer un diálogo y copiar hechos de él.
COPYING_MIX = (*TASKS, "copia", "pregunta", "pregunta", *["ficha"] * 6)
#: Con qué frecuencia se entrena cada tarea: copiar y extraer son lo difícil, y de lo que dependen las demás.
TRAINING_MIX = (*TASKS, "copia", "copia", "pregunta", "pregunta", "entidades")
CONSONANTS = ["b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch", "ll", "tr", "pl"]
SYLLABLES = [consonant + vowel for consonant in CONSONANTS for vowel in "aeiou"]
PLACES = ["la calle", "la plaza", "el bar", "el barrio de", "la tienda de", "el parque de", "el puente de"]
#: De cada 10 combinaciones de sujeto, verbo, objeto y momento, una se reserva para evaluar la traducción.
HELD_OUT_TRANSLATION = 10
#: Al entrenar, esta parte de las respuestas que se extraen se cambia por palabras que no vienen a cuento. Lo que no se
#: puede adivinar ni recordar hay que mirarlo en la entrada y copiarlo.
INVENTED = 0.8


def load_instruction_grammar(path: Path) -> dict:
    """Lee la gramática de instrucciones (`data/instrucciones/gramatica.yaml`). `ValueError` si le falta algo."""
    grammar = read_yaml(path)
    if missing := {"consignas", "preguntas", "campos", "entidades", "sentimiento", "traduccion"} - grammar.keys():
        raise ValueError(f"A {path.name} le falta: {', '.join(sorted(missing))}.")
    return grammar


def load_lexicon(path: Path) -> list[str]:
    """Las palabras distintas, de tres letras o más, de un texto; en minúscula y por orden alfabético."""
    return sorted({word for word in re.findall(r"[^\W\d_]{3,}", path.read_text("utf-8").lower())})


class InstructionGenerator:
    """Sortea ejemplos {"task", "prompt", "completion"} de todas las tareas, por igual.

    En `test`, los textos usan nombres, objetos y frases que `train` no tiene. Se repiten las consignas y los juicios
    del sentimiento: un modelo de dos millones de parámetros no puede saber qué significa una palabra que no ha visto.
    """

    def __init__(
        self, grammar: dict, dialogues: DialogueGenerator, lexicon: list[str], seed: int, tasks: tuple[str, ...] = TASKS
    ):
        self.grammar, self.dialogues, self.tasks, self.part = grammar, dialogues, tasks, dialogues.part
        self.lexicon = lexicon
        self.training = dialogues.split == "train"
        self.rng = random.Random(f"{seed}-{dialogues.split}-instrucciones")
        maker = WordMaker([*lexicon, *(name.lower() for name in dialogues.names)])
        common, domains, split = dialogues.common, dialogues.domains, dialogues.split
        self.invented = InventedDialogues(common, domains, split, seed + 3, maker, INVENTED)
        # el tema se adivina por el vocabulario: se evalúa con diálogos nuevos de palabras conocidas
        self.known = dialogues if self.training else DialogueGenerator(
            dialogues.common, dialogues.domains, "validation", seed + 2  # los de data/dialogos, con otra semilla
        )  # fmt: skip

    def __iter__(self) -> Iterator[dict]:
        """Da ejemplos sin fin y sin repetir prompts, recorriendo `tasks` en círculo."""
        seen = set()
        while True:
            for task in self.tasks:
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
        dialogue = self.known.example()
        return {"texto": dialogue["dialogue"]}, dialogue["domain"], "tema"

    def _pregunta(self):
        dialogue = self.dialogues.example()
        fact = self.rng.choice([f for f in dialogue["facts"] if f in self.grammar["preguntas"]])
        question = self.rng.choice(self.grammar["preguntas"][fact]).format(a=dialogue["facts"]["a"])
        text, answer = dialogue["dialogue"], dialogue["facts"][fact]
        if self._invents() and answer in text:
            invented = " ".join(self._stranger() for _ in range(self.rng.choice((1, 1, 2, 3))))
            invented = invented.capitalize() if answer[0].isupper() else invented
            text, question, answer = (t.replace(answer, invented) for t in (text, question, answer))
        return {"texto": text, "pregunta": question}, answer, "pregunta"

    def _ficha(self):
        """Varios hechos de un diálogo a la vez, en el orden que se pide: hay que encontrarlos todos y copiarlos."""
        facts = (dialogue := self.invented.example())["facts"]
        names = self.rng.sample(list(facts), self.rng.randint(2, len(facts)))
        fields = {name: self.rng.choice(self.grammar["campos"][name]) for name in names}
        labelled = self.rng.random() < 0.5
        completion = " | ".join(f"{fields[name]}: {facts[name]}" if labelled else facts[name] for name in names)
        prompts = "ficha" if labelled else "lista"
        return {"texto": dialogue["dialogue"], "campos": ", ".join(fields.values())}, completion, prompts

    def _entidades(self):
        common = self.dialogues.common
        person, place = self.rng.choice(self.dialogues.names), self.rng.choice(common["lugares"][self.part])
        if self._invents():
            person = self._stranger().capitalize()
            place = f"{self.rng.choice(PLACES)} {self._stranger().capitalize()}"
        date = self.rng.choice(common["dias"] + common["antes"])
        template = self.rng.choice(self.grammar["entidades"][self.part])
        text = template.format(persona=person, lugar=place, fecha=date, fecha_m=date[0].upper() + date[1:])
        return {"texto": contract(text)}, f"persona: {person}; lugar: {place}; fecha: {date}", "entidades"

    def _traduccion(self):
        lists = self.grammar["traduccion"]
        while True:  # se sortea hasta dar con una combinación de esta partición
            subject, thing, when = (self.rng.choice(list(lists[k])) for k in ("sujetos", "objetos", "cuando"))
            verb = self.rng.randrange(len(lists["verbos"]))
            if (zlib.crc32(f"{subject}{verb}{thing}{when}".encode()) % HELD_OUT_TRANSLATION == 0) != self.training:
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
            words = [self._stranger() for _ in range(self.rng.randint(3, 9))]
            text = " ".join(word.capitalize() if self.rng.random() < 0.3 else word for word in words)
        return {"texto": text}, text, "copia"

    def _invents(self) -> bool:
        return self.training and self.rng.random() < INVENTED

    def _stranger(self) -> str:
        """Una palabra que no viene a cuento: de la novela o, la mitad de las veces, inventada con sílabas."""
        if self.rng.random() < 0.5:
            return "".join(self.rng.choices(SYLLABLES, k=self.rng.randint(2, 3)))
        return self.rng.choice(self.lexicon)
