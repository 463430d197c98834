"""Pone al día las cifras y el ejemplo de las fichas de datos: `make data`.

En cada ficha, lo que hay entre `<!-- calculado: nombre -->` y `<!-- fin -->` se escribe aquí, a partir de los archivos.
El resto de la ficha es prosa y no se toca.
"""

import csv
import json
import re
from collections import Counter
from pathlib import Path
from statistics import mean

import yaml

from utils.corpus.dialogues import SPLITS
from utils.corpus.domains import ShingleIndex, load_domain_grammar
from utils.corpus.instructions import TASKS
from utils.corpus.problems import DIGITS, STEPS
from utils.corpus.traces import REQUESTS
from utils.course.env import repo_root
from utils.course.numerals import number, thousands
from utils.measure.benchmark import accuracy, longest
from utils.measure.facts import contains
from utils.measure.reasoning import accuracy_by
from utils.measure.stats import Interval, wilson

HEADER = {"train": "entrenamiento", "validation": "validación", "test": "test"}
SPLITS_OF = {"preguntas": ("validation", "test")}  # las demás tienen las tres
BLOCK = re.compile(r"(<!-- calculado: (\w+) -->\n).*?(<!-- fin -->)", re.DOTALL)


def table(header: list, rows: list[list]) -> str:
    """Una tabla de Markdown.

    >>> table(["a", "b"], [[1, 2]])
    '| a | b |\\n|---|---|\\n| 1 | 2 |'
    """
    head, *body = ("| " + " | ".join(map(str, line)) + " |" for line in [header, *rows])
    return "\n".join([head, "|---" * len(header) + "|", *body])


def example(row: dict) -> str:
    return "```json\n" + json.dumps(row, ensure_ascii=False, indent=2) + "\n```"


def dialogue_blocks(rows: dict[str, list[dict]]) -> dict[str, str]:
    """Los bloques de la ficha de `data/dialogos`."""
    sizes = []
    for split in SPLITS:
        dialogues = [row["dialogue"] for row in rows[split]]
        turns, words = mean(d.count("\n") + 1 for d in dialogues), mean(len(d.split()) for d in dialogues)
        summary = mean(len(row["summary"].split()) for row in rows[split])
        sizes.append([f"`{split}.jsonl`", len(dialogues), number(turns, 1), number(words, 1), number(summary, 1)])
    counts = {split: Counter(row["domain"] for row in rows[split]) for split in SPLITS}
    domains = sorted(counts["train"], key=lambda name: name.translate(str.maketrans("áéíóú", "aeiou")))
    topics = {row["topic"] for split in SPLITS for row in rows[split]}
    references = [(text, row["facts"]["b"]) for row in rows["test"] for text in row["references"]]
    silent = 100 * mean(not contains(text, name) for text, name in references)
    shortest = min(rows["test"], key=lambda row: len(row["dialogue"]))
    return {
        "tamaños": table(
            ["Archivo", "Diálogos", "Turnos de media", "Palabras por diálogo", "Palabras por resumen"], sizes
        ),
        "dominios": table(["Dominio", *HEADER.values()], [[d, *(counts[s][d] for s in SPLITS)] for d in domains])
        + f"\n\nLos {len(domains)} dominios reúnen {len(topics)} temas.",
        "ejemplo": example(shortest),
        "silencio": "La excepción es `b`: "
        f"al {number(silent, 1)} % de los resúmenes de test les basta con nombrar a quien pide.",
    }


def instruction_blocks(rows: dict[str, list[dict]]) -> dict[str, str]:
    """Los bloques de la ficha de `data/instrucciones`."""
    counts = {split: Counter(row["task"] for row in rows[split]) for split in SPLITS}
    lines = [[task, *(counts[s][task] for s in SPLITS)] for task in TASKS]
    lines.append(["total", *(thousands(len(rows[s])) for s in SPLITS)])
    entity = next(row for row in rows["test"] if row["task"] == "entidades")
    return {"tamaños": table(["Tarea", *HEADER.values()], lines), "ejemplo": example(entity)}


