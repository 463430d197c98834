"""Los problemas de `data/razonamiento` tienen la respuesta que dicen, las particiones no se tocan y el mundo es uno."""

import json

import pytest

from scripts.build_data import SEED
from utils.corpus.arithmetic import evaluate
from utils.corpus.dialogues import SPLITS, read_yaml
from utils.corpus.problems import DIGITS, STEPS, ProblemGenerator, expression, reserved, split_of, trained
from utils.corpus.reasoning import SIZES, reasoning_rows
from utils.corpus.traces import ANSWER, REQUESTS, conversation, opening, program, steps
from utils.corpus.world import TOWN_SEED, Lookup, World, WorldQuestions, parse_action
from utils.course.env import repo_root

FOLDER = repo_root() / "data" / "razonamiento"
GRAMMAR = read_yaml(FOLDER / "gramatica.yaml")
LEVELS = [(d, s) for d in DIGITS for s in STEPS]


def stored(split: str) -> list[dict]:
    return [json.loads(line) for line in (FOLDER / f"{split}.jsonl").read_text("utf-8").splitlines()]


def numbers(row: dict) -> list[int]:
    return [int(word) for word in expression(row["plan"]).split() if word.isdigit()]


def sums(split: str) -> list[dict]:
    return [row for row in stored(split) if row["kind"] == "cuentas"]


@pytest.mark.parametrize("split", SPLITS)
def test_the_seed_gives_the_stored_files(split):
    assert stored(split) == reasoning_rows(GRAMMAR, split, SEED) != reasoning_rows(GRAMMAR, split, SEED + 1)
    trained_levels = sum(trained(*level) for level in LEVELS)
    per_level, world = SIZES[split]
    assert len(stored(split)) == per_level * (len(LEVELS) if split == "test" else trained_levels) + world
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1.5e6


def test_answers_are_right_over_thousands_of_draws():
    generator = ProblemGenerator(GRAMMAR, "test", 7)
    for i in range(4000):
        digits, n_steps = LEVELS[i % len(LEVELS)]
        row = generator.problem(digits, n_steps)
        told = [int(word.strip(".,¿?")) for word in row["question"].split() if word.strip(".,¿?").isdigit()]
        assert told == numbers(row) and len(told) == n_steps + 1 and {len(str(n)) for n in told} == {digits}
        total = told[0]
        for change, sentence in zip(row["plan"][1:], row["question"].split(". ")[1:], strict=False):
            note = change.split(" ", 2)[2]
            sign = next(s for s, cs in GRAMMAR["cambios"].items() if note in [c["nota"] for c in cs])
            assert any(c["frase"].split("{n}")[0] in sentence for c in GRAMMAR["cambios"][sign])
            total += int(change.split()[1]) * (1 if sign == "+" else -1)
            assert total >= 0
        assert str(total) == row["answer"] == str(evaluate(program(row["plan"])))
        assert steps(row["plan"], row["answer"]).endswith(f"= {total}. {ANSWER}{total}")


def test_splits_share_neither_sums_nor_scenes_nor_ranges_nor_levels():
    expressions = {split: {expression(row["plan"]) for row in sums(split)} for split in SPLITS}
    assert all({split_of(text) for text in found} == {split} for split, found in expressions.items())
    assert not expressions["train"] & expressions["test"] and not expressions["train"] & expressions["validation"]
    for row in sums("train") + sums("validation"):
        assert row["novelty"] == "ninguna" and trained(row["digits"], row["steps"])
        assert row["template"] in GRAMMAR["escenas"]["entrenamiento"] and not any(map(reserved, numbers(row)))
    novelties = {n: [r for r in sums("test") if r["novelty"] == n] for n in ("ninguna", "escena", "tramo", "nivel")}
    assert all(novelties.values())
    assert {row["template"] for row in novelties["escena"]} == set(GRAMMAR["escenas"]["prueba"])
    assert all(any(map(reserved, numbers(row))) for row in novelties["tramo"])
    assert {(row["digits"], row["steps"]) for row in novelties["nivel"]} == {x for x in LEVELS if not trained(*x)}
    assert not set(GRAMMAR["escenas"]["prueba"]) & set(GRAMMAR["escenas"]["entrenamiento"])


