"""Genera avisos de clientes para clasificar: una tarea nueva, corta y que se aprende en segundos.

De cada aviso se conocen el área, la prisa y quién lo escribe, porque se sortean antes que el texto. Se pueden pedir las
dos primeras juntas (la tarea «aviso») o cada una por separado: entonces varias tareas comparten la misma entrada y solo
la consigna dice cuál es. Las frases vienen de una gramática propia, `data/avisos/gramatica.yaml`.

Lo que NO hace: no usa ningún modelo de lenguaje ni avisos de nadie.
"""

import random
from pathlib import Path

from utils.corpus.dialogues import read_yaml

#: Lo que se puede pedir de un aviso.
TICKET_TASKS = ("aviso", "area", "prisa", "cliente")


class TicketGenerator:
    """Sortea ejemplos {"task", "prompt", "completion"}, con la forma de `data/instrucciones`.

    `data` es la carpeta de datos del curso. Con `split` «test» los nombres, los objetos y los fallos son otros.
    """

    def __init__(self, data: Path, split: str, seed: int):
        if split not in ("train", "test"):
            raise ValueError(f"Partición desconocida: «{split}». Usa «train» o «test».")
        self.grammar = read_yaml(data / "avisos" / "gramatica.yaml")
        names = read_yaml(data / "dialogos" / "gramatica" / "comun.yaml")["nombres"]
        self.part = "prueba" if split == "test" else "entrenamiento"
        self.names = names[self.part]
        self.rng = random.Random(f"{seed}-{split}-avisos")

    def examples(
        self, n: int, tasks: tuple[str, ...] = ("aviso",), wordings: int = 1, unseen: bool = False
    ) -> list[dict]:
        """`n` ejemplos de avisos distintos que piden `tasks` por turno.

        Cada uno se pide con una de las `wordings` primeras consignas de su tarea o, con `unseen`, con una de las
        reservadas. `ValueError` si una tarea no existe o no tiene tantas consignas.
        """
        if unknown := set(tasks) - set(TICKET_TASKS):
            raise ValueError(f"De un aviso no se pide {', '.join(sorted(unknown))}: usa {', '.join(TICKET_TASKS)}.")
        rows, seen = [], set()
        choices = {task: self.wordings(task, wordings, unseen) for task in tasks}
        while len(rows) < n:
            text, answers = self.ticket()
            if text in seen:
                continue
            seen.add(text)
            task = tasks[len(rows) % len(tasks)]
            prompt = self.rng.choice(choices[task]).format(texto=text)
            rows.append({"task": task, "prompt": prompt, "completion": answers[task]})
        return rows

    def wordings(self, task: str, n: int, unseen: bool = False) -> list[str]:
        """Las `n` primeras consignas de entrenamiento de una tarea o, con `unseen`, todas las reservadas."""
        known = self.grammar["consignas"][task]["entrenamiento"]
        if not 1 <= n <= len(known):
            raise ValueError(f"La tarea «{task}» tiene de 1 a {len(known)} consignas y pides {n}.")
        return self.grammar["consignas"][task]["prueba"] if unseen else known[:n]

    def ticket(self) -> tuple[str, dict[str, str]]:
        """Un aviso y lo que se contesta a cada tarea."""
        name, area = self.rng.choice(self.names), self.rng.choice(list(self.grammar["areas"]))
        hurry = self.rng.choice(list(self.grammar["prisas"]))
        thing = self.rng.choice(self.grammar["areas"][area][self.part])
        problem = f"{thing[0].upper()}{thing[1:]} {self.rng.choice(self.grammar['fallas'][self.part])}."
        parts = [problem, self.rng.choice(self.grammar["prisas"][hurry])]
        self.rng.shuffle(parts)  # el orden no puede delatar nada
        text = " ".join([self.rng.choice(self.grammar["saludos"]).format(nombre=name), *parts])
        return text, {"aviso": f"{area}, {hurry}", "area": area, "prisa": hurry, "cliente": name}
