"""Cuántos hechos de un diálogo llegan a su resumen.

ROUGE mide palabras en común y puede ser alta con el nombre o la hora equivocados. Nuestro corpus guarda los hechos
de cada diálogo con sus palabras, así que se puede preguntar por ellos uno a uno. No entiende paráfrasis: si el
resumen dice «a mediodía» en lugar de «a las doce», ese hecho cuenta como perdido.
"""

from collections.abc import Collection, Mapping

from utils.text.normalize import words


def contains(text: str, fact: str) -> bool:
    """¿Están las palabras de `fact`, seguidas, en `text`? Sin mirar mayúsculas ni signos. Error si no tiene palabras.

    >>> contains("Ana llama: su horno no enciende.", "su horno"), contains("Ana llama.", "Ana María")
    (True, False)
    """
    text_words, fact_words = words(text), words(fact)
    if not fact_words:
        raise ValueError(f"El hecho {fact!r} no tiene ninguna palabra que buscar: quítalo o escríbelo con letras.")
    starts = range(len(text_words) - len(fact_words) + 1)
    return any(text_words[i : i + len(fact_words)] == fact_words for i in starts)


def fact_recall(summary: str, facts: Mapping[str, str]) -> float:
    """Fracción de `facts` que aparece en `summary`, entre 0 y 1. Error si no hay hechos o uno no tiene palabras.

    >>> fact_recall("Ana y Luis quedan el lunes.", {"a": "Ana", "dia": "el lunes", "hora": "las dos"})
    0.6666666666666666
    """
    if not facts:
        raise ValueError("No hay hechos que buscar: este diálogo no los trae anotados.")
    return sum(contains(summary, fact) for fact in facts.values()) / len(facts)


def broken_words(text: str, known: Collection[str]) -> float:
    """Fracción de las palabras de `text` que no está en `known`, en minúsculas; 0 si no tiene palabras.

    Con las palabras del diálogo y las del entrenamiento en `known`, cuenta las que el modelo ha roto al copiarlas.

    >>> broken_words("Niehí llama a Ana", {"nieves", "ana", "llama", "a"})
    0.25
    """
    text_words = words(text)
    return sum(word not in known for word in text_words) / max(len(text_words), 1)
