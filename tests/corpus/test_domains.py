"""El corpus de dominio: lo que promete su ficha, comprobado sobre la gramática y sobre los archivos."""

import itertools
import json
import re
from collections import Counter

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts import build_data
from utils.corpus.dialogues import SPLITS
from utils.corpus.domains import (
    ALWAYS_UNSEEN,
    NEAR_DUPLICATE,
    SLOT,
    DomainGenerator,
    ShingleIndex,
    load_domain_grammar,
    shingles,
)
from utils.course.env import repo_root
from utils.course.hub import load_data

FOLDER = repo_root() / "data" / "dominios"


@pytest.fixture(scope="module")
def grammar():
    return load_domain_grammar(FOLDER / "gramatica")


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict]]:
    return load_data("domains")


def halves(tree):
    """Todas las listas con dos partes que hay en la gramática: (entrenamiento, prueba)."""
    if isinstance(tree, dict):
        if "prueba" in tree:
            yield tree["entrenamiento"], tree["prueba"]
        else:
            yield from itertools.chain.from_iterable(map(halves, tree.values()))
    elif isinstance(tree, list):
        yield from itertools.chain.from_iterable(map(halves, tree))


# La gramática.


def test_nothing_is_both_seen_and_unseen(grammar):
    common, domains = grammar
    found = list(halves([common, *domains]))
    assert len(found) > 80
    for train, test in found:
        shown = [json.dumps(item, ensure_ascii=False).casefold() for item in (*train, *test)]
        assert train and test and len(set(shown)) == len(shown), shown


def test_it_is_not_a_toy(grammar):
    for domain in grammar[1]:
        terms = [term for name in domain["terminos"] for half in domain[name].values() for term in half]
        wordings = [text for train, test in halves(domain["documentos"]) for text in (*train, *test)]
        assert len(domain["documentos"]) >= 11 and len(terms) >= 150 and len(wordings) >= 150


def test_every_slot_has_a_list_a_record_with_that_field_or_a_range(grammar):
    common, domains = grammar
    for domain in domains:
        lists, text = common | domain, yaml.safe_dump([common, domain], allow_unicode=True, width=10**6)
        assert len(re.findall(r"\{[a-z]", text)) >= len(SLOT.findall(text)) > 100
        ranges = {name + index for name, index, _, low, *_ in SLOT.findall(text) if low}
        for name, index, field, low, *_ in SLOT.findall(text):
            if low or name + index in ranges:
                continue
            items = lists[name]
            items = [*items["entrenamiento"], *items["prueba"]] if isinstance(items, dict) else items
            assert all(isinstance(item, str) or (field or "termino") in item for item in items), (name, field)


# Los archivos publicados.


def test_sizes_ids_and_fields(rows):
    assert {split: len(found) for split, found in rows.items()} == build_data.DOMAINS
    for split, found in rows.items():
        assert [row["id"] for row in found] == [f"{split}-{i:04d}" for i in range(len(found))]
        assert all(set(row) == {"id", "domain", "kind", "text", "terms", "new_terms"} for row in found)
        counts = Counter(row["domain"] for row in found)
        assert counts["legal"] == counts["médico"] == len(found) / 2 >= 100
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 2e6


def test_no_document_is_almost_another(rows):
    index = ShingleIndex()
    for row in itertools.chain.from_iterable(rows.values()):
        assert index.nearest(row["text"]) < NEAR_DUPLICATE, row["id"]
        index.add(row["text"])


def test_the_index_agrees_with_comparing_every_pair(rows):
    """El índice invertido es un atajo: aquí, Jaccard por definición."""
    known = [shingles(row["text"]) for row in rows["train"][:200]]
    index = ShingleIndex()
    for row in rows["train"][:200]:
        index.add(row["text"])
    for row in rows["test"][:40]:
        mine = shingles(row["text"])
        assert index.nearest(row["text"]) == max(len(mine & other) / len(mine | other) for other in known)


def test_new_terms_people_and_places_are_never_in_train(rows, grammar):
    everything = "\n".join(row["text"] for row in rows["train"] + rows["validation"]).casefold()
    new = {term for row in rows["test"] for term in row["new_terms"]}
    new |= {name for key in ALWAYS_UNSEEN for name in grammar[0][key]["prueba"]}
    assert len(new) > 100
    assert not [x for x in new if re.search(rf"(?<!\w){re.escape(x.casefold())}(?!\w)", everything)]
    assert not any(row["new_terms"] for row in rows["train"] + rows["validation"])
    old = {name for key in ALWAYS_UNSEEN - {"calle"} for name in grammar[0][key]["entrenamiento"]}
    assert not [row["id"] for row in rows["test"] if old & set(re.findall(r"\w+", row["text"]))]


