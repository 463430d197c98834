"""Cuánto se repite un texto a sí mismo: líneas duplicadas y secuencias de palabras que vuelven.

Son las medidas de Gopher (Rae et al., 2021, apéndice A.1.1), como fracción de los caracteres del texto. Los n-gramas
cortos (2 a 4) se miden por el que más ocupa; los largos (5 a 10), por todos los que se repiten.

Lo que NO hace: decidir qué fracción es demasiada, que es cosa de `utils.text.filters`.
"""

from collections import Counter

from utils.text.normalize import normalize


def duplicate_line_share(text: str) -> float:
    """Fracción de las líneas no vacías que ya han salido antes en el mismo texto.

    >>> duplicate_line_share("Inicio\\nHola.\\nInicio\\nInicio")
    0.5
    """
    lines = [normalize(line) for line in text.split("\n") if line.strip()]
    return 1 - len(set(lines)) / len(lines) if lines else 0.0


def top_ngram_share(text: str, n: int) -> float:
    """Fracción de los caracteres (sin espacios) que ocupan las apariciones del n-grama de palabras que más ocupa.

    Solo cuentan los que salen más de una vez; dos apariciones que se pisan cuentan sus letras una vez.

    >>> top_ngram_share("compra ya compra ya compra ya", 2)
    1.0
    """
    tokens = _tokens(text, n)
    counts = Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
    repeated = {gram: count * sum(map(len, gram)) for gram, count in counts.items() if count > 1}
    if not repeated:
        return 0.0
    top = max(repeated, key=repeated.__getitem__)
    return _covered_share(tokens, n, {top})


def repeated_ngram_share(text: str, n: int) -> float:
    """Fracción de los caracteres (sin espacios) que están dentro de algún n-grama de palabras repetido.

    >>> repeated_ngram_share("uno dos tres uno dos cuatro", 2)  # «uno dos» dos veces: 12 letras de 22
    0.5454545454545454
    """
    tokens = _tokens(text, n)
    counts = Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
    return _covered_share(tokens, n, {gram for gram, count in counts.items() if count > 1})


def _tokens(text: str, n: int) -> list[str]:
    if n < 1:
        raise ValueError(f"n es {n}: un n-grama tiene al menos una palabra.")
    return normalize(text).split()


def _covered_share(tokens: list[str], n: int, grams: set[tuple[str, ...]]) -> float:
    covered = [False] * len(tokens)
    for i in range(len(tokens) - n + 1):
        if tuple(tokens[i : i + n]) in grams:
            covered[i : i + n] = [True] * n
    total = sum(map(len, tokens))
    return sum(len(t) for t, inside in zip(tokens, covered, strict=True) if inside) / total if total else 0.0
