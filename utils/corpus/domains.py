"""Genera el corpus de dominio: documentos legales y médicos inventados, de una gramática y una semilla.

La gramática vive en `data/dominios/gramatica/`: un YAML por dominio y `comun.yaml`, con los nombres y los lugares que
comparten. Un documento es una lista de párrafos; cada párrafo se elige entre varias redacciones y sus huecos se
rellenan una sola vez por documento, de modo que quien demanda al principio es quien gana o pierde al final:

- `{ciudad}` sale de la lista «ciudad»; `{ciudad2}`, de la misma lista, con otro valor.
- `{proceso.plan}` es un campo del registro «proceso» que le ha tocado al documento.
- `{edad:18-96}` es un número de ese intervalo, y `{precio:900-5000/50}`, un múltiplo de 50.

Lo que NO hace: no usa ningún modelo de lenguaje ni texto de terceros, y no garantiza que lo que cuenta un documento sea
buen derecho ni buena medicina: solo que se escribe como ellos.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from utils.corpus.dialogues import SPLITS, contract, read_yaml
from utils.course.numerals import thousands
from utils.text.normalize import words

SLOT = re.compile(r"\{([a-zñáéíóú]+)(\d*)(?:\.([a-z]+))?(?::(\d+)-(\d+)(?:/(\d+))?)?\}")
#: En test, la mitad de las redacciones y de los términos son nuevos; los nombres de persona y los lugares, todos.
UNSEEN = 0.5
ALWAYS_UNSEEN = {"hombre", "mujer", "apellido", "ciudad", "calle"}
#: Dos documentos son casi iguales si comparten esta parte de sus trozos de cinco palabras (índice de Jaccard).
NEAR_DUPLICATE = 0.5
SHINGLE = 5


def load_domain_grammar(folder: Path) -> tuple[dict, list[dict]]:
    """Lee `comun.yaml` y los dominios de `folder`: (común, dominios). `ValueError` si a alguno le falta algo."""
    common = read_yaml(folder / "comun.yaml")
    paths = [path for path in sorted(folder.glob("*.yaml")) if path.name != "comun.yaml"]
    if not paths:
        raise ValueError(f"En «{folder.name}» no hay ningún dominio: añade un YAML como legal.yaml.")
    domains = [read_yaml(path) for path in paths]
    for path, domain in zip(paths, domains, strict=True):
        if missing := {"dominio", "terminos", "documentos"} - domain.keys():
            raise ValueError(f"A {path.name} le falta: {', '.join(sorted(missing))}.")
    return common, domains


def shingles(text: str, size: int = SHINGLE) -> set[tuple[str, ...]]:
    """Los trozos de `size` palabras seguidas de un texto; si es más corto, el texto entero.

    >>> sorted(shingles("Dictó un auto de prisión", size=4))
    [('dictó', 'un', 'auto', 'de'), ('un', 'auto', 'de', 'prisión')]
    """
    found = words(text)
    return {tuple(found[i : i + size]) for i in range(max(1, len(found) - size + 1))}


class ShingleIndex:
    """Recuerda los documentos aceptados y dice cuánto se parece uno nuevo al más parecido (Jaccard, de 0 a 1).

    >>> index = ShingleIndex()
    >>> index.add("uno dos tres cuatro cinco seis")
    >>> index.nearest("uno dos tres cuatro cinco siete")  # comparten un trozo de tres
    0.3333333333333333
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.where: dict[tuple[str, ...], list[int]] = defaultdict(list)

    def nearest(self, text: str) -> float:
        found = shingles(text)
        shared = Counter(i for shingle in found for i in self.where.get(shingle, ()))
        return max((n / (len(found) + self.sizes[i] - n) for i, n in shared.items()), default=0.0)

    def add(self, text: str) -> None:
        found = shingles(text)
        for shingle in found:
            self.where[shingle].append(len(self.sizes))
        self.sizes.append(len(found))


