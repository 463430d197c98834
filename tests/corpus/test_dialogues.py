"""El corpus de diálogos: lo que promete su ficha, comprobado sobre la gramática y sobre los archivos."""

import itertools
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from scripts import build_data, build_data_cards
from utils.corpus.dialogues import SPLITS, DialogueGenerator, contract, join_clauses, load_grammar
from utils.course.env import repo_root
from utils.measure.facts import contains

DATA = repo_root() / "data"
FOLDER = DATA / "dialogos"


@pytest.fixture(scope="module")
def grammar():
    return load_grammar(FOLDER / "gramatica")


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict]]:
    read = {split: (FOLDER / f"{split}.jsonl").read_text("utf-8").splitlines() for split in SPLITS}
    return {split: [json.loads(line) for line in lines] for split, lines in read.items()}


def texts(row: dict) -> list[str]:
    return [row["dialogue"], *row.get("references", [row["summary"]])]


# La gramática: «prueba» no comparte nada con «entrenamiento».


def parts(tree, path="") -> list[tuple[str, list, list]]:
    """Todas las listas con dos partes que hay en la gramática: (dónde, entrenamiento, prueba)."""
    if not isinstance(tree, dict):
        return []
    if set(tree) == {"entrenamiento", "prueba"}:
        return [(path, tree["entrenamiento"], tree["prueba"])]
    return [found for key, value in tree.items() for found in parts(value, f"{path}/{key}")]


def flat(phrase) -> tuple[str, ...]:
    return tuple(turn.casefold() for turn in ([phrase] if isinstance(phrase, str) else phrase))


def test_no_phrase_or_filler_is_shared_between_train_and_test(grammar):
    common, domains = grammar
    lists = parts(common, "comun") + [found for domain in domains for found in parts(domain, domain["dominio"])]
    assert {"comun/nombres", "comun/lugares", "comun/cita", "averías/cosas", "averías/motivos"} <= {
        w for w, *_ in lists
    }
    for where, train, test in lists:
        assert len(set(map(flat, train))) == len(train), f"{where}: hay repetidos en entrenamiento"
        assert test, f"{where}: no hay nada en prueba"
        assert not set(map(flat, train)) & set(map(flat, test)), where


@pytest.mark.parametrize(
    "name", ["nombres", "otros_nombres", "lugares", "cosas", "fallas", "objetos", "encargos", "motivos"]
)
def test_fillers_are_disjoint_over_all_domains(grammar, name):
    """Que «el horno» sea de entrenamiento en un dominio y de prueba en otro tampoco vale."""
    common, domains = grammar
    lists = [source[name] for source in (common, *domains) if name in source]
    train, test = ({flat(x) for part in lists for x in part[side]} for side in ("entrenamiento", "prueba"))
    assert not train & test


def test_every_placeholder_of_the_grammar_is_known(grammar):
    known = {"a", "b", "dia", "dia2", "hora", "hora2", "precio", "precio2", "antes", "lugar", "excusa", "encargo",
             "motivo", "cosa", "falla", "accion", "objeto", "pos"}  # fmt: skip
    assert set(re.findall(r"\{(\w*)\}", json.dumps(grammar, ensure_ascii=False))) <= known


# Los archivos publicados.


def test_sizes_ids_and_fields(rows):
    assert {split: len(found) for split, found in rows.items()} == build_data.DIALOGUES
    assert len(rows["train"]) >= 4000 and len(rows["validation"]) >= 300 and len(rows["test"]) >= 300
    for split, found in rows.items():
        assert [row["id"] for row in found] == [f"{split}-{i:04d}" for i in range(len(found))]
        expected = {"id", "dialogue", "summary", "facts", "topic", "domain"}
        expected |= {"references"} if split == "test" else set()
        assert all(set(row) == expected for row in found)
    assert all(len(row["references"]) == 3 and row["references"][0] == row["summary"] for row in rows["test"])


def test_domains_are_balanced(rows):
    for split, found in rows.items():
        share = {domain: n / len(found) for domain, n in Counter(row["domain"] for row in found).items()}
        assert len(share) >= 8
        # validación es pequeña: con 320 filas, un dominio baja al 4 % por azar
        assert min(share.values()) >= (0.04 if split == "validation" else 0.05), share


