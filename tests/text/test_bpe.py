"""Nuestro BPE de bytes: las fusiones y los ids de `tokenizers`, ida y vuelta, especiales, flujo y errores."""

import json
import re
import tracemalloc
import unicodedata
from itertools import cycle, islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from utils.course.env import repo_root
from utils.text.bpe import ByteBPE
from utils.text.bpe_train import count_words, merge_steps, train_bpe
from utils.text.pretokenize import byte_symbols, split_words

SYMBOLS = byte_symbols()
# Cada biblioteca lleva las tablas de un Unicode: se comparan en los caracteres que Python ya conoce.
assigned = st.characters(exclude_categories=("Cn", "Cs"))
texts = st.text(assigned, max_size=60)
#: Pocas letras y muchos empates: aquí es donde dos entrenadores se separarían.
tangled = st.lists(st.text(st.sampled_from("aab ñ'\n"), min_size=1, max_size=40), min_size=1, max_size=4)


def library(corpus, vocab_size, special=()) -> Tokenizer:
    """El mismo vocabulario, entrenado con la biblioteca en Rust."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def written(bpe: ByteBPE) -> list[str]:
    """El vocabulario, escrito con los símbolos de GPT-2, que es como lo escribe la biblioteca."""
    first = len(bpe.special_tokens)
    return [*bpe.special_tokens, *("".join(SYMBOLS[b] for b in token) for token in bpe.vocabulary[first:])]


def same(bpe: ByteBPE, tokenizer: Tokenizer) -> bool:
    """Las mismas fusiones en el mismo orden y el mismo id para cada token."""
    names = written(bpe)
    merges = [list(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    vocabulary = {name: i for i, name in enumerate(names)}
    return [[names[a], names[b]] for a, b in bpe.merges] == merges and vocabulary == tokenizer.get_vocab()


def corpus() -> list[str]:
    data = repo_root() / "data"
    novel = (data / "textos" / "trafalgar.txt").read_text("utf-8").split("\n")
    rows = (data / "dialogos" / "train.jsonl").read_text("utf-8").splitlines()[:1200]
    return novel + [json.loads(row)["dialogue"] for row in rows]


@pytest.fixture(scope="module")
def trained() -> ByteBPE:
    return train_bpe(corpus(), 1256, ["<pad>", "</s>"])


@pytest.fixture(scope="module")
def nested() -> ByteBPE:
    """Con especiales que se contienen unos a otros."""
    return train_bpe(corpus()[:300], 700, ["<s>", "</s>", "<s><s>"])


@pytest.fixture(scope="module")
def reference() -> Tokenizer:
    return library(corpus(), 1256, ["<pad>", "</s>"])


# --- Igualdad con la biblioteca -------------------------------------------------------------------


def test_same_merges_and_ids_on_our_corpus(trained, reference):
    assert same(trained, reference)
    rows = (repo_root() / "data" / "dialogos" / "test.jsonl").read_text("utf-8").splitlines()
    for row in rows[:200]:
        text = json.loads(row)["dialogue"] + "</s>"
        assert trained.encode(text) == reference.encode(text).ids
        assert trained.decode(trained.encode(text)) == text


@given(tangled, st.integers(256, 330))
@settings(max_examples=300)
def test_same_merges_and_ids_with_many_ties(corpus, vocab_size):
    bpe, reference = train_bpe(corpus, vocab_size), library(corpus, vocab_size)
    assert same(bpe, reference)
    for text in corpus:
        assert bpe.encode(text) == reference.encode(text).ids


@given(st.lists(texts, min_size=1, max_size=5).filter(lambda rows: any(rows)), st.integers(256, 300), texts)
@settings(max_examples=150)
def test_same_on_random_unicode(corpus, vocab_size, other):
    bpe, reference = train_bpe(corpus, vocab_size), library(corpus, vocab_size)
    assert same(bpe, reference)
    for text in [*corpus, other]:
        assert bpe.encode(text) == reference.encode(text).ids


@given(texts)
def test_trained_vocabulary_on_random_unicode(trained, reference, text):
    assert trained.encode(text) == reference.encode(text).ids


@pytest.mark.slow
def test_every_assigned_character_is_split_as_the_library_does():
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    for code in range(0x110000):
        if unicodedata.category(chr(code)) not in ("Cn", "Cs"):
            text = f"a{chr(code)}1{chr(code)}.{chr(code)}b"
            pieces = [text[start:end] for _, (start, end) in byte_level.pre_tokenize_str(text)]
            assert split_words(text) == pieces, hex(code)


# --- El algoritmo ---------------------------------------------------------------------------------


def test_ties_go_to_the_smallest_ids():
    bpe = train_bpe("ba ba ab ab", 257)  # «ab», « a» y « b» aparecen dos veces; «ba», dos
    pair = bpe.merges[0]
    counts = {}
    for word, times in count_words("ba ba ab ab").items():
        ids = [bpe.byte_ids[b] for b in word.encode()]
        for candidate in pairwise(ids):
            counts[candidate] = counts.get(candidate, 0) + times
    best = max(counts.values())
    assert pair == min(p for p, times in counts.items() if times == best)
    assert list(counts.values()).count(best) > 1  # si no hay empate, la prueba no prueba nada


def test_steps_report_how_often_each_pair_appeared():
    steps = list(merge_steps(ByteBPE(), count_words("sol sola solo")))
    assert [step.count for step in steps][:2] == [3, 3]
    assert [step.count for step in steps] == sorted((step.count for step in steps), reverse=True)


def test_a_merge_added_later_is_used():
    bpe = ByteBPE()
    assert len(bpe.encode("la")) == 2
    bpe.add_merge(*bpe.encode("la"))
    assert bpe.encode("la") == [256]


def test_a_larger_vocabulary_extends_the_smaller_one():
    small, large = train_bpe(corpus()[:200], 300), train_bpe(corpus()[:200], 400)
    assert large.merges[:44] == small.merges
    assert len(large) == 400


def test_training_stops_when_every_word_is_one_token():
    bpe = train_bpe("sol sol", 5000)
    assert len(bpe) < 300
    assert len(bpe.encode("sol sol")) == 2


def test_no_merge_crosses_a_word():
    for token in train_bpe(corpus()[:300], 700).vocabulary[256:]:
        assert len(split_words(token.decode("utf-8", "ignore"))) <= 1


def test_a_megabyte_without_spaces_is_encoded_in_reasonable_time(trained):
    text = "ab" * 100_000
    assert trained.decode(trained.encode(text)) == text


# --- Ida y vuelta ---------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=("Cs",))))
@settings(max_examples=300)
def test_round_trip_of_any_string(trained, text):
    assert trained.decode(trained.encode(text)) == text
    assert "".join(split_words(text)) == text


@pytest.mark.parametrize(
    "text", ["", " ", "\r\n\t ", "\x00", "👩🏽‍🚀", "ñ" * 999, "e\u0301", "<pad></s>", "'re'", "  a"]
)
def test_round_trip_of_awkward_strings(trained, text):
    assert trained.decode(trained.encode(text)) == text


def test_a_cut_character_becomes_the_replacement_mark(trained):
    ids = ByteBPE().encode("ñ")
    assert len(ids) == 2
    assert ByteBPE().decode(ids[:1]) == "�"
    assert ByteBPE().pieces("ñ") == ["\\xc3", "\\xb1"]
    assert trained.pieces(" niño") != [] and "".join(trained.pieces(" niño")) == " niño"


# --- Especiales -----------------------------------------------------------------------------------


def test_special_tokens_are_kept_whole_and_the_longest_wins():
    special = ["<s>", "<s><s>", "fin", "final", "ñ|"]
    bpe = train_bpe(["el final del fin, otra vez el final"], 280, special)
    assert bpe.encode("<s><s><s>") == [1, 0]
    assert bpe.encode("final fin") == [3, *bpe.encode(" "), 2]
    assert bpe.decode(bpe.encode("el final<s><s> ñ|")) == "el final<s><s> ñ|"
    assert bpe.decode(bpe.encode("a<s>b"), skip_special=True) == "ab"
    assert 0 not in bpe.encode("<s>", special=False)
    assert bpe.decode(bpe.encode("<s>", special=False)) == "<s>"


@given(st.text(st.sampled_from("<s>/ab |ñ"), max_size=30))
def test_special_tokens_as_in_the_library(text):
    special = ["<s>", "</s>", "<s>a", "||", "<s></s>"]
    bpe, reference = ByteBPE(special_tokens=special), library(["x"], 261, special)
    assert bpe.encode(text) == reference.encode(text).ids


def test_token_id(trained):
    assert trained.token_id("</s>") == 1
    assert trained.vocabulary[trained.token_id(" que")] == b" que"
    with pytest.raises(ValueError, match="no es un token de este vocabulario"):
        trained.token_id("electroencefalografista")


# --- Flujo ----------------------------------------------------------------------------------------


@given(st.text(st.sampled_from("ab 'relvmts\n\r<>/1.ñ"), max_size=80), st.integers(1, 9))
@settings(max_examples=400)
def test_a_stream_gives_the_ids_of_the_whole_text(nested, text, size):
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    assert list(nested.encode_stream(chunks)) == nested.encode(text)


@given(texts, st.integers(1, 7))
def test_a_stream_of_random_unicode(trained, text, size):
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    assert list(trained.encode_stream(chunks)) == trained.encode(text)


@given(
    st.lists(st.sampled_from(["a", "ab" * 40, "ñ" * 30, " " * 25, "🙂" * 9, "<s>", "<s", "'re", "1" * 50, "\n\n"])),
    st.lists(st.integers(0, 70), min_size=1, max_size=6).filter(any),
)
@settings(max_examples=300)
def test_a_stream_in_chunks_of_any_size(nested, parts, sizes):
    """Palabras que ocupan muchos trozos, trozos con muchas palabras y trozos vacíos, alternados."""
    text, chunks, start = "".join(parts), [], 0
    for size in cycle(sizes):
        if start >= len(text):
            break
        chunks.append(text[start : start + size])
        start += size
    assert "".join(chunks) == text
    assert list(nested.encode_stream(chunks)) == nested.encode(text)


def test_a_stream_gives_its_ids_before_the_text_ends(trained):
    """De un texto sin fin salen los ids según llega, y de lo leído solo espera lo último."""
    read = 0

    def endless():
        nonlocal read
        for chunk in cycle(["el per", "ro duer", "me. "]):
            read += len(chunk)
            yield chunk

    ids = list(islice(trained.encode_stream(endless()), 500))
    assert read - len(trained.decode(ids)) < 60


@pytest.mark.slow
def test_encoding_a_file_does_not_load_it(trained, tmp_path):
    """8 MB de texto se codifican con un pico de memoria de menos de la tercera parte."""
    path = tmp_path / "grande.txt"
    block = "\r\n".join(corpus()[:300])
    with path.open("w", encoding="utf-8", newline="") as file:
        while path.stat().st_size < 8e6:
            file.write(block)
            file.flush()
    fresh = ByteBPE(trained.merges, trained.special_tokens)
    tracemalloc.start()
    count = sum(1 for _ in fresh.encode_file(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count > 1e6
    assert peak < path.stat().st_size / 3, f"pico de {peak / 1e6:.1f} MB"


def test_a_file_keeps_its_line_ends_and_must_be_utf8(trained, tmp_path):
    path = tmp_path / "texto.txt"
    path.write_bytes(b"uno\r\ndos\n\n tres")
    assert trained.decode(trained.encode_file(path, chunk_chars=1)) == "uno\r\ndos\n\n tres"
    path.write_bytes("añil".encode("latin-1"))
    with pytest.raises(ValueError, match=r"no es UTF-8 \(byte 0xf1\)"):
        list(trained.encode_file(path))
    with pytest.raises(ValueError, match="al menos un carácter"):
        list(trained.encode_file(path, chunk_chars=0))


# --- Guardar y cargar -----------------------------------------------------------------------------


def test_save_and_load(trained, tmp_path):
    trained.save(tmp_path / "bpe.json")
    again = ByteBPE.load(tmp_path / "bpe.json")
    assert (again.merges, again.vocabulary, again.special_tokens) == (
        trained.merges,
        trained.vocabulary,
        trained.special_tokens,
    )
    assert json.loads((tmp_path / "bpe.json").read_text("utf-8"))["special_tokens"] == ["<pad>", "</s>"]


def test_load_refuses_other_files(tmp_path):
    path = tmp_path / "otro.json"
    path.write_text("{}", "utf-8")
    with pytest.raises(ValueError, match="no es un tokenizador guardado"):
        ByteBPE.load(path)
    ByteBPE().save(path)
    data = json.loads(path.read_text("utf-8")) | {"merges": ["a zz"]}
    path.write_text(json.dumps(data), "utf-8")
    with pytest.raises(ValueError, match="La fusión «a zz»"):
        ByteBPE.load(path)


# --- Medios pares sustitutos ----------------------------------------------------------------------


@given(st.text(max_size=20), st.sampled_from(["", "\ud800 ", "\udbff ", "\udc00 ", "\udfff "]))
def test_the_advice_for_surrogates_works_and_keeps_the_emoji(text, half):
    """El consejo del error, ejecutado tal cual: los emojis partidos en dos mitades vuelven a ser emojis."""
    whole = f"{text}🙂👩🏽‍🚀"
    halves = "".join(map(chr, memoryview(whole.encode("utf-16-le")).cast("H")))  # como los deja un JSON mal leído
    with pytest.raises(ValueError, match="medio par sustituto") as error:
        ByteBPE().encode(half + halves)
    advice = re.search(r"text\.encode\(.*\)", str(error.value))[0]
    followed = eval(advice, {"text": half + halves})
    assert followed == ("� " if half else "") + whole
    assert ByteBPE().decode(ByteBPE().encode(followed)) == followed


# --- Errores --------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", ["", [], [""], ["", ""]])
def test_empty_text(empty):
    with pytest.raises(ValueError, match="No hay texto del que aprender"):
        train_bpe(empty, 300)


@pytest.mark.parametrize("size", [0, 255, 257, 300.0, True, None])
def test_vocabulary_too_small(size):
    with pytest.raises(ValueError, match="el mínimo es 258: los 256 bytes y 2 especiales"):
        train_bpe("hola", size, ["<a>", "<b>"])
    assert len(train_bpe("hola", 258, ["<a>", "<b>"])) == 258


@pytest.mark.parametrize("i", [-1, 256, 10**9])
def test_unknown_id(i):
    with pytest.raises(ValueError, match="no existe: este vocabulario va de 0 a 255"):
        ByteBPE().decode([i])


def test_bad_text_and_bad_specials():
    with pytest.raises(ValueError, match="llegó bytes"):
        ByteBPE().encode(b"hola")
    with pytest.raises(ValueError, match="especial vacío"):
        ByteBPE(special_tokens=[""])
    with pytest.raises(ValueError, match="repetidos"):
        ByteBPE(special_tokens=["<a>", "<a>"])
    with pytest.raises(ValueError, match=r"La fusión \(3, 999\)"):
        ByteBPE([(3, 999)])
