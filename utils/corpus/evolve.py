"""Evol-Instruct sin modelo: de una instrucción con su respuesta a otra más difícil, correcta por construcción.

En el original (Xu et al., 2024) un modelo grande reescribe la instrucción y otra llamada la contesta. Aquí cada
evolución es una transformación fija que cambia a la vez las dos partes: añadir una restricción, pedir un formato, pedir
más pasos, citar la prueba (la idea de Orca: enseñar el porqué; Mukherjee et al., 2023) o juntar dos encargos.

Lo que NO hace: inventar temas nuevos. La variedad sale de la gramática de `utils.corpus.instructions`.
"""

import json
import random
from collections.abc import Callable, Sequence

Example = dict[str, str]


def uppercase(example: Example) -> Example:
    """Restricción: la respuesta, en mayúsculas.

    >>> uppercase({"prompt": "Copia: sol", "completion": "sol"})["completion"]
    'SOL'
    """
    return _changed(example, f"Responde en mayúsculas. {example['prompt']}", example["completion"].upper())


def as_json(example: Example) -> Example:
    """Formato: la respuesta, dentro de un JSON.

    >>> as_json({"prompt": "Copia: sol", "completion": "sol"})["completion"]
    '{"respuesta": "sol"}'
    """
    answer = json.dumps({"respuesta": example["completion"]}, ensure_ascii=False)
    return _changed(example, f"Responde en JSON. {example['prompt']}", answer)


def with_count(example: Example) -> Example:
    """Un paso más: contestar y contar las palabras de la respuesta.

    >>> with_count({"prompt": "Copia: sol y mar", "completion": "sol y mar"})["completion"]
    'sol y mar (palabras: 3)'
    """
    count = len(example["completion"].split())
    prompt = f"Contesta y di cuántas palabras usas. {example['prompt']}"
    return _changed(example, prompt, f"{example['completion']} (palabras: {count})")


def with_evidence(example: Example) -> Example:
    """El porqué: citar la línea del texto de la que sale la respuesta. ValueError si no está en ninguna.

    >>> with_evidence({"prompt": "¿Quién llama?\\nLlama Ana.", "completion": "Ana"})["completion"]
    'El texto dice: «Llama Ana.» Respuesta: Ana'
    """
    lines = [line for line in example["prompt"].split("\n")[1:] if example["completion"] in line]
    if not lines:
        raise ValueError("La respuesta no está en el texto: esta evolución pide un ejemplo que se conteste copiando.")
    answer = f"El texto dice: «{lines[0]}» Respuesta: {example['completion']}"
    return _changed(example, f"Cita la prueba y contesta. {example['prompt']}", answer)


def combine(first: Example, second: Example) -> Example:
    """Dos encargos en uno, que se contestan por orden.

    >>> combine({"prompt": "A", "completion": "a"}, {"prompt": "B", "completion": "b"})["completion"]
    '1) a 2) b'
    """
    prompt = f"Haz dos cosas.\n1) {first['prompt']}\n2) {second['prompt']}"
    return _changed(first, prompt, f"1) {first['completion']} 2) {second['completion']}")


#: Las que valen para cualquier ejemplo; `with_evidence` y `combine` piden algo más.
EVOLUTIONS: dict[str, Callable[[Example], Example]] = {
    "mayúsculas": uppercase,
    "json": as_json,
    "contar": with_count,
}


def evolve(examples: Sequence[Example], seed: int = 0) -> list[Example]:
    """Una evolución al azar de cada ejemplo, con su nombre en el campo `evolution`.

    >>> [e["evolution"] for e in evolve([{"prompt": "Copia: sol", "completion": "sol"}] * 3, seed=1)]
    ['contar', 'mayúsculas', 'contar']
    """
    rng = random.Random(f"{seed}-evoluciones")
    chosen = [rng.choice(list(EVOLUTIONS)) for _ in examples]
    return [EVOLUTIONS[name](example) | {"evolution": name} for name, example in zip(chosen, examples, strict=True)]


def _changed(example: Example, prompt: str, completion: str) -> Example:
    return example | {"prompt": prompt, "completion": completion}