def test_no_dialogue_is_shared_with_another_split_or_with_the_instructions(rows):
    seen = Counter(row["dialogue"] for found in rows.values() for row in found)
    assert max(seen.values()) == 1
    inside = set()
    for path in (DATA / "instrucciones").glob("*.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            turns = [turn for turn in json.loads(line)["prompt"].split("\n") if re.match(r"(?!Pregunta:)\w+: ", turn)]
            inside.add("\n".join(turns))
    assert sum(text.count("\n") >= 1 for text in inside) > 3000  # de verdad se han encontrado diálogos
    assert not inside & set(seen)


def test_half_of_what_is_said_in_test_is_new(rows):
    """Quita de cada turno lo que cambia de un diálogo a otro y mira si esa frase se ha oído al entrenar."""

    def frames(row: dict) -> set[str]:
        text = row["dialogue"]
        for fact in sorted(row["facts"].values(), key=len, reverse=True):
            for form in spoken(fact):
                text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", "_", text)
        return {turn.split(": ", 1)[-1] for turn in text.split("\n")}

    heard = set().union(*(frames(row) for row in rows["train"]))
    new = [len(frames(row) - heard) / len(frames(row)) for row in rows["test"]]
    familiar = [len(frames(row) - heard) / len(frames(row)) for row in rows["validation"]]
    assert sum(share > 0 for share in new) / len(new) > 0.9
    assert sum(new) / len(new) > 0.4 > sum(familiar) / len(familiar)


def test_test_people_places_and_problems_are_never_in_train(rows):
    everything = "\n".join(text for row in rows["train"] + rows["validation"] for text in texts(row))
    for name in ("a", "b", "cosa", "falla", "objeto", "encargo", "motivo", "lugar"):
        values = {row["facts"][name] for row in rows["test"] if name in row["facts"]}
        assert values
        for value in values:
            variants = {value, re.sub(r"\bsu\b", "mi", value)}
            assert not any(re.search(rf"(?<!\w){re.escape(v)}(?!\w)", everything) for v in variants), value


def spoken(fact: str) -> set[str]:
    """Las formas de un hecho en boca de quien habla: «su» es «mi», y «el» se contrae tras «a» y «de»."""
    forms = {fact, re.sub(r"\bsu\b", "mi", fact)}
    return forms | {article + form[3:] for form in forms if form.startswith("el ") for article in ("al ", "del ")}


def test_every_fact_is_in_the_dialogue_and_in_every_summary(rows):
    for row in itertools.chain.from_iterable(rows.values()):
        assert row["facts"].keys() >= {"a", "b"} and len(row["facts"]) >= 4
        for name, fact in row["facts"].items():
            assert any(contains(row["dialogue"], form) for form in spoken(fact)), (row["id"], name)
            if name != "b":  # quien atiende no siempre se nombra en el resumen
                assert all(contains(summary, fact) for summary in texts(row)[1:]), (row["id"], name)


def test_texts_are_well_formed(rows):
    for row in itertools.chain.from_iterable(rows.values()):
        speakers = [turn.split(": ", 1)[0] for turn in row["dialogue"].split("\n")]
        assert set(speakers) == {row["facts"]["a"], row["facts"]["b"]}
        assert all(one != other for one, other in itertools.pairwise(speakers)), row["id"]
        for text in texts(row):
            assert not re.search(r"\b(a|de) el\b", text, re.IGNORECASE), text
            assert not re.search(r"[{}]|  |,,|\n\n| [.,;:?!]", text), text
            assert all(text.count(i) == text.count(j) for i, j in ("¿?", "¡!")), text
        for summary in texts(row)[1:]:
            assert summary.endswith(".") and summary[0].isupper() and summary.count("\n") == 0
            assert not re.search(r"\b(mi|tu|y I\w+)\b", summary), summary


def test_three_references_of_a_test_dialogue_are_not_always_the_same(rows):
    distinct = Counter(len(set(row["references"])) for row in rows["test"])
    assert distinct[1] == 0 and distinct[3] > 0.7 * len(rows["test"])


# El generador.


def first(grammar, split="train", seed=7, n=40) -> list[dict]:
    return list(itertools.islice(iter(DialogueGenerator(*grammar, split, seed)), n))


@pytest.mark.parametrize("split", SPLITS)
def test_same_seed_same_dialogues_and_another_seed_others(grammar, split):
    assert first(grammar, split) == first(grammar, split)
    ours, theirs = ({row["dialogue"] for row in first(grammar, split, seed)} for seed in (7, 8))
    assert not ours & theirs


@pytest.fixture
def copied_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Una carpeta `data/` vacía con las gramáticas, donde `build_data` escribe sin tocar la de verdad."""
    for name, source in (("dialogos", "gramatica"), ("instrucciones", "gramatica.yaml"), ("dominios", "gramatica"),
                         ("razonamiento", "gramatica.yaml")):  # fmt: skip
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / source).symlink_to(DATA / name / source)
    (tmp_path / "data" / "textos").symlink_to(DATA / "textos")
    monkeypatch.setattr(build_data, "repo_root", lambda: tmp_path)
    return tmp_path / "data"


def test_committed_files_are_what_make_data_writes(copied_data, capsys):
    build_data.main()
    for name in ("dialogos", "instrucciones", "dominios", "razonamiento"):
        for split in SPLITS:
            made, committed = (folder / name / f"{split}.jsonl" for folder in (copied_data, DATA))
            assert made.read_bytes() == committed.read_bytes(), f"{name}/{split}.jsonl: ejecuta «make data»"
        assert not list((copied_data / name).glob("*.tmp"))
    assert "data/dialogos/train.jsonl: 5000 ejemplos, 3,4 MB" in capsys.readouterr().out


def test_unknown_split_is_explained(grammar):
    with pytest.raises(ValueError, match=r"Partición desconocida: «dev». Usa una de estas: train, validation, test"):
        DialogueGenerator(*grammar, "dev", 0)


def test_a_folder_without_grammar_is_explained(tmp_path):
    with pytest.raises(ValueError, match=r"falta comun\.yaml"):
        load_grammar(tmp_path)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ("dominio: circo\ntema: [circo]\n", "«circo» no tiene apertura_problema ni apertura_peticion"),
        ("", "otro.yaml"),
        ("tema: [circo]\n", "otro.yaml"),
        ("dominio: [circo\n", "otro.yaml"),
    ],
)
def test_a_broken_domain_is_explained(tmp_path, domain, message):
    with pytest.raises(ValueError, match=message):
        load_grammar(write(tmp_path, comun="nombres: {}\n", otro=domain))


def test_a_broken_common_file_is_explained(tmp_path):
    with pytest.raises(ValueError, match=r"comun\.yaml"):
        load_grammar(write(tmp_path, comun="nombres: [sin cerrar\n"))


@pytest.mark.parametrize(
    ("clauses", "text"),
    [
        (["ana llama"], "Ana llama."),
        (["Ana llama", "Irene responde"], "Ana llama e Irene responde."),
        (["Ana llama", "hiela"], "Ana llama y hiela."),
        (["uno", "dos", "hila fino"], "Uno, dos e hila fino."),
    ],
)
def test_clauses_are_joined_as_in_spanish(clauses, text):
    assert join_clauses(clauses) == text


def test_contraction_spares_words_that_only_look_like_it():
    assert contract("de ella, de Elche, a ellos") == "de ella, de Elche, a ellos"
    assert contract("A el lunes de el mes") == "Al lunes del mes"


def test_grammar_files_are_plain_yaml(grammar):
    for path in (FOLDER / "gramatica").glob("*.yaml"):
        assert isinstance(yaml.safe_load(path.read_text("utf-8")), dict), path.name


def test_the_cards_tell_the_figures_of_the_files():
    for path, text in build_data_cards.cards().items():
        assert path.read_text("utf-8") == text, f"{path.parent.name}: ejecuta «make data»."


def test_a_card_cannot_ask_for_a_figure_nobody_computes():
    with pytest.raises(KeyError, match="inventado"):
        build_data_cards.updated("<!-- calculado: inventado -->\n<!-- fin -->", {})
