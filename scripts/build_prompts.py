"""Escribe `data/prompts/extraction.jsonl` a partir de `extraction_templates.json`: `make data`.

La semilla está en el propio JSON: dos ejecuciones dan el mismo archivo, byte a byte. `sentiment.jsonl` no se genera:
está escrito a mano.
"""

import json
import random

from utils.course.env import repo_root

FOLDER = repo_root() / "data" / "prompts"


def build(grammar: dict) -> list[dict]:
    """Sortea mensajes distintos: las plantillas por turno, y nombre, día y hora al azar.

    Los nombres de `test` no aparecen en `train`: ningún ejemplo del prompt puede regalar un nombre de prueba.
    """
    rng = random.Random(grammar["seed"])
    rows, seen = [], set()
    for split, options in grammar["splits"].items():
        number = 0
        while number < options["size"]:
            fields = {
                "name": rng.choice(options["names"]),
                "day": rng.choice(grammar["days"]),
                "hour": rng.choice(grammar["hours"]),
            }
            message = grammar["messages"][number % len(grammar["messages"])].format(**fields)
            if message not in seen:
                seen.add(message)
                rows.append({"id": f"{split}-{number:03d}", "split": split, "message": message, **fields})
                number += 1
    return rows


if __name__ == "__main__":
    grammar = json.loads((FOLDER / "extraction_templates.json").read_text("utf-8"))
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in build(grammar)]
    (FOLDER / "extraction.jsonl").write_text("".join(lines), "utf-8")
    print(f"extraction.jsonl: {len(lines)} mensajes")
