"""El conjunto de instrucciones: tareas equilibradas y respuestas correctas por construcción."""

import itertools
import json
import re
from collections import Counter

import pytest

from scripts import build_data
from utils.corpus.dialogues import SPLITS, DialogueGenerator, load_grammar
from utils.corpus.instructions import TASKS, InstructionGenerator, load_instruction_grammar
from utils.course.env import repo_root

DATA = repo_root() / "data"


@pytest.fixture(scope="module")
def grammar() -> dict:
    return load_instruction_grammar(DATA / "instrucciones" / "gramatica.yaml")


@pytest.fixture(scope="module")
def domains():
    return load_grammar(DATA / "dialogos" / "gramatica")


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict]]:
    folder = DATA / "instrucciones"
    return {s: [json.loads(line) for line in (folder / f"{s}.jsonl").read_text("utf-8").splitlines()] for s in SPLITS}


def of_task(rows: dict, task: str, split: str | None = None) -> list[dict]:
    splits = [split] if split else SPLITS
    return [row for s in splits for row in rows[s] if row["task"] == task]


def text_of(row: dict, grammar: dict) -> str:
    """La entrada de un ejemplo, sin la consigna. Falla si ninguna consigna de la tarea casa."""
    for name, prompts in grammar["consignas"].items():
        if not name.startswith(row["task"]):
            continue
        for prompt in prompts:
            pattern = re.escape(prompt).replace(r"\{texto\}", "(?P<t>.*)").replace(r"\{pregunta\}", ".*")
            if found := re.fullmatch(pattern, row["prompt"], re.DOTALL):
                return found["t"]
    raise AssertionError(f"{row['id']} no usa ninguna consigna de su tarea")


def test_sizes_ids_and_fields(rows):
    assert {split: len(found) for split, found in rows.items()} == build_data.INSTRUCTIONS
    for split, found in rows.items():
        assert [row["id"] for row in found] == [f"{split}-{i:05d}" for i in range(len(found))]
        assert all(set(row) == {"id", "task", "prompt", "completion"} for row in found)
        assert all(row["prompt"].strip() and row["completion"].strip() for row in found)
        assert len({row["prompt"] for row in found}) == len(found)


def test_tasks_are_balanced(rows):
    for split, found in rows.items():
        share = {task: n / len(found) for task, n in Counter(row["task"] for row in found).items()}
        assert set(share) == set(TASKS)
        # los ejemplos repetidos se saltan: las tareas con menos combinaciones quedan algo por debajo de 1/6
        assert min(share.values()) > 0.12 and max(share.values()) < 0.2, (split, share)


def test_no_prompt_is_shared_between_splits(rows):
    prompts = {split: {row["prompt"] for row in found} for split, found in rows.items()}
    assert not prompts["train"] & prompts["test"]
    # de validación solo se piden aparte las traducciones: comparte frases cortas con entrenamiento
    assert len(prompts["train"] & prompts["validation"]) < 0.1 * len(prompts["validation"])


def test_every_row_uses_a_prompt_of_its_task(rows, grammar):
    for row in itertools.chain.from_iterable(rows.values()):
        assert text_of(row, grammar)


def test_nobody_asks_for_a_summary(rows, grammar):
    assert not any("resum" in prompt.casefold() for prompt in itertools.chain(*grammar["consignas"].values()))
    assert not any(re.match(r"resum", row["prompt"], re.I) for found in rows.values() for row in found)


def test_copies_are_copies(rows, grammar):
    for row in of_task(rows, "copia"):
        assert text_of(row, grammar) == row["completion"]


def test_entities_are_in_the_prompt(rows):
    for row in of_task(rows, "entidades"):
        person, place, date = re.fullmatch(r"persona: (.+); lugar: (.+); fecha: (.+)", row["completion"]).groups()
        prompt = row["prompt"].casefold()
        for part in (person, place, date):
            bare = part.casefold().removeprefix("el ")  # «de el café» se contrae en «del café»
            assert bare in prompt, (row["id"], part)


def test_answers_are_in_the_dialogue(rows):
    for row in of_task(rows, "pregunta"):
        answer = row["completion"].casefold()
        forms = {answer, re.sub(r"\bsu\b", "mi", answer)}
        forms |= {form.removeprefix("el ") for form in forms}
        assert any(form in row["prompt"].casefold() for form in forms), row["id"]


def test_a_form_asks_for_facts_of_the_dialogue_in_order(grammar, domains):
    """La ficha da los hechos pedidos, en su orden, con o sin su nombre; ninguno sobra ni falta."""
    known = {field for fields in grammar["campos"].values() for field in fields}
    generator = InstructionGenerator(grammar, DialogueGenerator(*domains, "train", 2), ["marea", "barco", "remero"], 2)
    for row in (generator.example("ficha") for _ in range(200)):
        answers = row["completion"].split(" | ")
        labels = [answer.split(": ")[0] for answer in answers if ": " in answer]
        assert len(answers) >= 2 and len(labels) in (0, len(answers))
        assert set(labels) <= known
        assert ", ".join(labels) in row["prompt"]
        text = row["prompt"].casefold().replace("su ", "mi ")
        for answer in answers:
            bare = answer.split(": ")[-1].casefold().replace("su ", "mi ").removeprefix("el ")
            assert bare.replace(" de el ", " del ").replace(" a el ", " al ") in text, (row, answer)


