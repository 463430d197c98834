"""Cuatro veces más texto no cuesta más de ocho veces más en nada de lo que hacen `utils.text` y `utils.corpus`.

Cada caso dice con qué n se mide y cómo se prepara el trabajo. Lo que NO se mide está en `LEFT_OUT`, con su razón: una
función o un método público que no esté en ninguna de las dos listas hace fallar la última prueba.
"""

import importlib
import inspect
import pkgutil
import random
from collections.abc import Callable

import numpy as np
import pytest

import utils.corpus
import utils.text
from tests.growth import LIMIT, WORDS, Job, each, growth, ids, over, prose, sentences, word
from utils.corpus import agreement, evolve, grammar, invented, notes, phrases, questions
from utils.course.hub import load_tokenizer
from utils.text import (
    bpe,
    bpe_train,
    chat_templates,
    decontamination,
    dedup,
    filters,
    lsh,
    minhash,
    normalize,
    personal_data,
    pretokenize,
    repetition,
    shingles,
    subword_cuts,
    templates,
    tfidf,
)

BPE = bpe_train.train_bpe(" ".join(WORDS), 500, ["<s>", "</s>"])
TAGS, WORLD, TOKENIZER = templates.Template("{x}", " {y}"), grammar.FactGrammar(), load_tokenizer("causal")
FACTS = {"a": "Ana", "accion": "alquilar", "objeto": "una bici"}
#: Trozos que, repetidos, se parecen a un dato personal o lo son.
BAIT = {
    "prosa": ("Ayer vino a casa a las 10:30. ", 500),
    "ip": ("ve a 10.0.0.1 y ", 1000),
    "teléfonos": ("o al (+34) 612 345 678, ", 1000),
    "correos": ("ana@correo.es ", 2000),
    "arrobas": ("a@", 5000),
    "puntos": ("a.", 5000),
    "por cientos": ("%", 5000),
    "cifras": ("4", 20_000),
    "grupos de cuatro": ("4111 ", 2000),
    "casi iban": ("ES91 AB12 ", 500),
    "dos puntos": (":", 5000),
    "paréntesis": ("(", 5000),
    "tildes sueltas": ("e\u0301", 5000),
}


def fresh() -> bpe.ByteBPE:
    """Un tokenizador con la memoria de palabras vacía."""
    return bpe.ByteBPE(BPE.merges, BPE.special_tokens)


def stream(text: str, size: int) -> Job:
    tokenizer = fresh()
    return lambda: sum(1 for _ in tokenizer.encode_stream(text[i : i + size] for i in range(0, len(text), size)))


def signatures(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2**32, (n, 16), dtype=np.uint32)


def chat(n: int) -> list[dict]:
    return [{"role": ("user", "assistant")[i % 2], "content": f"Mensaje {i}."} for i in range(2 * n + 1)]


