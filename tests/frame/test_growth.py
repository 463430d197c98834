"""Cuatro veces más ejemplos no cuestan más de ocho veces más: lo que va elemento a elemento fuera de `utils.text`.

Cada caso dice con qué n se mide y cómo se prepara el trabajo; los de `utils.text`, en tests/text/test_text_growth.py.

Lo que NO se mide, porque su coste no es por elemento:

- la atención y sus máscaras (`causal_mask`, `document_mask`, `permutation_mask`): una casilla por pareja de
  tokens; y con ella todo lo que pasa un texto por un modelo (`generate`, `beam_search`, `score_texts`...);
- `rouge.lcs_length` y `rougeL` cuando crecen los dos textos: es |a| · |b| / 64 operaciones. Con una referencia fija sí;
- `KVCache.append`: copia las claves al alargarlas, y lo dice; atender a ellas ya cuesta lo mismo;
- `PromptLookup.probs` con `last` grande, que busca en todo el texto por cada posición pedida: se mide con una;
- `bradley_terry`, que repite hasta converger, y `elo._check_connected`, cúbico en jugadores, que son unos pocos;
- los remuestreos (`bootstrap`), n muestras por remuestra, y las cuentas de una sola fórmula (memoria, FLOPs, leyes).
"""

import random
from collections.abc import Callable

import numpy as np
import pytest

from tests.growth import LIMIT, Job, growth, ids, over, prose, sentences, word
from utils.measure import adversarial, bleu, elo, facts, forgetting, perplexity, rouge
from utils.measure.ngram import NgramTable
from utils.model import batching, drafts, word2vec
from utils.studies import classic, task_runs
from utils.train import cloze, completions, loop, mixture, objectives, packing

MASKED = objectives.MaskedLM(0, 3, 50, frozenset(range(4)))
SPANS = objectives.SpanCorruption(0, 1, tuple(range(100, 150)))
CLOZE = cloze.Cloze(0, 1, 3, tuple(range(100, 150)), 4)
CLASSIC = classic.ClassicPadding(0, 40, 40, True, True)


def rows(n: int) -> list[dict]:
    """n ejemplos de tres a cuarenta tokens, con su máscara y sus etiquetas."""
    rng = random.Random(4)
    found = [ids(rng.randint(3, 40)) for _ in range(n)]
    return [{"input_ids": row, "labels": row, "assistant_masks": [0, *[1] * (len(row) - 1)]} for row in found]


def documents(n: int) -> list[list[int]]:
    return [row["input_ids"] for row in rows(n)]


def batch(objective: Callable, examples: list[dict]) -> Job:
    return lambda: objective(examples, np.random.default_rng(0))


def scores(n: int) -> list[perplexity.TextScore]:
    return [perplexity.TextScore(float(i % 7 + 1), 5) for i in range(n)]


def tokens(n: int) -> list[list[str]]:
    return [text.split() for text in sentences(n)]


def numbers(n: int) -> str:
    return " ".join(map(str, range(n)))


def hits(n: int) -> dict[str, np.ndarray]:
    return {"copia": np.arange(n) % 2}