def domain_blocks(rows: dict[str, list[dict]]) -> dict[str, str]:
    """Los bloques de la ficha de `data/dominios`."""
    _, domains = load_domain_grammar(repo_root() / "data" / "dominios" / "gramatica")
    sizes, kinds, parts = [], [], []
    for split in SPLITS:
        counts = Counter(row["domain"] for row in rows[split])
        length = mean(len(row["text"].split()) for row in rows[split])
        sizes.append([f"`{split}.jsonl`", *(counts[d["dominio"]] for d in domains), number(length, 1)])
    for domain in domains:
        counts = {split: Counter(row["kind"] for row in rows[split]) for split in SPLITS}
        kinds += [[domain["dominio"], kind, *(counts[s][kind] for s in SPLITS)] for kind in domain["documentos"]]
        paragraphs = [paragraph for kind in domain["documentos"].values() for paragraph in kind]
        choices = [paragraph for paragraph in paragraphs if "lista" not in paragraph]
        for what, lists in (
            ("redacciones", choices),
            ("términos", [domain[name] for name in domain["terminos"]]),
        ):
            parts.append(
                [domain["dominio"], what, *(sum(len(x[h]) for x in lists) for h in ("entrenamiento", "prueba"))]
            )
    index = ShingleIndex()
    for row in rows["train"] + rows["validation"]:
        index.add(row["text"])
    closest = max(index.nearest(row["text"]) for row in rows["test"])
    new = 100 * mean(bool(row["new_terms"]) for row in rows["test"])
    return {
        "tamaños": table(["Archivo", *(d["dominio"] for d in domains), "Palabras por documento"], sizes),
        "tipos": table(["Dominio", "Tipo de documento", *HEADER.values()], kinds),
        "partes": table(["Dominio", "Qué", "Se ven al entrenar", "Solo en test"], parts),
        "novedad": f"El {number(new, 1)} % de los documentos de test lleva algún término que no se ve al entrenar.\n"
        "Entre un documento de test y el de otra partición que más se le parece, los trozos de cinco palabras en común "
        f"son, como mucho, el {number(100 * closest, 1)} % de los que reúnen entre los dos.",
        "ejemplo": example(min(rows["test"], key=lambda row: len(row["text"]))),
    }


def question_blocks(rows: dict[str, list[dict]]) -> dict[str, str]:
    """Los bloques de la ficha de `data/preguntas`."""
    counts = {split: Counter((row["level"], row["area"]) for row in found) for split, found in rows.items()}
    lines = [[*key, *(counts[s][key] for s in rows)] for key in counts["test"]]
    lines.append(["total", "", *(len(found) for found in rows.values())])
    written = yaml.safe_load((repo_root() / "data" / "preguntas" / "escritas.yaml").read_text("utf-8"))
    test, biases = rows["test"], []
    for level in dict.fromkeys(row["level"] for row in test):
        found = [row for row in test if row["level"] == level]
        answers, options = [row["answer"] for row in found], [row["options"] for row in found]
        biases.append([f"la más larga, en `{level}`", percent(accuracy(longest(options), answers))])
    first = percent(accuracy([0] * len(test), [row["answer"] for row in test]))
    return {
        "tamaños": table(["Nivel", "Área", *(HEADER[split] for split in rows)], lines),
        "fuentes": "\n".join(f"- `{area}`: {part['fuente']}" for area, part in written.items()),
        "sesgos": table(["Elegir siempre…", "Aciertos"], [["la primera", first], *biases])
        + "\n\nEntre corchetes, el intervalo de Wilson del 95 %; al azar se acierta el 25 %.",
        "ejemplo": example(test[0]),
        "respuestas": answer_table(test),
    }


def reasoning_blocks(rows: dict[str, list[dict]]) -> dict[str, str]:
    """Los bloques de la ficha de `data/razonamiento`."""
    sizes = [[f"`{s}.jsonl`", *(sum(r["kind"] == k for r in rows[s]) for k in ("cuentas", "mundo"))] for s in SPLITS]
    levels = {split: Counter((row["digits"], row["steps"]) for row in rows[split]) for split in SPLITS}
    lines = [
        [d, *(" / ".join(str(levels[s][d, n]) for s in SPLITS) for n in STEPS)] for d in DIGITS
    ]  # fmt: skip
    news = Counter((row["kind"], row["novelty"]) for row in rows["test"])
    return {
        "tamaños": table(["Archivo", "cuentas", "mundo"], sizes),
        "niveles": table(["Cifras", *(f"{n} pasos" if n > 1 else "1 paso" for n in STEPS)], lines)
        + "\n\nEn cada celda: entrenamiento / validación / test.",
        "novedades": table(["Clase", "Novedad", "test"], [[*key, n] for key, n in sorted(news.items())]),
        "ejemplo": example(next(row for row in rows["test"] if row["steps"] == 2)),
        "aciertos": reasoning_table(rows["test"]),
    }


