"""Mide los aciertos de mini-razona por formato, cifras y pasos, y las acciones válidas de ReAct.

Uso: `python benchmarks/bench_reasoning.py [archivo.csv]`. Resuelve los problemas de test de `data/razonamiento` en los
cuatro formatos y las preguntas sobre Puertolume, con decodificación voraz y un hilo: unos minutos. Imprime las tablas
con intervalos de Wilson del 95 % y, si se le da un archivo, guarda un renglón por problema y formato.
"""

import csv
import sys

import torch

from utils.corpus.dialogues import read_yaml
from utils.corpus.problems import DIGITS, STEPS, trained
from utils.corpus.traces import REQUESTS
from utils.corpus.world import TOWN_SEED, World
from utils.course.env import repo_root
from utils.course.hub import load_data, load_model, load_tokenizer
from utils.measure.reasoning import accuracy_by, correct, solve, valid_actions
from utils.measure.stats import wilson


def show(title: str, shares: dict) -> None:
    print(f"\n{title}")
    for name, share in shares.items():
        print(f"  {name}: {share:.2f}")


def main(path: str | None = None) -> None:
    torch.set_num_threads(1)
    world = World(read_yaml(repo_root() / "data" / "razonamiento" / "gramatica.yaml"), TOWN_SEED)
    model, tokenizer = load_model("reasoning"), load_tokenizer("reasoning")
    test = load_data("problems")["test"]
    sums, asked = ([row for row in test if row["kind"] == kind] for kind in ("cuentas", "mundo"))
    stored = []
    for form in REQUESTS:
        solutions = solve(model, tokenizer, [row["question"] for row in sums], form, world)
        right = correct(sums, solutions)
        table = accuracy_by(sums, right)
        print(f"\n{form}: filas, cifras; columnas, pasos (con *, niveles que no se entrenan)")
        for d in DIGITS:
            print("  ", "  ".join(f"{table[d, s]:.2f}{' ' if trained(d, s) else '*'}" for s in STEPS))
        show(f"{form}, por novedad", accuracy_by(sums, right, lambda row: row["novelty"]))
        if form == "react":
            print(f"  acciones válidas: {valid_actions(solutions):.3f}")
        pairs = zip(sums, solutions, right, strict=True)
        stored += [(row["id"], form, s.answer, s.valid, s.actions, int(hit)) for row, s, hit in pairs]
    solutions = solve(model, tokenizer, [row["question"] for row in asked], "react", world)
    right = correct(asked, solutions)
    show("preguntas sobre Puertolume, por tipo", accuracy_by(asked, right, lambda row: row["template"]))
    show("por redacción", accuracy_by(asked, right, lambda row: row["novelty"]))
    print(f"  todas: {wilson(sum(right), len(right)):.2f}")
    print(f"  acciones válidas: {valid_actions(solutions):.3f}")
    pairs = zip(asked, solutions, right, strict=True)
    stored += [(row["id"], "react", s.answer, s.valid, s.actions, int(hit)) for row, s, hit in pairs]
    if path:
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([("id", "format", "answer", "valid", "actions", "right"), *stored])


if __name__ == "__main__":
    main(*sys.argv[1:2])