class DomainGenerator:
    """Sortea documentos de una partición, sin fin y sin casi repetidos, los dos dominios por turnos.

    `seen` es el índice de lo ya aceptado: pasa el mismo a las tres particiones y ningún documento de una se parecerá
    demasiado a los de otra. Cada fila es {"domain", "kind", "text", "terms", "new_terms"}; los términos nuevos son los
    que no se ven al entrenar, y solo los hay en test. Lanza `ValueError` si la partición no existe.
    """

    def __init__(self, common: dict, domains: list[dict], split: str, seed: int, seen: ShingleIndex | None = None):
        if split not in SPLITS:
            raise ValueError(f"Partición desconocida: «{split}». Usa una de estas: {', '.join(SPLITS)}.")
        self.common, self.domains, self.split = common, domains, split
        self.seen = ShingleIndex() if seen is None else seen
        self.rng = random.Random(f"{seed}-{split}-dominios")

    def __iter__(self) -> Iterator[dict]:
        while True:
            for domain in self.domains:
                row = self.document(domain)
                while self.seen.nearest(row["text"]) >= NEAR_DUPLICATE:
                    row = self.document(domain)
                self.seen.add(row["text"])
                yield row

    def document(self, domain: dict) -> dict:
        """Un documento de un tipo cualquiera del dominio."""
        kind = self.rng.choice(list(domain["documentos"]))
        draft = _Draft(self, domain)
        paragraphs = [
            draft.paragraph(choice) for choice in domain["documentos"][kind] if self.rng.random() < choice.get("si", 1)
        ]
        text = contract("\n".join(paragraphs)).replace("..", ".")  # «v.o.» al final de la frase
        return {
            "domain": domain["dominio"], "kind": kind, "text": text, "terms": draft.terms, "new_terms": draft.new_terms,
        }  # fmt: skip

    def half(self, name: str) -> str:
        """De qué parte de una lista se sortea: en test, la nueva siempre o la mitad de las veces."""
        unseen = self.split == "test" and (name in ALWAYS_UNSEEN or self.rng.random() < UNSEEN)
        return "prueba" if unseen else "entrenamiento"


class _Draft:
    """Un documento a medio escribir: los valores que ya tienen sus huecos y los términos que han salido."""

    def __init__(self, generator: DomainGenerator, domain: dict):
        self.generator, self.rng = generator, generator.rng
        self.lists = generator.common | domain
        self.values: dict[str, str | dict] = {}
        self.terms: list[str] = []
        self.new_terms: list[str] = []

    def paragraph(self, choice: dict) -> str:
        if "lista" in choice:
            return self.fill(f"{{{choice['lista']}}}", sentence=True)
        return self.fill(self.rng.choice(choice[self.generator.half("")]), sentence=True)

    def fill(self, template: str, sentence: bool = False) -> str:
        """Rellena los huecos; con `sentence`, el que empieza una frase va con mayúscula."""

        def replace(match: re.Match) -> str:
            text = self.value(*match.groups())
            starts = sentence and (match.start() == 0 or template[: match.start()].endswith((". ", "¿")))
            return text[0].upper() + text[1:] if starts else text

        return SLOT.sub(replace, template)

    def value(self, name: str, index: str, field: str | None, low: str | None, high: str | None, step: str | None):
        """El valor de un hueco: el que ya tenía en este documento o, si es la primera vez, uno sorteado."""
        key = name + index
        if key not in self.values:
            if low is not None:
                number = self.rng.randrange(int(low), int(high) + 1, int(step or 1))
                self.values[key] = thousands(number)
            else:
                self.values[key] = self.pick(name)
        value = self.values[key]
        if isinstance(value, dict):
            return value[field or "termino"]
        return value

    def pick(self, name: str) -> str | dict:
        """Sortea de una lista algo que no haya salido ya en el documento."""
        if name not in self.lists:
            raise ValueError(f"La gramática usa {{{name}}} y no hay ninguna lista con ese nombre: añádela.")
        items, new = self.lists[name], False
        if isinstance(items, dict):
            half = self.generator.half(name)
            items, new = items[half], half == "prueba"
        taken = [value for key, value in self.values.items() if key.rstrip("0123456789") == name]
        item = self.rng.choice([item for item in items if item not in taken])
        if name in self.lists["terminos"]:
            term = item["termino"] if isinstance(item, dict) else item
            self.terms.append(term)
            self.new_terms += [term] if new else []
        return item if isinstance(item, dict) else self.fill(item)