def test_half_of_what_test_says_is_new(rows):
    """Qué parte de los trozos de cinco palabras de un documento, sin cifras ni nombres, no se ha leído al entrenar."""

    def frames(row: dict) -> set[tuple[str, ...]]:
        return shingles(re.sub(r"\d+|[A-ZÁÉÍÓÚ]\w*[a-záéíóúñ]", "", row["text"]))

    heard = set().union(*(frames(row) for row in rows["train"]))
    new, familiar = (
        [len(frames(row) - heard) / len(frames(row)) for row in rows[split]] for split in ("test", "validation")
    )
    assert sum(new) / len(new) > 0.5 > 0.25 > sum(familiar) / len(familiar)
    assert sum(bool(row["new_terms"]) for row in rows["test"]) / len(rows["test"]) > 0.6


def test_texts_are_well_formed(rows):
    for row in itertools.chain.from_iterable(rows.values()):
        text = row["text"]
        assert not re.search(r"\b(a|de) el\b", text, re.IGNORECASE), text
        assert not re.search(r"[{}]|  |,,|\n\n| [.,;:?!]|\.\.", text), text
        assert all(line[0].isupper() or line[0].isdigit() for line in text.split("\n")), text
        assert text.count("«") == text.count("»") and 25 < len(text.split()) < 200


@pytest.mark.parametrize("word", ["fallo", "autos", "otrosí", "usufructo", "fianza", "v.o.", "SatO2", "posología"])
def test_the_language_of_the_field_is_there(rows, word):
    everything = "\n".join(row["text"] for row in rows["train"]).casefold()
    assert everything.count(word.casefold()) >= 10


def test_words_with_two_meanings(rows):
    words = [json.loads(line) for line in (FOLDER / "palabras.jsonl").read_text("utf-8").splitlines()]
    assert len({row["word"] for row in words}) == len(words) == 40
    everything = "\n".join(row["text"] for row in itertools.chain.from_iterable(rows.values())).casefold()
    for row in words:
        assert row["domain"] in ("legal", "médico") and row["word"] in row["prefix"].casefold()
        assert not any((row["prefix"] + row[key]).casefold() in everything for key in ("special", "ordinary")), row


# El generador.


def first(grammar, split="train", seed=7, n=40) -> list[dict]:
    return list(itertools.islice(iter(DomainGenerator(*grammar, split, seed)), n))


@pytest.mark.parametrize("split", SPLITS)
def test_same_seed_same_documents_and_another_seed_others(grammar, split):
    assert first(grammar, split) == first(grammar, split)
    ours, theirs = ({row["text"] for row in first(grammar, split, seed)} for seed in (7, 8))
    assert not ours & theirs


TINY = {"dominio": "circo", "terminos": ["truco"]}


def one(paragraphs: list, split="train", **lists) -> dict:
    grammar = TINY | {"documentos": {"cartel": paragraphs}} | lists
    return DomainGenerator({}, [grammar], split, 0).document(grammar)


def both(text: str) -> dict:
    return {"entrenamiento": [text], "prueba": [text]}


def test_a_value_lasts_the_whole_document_and_an_index_asks_for_another():
    animals = {"entrenamiento": ["foca", "oso"], "prueba": ["león"]}
    text = one([both("{animal} y {animal2}."), both("Otra vez {animal}, con {n:1-900} y {n}.")], animal=animals)["text"]
    first_animal, second = re.match(r"(\w+) y (\w+)\.", text).groups()
    assert {first_animal.lower(), second} == {"foca", "oso"} and f"Otra vez {first_animal.lower()}" in text
    assert len(set(re.findall(r"\d+", text))) == 1


def test_a_record_keeps_its_fields_together_and_counts_as_a_term():
    tricks = [{"termino": "trapecio", "alto": "12 m"}, {"termino": "mazas", "alto": "2 m"}]
    row = one([both("{truco.termino} a {truco.alto}.")], truco={"entrenamiento": tricks, "prueba": tricks[:1]})
    assert row["text"] in ("Trapecio a 12 m.", "Mazas a 2 m.") and row["terms"][0].capitalize() in row["text"]
    assert row["new_terms"] == []


@given(st.integers(0, 50), st.integers(1, 50), st.integers(1, 9))
def test_numbers_stay_in_their_range_and_on_their_step(low, width, step):
    text = one([both(f"{{n:{low}-{low + width}/{step}}}")])["text"]
    assert low <= int(text) <= low + width and (int(text) - low) % step == 0


def test_thousands_are_separated_from_five_digits():
    assert one([both("{n:9999-9999} y {m:10000-10000}")])["text"] == "9999 y 10 000"


def test_a_list_that_does_not_exist_is_explained():
    with pytest.raises(ValueError, match=r"usa \{payaso\} y no hay ninguna lista"):
        one([both("{payaso}")])


def test_unknown_split_is_explained(grammar):
    with pytest.raises(ValueError, match=r"Partición desconocida: «dev»"):
        DomainGenerator(*grammar, "dev", 0)


def test_a_broken_grammar_is_explained(tmp_path):
    (tmp_path / "comun.yaml").write_text("mes: [enero]\n", "utf-8")
    with pytest.raises(ValueError, match="no hay ningún dominio"):
        load_domain_grammar(tmp_path)
    (tmp_path / "circo.yaml").write_text("dominio: circo\n", "utf-8")
    with pytest.raises(ValueError, match=r"A circo\.yaml le falta: documentos, terminos"):
        load_domain_grammar(tmp_path)
