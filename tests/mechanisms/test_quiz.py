"""El cuestionario: errores del YAML, Markdown para los labs, uso con teclado y sin JavaScript."""

import re

import pytest

from tests.mechanisms.tiny_book import ROOT, build, make_project
from utils.course.quiz import load_quiz, quiz_markdown

EXAMPLE = ROOT / "chapters" / "quizzes" / "ejemplo.yml"

GOOD = """
- pregunta: ¿Cuál?
  opciones:
    - texto: Esta
      correcta: true
      razon: Porque sí.
    - texto: Esa
      razon: Porque no.
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("razon: Porque no.", "razon:", r"pregunta 1, opción b: falta `razon`.*explica por qué"),
        ("      razon: Porque sí.\n", "", r"pregunta 1, opción a: falta `razon`"),
        ("correcta: true", "correcta: false", r"ninguna opción es correcta.*correcta: true"),
        ("correcta: true", "correcta: sí", r"`correcta` vale 'sí'; escribe true o false"),
        ("correcta: true", "correta: true", r"sobra la clave `correta`"),
        ("texto: Esa", "texto: Esta", r"dos opciones con el mismo texto"),
        ("texto: Esa", "texto: 0.9", r"`texto` vale 0.9, que no es un texto; enciérralo entre comillas"),
        ("texto: Esa", "texto: Con T: no", r"línea 7: el YAML no se puede leer.*comillas simples"),
        ("pregunta: ¿Cuál?", "pregunta: ''", r"pregunta 1: falta `pregunta`"),
        ("pregunta: ¿Cuál?", "pregunta: '  '", r"`pregunta` está en blanco"),
        (GOOD, "", r"debe ser una lista de preguntas"),
        (GOOD, "- suelta", r"pregunta 1: debe tener las claves `opciones`, `pregunta`"),
        (
            GOOD,
            "- pregunta: ¿Y?\n  opciones: [{texto: a, razon: b, correcta: true}]",
            r"lista de 2 a 8 opciones",
        ),
    ],
)
def test_broken_yaml_says_what_to_fix(tmp_path, old, new, message):
    path = tmp_path / "roto.yml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=r"^roto\.yml") as error:
        load_quiz(path)
    assert re.search(message, str(error.value))


def test_missing_file_and_wrong_encoding(tmp_path):
    with pytest.raises(ValueError, match=r"No existe el cuestionario nada\.yml"):
        load_quiz(tmp_path / "nada.yml")
    (tmp_path / "latin.yml").write_bytes(GOOD.encode("latin-1"))
    with pytest.raises(ValueError, match="UTF-8"):
        load_quiz(tmp_path / "latin.yml")


@pytest.mark.parametrize("path", sorted(EXAMPLE.parent.glob("*.yml")), ids=lambda path: path.stem)
def test_every_quiz_of_the_book_is_valid(path):
    assert load_quiz(path)


def test_markdown_has_every_text_and_folds_the_reasons():
    text = quiz_markdown(EXAMPLE)
    questions = load_quiz(EXAMPLE)
    assert text.count("<details><summary>Respuestas y razones</summary>\n\n") == len(questions)
    for question in questions:
        open_part, _, folded = text[text.index(question.prompt) :].partition("<details>")
        for option in question.options:
            assert option.text in open_part
            assert option.reason in folded
            assert option.reason not in open_part
    correct = sum(option.correct for question in questions for option in question.options)
    assert text.count("**Correcta.**") == correct


@pytest.mark.slow
def test_the_build_fails_with_the_same_messages(tmp_path):
    expected = {
        "```{quiz} roto\n```": r"roto\.yml, pregunta 1, opción b: falta `razon`",
        "```{quiz} nada\n```": r"No existe el cuestionario nada\.yml",
        "```{widget} otro\n```": r"No hay un widget «otro»; los que hay son: .*sampling-explorer",
        "```{widget} sampling-explorer\ntokens: [a, b]\nlogits: [1]\n```": r"debe ser una lista de 2",
        "```{widget} sampling-explorer\nsolo texto\n```": r"el cuerpo debe ser YAML",
        "```{widget} sampling-explorer\ntokens: [a\n```": r"el YAML del cuerpo no se puede leer",
    }
    folder = make_project(tmp_path, intro="# Inicio\n\n" + "\n\n".join(expected))
    broken = folder / "chapters" / "quizzes" / "roto.yml"
    broken.write_text(GOOD.replace("razon: Porque no.", "razon:"), encoding="utf-8")
    result = build(folder)
    assert result.returncode != 0
    for message in expected.values():
        assert re.search(message, result.stderr), result.stderr


def test_reads_whole_without_javascript(open_page):
    page = open_page("chapters/uno", java_script_enabled=False)
    first = page.locator(".quiz-question").first
    assert first.locator(".quiz-prompt em").inner_text() == "logits"
    assert first.locator(".quiz-options > li").count() == 3
    assert page.locator(".quiz input, .quiz button").count() == 0
    reason = first.locator(".quiz-reasons > li").first
    assert not reason.is_visible()
    first.get_by_text("Respuestas y razones").click()
    assert reason.is_visible()
    assert reason.inner_text().startswith("Correcta. Los logits pasan a ser")
    assert page.locator(".quiz-question").nth(2).locator(".quiz-options code").first.inner_text() == "top_p=1.0"


def test_keyboard_only(open_page):
    page = open_page("chapters/uno")
    group = page.get_by_role("group", name=re.compile("^2. Con top-p"))
    status = page.locator(".quiz-question").nth(1).get_by_role("status")
    group.get_by_role("radio").first.focus()
    page.keyboard.press("Enter")  # enviar sin elegir
    assert status.inner_text() == "Elige antes una opción."
    page.keyboard.press("Space")
    assert status.inner_text() == ""  # elegir no corrige: recorrer las opciones no desvela nada
    page.keyboard.press("Enter")
    assert status.inner_text().startswith("No exactamente. Suman")
    page.keyboard.press("ArrowDown")
    assert group.get_by_role("radio").nth(1).is_checked()
    assert status.inner_text() == ""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Comprobar"
    page.keyboard.press("Enter")
    assert status.inner_text().startswith("Correcto. Es el menor conjunto")


def test_reasons_stay_folded_until_the_first_answer_and_the_score_counts_first_tries(open_page):
    page = open_page("chapters/uno")
    questions = page.locator(".quiz-question")
    for index, choice in enumerate((0, 0, 2)):  # bien, mal, mal
        question = questions.nth(index)
        assert question.locator("details").is_hidden()
        assert page.locator(".quiz-score").inner_text() == ""
        question.locator("label").nth(choice).click()
        question.get_by_role("button").click()
        assert question.locator("details").is_visible()
    assert page.locator(".quiz-score").inner_text() == "A la primera: 1 de 3."
    last = questions.nth(2)
    last.locator("label").nth(1).click()
    last.get_by_role("button").click()
    assert last.get_by_role("status").inner_text().endswith("Hay otra opción que también es correcta.")
    assert page.locator(".quiz-score").inner_text() == "A la primera: 1 de 3."


def test_the_script_is_small_and_loaded_only_with_a_quiz(book):
    assert (book / "_static" / "course" / "quiz.js").stat().st_size <= 6 * 1024
    assert "course/quiz.js" in (book / "chapters" / "uno.html").read_text(encoding="utf-8")
    second = (book / "chapters" / "dos.html").read_text(encoding="utf-8")
    assert set(re.findall(r"course/[\w/-]+\.\w+", second)) == {"course/progress.css", "course/progress.js"}
