"""Las preguntas: archivos que se rehacen, respuestas repartidas, sin repeticiones, y prompts como los del curso."""

import random
from collections import Counter

import pytest
import yaml

from scripts import build_questions, run_benchmark
from utils.corpus.questions import (
    DETERMINERS,
    OPTIONS,
    SUBJECTS,
    agreement_questions,
    context,
    ending_questions,
    instruction_questions,
    letters_context,
    near_agreement_questions,
    reading_questions,
    reply_questions,
    shuffled,
    written_questions,
)
from utils.course.hub import load_data
from utils.measure.benchmark import accuracy, longest


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict]]:
    return load_data("questions")


def test_the_files_are_the_ones_the_script_writes(rows):
    assert build_questions.build() == rows


def test_there_are_enough_questions_and_areas(rows):
    test = rows["test"]
    written = [row for row in test if row["level"] == "saber"]
    assert len(written) >= 200 and len({row["area"] for row in written}) >= 6
    assert len(test) - len(written) >= 100
    assert Counter(row["area"] for row in rows["validation"]) == dict.fromkeys({r["area"] for r in test}, 4)


def test_each_row_has_four_different_options_and_one_answer(rows):
    for split, found in rows.items():
        assert [row["id"] for row in found] == [f"{split}-{i:03d}" for i in range(len(found))]
        for row in found:
            assert list(row) == ["id", "level", "area", "question", "options", "answer"]
            assert len({option.strip().lower() for option in row["options"]}) == OPTIONS, row["id"]
            assert all(option == option.strip() != "" for option in row["options"]), row["id"]
            assert row["question"] == row["question"].strip() and row["answer"] in range(OPTIONS)


def test_no_question_is_repeated_nor_shared_between_splits(rows):
    questions = [row["question"] for found in rows.values() for row in found]
    assert len(set(questions)) == len(questions)


def test_answers_are_spread_over_the_four_places(rows):
    counts = Counter(row["answer"] for row in rows["test"])
    assert max(counts.values()) - min(counts.values()) <= 1
    for area in {row["area"] for row in rows["test"]}:
        places = Counter(row["answer"] for row in rows["test"] if row["area"] == area)
        assert max(places.values()) - min(places.values()) <= 2


@pytest.mark.parametrize("level", ["saber", "continuar", "instrucción"])
def test_the_longest_option_does_not_give_the_answer_away(rows, level):
    found = [row for row in rows["test"] if row["level"] == level]
    measured = accuracy(longest([row["options"] for row in found]), [row["answer"] for row in found])
    assert measured.low <= 0.25 <= measured.high


def test_every_area_says_where_to_check_it():
    for area, part in yaml.safe_load((build_questions.FOLDER / "escritas.yaml").read_text("utf-8")).items():
        assert part["fuente"].strip() and len(written_questions(part["preguntas"])) == 30, area


def test_too_few_texts_are_explained():
    rng = random.Random(0)
    for questions in (
        ending_questions(["uno dos tres cuatro"] * 5, rng, given=2, asked=2),
        reply_questions(["Ana: ¿Vienes hoy?\nLuis: sí, voy ahora mismo"], rng),
        instruction_questions([{"prompt": "Di un color.", "completion": "Azul."}], rng),
    ):
        with pytest.raises(ValueError, match="hay 0 finales distintos y hacen falta 3: añade textos"):
            next(questions)


def test_written_questions_say_which_line_is_wrong():
    for line in ("¿Una? | a | b | c", "¿Una? | a | b | c | a", "¿Una? | a | b | c |"):
        with pytest.raises(ValueError, match="Línea 2"):
            written_questions("¿Dos? | 1 | 2 | 3 | 4\n" + line)


