"""BLEU desde cero, de una frase y de un corpus, con su firma y con una tokenización segura para el español.

BLEU es la media geométrica de las precisiones de los n-gramas, de 1 a 4 y con recorte, por una penalización a
los textos cortos. Fuente: Papineni et al. (2002), «BLEU: a Method for Automatic Evaluation of Machine
Translation», sección 2; los suavizados, de Chen y Cherry (2014); la tokenización y la firma, de sacreBLEU
(Post, 2018), cuyos números da con las mismas opciones. No trae la tokenización de otras lenguas ni los conjuntos
de prueba de sacreBLEU. Lo que BLEU no ve: el significado, y los sinónimos que no están en ninguna referencia.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from utils.course.numerals import number

VERSION = "1.0"  # cambia si cambia algún número: forma parte de la firma
SMOOTHING = {"none": None, "exp": None, "floor": 0.1, "add-k": 1.0}  # con su valor por omisión


@dataclass(frozen=True)
class BleuScore:
    """Una puntuación de 0 a 100, los recuentos de los que sale y la firma que permite repetirla.

    `precisions`, en tanto por ciento y con el suavizado puesto; `matches` y `totals`, los n-gramas acertados y los
    del candidato, sin suavizar; las longitudes, en tokens.
    """

    score: float
    precisions: tuple[float, ...]
    brevity_penalty: float
    matches: tuple[int, ...]
    totals: tuple[int, ...]
    candidate_length: int
    reference_length: int
    signature: str

    def __str__(self) -> str:
        return f"{number(self.score, 2)} ({self.signature})"


def sentence_bleu(
    candidate: str, reference: str | Sequence[str], *, effective_order: bool = True, **options
) -> BleuScore:
    """BLEU de una frase frente a una referencia o a varias.

    Con `effective_order` los órdenes que no caben en la frase (una de 3 tokens no tiene 4-gramas) no cuentan; sin
    él, la dejarían en 0. `options` son las de `corpus_bleu`, y sus errores también.

    >>> print(sentence_bleu("I am drinking a cup of tea.", "I am drinking a warm cup of tea."))
    61,02 (nrefs:1|case:mixed|eff:yes|tok:13a|smooth:exp|version:utils-1.0)
    """
    if not isinstance(candidate, str):
        raise ValueError("sentence_bleu espera un texto: para una lista de textos usa corpus_bleu.")
    return corpus_bleu([candidate], [reference], effective_order=effective_order, **options)


def corpus_bleu(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    tokenizer: str = "13a",
    smoothing: str = "exp",
    smoothing_value: float | None = None,
    effective_order: bool = False,
    max_order: int = 4,
) -> BleuScore:
    """BLEU de un corpus: se suman los recuentos de todas las frases y se divide una sola vez.

    Por eso no es la media de las frases. `references[i]` es la referencia del candidato i, o la lista de las suyas.
    `tokenizer`: 13a, es o none. `smoothing`, lo que vale un orden sin aciertos: none (0, y BLEU es 0), exp (la mitad
    de un acierto, un cuarto, un octavo...), floor (`smoothing_value`, 0.1) o add-k (suma `smoothing_value`, 1, a
    aciertos y totales desde los bigramas). ValueError si las listas no van por parejas o la opción no existe.

    >>> round(corpus_bleu(["el gato come pescado hoy", "no"], ["el gato come pescado", "no"]).score, 2)
    67.56
    """
    _check(candidates, references, tokenizer, smoothing, smoothing_value, max_order)
    matches, totals, lengths = [0] * max_order, [0] * max_order, [0, 0]
    several = [[reference] if isinstance(reference, str) else list(reference) for reference in references]
    for candidate, targets in zip(candidates, several, strict=True):
        tokens = tokenize(candidate, tokenizer)
        targets = [tokenize(text, tokenizer) for text in targets]
        lengths[0] += len(tokens)
        lengths[1] += _closest_length(len(tokens), [len(target) for target in targets])
        for n in range(1, max_order + 1):
            matches[n - 1] += clipped_matches(tokens, targets, n)
            totals[n - 1] += max(0, len(tokens) - n + 1)
    value = SMOOTHING[smoothing] if smoothing_value is None else smoothing_value
    counts = {len(targets) for targets in several}
    signature = "|".join([
        f"nrefs:{counts.pop() if len(counts) == 1 else 'var'}",
        "case:mixed",
        f"eff:{'yes' if effective_order else 'no'}",
        f"tok:{tokenizer}",
        f"smooth:{smoothing}" + ("" if SMOOTHING[smoothing] is None else f"[{value:.2f}]"),
        *([] if max_order == 4 else [f"order:{max_order}"]),
        f"version:utils-{VERSION}",
    ])  # fmt: skip
    penalty = brevity_penalty(*lengths)
    precisions = _precisions(matches, totals, smoothing, value)  # de los órdenes que caben
    padded = precisions + [0.0] * (max_order - len(precisions))
    score = penalty * _geometric_mean(precisions if effective_order else padded) if any(matches) else 0.0
    return BleuScore(score, tuple(padded), penalty, tuple(matches), tuple(totals), *lengths, signature)


def clipped_matches(candidate: Sequence[str], references: Sequence[Sequence[str]], n: int) -> int:
    """N-gramas del candidato que están en alguna referencia, cada uno como mucho las veces de la que más lo repite.

    >>> clipped_matches("cold cold cold cold".split(), ["it is cold outside".split()], n=1)
    1
    """
    allowed: Counter = Counter()
    for reference in references:
        allowed |= _ngrams(reference, n)  # el máximo de cada recuento
    return sum(min(times, allowed[ngram]) for ngram, times in _ngrams(candidate, n).items())


def brevity_penalty(candidate_length: int, reference_length: int) -> float:
    """exp(1 - r/c) si el candidato (c tokens) es más corto que la referencia (r); si no, 1.

    La precisión premia callarse: «el» acierta el 100 % de sus palabras. Esto lo compensa.

    >>> round(brevity_penalty(8, 10), 4)
    0.7788
    """
    if candidate_length >= reference_length:
        return 1.0
    return math.exp(1 - reference_length / candidate_length) if candidate_length else 0.0


# --- Tokenizar --------------------------------------------------------------------------------------

_13A = [  # las reglas de mteval-v13a, en orden
    (re.compile(r"([{-~\[-` -&(-+:-@/])"), r" \1 "),
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),  # punto y coma, salvo tras una cifra
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),  # o delante de una
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
]
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
# Un número con sus separadores, una palabra (con las tildes que NFC no compone) o un signo suelto.
_ES = re.compile(r"\d+(?:[.,:]\d+)+|\w[\w\u0300-\u036f]*|[^\w\s]")


def tokenize_13a(text: str) -> list[str]:
    """La tokenización de WMT, la que sacreBLEU usa por omisión: separa los signos ASCII, y solo esos.

    >>> tokenize_13a("¿Vienes, Ana?"), tokenize_13a("«Sí», 3.5%.")
    (['¿Vienes', ',', 'Ana', '?'], ['«Sí»', ',', '3.5', '%', '.'])
    """
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    text = f" {text} "
    for pattern, replacement in _13A:
        text = pattern.sub(replacement, text)
    return text.split()


def tokenize_es(text: str) -> list[str]:
    """Para el español: «¿», «¡», las comillas latinas y la raya son tokens, y una tilde suelta se une a su letra.

    >>> tokenize_es("¿Vienes, Ana?"), tokenize_es("«Sí», 3,5 %.")
    (['¿', 'Vienes', ',', 'Ana', '?'], ['«', 'Sí', '»', ',', '3,5', '%', '.'])
    """
    # el guion bajo es \w, y aquí es un signo
    return _ES.findall(unicodedata.normalize("NFC", text).replace("_", " _ "))


TOKENIZERS: dict[str, Callable[[str], list[str]]] = {"13a": tokenize_13a, "es": tokenize_es, "none": str.split}


def tokenize(text: str, tokenizer: str = "13a") -> list[str]:
    """Parte un texto con una de las tokenizaciones de `TOKENIZERS`. ValueError si no es texto.

    >>> tokenize("Hola, niño.", "none")
    ['Hola,', 'niño.']
    """
    if not isinstance(text, str):
        raise ValueError(f"Se esperaba un texto (str) y llegó {type(text).__name__}: convierte antes el dato.")
    return TOKENIZERS[tokenizer](text)


# --- Piezas -----------------------------------------------------------------------------------------


def _ngrams(tokens: Sequence[str], n: int) -> Counter:
    return Counter(zip(*(tokens[i:] for i in range(n)), strict=False))


def _closest_length(length: int, references: Sequence[int]) -> int:
    """La longitud de referencia más cercana a la del candidato; a igual distancia, la menor."""
    return min(references, key=lambda r: (abs(r - length), r))


def _precisions(matches: list[int], totals: list[int], smoothing: str, value: float | None) -> list[float]:
    precisions, halving = [], 1.0
    for n, (hits, total) in enumerate(zip(matches, totals, strict=True), start=1):
        if smoothing == "add-k" and n > 1:
            hits, total = hits + value, total + value
        if total == 0:
            break  # en ninguna frase cabe un n-grama de este orden
        if hits == 0 and smoothing == "exp":
            halving /= 2
            hits = halving
        elif hits == 0 and smoothing == "floor":
            hits = value
        precisions.append(100 * hits / total)
    return precisions


def _geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if all(values) else 0.0


def _check(candidates, references, tokenizer, smoothing, smoothing_value, max_order) -> None:
    if isinstance(candidates, str) or isinstance(references, str):
        raise ValueError("corpus_bleu espera listas de textos: para una frase usa sentence_bleu.")
    if len(candidates) != len(references):
        raise ValueError(f"Hay {len(candidates)} candidatos y {len(references)} referencias: deben ir por parejas.")
    if not len(candidates):
        raise ValueError("No hay ninguna frase que puntuar: la lista de candidatos está vacía.")
    if any(not isinstance(reference, str) and not len(reference) for reference in references):
        raise ValueError("Hay una frase sin referencias: pasa al menos un texto con el que comparar.")
    if tokenizer not in TOKENIZERS:
        raise ValueError(f"No conozco la tokenización {tokenizer!r}: usa {', '.join(TOKENIZERS)}.")
    if smoothing not in SMOOTHING:
        raise ValueError(f"No conozco el suavizado {smoothing!r}: usa {', '.join(SMOOTHING)}.")
    if smoothing_value is not None and (SMOOTHING[smoothing] is None or smoothing_value < 0):
        raise ValueError("smoothing_value solo vale con floor y add-k, y no puede ser negativo.")
    if max_order < 1:
        raise ValueError(f"max_order es {max_order}: BLEU necesita al menos los unigramas (1).")