#: Nombre -> (n, cómo preparar el trabajo). El nombre es el de la función; tras « · », con qué texto.
CASES: dict[str, tuple[int, Callable[[int], Job]]] = {
    "bpe.ByteBPE.encode · prosa": (4000, lambda n: over(fresh().encode, prose(n))),
    "bpe.ByteBPE.encode · una palabra": (2000, lambda n: over(fresh().encode, word(n))),
    "bpe.ByteBPE.encode · abab": (2000, lambda n: over(fresh().encode, "ab" * (n // 2))),
    "bpe.ByteBPE.encode · especiales": (2000, lambda n: over(fresh().encode, "<s>a" * n)),
    "bpe.ByteBPE.encode_stream · prosa": (2000, lambda n: stream(prose(n), 10)),
    "bpe.ByteBPE.encode_stream · una palabra": (2000, lambda n: stream(word(n), 10)),
    "bpe.ByteBPE.encode_stream · letra a letra": (2000, lambda n: stream(word(n), 1)),
    "bpe.ByteBPE.encode_stream · blancos": (10_000, lambda n: stream(" " * n, 10)),
    "bpe.ByteBPE.encode_stream · un trozo": (2000, lambda n: stream(word(n), n)),
    "bpe.ByteBPE.decode": (20_000, lambda n: over(BPE.decode, ids(n, 400))),
    "bpe.ByteBPE.pieces": (4000, lambda n: over(fresh().pieces, prose(n))),
    "bpe.ByteBPE.add_merge": (4000, lambda n: over(bpe.ByteBPE, [(i % 200, i // 200) for i in range(n)])),
    "bpe_train.train_bpe · prosa": (4000, lambda n: over(bpe_train.train_bpe, [prose(n), *sentences(n // 20)], 300)),
    "bpe_train.train_bpe · una palabra": (4000, lambda n: over(bpe_train.train_bpe, word(n), 300)),
    "bpe_train.merge_word": (10_000, lambda n: over(bpe_train.merge_word, [1, 2] * n, (1, 2), 3)),
    "bpe_train.count_words": (10_000, lambda n: over(bpe_train.count_words, [prose(n)])),
    "pretokenize.split_words · prosa": (5000, lambda n: over(pretokenize.split_words, prose(n))),
    "pretokenize.split_words · blancos": (400_000, lambda n: over(pretokenize.split_words, " " * n)),
    "pretokenize.check_text": (400_000, lambda n: over(pretokenize.check_text, "ñ" * n)),
    "normalize.normalize": (2500, lambda n: over(normalize.normalize, prose(n))),
    "normalize.words · prosa": (5000, lambda n: over(normalize.words, prose(n))),
    "normalize.words · una palabra": (100_000, lambda n: over(normalize.words, word(n))),
    "shingles.shingle_hashes · textos": (2000, lambda n: over(shingles.shingle_hashes, sentences(n))),
    "shingles.shingle_hashes · una palabra": (20_000, lambda n: over(shingles.shingle_hashes, [word(n)])),
    "shingles.mix": (10_000, lambda n: over(shingles.mix, np.arange(n, dtype=np.uint64))),
    "shingles.jaccard": (1000, lambda n: over(shingles.jaccard, word(n), word(n)[::-1])),
    "shingles.jaccard_pairs": (500, lambda n: over(
        shingles.jaccard_pairs, *shingles.shingle_hashes(sentences(n)), np.stack([np.arange(n - 1), np.arange(1, n)], 1)
    )),
    "minhash.minhash": (1000, lambda n: over(minhash.minhash, *shingles.shingle_hashes(sentences(n)), 32)),
    "minhash.estimated_jaccard": (10_000, lambda n: over(
        minhash.estimated_jaccard, signatures(100), np.random.default_rng(0).integers(0, 100, (n, 2))
    )),
    "lsh.candidate_pairs · distintos": (5000, lambda n: over(lsh.candidate_pairs, signatures(n), 4, 4)),
    "lsh.candidate_pairs · copias": (2500, lambda n: over(lsh.candidate_pairs, signatures(n) * 0, 4, 4)),
    "dedup.find_near_duplicates · distintos": (500, lambda n: over(dedup.find_near_duplicates, sentences(n))),
    "dedup.find_near_duplicates · casi copias": (250, lambda n: over(
        dedup.find_near_duplicates, [f"{prose(20)} {i}" for i in range(n)]
    )),
    "dedup.exact_groups": (2000, lambda n: over(dedup.exact_groups, sentences(n))),
    "dedup.drop_repeated_lines": (1000, lambda n: over(dedup.drop_repeated_lines, ["\n".join(sentences(n))] * 2)),
    "dedup.connect · cadena": (20_000, lambda n: over(dedup.connect, n, [(i, i + 1) for i in range(n - 1)])),
    "dedup.connect · cadena al revés": (20_000, lambda n: over(
        dedup.connect, n, [(i, i + 1) for i in range(n - 2, -1, -1)]
    )),
    "repetition.duplicate_line_share": (2000, lambda n: over(repetition.duplicate_line_share, "\n".join(sentences(n)))),
    "repetition.top_ngram_share": (2500, lambda n: over(repetition.top_ngram_share, prose(n), 3)),
    "repetition.repeated_ngram_share": (4000, lambda n: over(repetition.repeated_ngram_share, "y ya " * n, 10)),
    "filters.language": (10_000, lambda n: over(filters.language, prose(n))),
    "filters.in_language": (10_000, lambda n: over(filters.in_language().keeps, prose(n))),
    "filters.gopher_rules": (1000, lambda n: each(
        lambda rule: rule.keeps("de la y " + prose(n)), filters.gopher_rules()
    )),
    "filters.apply_rules": (500, lambda n: over(filters.apply_rules, sentences(n), filters.gopher_rules(1))),
    "filters.pair_problems": (2500, lambda n: over(filters.pair_problems, prose(n), prose(n)[::-1])),
    **{
        f"personal_data.mask_personal_data · {label}": (
            n, lambda n, piece=piece: over(personal_data.mask_personal_data, piece * n)
        )
        for label, (piece, n) in BAIT.items()
    },
    "decontamination.word_ngrams": (500, lambda n: over(decontamination.word_ngrams, prose(n))),
    "decontamination.overlap": (500, lambda n: over(decontamination.overlap, prose(n), set())),
    "decontamination.ngram_index": (1000, lambda n: over(decontamination.ngram_index, sentences(n))),
    "decontamination.contaminated · entrenamiento": (1000, lambda n: over(
        decontamination.contaminated, sentences(n), sentences(50)
    )),
    "decontamination.contaminated · prueba": (1000, lambda n: over(
        decontamination.contaminated, sentences(50), sentences(n)
    )),
    "tfidf.Tfidf.fit": (1000, lambda n: over(tfidf.Tfidf().fit, sentences(n))),
    "tfidf.Tfidf.transform": (1000, lambda n: over(tfidf.Tfidf().fit(sentences(50)).transform, sentences(n))),
    "templates.render": (20_000, lambda n: over(templates.render, "{x} y " * n, x="a")),
    "templates.build_prompt": (1000, lambda n: over(
        templates.build_prompt, TAGS, [{"x": i, "y": i} for i in range(n)], {"x": "otra"}
    )),
    "templates.tagged · ángulos": (100_000, lambda n: over(templates.tagged, "a", "< / " * n)),
    "templates.tagged · cierres": (10_000, lambda n: over(templates.tagged, "a", "</a>" * n)),
    "chat_templates.render_chat": (250, lambda n: over(chat_templates.render_chat, chat(n))),
    "chat_templates.chat_pieces": (250, lambda n: over(
        chat_templates.chat_pieces, chat(n), chat_templates.ALPACA, "<s>", "</s>"
    )),
    "chat_templates.apply_chat_template": (100, lambda n: over(
        chat_templates.apply_chat_template, TOKENIZER, chat(n), chat_templates.ALPACA
    )),
    "phrases.WordVocabulary": (2000, lambda n: over(phrases.WordVocabulary, sentences(n))),
    "phrases.WordVocabulary.encode": (40_000, lambda n: over(phrases.WordVocabulary(["sol"]).encode, "sol " * n)),
    "phrases.WordVocabulary.decode": (40_000, lambda n: over(phrases.WordVocabulary(["sol"]).decode, [3] * n)),
    "agreement.make_sentence": (2000, lambda n: lambda: agreement.make_sentence(n, random.Random(0))),
    "agreement.encode": (1000, lambda n: over(
        agreement.encode, [agreement.make_sentence(9, random.Random(i)) for i in range(n)], agreement.vocabulary()
    )),
    "evolve.evolve": (5000, lambda n: over(evolve.evolve, [{"prompt": "Copia: sol", "completion": "sol"}] * n)),
    "evolve.with_evidence": (10_000, lambda n: over(
        evolve.with_evidence, {"prompt": "¿Quién?\n" + "Llama Ana.\n" * n, "completion": "Ana"}
    )),
    "grammar.zipf": (10_000, lambda n: over(grammar.zipf, n, 1.0)),
    "grammar.FactGrammar.sample": (5000, lambda n: lambda: WORLD.sample(n, np.random.default_rng(0))),
    "grammar.FactGrammar.render": (1000, lambda n: over(WORLD.render, WORLD.sample(n, np.random.default_rng(0)))),
    "grammar.FactGrammar.log_probability": (5000, lambda n: over(
        WORLD.log_probability, WORLD.sample(n, np.random.default_rng(0))
    )),
    "notes.reception_notes": (500, lambda n: over(notes.reception_notes, [{"facts": FACTS}] * n, 0)),
    "invented.WordMaker.fill": (5000, lambda n: over(
        invented.WordMaker(["camino", "camisa"]).fill, "camino " * n, random.Random(0)
    )),
    "subword_cuts.RandomCuts.pieces": (2000, lambda n: over(subword_cuts.RandomCuts(TOKENIZER, 0.5).pieces, prose(n))),
    "questions.written_questions": (5000, lambda n: over(questions.written_questions, "¿a? | b | c | d | e\n" * n)),
}  # fmt: skip

ONE = "devuelve o lee una cosa de tamaño fijo: no recorre lo que se le da"
GENERATOR = "sortea un ejemplo de una gramática de tamaño fijo; los repetidos se vuelven a sortear"
WHOLE = "cada pregunta busca sus finales entre todos los textos (n por pregunta), y se piden unas decenas"
LEFT_OUT = {
    "agreement.sample_distance": ONE,
    "agreement.sample_short": ONE,
    "agreement.vocabulary": ONE,
    "arithmetic.evaluate": "no admite programas de más de mil caracteres",
    "bpe.ByteBPE.encode_file": "es encode_stream con los trozos de un archivo",
    "bpe.ByteBPE.save": "escribe un archivo: manda el disco",
    "bpe.ByteBPE.token_id": ONE,
    "bpe_train.merge_steps": "lo mide train_bpe, a un número fijo de fusiones: cada una recorre las palabras que toca",
    "dialogues.contract": "son sustituciones de str.replace",
    "dialogues.DialogueGenerator.example": GENERATOR,
    "dialogues.join_clauses": "es un str.join",
    "dialogues.load_grammar": ONE,
    "dialogues.read_yaml": "manda PyYAML",
    "domains.DomainGenerator.document": GENERATOR,
    "domains.DomainGenerator.half": ONE,
    "domains.load_domain_grammar": ONE,
    "domains.ShingleIndex.add": "lo mide decontamination.ngram_index, que hace lo mismo",
    "domains.ShingleIndex.nearest": "mira cada documento que comparte un trozo: para buscar entre muchos está dedup",
    "domains.shingles": "lo mide decontamination.word_ngrams, que hace lo mismo",
    "evolve.as_json": ONE,
    "evolve.combine": ONE,
    "evolve.uppercase": ONE,
    "evolve.with_count": ONE,
    "grammar.FactGrammar.encode": "lo mide sample",
    "grammar.FactGrammar.rank": "lo mide log_probability",
    "instructions.InstructionGenerator.example": GENERATOR,
    "instructions.load_instruction_grammar": ONE,
    "instructions.load_lexicon": "es una expresión regular sobre un archivo",
    "invented.WordMaker.word": ONE,
    "lsh.candidate_probability": ONE,
    "lsh.choose_bands": "prueba todas las filas de una firma, que son 128",
    "minhash.standard_error": ONE,
    "personal_data.find_personal_data": "lo mide mask_personal_data",
    "phrases.parallel_phrases": "es el producto de las listas de la gramática",
    "pretokenize.byte_symbols": ONE,
    "problems.expression": ONE,
    "problems.ProblemGenerator.problem": GENERATOR,
    "problems.reserved": ONE,
    "problems.split_of": ONE,
    "problems.trained": ONE,
    "questions.agreement_questions": GENERATOR,
    "questions.context": "une textos con str.join",
    "questions.ending_questions": WHOLE,
    "questions.instruction_questions": WHOLE,
    "questions.letters_context": "une textos con str.join",
    "questions.near_agreement_questions": GENERATOR,
    "questions.reading_questions": WHOLE,
    "questions.reply_questions": WHOLE,
    "questions.shuffled": "baraja cuatro opciones",
    "reasoning.reasoning_rows": GENERATOR,
    "reasoning.world_questions": GENERATOR,
    "tickets.TicketGenerator.examples": GENERATOR,
    "tickets.TicketGenerator.ticket": GENERATOR,
    "tickets.TicketGenerator.wordings": ONE,
    "traces.conversation": ONE,
    "traces.direct": ONE,
    "traces.opening": ONE,
    "traces.program": ONE,
    "traces.steps": ONE,
    "traces.thought": ONE,
    "vocabularies.load_vocabulary": ONE,
    "world.parse_action": ONE,
    "world.WorldQuestions.question": GENERATOR,
}


@pytest.mark.parametrize("name", CASES)
def test_the_cost_grows_with_n_and_not_with_its_square(name):
    n, prepare = CASES[name]
    assert growth(prepare, n) <= LIMIT


def public(module) -> list[str]:
    """Las funciones del módulo y los métodos de sus clases que no empiezan por «_»."""
    short, names = module.__name__.rpartition(".")[2], []
    for name, thing in vars(module).items():
        if not name.startswith("_") and getattr(thing, "__module__", "") == module.__name__:
            found = vars(thing) if inspect.isclass(thing) else {}
            names += [f"{short}.{name}"] if inspect.isfunction(thing) else []
            names += [f"{short}.{name}.{m}" for m, f in found.items() if m[0] != "_" and inspect.isfunction(f)]
    return names


def test_everything_is_measured_or_says_why_not():
    rooms = (utils.text, utils.corpus)
    found = [f"{room.__name__}.{info.name}" for room in rooms for info in pkgutil.iter_modules(room.__path__)]
    modules = [importlib.import_module(name) for name in found]
    expected = {name for module in modules for name in public(module)}
    measured = {name.split(" · ")[0] for name in CASES}
    assert not expected - measured - LEFT_OUT.keys(), "mídelas en CASES o di en LEFT_OUT por qué no"
    assert not LEFT_OUT.keys() - expected, "sobran en LEFT_OUT: ya no existen"
    assert not measured & LEFT_OUT.keys(), "se miden: quítalas de LEFT_OUT"
