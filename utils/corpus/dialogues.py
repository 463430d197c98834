"""Genera el corpus de diálogos en español: diálogo, resumen y tema, a partir de una gramática y una semilla.

La gramática vive en `data/dialogos/gramatica/`: un YAML por dominio (taller, consulta, hotel...) y `comun.yaml`,
con los nombres, las fechas y las frases que comparten todos. Aquí solo está el mecanismo: elegir los hechos,
decirlos con frases distintas, mezclar distracciones y correcciones, y escribir el resumen de esos mismos hechos.

Lo que NO hace: no usa ningún modelo de lenguaje ni texto de terceros, y no pretende que los diálogos sean
literatura. Los hechos del resumen están siempre en el diálogo, y eso es lo que hace que se pueda medir.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import yaml

SPLITS = ("train", "validation", "test")
#: Cada desenlace con las variantes de diálogo que lo cuentan. La cola del resumen es siempre la del desenlace.
VARIANTS = {
    "cita": ("cita", "cita_rechazo", "cita_correccion"),
    "precio": ("precio", "precio_rebaja"),
    "lugar": ("lugar",),
    "encargo": ("encargo",),
    "negativa": ("negativa",),
}
#: Los hechos que fija cada desenlace: son los que deben llegar al resumen.
OUTCOME_FACTS = {
    "cita": ("dia", "hora"), "precio": ("precio",), "lugar": ("lugar",), "encargo": ("encargo",),
    "negativa": ("motivo",),
}  # fmt: skip
#: Los huecos de cada apertura y la lista del dominio de la que salen.
SLOTS = {
    "problema": {"cosa": "cosas", "falla": "fallas"},
    "peticion": {"accion": "acciones", "objeto": "objetos"},
}
#: Desenlaces que pueden aparecer juntos en un diálogo, en el orden en que se hablan.
COMBINATIONS = (
    ("cita",), ("cita", "encargo"), ("cita", "precio"), ("cita", "lugar"), ("precio",), ("precio", "encargo"),
    ("encargo",), ("negativa",),
)  # fmt: skip
#: Quién abre cada desenlace: la pregunta por el sitio la hace A; lo demás lo propone B.
OPENED_BY_A = {"lugar"}


def load_grammar(folder: Path) -> tuple[dict, list[dict]]:
    """Lee `comun.yaml` y los dominios de `folder`.

    Devuelve (común, dominios). Lanza `ValueError` si la carpeta no tiene gramática o un dominio no abre ni
    con un problema ni con una petición.
    """
    common_path = folder / "comun.yaml"
    if not common_path.exists():
        raise ValueError(f"No hay gramática en «{folder.name}»: falta comun.yaml.")
    paths = [path for path in sorted(folder.glob("*.yaml")) if path != common_path]
    common, domains = read_yaml(common_path), [read_yaml(path) for path in paths]
    for path, domain in zip(paths, domains, strict=True):
        if "dominio" not in domain:
            raise ValueError(f"A {path.name} le falta la clave «dominio», con el nombre del dominio.")
        if not any(key in domain for key in ("apertura_problema", "apertura_peticion")):
            raise ValueError(f"El dominio «{domain['dominio']}» no tiene apertura_problema ni apertura_peticion.")
    return common, domains


def read_yaml(path: Path) -> dict:
    """Lee un archivo de gramática. Lanza `ValueError` si falta, no es YAML o no es un diccionario con algo dentro."""
    if not path.exists():
        raise ValueError(f"No existe el archivo de gramática {path.name}: recupéralo con git.")
    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"No se puede leer {path.name}: no es YAML válido. Corrige esto: {error}") from error
    if not isinstance(tree, dict):
        raise ValueError(f"{path.name} debe ser un diccionario de YAML («clave: valor») y no lo es.")
    return tree


def join_clauses(clauses: list[str]) -> str:
    """Une oraciones con comas y una «y» final, en una frase con mayúscula y punto.

    >>> join_clauses(["Ana llama", "quedan el lunes", "pagará 10 euros"])
    'Ana llama, quedan el lunes y pagará 10 euros.'
    """
    head, last = clauses[:-1], clauses[-1]
    # «y» se vuelve «e» delante de i-, como en «e Irene le da cita»
    link = " e " if last.lower().startswith(("i", "hi")) and not last.lower().startswith("hie") else " y "
    text = (", ".join(head) + link if head else "") + last
    return text[0].upper() + text[1:] + "."


def contract(text: str) -> str:
    """Aplica las contracciones del español.

    >>> contract("Voy a el mercado de el puerto.")
    'Voy al mercado del puerto.'
    """
    return text.replace(" a el ", " al ").replace(" de el ", " del ").replace("A el ", "Al ")


class DialogueGenerator:
    """Sortea diálogos de una partición; en `test`, con nombres, problemas y encargos que `train` no tiene, y
    con la mitad de las frases nuevas.

    La partición de validación usa la gramática de entrenamiento: mide si el modelo aprende, no si generaliza.
    """

    def __init__(self, common: dict, domains: list[dict], split: str, seed: int):
        if split not in SPLITS:
            raise ValueError(f"Partición desconocida: «{split}». Usa una de estas: {', '.join(SPLITS)}.")
        self.common, self.domains, self.split = common, domains, split
        self.part = "prueba" if split == "test" else "entrenamiento"
        self.names = [name for key in ("nombres", "otros_nombres") for name in common[key][self.part]]
        self.rng = random.Random(f"{seed}-{split}")

    def __iter__(self) -> Iterator[dict]:
        """Da diálogos sin fin y sin repetir: {"dialogue", "summary", "references", "facts", "topic", "domain"}."""
        seen = set()
        while True:
            example = self.example()
            if example["dialogue"] not in seen:
                seen.add(example["dialogue"])
                yield example

    def example(self) -> dict:
        """Sortea los hechos de un diálogo y los cuenta dos veces: hablados y resumidos."""
        domain = self.rng.choice(self.domains)
        kind = self.rng.choice([k for k in ("problema", "peticion") if f"apertura_{k}" in domain])
        outcomes = self.rng.choice([c for c in COMBINATIONS if set(c) <= set(domain["desenlaces"])])
        facts = self._facts(domain, kind)
        dialogue = self._dialogue(domain, kind, outcomes, facts)
        references = [self._summary(domain, kind, outcomes, facts, part) for part in self._reference_parts()]
        slots = [name for outcome in outcomes for name in OUTCOME_FACTS[outcome]]
        return {
            "dialogue": dialogue,
            "summary": references[0],
            "references": references,
            "facts": {name: facts[name].format(pos="su") for name in ("a", "b", *SLOTS[kind], *slots)},
            "topic": self.rng.choice(domain["tema"]),
            "domain": domain["dominio"],
        }

    def _reference_parts(self) -> tuple[str, ...]:
        """Test lleva tres resúmenes: dos con el estilo visto al entrenar y uno con frases nuevas."""
        return ("entrenamiento", "entrenamiento", "prueba") if self.split == "test" else ("entrenamiento",)

    def _pick(self, lists: dict):
        """Un hecho: en `test`, siempre nuevo."""
        return self.rng.choice(lists[self.part])

    def _phrase(self, lists: dict):
        """Una manera de decirlo: en `test`, nueva la mitad de las veces."""
        known = self.part == "prueba" and self.rng.random() < 0.5
        return self.rng.choice(lists["entrenamiento" if known else self.part])

    def _facts(self, domain: dict, kind: str) -> dict[str, str]:
        """Los hechos verdaderos y, con un 2, los valores que solo despistan."""
        a, b = self.rng.sample(self.names, 2)
        day, day2 = self.rng.sample(self.common["dias"], 2)
        hour, hour2 = self.rng.sample(self.common["horas"], 2)
        cheap = self.rng.randrange(len(self.common["precios"]) - 3)  # una rebaja siempre baja, y sin exagerar
        price, price2 = self.common["precios"][cheap], self.common["precios"][cheap + self.rng.randint(1, 3)]
        facts = dict(a=a, b=b, dia=day, dia2=day2, hora=hour, hora2=hour2, precio=price, precio2=price2)
        facts["antes"] = self.rng.choice(self.common["antes"])
        facts |= {"lugar": self._pick(self.common["lugares"]), "excusa": self._pick(self.common["excusas"])}
        facts |= {"encargo": self._pick(domain["encargos"]), "motivo": self._pick(domain["motivos"])}
        return facts | {name: self._pick(domain[plural]) for name, plural in SLOTS[kind].items()}

    def _dialogue(self, domain: dict, kind: str, outcomes: tuple[str, ...], facts: dict) -> str:
        """Abre A; lo que sigue alterna preguntas, distracciones, desenlaces y, a veces, despedida."""
        turns = self._exchange(self._phrase(domain[f"apertura_{kind}"]), first="a")
        questions = {
            str(q): q for q in (self._phrase(domain["preguntas"]) for _ in range(self.rng.choice((0, 1, 1, 2))))
        }
        middle = [("b", question) for question in questions.values()]  # sin repetir la misma pregunta
        if self.rng.random() < 0.25:
            middle.append((self.rng.choice("ab"), self._phrase(self.common["charla"])))
        for outcome in outcomes:
            variant = self._phrase(self.common[self.rng.choice(VARIANTS[outcome])])
            middle.append(("a" if outcome in OPENED_BY_A else "b", variant))
        if "negativa" not in outcomes and self.rng.random() < 0.5:
            middle.append(("a", self._phrase(self.common["despedida"])))
        for first, phrases in middle:
            turns += self._exchange(phrases, first)
        spoken = [(speaker, self._say(said, facts)) for speaker, said in turns]
        return "\n".join(f"{facts[speaker]}: {said}" for speaker, said in self._merge(spoken))

    @staticmethod
    def _exchange(phrases: list[str], first: str) -> list[tuple[str, str]]:
        order = "ab" if first == "a" else "ba"
        return [(order[i % 2], phrase) for i, phrase in enumerate(phrases)]

    @staticmethod
    def _merge(turns: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Junta en un turno las frases seguidas de la misma persona."""
        merged: list[tuple[str, str]] = []
        for speaker, phrase in turns:
            if merged and merged[-1][0] == speaker:
                merged[-1] = (speaker, f"{merged[-1][1]} {phrase}")
            else:
                merged.append((speaker, phrase))
        return merged

    @staticmethod
    def _say(phrase: str, facts: dict) -> str:
        text = contract(_fill(phrase, facts, possessive="mi"))
        return text[0].upper() + text[1:]

    def _summary(self, domain: dict, kind: str, outcomes: tuple[str, ...], facts: dict, part: str) -> str:
        head = self.rng.choice(domain[f"cabezas_{kind}"][part])
        tails = [self.rng.choice(self.common["colas"][outcome][part]) for outcome in outcomes]
        return contract(join_clauses([_fill(clause, facts, possessive="su") for clause in (head, *tails)]))


def _fill(text: str, facts: dict, possessive: str) -> str:
    """Rellena los huecos; los hechos pueden llevar a su vez {pos}: «mi horno» al hablar, «su horno» al resumir."""
    return text.format(**facts).format(pos=possessive)