#: Nombre -> (n, cómo preparar el trabajo).
CASES: dict[str, tuple[int, Callable[[int], Job]]] = {
    "rouge1 y rouge2": (2000, lambda n: over(rouge.rouge, prose(n), prose(n)[::-1], ["rouge1", "rouge2"])),
    "rougeL, candidato largo": (5000, lambda n: over(rouge.rouge, numbers(n), prose(30), ["rougeL"])),
    "rougeL, referencia larga": (5000, lambda n: over(rouge.rouge, prose(30), numbers(n), ["rougeL"])),
    "lcs_length": (5000, lambda n: over(rouge.lcs_length, [str(i) for i in range(n)], ["7"] * 30)),
    "rouge_corpus": (100, lambda n: over(rouge.rouge_corpus, sentences(n), sentences(n)[::-1])),
    "corpus_bleu": (100, lambda n: over(bleu.corpus_bleu, sentences(n), sentences(n)[::-1])),
    "corpus_bleu, textos largos": (500, lambda n: over(bleu.corpus_bleu, [prose(n)], [prose(n)[::-1]])),
    "clipped_matches": (2000, lambda n: over(bleu.clipped_matches, prose(n).split(), [prose(n).split()[::-1]], 2)),
    "tokenize_13a": (1000, lambda n: over(bleu.tokenize_13a, prose(n))),
    "tokenize_13a, signos": (5000, lambda n: over(bleu.tokenize_13a, ".,-" * n)),
    "tokenize_es": (2000, lambda n: over(bleu.tokenize_es, prose(n))),
    "tokenize_es, una palabra": (100_000, lambda n: over(bleu.tokenize_es, word(n))),
    "tokenize_es, cifras": (10_000, lambda n: over(bleu.tokenize_es, "1" * n)),
    "contains": (2000, lambda n: over(facts.contains, prose(n), "el lunes a las dos")),
    "fact_recall": (200, lambda n: over(facts.fact_recall, "Ana viene hoy.", {str(i): "Ana" for i in range(n)})),
    "NgramTable": (500, lambda n: over(NgramTable, documents(n), 50)),
    "NgramTable.nats": (5000, lambda n: over(NgramTable(documents(50), 50).nats, ids(n), 2)),
    "synonyms": (500, lambda n: over(adversarial.synonyms, "Ana llama a Luis y pagará. " * n)),
    "shuffle_words": (2000, lambda n: lambda: adversarial.shuffle_words(prose(n), random.Random(0))),
    "repeat_half": (5000, lambda n: over(adversarial.repeat_half, prose(n))),
    "perplexity": (5000, lambda n: over(perplexity.perplexity, scores(n))),
    "bits_per_byte": (5000, lambda n: over(perplexity.bits_per_byte, scores(n), sentences(n))),
    "elo": (2000, lambda n: over(elo.elo, [elo.Duel(str(i % 9), "x", 1.0) for i in range(n)])),
    "exact_match": (5000, lambda n: over(forgetting.exact_match, sentences(n), sentences(n))),
    "encode_hits": (5000, lambda n: over(task_runs.encode_hits, hits(n))),
    "decode_hits": (5000, lambda n: over(task_runs.decode_hits, task_runs.encode_hits(hits(n)))),
    "NgramLM": (100, lambda n: over(drafts.NgramLM, documents(n), 50)),
    "NgramLM, un texto largo": (2000, lambda n: over(drafts.NgramLM, [ids(n)], 50)),
    "PromptLookup.probs": (5000, lambda n: over(drafts.PromptLookup(2 * n).probs, list(range(n)))),
    "length_batches": (5000, lambda n: over(batching.length_batches, ids(n), 8)),
    "build_vocabulary": (1000, lambda n: over(word2vec.build_vocabulary, tokens(n), 2)),
    "skip_gram_pairs": (200, lambda n: lambda: word2vec.skip_gram_pairs(documents(n), 3, np.random.default_rng(0))),
    "pack": (500, lambda n: over(packing.pack, documents(n), 64, 1)),
    "pack, un documento largo": (10_000, lambda n: over(packing.pack, [ids(n)], 64, 1)),
    "pack, documentos de un token": (2000, lambda n: over(packing.pack, [[5]] * n, 64)),
    "pack_masked": (500, lambda n: over(completions.pack_masked, rows(n), 64)),
    "padding_share": (5000, lambda n: over(packing.padding_share, ids(n), 8)),
    "epoch_batches": (5000, lambda n: over(loop.epoch_batches, ids(n), 8, 0, 0)),
    "mix": (5000, lambda n: over(mixture.mix, {"a": ids(n), "b": ids(n)}, {"a": 0.5, "b": 0.5}, n, 0)),
    "mix, con vueltas": (5000, lambda n: over(mixture.mix, {"a": ids(9)}, {"a": 1.0}, n, 0)),
    **{
        f"lote de {type(objective).__name__}": (200, lambda n, objective=objective: batch(objective, rows(n)))
        for objective in (objectives.Seq2Seq(0), objectives.CausalLM(0), MASKED, SPANS, CLASSIC,
                          completions.CompletionLM(0))
    },
    "SpanCorruption.corrupt": (10_000, lambda n: lambda: SPANS.corrupt(ids(n), np.random.default_rng(0))),
    "SpanCorruption.restore": (2000, lambda n: over(SPANS.restore, *SPANS.corrupt(ids(n), np.random.default_rng(0)))),
    "Cloze, muchos textos": (200, lambda n: over(CLOZE, "trozos", [(row, [(1, 2)]) for row in documents(n)])),
    "Cloze, un texto largo": (5000, lambda n: over(CLOZE, "tapadas", [(ids(n), [(1, n // 2)])])),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_cost_grows_with_n_and_not_with_its_square(name):
    n, prepare = CASES[name]
    assert growth(prepare, n) <= LIMIT


def test_the_measure_tells_a_quadratic_cost_from_a_linear_one():
    """Lo que se exige puede fallar: sumar todos los comienzos de una lista es cuadrático, y ordenarla no."""

    def quadratic(n: int) -> Job:
        return lambda: [sum(range(i)) for i in range(n)]

    assert growth(quadratic, 300) > 2 * LIMIT
    assert growth(lambda n: over(sorted, word(n)), 5000) <= LIMIT