def reasoning_table(test: list[dict]) -> str:
    """Los aciertos de mini-razona guardados en `respuestas.csv`, por formato, cifras y pasos."""
    asked = {row["id"]: row for row in test}
    with (repo_root() / "data" / "razonamiento" / "respuestas.csv").open(encoding="utf-8", newline="") as file:
        answers = list(csv.DictReader(file))
    sums = [row for row in answers if asked[row["id"]]["kind"] == "cuentas"]
    shares = accuracy_by(
        [{"level": (row["format"], asked[row["id"]]["digits"], asked[row["id"]]["steps"])} for row in sums],
        [row["right"] == "1" for row in sums],
        lambda row: row["level"],
    )
    lines = [[form, d, *(percent(shares[form, d, n]) for n in STEPS)] for form in REQUESTS for d in DIGITS]
    world = [row for row in answers if asked[row["id"]]["kind"] == "mundo"]
    hits = percent(wilson(sum(row["right"] == "1" for row in world), len(world)))
    tools = [row for row in answers if row["format"] == "react"]
    valid = percent(wilson(sum(int(row["valid"]) for row in tools), sum(int(row["actions"]) for row in tools)))
    return (
        table(["Formato", "Cifras", *(f"{n} pasos" if n > 1 else "1 paso" for n in STEPS)], lines)
        + f"\n\nDe las preguntas sobre Puertolume acierta el {hits}, y de las acciones que escribe vale el {valid}.\n"
        "Entre corchetes, el intervalo de Wilson del 95 %."
    )


def answer_table(test: list[dict]) -> str:
    """Los aciertos guardados en `respuestas.csv`, por nivel, formato y modelo."""
    levels = {row["id"]: row["level"] for row in test}
    with (repo_root() / "data" / "preguntas" / "respuestas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = []
    for key in dict.fromkeys((row["model"], row["format"], levels[row["id"]]) for row in rows):
        found = [row for row in rows if (row["model"], row["format"], levels[row["id"]]) == key]
        gold = [row["answer"] for row in found]
        scores = [percent(accuracy([row[name] for row in found], gold)) for name in ("acc", "acc_norm")]
        lines.append([f"`{key[0]}`", *key[1:], len(found), *scores])
    return table(["Papel", "Formato", "Nivel", "Preguntas", "acc", "acc_norm"], lines)


def percent(interval: Interval) -> str:
    estimate, low, high = (round(100 * x) for x in (interval.estimate, interval.low, interval.high))
    return f"{estimate} % [{low}; {high}]"


def updated(card: str, blocks: dict[str, str]) -> str:
    """La ficha con sus bloques al día. `KeyError` si la ficha pide un bloque que no se calcula."""
    return BLOCK.sub(lambda m: f"{m[1]}{blocks[m[2]]}\n{m[3]}", card)


def cards() -> dict[Path, str]:
    """Cada ficha y el texto que debe tener."""
    texts = {}
    for name, blocks in (
        ("dialogos", dialogue_blocks), ("instrucciones", instruction_blocks), ("dominios", domain_blocks),
        ("preguntas", question_blocks), ("razonamiento", reasoning_blocks),
    ):  # fmt: skip
        folder = repo_root() / "data" / name
        rows = {
            split: [json.loads(line) for line in (folder / f"{split}.jsonl").read_text("utf-8").splitlines()]
            for split in SPLITS_OF.get(name, SPLITS)
        }
        texts[folder / "README.md"] = updated((folder / "README.md").read_text("utf-8"), blocks(rows))
    return texts


if __name__ == "__main__":
    for path, text in cards().items():
        path.write_text(text, "utf-8")
