"""Escribe los datos del curso a partir de sus gramáticas: `make data`.

    data/dialogos/{train,validation,test}.jsonl       diálogo, resumen y tema
    data/instrucciones/{train,validation,test}.jsonl  varias tareas, para entrenar mini-flan-t5
    data/dominios/{train,validation,test}.jsonl       documentos legales y médicos
    data/razonamiento/{train,validation,test}.jsonl   problemas de cuentas y preguntas sobre un mundo inventado

La semilla es fija: dos ejecuciones dan los mismos archivos, byte a byte. Cada archivo se escribe entero o no se toca.
"""

import itertools
import json
from pathlib import Path

from utils.corpus.dialogues import SPLITS, DialogueGenerator, load_grammar, read_yaml
from utils.corpus.domains import DomainGenerator, ShingleIndex, load_domain_grammar
from utils.corpus.instructions import InstructionGenerator, load_instruction_grammar, load_lexicon
from utils.corpus.reasoning import reasoning_rows
from utils.course.env import repo_root
from utils.course.numerals import number

SEED = 2026
DIALOGUES = {"train": 5000, "validation": 320, "test": 400}
INSTRUCTIONS = {"train": 12000, "validation": 600, "test": 900}
#: El test se escribe primero: lo que se parezca demasiado a él no entra en las otras particiones.
DOMAINS = {"test": 400, "validation": 200, "train": 2000}


def write_jsonl(path: Path, rows: list[dict]) -> None:
    """Escribe en un archivo temporal y lo renombra: nunca queda un archivo a medias."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    temporary.replace(path)
    megabytes = number(path.stat().st_size / 1e6, 1)
    print(f"{path.relative_to(repo_root())}: {len(rows)} ejemplos, {megabytes} MB")


def main() -> None:
    data = repo_root() / "data"
    common, domains = load_grammar(data / "dialogos" / "gramatica")
    grammar = load_instruction_grammar(data / "instrucciones" / "gramatica.yaml")
    lexicon = load_lexicon(data / "textos" / "trafalgar.txt")
    for split, size in DIALOGUES.items():
        rows = list(itertools.islice(iter(DialogueGenerator(common, domains, split, SEED)), size))
        for i, row in enumerate(rows):
            if split != "test":
                del row["references"]  # una sola referencia: el propio resumen
            rows[i] = {"id": f"{split}-{i:04d}", **row}
        write_jsonl(data / "dialogos" / f"{split}.jsonl", rows)
    for split, size in INSTRUCTIONS.items():
        # otra semilla: los diálogos de las preguntas no son los que se resumen
        dialogues = DialogueGenerator(common, domains, split, SEED + 1)
        rows = list(itertools.islice(iter(InstructionGenerator(grammar, dialogues, lexicon, SEED)), size))
        write_jsonl(
            data / "instrucciones" / f"{split}.jsonl",
            [{"id": f"{split}-{i:05d}", **row} for i, row in enumerate(rows)],
        )
    common, domains = load_domain_grammar(data / "dominios" / "gramatica")
    seen = ShingleIndex()
    for split, size in DOMAINS.items():
        rows = list(itertools.islice(iter(DomainGenerator(common, domains, split, SEED, seen)), size))
        write_jsonl(
            data / "dominios" / f"{split}.jsonl", [{"id": f"{split}-{i:04d}", **row} for i, row in enumerate(rows)]
        )
    rules = read_yaml(data / "razonamiento" / "gramatica.yaml")
    for split in SPLITS:
        write_jsonl(data / "razonamiento" / f"{split}.jsonl", reasoning_rows(rules, split, SEED))


if __name__ == "__main__":
    main()
