"""Un mundo inventado y pequeño: los sitios de un pueblo, quién los dirige y una herramienta que busca en sus páginas.

De la gramática y una semilla sale siempre el mismo mundo. Como los hechos cambian de un mundo a otro, quien haya
aprendido con unos no puede contestar de memoria sobre otro: tiene que buscar. El de la semilla 0 es Puertolume, el de
test; los de entrenamiento llevan otras.

Lo que NO hace: ni sinónimos ni faltas de ortografía; se busca por el nombre exacto, como en ReAct (Yao et al., 2023).
"""

import difflib
import random
import re

from utils.corpus.arithmetic import evaluate

TOWN_SEED = 0
ACTION = re.compile(r"^(buscar|mirar|calcular|acabar)\[([^\[\]\n]+)\]$")
PLACES = 16


def parse_action(text: str) -> tuple[str, str]:
    """Una acción escrita, en (nombre, argumento). `ValueError` si no es una de las cuatro.

    >>> parse_action("buscar[museo Alba]")
    ('buscar', 'museo Alba')
    """
    match = ACTION.match(text.strip())
    if not match:
        raise ValueError(f"«{text}» no es una acción: buscar[…], mirar[…], calcular[…] o acabar[…].")
    return match[1], match[2]


class World:
    """Las páginas de un mundo: `pages` va de un nombre a sus frases, y `places`, de un sitio a sus hechos."""

    def __init__(self, grammar: dict, seed: int):
        lists, rng = grammar["mundo"], random.Random(f"{seed}-mundo")
        kinds, names = lists["tipos"], rng.sample(lists["sitios"], PLACES)
        people = rng.sample([f"{p} {a}" for p in lists["personas"] for a in lists["apellidos"]], PLACES)
        years = rng.sample(range(1801, 2000), PLACES)
        self.places: dict[str, dict[str, str]] = {}
        self.pages: dict[str, list[str]] = {}
        for name, person, year in zip(names, people, years, strict=True):
            article, kind = rng.choice(kinds)
            place = {
                "article": article, "director": person, "año": str(year), "precio": str(rng.randint(2, 49)),
                "abre": str(rng.randint(8, 11)), "cierre": str(rng.randint(17, 23)),
                "calle": f"calle {rng.choice(lists['calles'])}",
            }  # fmt: skip
            full, pronoun = f"{kind} {name}", "lo" if article == "el" else "la"
            self.places[full] = place
            self.pages[full] = [
                f"{article.capitalize()} {full} abrió en {year} y {pronoun} dirige {person}.",
                f"La entrada cuesta {place['precio']} euros.",
                f"Su horario es de {place['abre']} a {place['cierre']} horas.",
            ]
            self.pages[person] = [f"{person} vive en la {place['calle']}."]


class Lookup:
    """La herramienta: ejecuta acciones sobre un mundo y recuerda qué página está abierta y por dónde va.

    >>> from utils.course.env import repo_root
    >>> from utils.corpus.dialogues import read_yaml
    >>> tool = Lookup(World(read_yaml(repo_root() / "data" / "razonamiento" / "gramatica.yaml"), TOWN_SEED))
    >>> tool("calcular[7 + 9]"), tool("buscar[la luna]")[:31]
    ('16', 'No hay ninguna página «la luna»')
    """

    def __init__(self, world: World):
        self.world = world
        self.page: list[str] = []
        self.position = 0

    def __call__(self, text: str) -> str:
        """La observación de una acción. `ValueError` si no es una acción o si ya es el final."""
        name, argument = parse_action(text)
        if name == "buscar":
            if argument not in self.world.pages:
                near = difflib.get_close_matches(argument, self.world.pages, n=3, cutoff=0.3)
                return f"No hay ninguna página «{argument}». Parecidas: {', '.join(near) or 'ninguna'}."
            self.page, self.position = self.world.pages[argument], 0
            return self.page[0]
        if name == "mirar":
            for i in range(self.position, len(self.page)):
                if argument in self.page[i]:
                    self.position = i + 1
                    return self.page[i]
            return f"No hay más frases con «{argument}»."
        if name == "calcular":
            try:
                return str(evaluate(argument))
            except ValueError:
                return f"No se puede calcular «{argument}»."
        raise ValueError("Con acabar[…] no hay nada que observar: es la respuesta.")


class WorldQuestions:
    """Sortea preguntas sobre un mundo, con las acciones que las contestan y lo que se observa tras cada una.

    Cada fila lleva los campos de un problema y «observations». Con `unseen`, las redacciones reservadas para test.
    """

    def __init__(self, grammar: dict, world: World, seed: int, unseen: bool = False):
        self.wordings, self.world, self.unseen = grammar["mundo"]["preguntas"], world, unseen
        self.rng = random.Random(f"{seed}-preguntas")

    def question(self, kind: str | None = None) -> dict:
        """Una pregunta de ese tipo o, sin él, de uno cualquiera."""
        kind = kind or self.rng.choice(list(self.wordings))
        a, b = self.rng.sample(list(self.world.places), 2)
        wording = self.rng.choice(self.wordings[kind]["prueba" if self.unseen else "entrenamiento"])
        first, second = self.world.places[a], self.world.places[b]
        actions, answer = {
            "año": ([f"buscar[{a}]"], first["año"]),
            "director": ([f"buscar[{a}]"], first["director"]),
            "precio": ([f"buscar[{a}]", "mirar[cuesta]"], first["precio"]),
            "cierre": ([f"buscar[{a}]", "mirar[horario]"], first["cierre"]),
            "calle": ([f"buscar[{a}]", f"buscar[{first['director']}]"], first["calle"]),
            "antes": ([f"buscar[{a}]", f"buscar[{b}]"], a if int(first["año"]) < int(second["año"]) else b),
            "suma": (
                [f"buscar[{a}]", "mirar[cuesta]", f"buscar[{b}]", "mirar[cuesta]",
                 f"calcular[{first['precio']} + {second['precio']}]"],
                str(int(first["precio"]) + int(second["precio"])),
            ),
        }[kind]  # fmt: skip
        tool = Lookup(self.world)
        text = wording.format(a=f"{first['article']} {a}", b=f"{second['article']} {b}")
        return {
            "kind": "mundo", "template": kind, "digits": 0, "steps": len(actions),
            "novelty": "redacción" if self.unseen else "ninguna", "question": text, "plan": actions,
            "observations": [tool(action) for action in actions], "answer": answer,
        }  # fmt: skip
