"""Filtros por reglas: longitud, idioma, aspecto y repetición, con el motivo de cada descarte.

Una regla es un nombre y una pregunta de sí o no sobre un texto. `gopher_rules` reúne las de Rae et al. (2021, apéndice
A.1.1) adaptadas al español; `pair_problems`, las de un par instrucción-respuesta (Wang et al., 2023, sección 2.2).

Lo que NO hace: juzgar si lo que dice un texto es verdad. Un filtro de reglas solo reconoce el aspecto de lo malo.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from utils.text.normalize import normalize, words
from utils.text.repetition import duplicate_line_share, repeated_ngram_share, top_ngram_share

#: Las palabras más corrientes de cada lengua. Alguna está en varias («de», «no», «un»): deciden las demás.
FUNCTION_WORDS = {
    "es": "de la que el en y a los se del las un por con no una su para es al lo como más pero sus le ya o sí me "
    "muy está hay son fue qué te mi hoy",
    "en": "the of and to a is in that it was for with as are this be have not you from by on at an or i he we they "
    "my your what",
    "fr": "de la le et les des en un du une que est dans qui par pour au sur pas plus ne se ce avec il sont vous nous "
    "je elle très",
    "pt": "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou "
    "você muito são",
    "it": "di e il la che in a per un del è una con le della non i si da al come più ma dei gli sono anche nel mi ho "
    "questo molto",
}
#: Las que pide Gopher, traducidas: un texto español corriente tiene varias.
STOP_WORDS = "de la que el en y a los se del las un por con no una su para es al lo"


def language(text: str) -> tuple[str | None, float]:
    """La lengua con más palabras frecuentes en el texto y qué parte de las palabras son esas.

    Solo distingue es, en, fr, pt e it, y necesita una frase: con menos de un puñado de palabras se equivoca. Sin
    ninguna palabra conocida, (None, 0.0).

    >>> language("El tren que sale por la mañana está muy lleno.")[0], language("the cat is on the mat")[0]
    ('es', 'en')
    """
    found = words(text)
    counts = {name: sum(word in listed for word in found) for name, listed in _SETS.items()}
    best = max(counts, key=counts.__getitem__)
    return (best, counts[best] / len(found)) if counts[best] else (None, 0.0)


_SETS = {name: frozenset(listed.split()) for name, listed in FUNCTION_WORDS.items()}
_STOP = frozenset(STOP_WORDS.split())


@dataclass(frozen=True)
class Rule:
    """Una regla: `keeps(texto)` dice si el texto la cumple.

    >>> Rule("corto", lambda text: len(text) < 5).keeps("Hola")
    True
    """

    name: str
    keeps: Callable[[str], bool]


def in_language(wanted: str = "es", minimum: float = 0.1) -> Rule:
    """El texto parece de esa lengua y al menos esa parte de sus palabras son de las frecuentes."""
    if wanted not in FUNCTION_WORDS:
        raise ValueError(f"No hay palabras frecuentes de «{wanted}»: elige {', '.join(FUNCTION_WORDS)}.")

    def keeps(text: str) -> bool:
        found, share = language(text)
        return found == wanted and share >= minimum

    return Rule(f"idioma {wanted}", keeps)


def gopher_rules(minimum_words: int = 50, maximum_words: int = 100_000) -> list[Rule]:
    """Las reglas de calidad y de repetición de Gopher, en el orden en que se aplican.

    Los umbrales son los del artículo, pensados para páginas web: para textos cortos baja `minimum_words`.

    >>> rules = gopher_rules(minimum_words=5)
    >>> [rule.name for rule in rules if not rule.keeps("Compra ya el horno. Compra ya la mesa.")]
    ['2-grama']
    """
    if not 0 <= minimum_words <= maximum_words:
        raise ValueError(f"El mínimo de palabras ({minimum_words}) no puede pasar del máximo ({maximum_words}).")
    quality = [
        Rule("longitud", lambda t: minimum_words <= len(t.split()) <= maximum_words),
        Rule("letras por palabra", lambda t: 3 <= _mean_word_length(t) <= 10),
        Rule("símbolos", lambda t: max(t.count("#"), t.count("…") + t.count("...")) <= 0.1 * len(t.split())),
        Rule("viñetas", lambda t: _line_share(t, lambda line: line.startswith(("-", "*", "•"))) <= 0.9),
        Rule("puntos suspensivos", lambda t: _line_share(t, lambda line: line.endswith(("…", "..."))) <= 0.3),
        Rule("palabras con letras", lambda t: _alphabetic_share(t) >= 0.8),
        Rule("palabras vacías", lambda t: len(_STOP.intersection(words(t))) >= 2),
        Rule("líneas repetidas", lambda t: duplicate_line_share(t) <= 0.3),
    ]
    top = [_ngram_rule(top_ngram_share, n, limit) for n, limit in ((2, 0.20), (3, 0.18), (4, 0.16))]
    limits = ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))
    return [*quality, *top, *(_ngram_rule(repeated_ngram_share, n, limit) for n, limit in limits)]


def _ngram_rule(share: Callable[[str, int], float], n: int, limit: float) -> Rule:
    return Rule(f"{n}-grama", lambda text: share(text, n) <= limit)


def apply_rules(texts: Sequence[str], rules: Sequence[Rule]) -> tuple[list[int], dict[str, int]]:
    """Los índices de los textos que cumplen todas las reglas y cuántos ha descartado cada una.

    Cada texto se apunta a la primera regla que incumple: el orden importa para la cuenta y no para lo que queda.

    >>> apply_rules(["sí", "un texto más largo"], [Rule("longitud", lambda t: len(t.split()) > 1)])
    ([1], {'longitud': 1})
    """
    reasons = [next((rule.name for rule in rules if not rule.keeps(text)), None) for text in texts]
    counts = Counter(reason for reason in reasons if reason)
    kept = [i for i, reason in enumerate(reasons) if reason is None]
    return kept, {rule.name: counts[rule.name] for rule in rules}


def pair_problems(prompt: str, completion: str, maximum_words: int = 150) -> list[str]:
    """Qué le pasa a un par instrucción-respuesta; una lista vacía, si nada.

    Mira lo que se puede ver sin entender el texto: que falte una parte, que la respuesta sea el prompt, que sea muy
    larga, que se excuse o que se repita.

    >>> pair_problems("Di un color.", "Di un color."), pair_problems("Di un color.", "Azul.")
    (['copia el prompt'], [])
    """
    asked, answered = normalize(prompt), normalize(completion)
    checks = {
        "falta el prompt": not asked,
        "falta la respuesta": not answered,
        "copia el prompt": bool(asked) and asked == answered,
        "respuesta larga": len(answered.split()) > maximum_words,
        "se excusa": answered.startswith(("lo siento", "no puedo", "como modelo de lenguaje")),
        "se repite": len(answered.split()) >= 6 and repeated_ngram_share(answered, 2) > 0.5,
    }
    return [name for name, failed in checks.items() if failed]


def _mean_word_length(text: str) -> float:
    found = normalize(text).split()  # en NFC: una tilde suelta no es una letra más
    return sum(map(len, found)) / len(found) if found else 0.0


def _line_share(text: str, holds: Callable[[str], bool]) -> float:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return sum(map(holds, lines)) / len(lines) if lines else 0.0


def _alphabetic_share(text: str) -> float:
    found = text.split()
    return sum(any(c.isalpha() for c in word) for word in found) / len(found) if found else 0.0