def test_agreement_is_right_by_construction():
    genders = {form: (g, n) for pair in SUBJECTS for g in (0, 1) for n, form in enumerate(pair[g])}
    near = {form: (g, n) for pair in DETERMINERS for g in (0, 1) for n, form in enumerate(pair[g])}
    endings = {(0, 0): "o", (1, 0): "a", (0, 1): "os", (1, 1): "as"}
    for seed in range(50):
        question, (right, *_) = next(agreement_questions(random.Random(seed)))
        subject = max((f for f in genders if question.lower().startswith(f)), key=len)
        gender, number = genders[subject]
        assert right.startswith(("está ", "están ")[number]) and right.rstrip(".").endswith(endings[gender, number])
        question, (right, *_) = next(near_agreement_questions(random.Random(seed)))
        assert right.split()[0].rstrip(".").endswith(endings[near[question.split()[-1]]])


def test_generated_options_come_from_where_they_say():
    days = ("lunes", "martes", "jueves", "sábado")
    talks = [f"Ana: ¿Cuándo fue?\nLuis: El {day} por la tarde." for day in days]
    talks += [f"A: ¿Dónde está?\nB: Sobre la mesa {i}." for i in "abcd"]
    found = dict(reply_questions(talks, random.Random(0)))
    right, *wrong = found["Ana: ¿Cuándo fue?\nLuis:"]
    assert right.startswith("El ") and all(text.startswith("Sobre la mesa") for text in wrong)
    texts = [" ".join(f"{letter}{i}" for i in range(6)) for letter in "abcde"]
    for question, (end, *others) in ending_questions(texts, random.Random(0), given=3, asked=2):
        assert f"{question} {end}" in " ".join(texts) and not any(o[0] == question[0] for o in others)
    orders = [{"prompt": f"Di {i}.", "completion": str(i)} for i in range(1, 10)]
    for question, options in instruction_questions(orders, random.Random(0)):
        assert question == f"Di {options[0]}." and len(set(options)) == OPTIONS
    dialogues = [
        {"dialogue": f"{n}: Hola, {m}.", "facts": {"a": n, "b": m}} for n, m in zip("ABCDEF", "GHIJKL", strict=True)
    ]
    for question, (right, present, *absent) in reading_questions(dialogues, {"a": ["¿quién?"]}, random.Random(0)):
        talk = question.split("\n")[1]
        assert talk.startswith(right) and present in talk and not any(text in talk for text in absent)


def test_prompts_put_solved_examples_first(rows):
    row, example = rows["test"][0], rows["validation"][0]
    assert context(row, [example]) == (
        f"Pregunta: {example['question']}\nRespuesta: {example['options'][example['answer']]}\n\n"
        f"Pregunta: {row['question']}\nRespuesta:"
    )
    letters = letters_context(row, [example]).split("\n")
    assert letters[5] == f"Respuesta: {'ABCD'[example['answer']]}" and letters[-1] == "Respuesta:"
    assert letters[8:12] == [f"{a}. {b}" for a, b in zip("ABCD", row["options"], strict=True)]


def test_shuffling_keeps_the_answer_where_asked():
    for place in range(OPTIONS):
        mixed, answer = shuffled(["bien", "a", "b", "c"], random.Random(place), place)
        assert mixed[answer] == "bien" and answer == place and sorted(mixed) == ["a", "b", "bien", "c"]


def test_the_area_of_the_novel_is_in_the_text_the_minis_read(rows):
    novel = (build_questions.repo_root() / "data/textos/trafalgar.txt").read_text("utf-8")
    for row in rows["test"]:
        if row["area"] == "novela":
            assert f"{row['question']} {row['options'][row['answer']]}" in " ".join(novel.split())


def test_the_test_dialogues_are_not_in_the_minis_training(rows):
    train = "\n".join(row["dialogue"] for row in load_data("dialogues")["train"])
    for row in rows["test"]:
        if row["area"] == "lectura":
            assert row["question"].split("\n", 1)[1] not in train


def test_stored_answers_belong_to_these_questions(rows):
    questions = {row["id"]: (row["area"], str(row["answer"])) for row in rows["test"]}
    assert all((row["area"], row["answer"]) == questions[row["id"]] for row in run_benchmark.STUDY.rows())