def test_every_fact_of_a_dialogue_has_a_field(grammar, domains):
    dialogues = DialogueGenerator(*domains, "train", 3)
    assert {fact for _ in range(300) for fact in dialogues.example()["facts"]} == set(grammar["campos"])


def test_topics_are_the_domains_of_the_dialogues(rows, domains):
    names = {domain["dominio"] for domain in domains[1]}
    assert {row["completion"] for row in of_task(rows, "tema")} == names


def test_the_verdict_decides_the_sentiment(rows, grammar):
    lists = grammar["sentimiento"]
    assert not set(lists["positivo"]) & set(lists["negativo"])
    for row in of_task(rows, "sentimiento"):
        assert row["completion"] in ("positivo", "negativo")
        expected = {label for label in ("positivo", "negativo") for v in lists[label] if f" {v}." in row["prompt"]}
        assert expected == {row["completion"]}, row
    for split in SPLITS:
        found = of_task(rows, "sentimiento", split)
        positive = sum(row["completion"] == "positivo" for row in found)
        assert 0.4 < positive / len(found) < 0.6


def translation_pair(row: dict, grammar: dict) -> tuple[str, str]:
    """(español, inglés), venga en el orden que venga."""
    text = text_of(row, grammar)
    return (text, row["completion"]) if "inglés" in row["prompt"] else (row["completion"], text)


def test_translations_follow_the_dictionary(rows, grammar):
    lists = grammar["traduccion"]
    right = {}
    for i, (subject, verb, thing, when) in enumerate(
        itertools.product(lists["sujetos"], lists["verbos"], lists["objetos"], lists["cuando"])
    ):
        es_verb, en_verb = (verb[0], verb[2]) if subject == "yo" else (verb[1], verb[3])
        english = f"{lists['sujetos'][subject]} {en_verb} {lists['objetos'][thing]} {lists['cuando'][when]}"
        right[f"{subject} {es_verb} {thing} {when}"] = english
        assert i + 1 == len(right)  # ninguna frase española tiene dos traducciones
    assert len(set(right.values())) == len(right)  # ni al revés
    for row in of_task(rows, "traduccion"):
        spanish, english = translation_pair(row, grammar)
        assert right[spanish] == english, row


def test_held_out_translations_are_never_trained(rows, grammar):
    pairs = {s: {translation_pair(row, grammar) for row in of_task(rows, "traduccion", s)} for s in SPLITS}
    assert not pairs["train"] & (pairs["validation"] | pairs["test"])
    assert len(pairs["train"]) > 1000 and len(pairs["test"]) > 100


def test_test_content_of_every_list_is_new(grammar):
    for name, lists in (("sujetos", grammar["sentimiento"]["sujetos"]), ("entidades", grammar["entidades"])):
        assert not set(lists["entrenamiento"]) & set(lists["prueba"]), name
    endings = grammar["sentimiento"]["remates"]
    assert set(endings["entrenamiento"]) & set(endings["prueba"]) == {""}  # no decir nada no es una frase


@pytest.mark.parametrize("split", SPLITS)
def test_same_seed_same_instructions_and_another_seed_others(grammar, domains, split):
    def first(seed: int) -> list[dict]:
        generator = InstructionGenerator(grammar, DialogueGenerator(*domains, split, seed), ["mar", "barco"], seed)
        return list(itertools.islice(generator, 60))

    assert first(3) == first(3)
    assert first(3) != first(4)


def test_dialogues_of_a_finished_or_unfinished_split_do_not_change_the_sentiment(grammar, domains):
    """Cada generador tiene su propio azar: pedir diálogos de más no mueve las demás tareas."""
    lonely, busy = (
        InstructionGenerator(grammar, DialogueGenerator(*domains, "train", 1), ["mar", "barco"], 5) for _ in range(2)
    )
    for _ in range(10):
        busy.dialogues.example()
    assert [lonely.example("sentimiento") for _ in range(20)] == [busy.example("sentimiento") for _ in range(20)]


def test_a_broken_grammar_is_explained(tmp_path):
    path = tmp_path / "gramatica.yaml"
    for text in ("consignas: [sin cerrar\n", "", "consignas: {}\n"):
        path.write_text(text, "utf-8")
        with pytest.raises(ValueError, match=r"gramatica\.yaml"):
            load_instruction_grammar(path)
    with pytest.raises(ValueError, match=r"No existe.*gramatica\.yaml"):
        load_instruction_grammar(tmp_path / "otra" / "gramatica.yaml")