def test_the_town_is_only_in_test_and_its_pages_answer():
    town = World(GRAMMAR, TOWN_SEED)
    assert town.pages == World(GRAMMAR, TOWN_SEED).pages != World(GRAMMAR, 1).pages
    questions = WorldQuestions(GRAMMAR, town, 3)
    for kind in GRAMMAR["mundo"]["preguntas"]:
        for _ in range(60):
            row = questions.question(kind)
            tool = Lookup(town)
            assert [tool(action) for action in row["plan"]] == row["observations"]
            assert row["answer"] in " ".join(row["observations"])
    asked = [r for r in stored("test") if r["kind"] == "mundo"]
    facts = {pair for r in asked for pair in zip(r["plan"], r["observations"], strict=True)}
    assert all(Lookup(town)(action) == seen for action, seen in facts if action.startswith("buscar"))
    first = {o for r in stored("train") if r["kind"] == "mundo" for o in r["observations"] if " abrió en " in o}
    assert not first & {o for _, o in facts}


def test_the_older_place_is_the_older():
    town = World(GRAMMAR, TOWN_SEED)
    questions = WorldQuestions(GRAMMAR, town, 5)
    for _ in range(100):
        row = questions.question("antes")
        years = {action[7:-1]: int(town.places[action[7:-1]]["año"]) for action in row["plan"]}
        assert row["answer"] == min(years, key=years.get)


def test_every_format_ends_with_the_answer_and_reads_as_a_chat():
    row = sums("test")[300]
    for form in REQUESTS:
        messages = conversation(row, form)
        assert messages[:2] == opening(row["question"], form)
        assert [m["role"] for m in messages[1:]] == ["user", "assistant"] * ((len(messages) - 1) // 2)
        last = messages[-1]["content"]
        end = {"programa": str(evaluate(last) if form == "programa" else ""), "react": last.split("[")[-1][:-1]}
        assert end.get(form, last.split()[-1]) == row["answer"]


@pytest.mark.parametrize(
    "text", ["__import__('os')", "total = 2 ** 9", "a.b", "while 1: 1", "x = y", "1 / 2", "", "9" * 14, "1 = 2", "f(2)",
             "True", "x = y = 2", "[1]", "(" * 400, "1 +" * 400 + "1"],
)  # fmt: skip
def test_the_evaluator_refuses_what_is_not_a_sum(text):
    with pytest.raises(ValueError):
        evaluate(text)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ProblemGenerator(GRAMMAR, "dev", 0), "Usa una de estas"),
        (lambda: ProblemGenerator(GRAMMAR, "train", 0).problem(3, 3), "solo están en test"),
        (lambda: ProblemGenerator(GRAMMAR, "train", 0).problem(2, 2, "escena"), "solo están en test"),
        (lambda: ProblemGenerator(GRAMMAR, "test", 0).problem(5, 1), "de 1 a 4"),
        (lambda: ProblemGenerator(GRAMMAR, "test", 0).problem(1, 1, "tramo"), "2 cifras o más"),
        (lambda: opening("¿?", "verso"), "Usa directo"),
        (lambda: conversation(stored("test")[-1], "pasos"), "usa el formato «react»"),
        (lambda: parse_action("borrar[todo]"), "no es una acción"),
        (lambda: Lookup(World(GRAMMAR, 0))("acabar[3]"), "no hay nada que observar"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_looking_up_goes_on_from_where_it_was():
    tool = Lookup(World(GRAMMAR, TOWN_SEED))
    place = next(iter(tool.world.places))
    first, fee = tool(f"buscar[{place}]"), tool("mirar[cuesta]")
    assert place in first and fee.startswith("La entrada cuesta")
    assert tool("mirar[cuesta]") == "No hay más frases con «cuesta»."
    assert f"Parecidas: {place}" in tool(f"buscar[{place}s]") and tool("calcular[2 **]").startswith("No se puede")
