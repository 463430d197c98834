"""Las respuestas que se leen de cada formato, el bucle de ReAct con un modelo de guion y la tabla por niveles."""

import pytest

from utils.corpus.dialogues import read_yaml
from utils.corpus.traces import OBSERVATION
from utils.corpus.world import TOWN_SEED, World
from utils.course.env import repo_root
from utils.measure import reasoning
from utils.measure.reasoning import accuracy_by, accuracy_table, final_answer, solve

WORLD = World(read_yaml(repo_root() / "data" / "razonamiento" / "gramatica.yaml"), TOWN_SEED)


@pytest.fixture
def script(monkeypatch):
    """Un modelo que dice lo que se le dicte: una lista de textos por vuelta. Devuelve los prompts que recibe."""

    def dictate(*rounds: list[str]) -> list[list[str]]:
        seen, pending = [], list(rounds)

        def fake(model, tokenizer, prompts, **decoding):
            seen.append(list(prompts))
            return pending.pop(0)

        monkeypatch.setattr(reasoning, "generate_texts", fake)
        return seen

    return dictate


@pytest.mark.parametrize(
    ("text", "form", "answer"),
    [
        ("Respuesta: 49", "directo", "49"),
        ("34 + 27 = 61. Respuesta: 61", "pasos", "61"),
        ("34 + 27 = 61.", "pasos", ""),
        ("Respuesta: 6 1", "pasos", ""),
        ("total = 34 # al principio\ntotal = total - 4 # vende", "programa", "30"),
        ("total = 34\nprint(total)", "programa", ""),
    ],
)
def test_the_answer_is_read_from_each_format(text, form, answer):
    assert final_answer(text, form) == answer


def test_one_round_for_the_formats_without_tools(script):
    seen = script(["Respuesta: 3", "no sé"])
    found = solve(None, None, ["¿uno?", "¿dos?"], "directo")
    assert [solution.answer for solution in found] == ["3", ""] and len(seen) == 1
    assert seen[0][0].endswith("<|im_start|>assistant\n") and "Responde sin más." in seen[0][0]


def test_react_runs_each_action_until_it_ends_or_fails(script):
    place = next(iter(WORLD.places))
    seen = script(
        [f"Pensamiento: x.\nAcción: buscar[{place}]", "Pensamiento: x.\nAcción: borrar[todo]", "Respuesta: 3"],
        ["Pensamiento: x.\nAcción: mirar[cuesta]"],
        ["Pensamiento: ya lo sé.\nAcción: acabar[7]"],
    )
    found = solve(None, None, ["a", "b", "c"], "react", WORLD)
    assert [solution.answer for solution in found] == ["7", "", ""]
    assert [(solution.valid, solution.actions) for solution in found] == [(3, 3), (0, 1), (0, 1)]
    assert [len(prompts) for prompts in seen] == [3, 1, 1]
    assert OBSERVATION + WORLD.pages[place][0] in seen[1][0] and WORLD.pages[place][1] in seen[2][0]


def test_react_stops_after_the_last_turn_and_each_question_has_its_tool(script):
    rounds = [["Acción: mirar[cuesta]", "Acción: calcular[2 + 2]"]] * reasoning.MAX_TURNS
    script(*rounds)
    first, second = solve(None, None, ["a", "b"], "react", WORLD)
    assert first.answer == second.answer == "" and first.actions == reasoning.MAX_TURNS
    with pytest.raises(ValueError, match=r"pasa world=World"):
        solve(None, None, ["a"], "react")


def test_the_table_counts_by_format_and_level(script):
    rows = [{"digits": d, "steps": 1, "question": "¿?", "answer": "3"} for d in (2, 1, 1)]
    script(["Respuesta: 3", "Respuesta: 3", "Respuesta: 4"], ["total = 3"] * 3)
    table = accuracy_table(None, None, rows, ("directo", "programa"))
    assert {key: (share.estimate, share.n) for key, share in table.items()} == {
        ("directo", 1, 1): (0.5, 2), ("directo", 2, 1): (1.0, 1),
        ("programa", 1, 1): (1.0, 2), ("programa", 2, 1): (1.0, 1),
    }  # fmt: skip
    assert 0 < table["programa", 2, 1].low < 1
    with pytest.raises(ValueError, match="shorter"):
        accuracy_by(rows, [True])
