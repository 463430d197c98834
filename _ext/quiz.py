"""La directiva `{quiz}`: dibuja el cuestionario `chapters/quizzes/<nombre>.yml`.

    ```{quiz} semana-1-07
    ```

Sin JavaScript se lee entero: cada pregunta es una lista de opciones y un <details> con las razones.
Con JavaScript, `_static/course/quiz.js` lo convierte en un grupo de botones de radio que responde.
Aquí no se valida nada: el YAML lo lee `utils.course.quiz`.
"""

from pathlib import Path

from course_html import add_assets, element
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from utils.course.quiz import Question, load_quiz


class QuizDirective(SphinxDirective):
    """Un cuestionario; el argumento es el nombre del YAML, sin extensión."""

    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        path = Path(self.env.srcdir, self.config.quiz_dir, f"{name}.yml")
        self.env.note_dependency(str(path))
        try:
            questions = load_quiz(path)
        except ValueError as error:
            raise self.error(str(error)) from None
        prefix = f"quiz-{nodes.make_id(name)}"
        quiz = element("div", classes="quiz")
        quiz += [self._question(f"{prefix}-{n}", n, question) for n, question in enumerate(questions, start=1)]
        return [quiz]

    def _question(self, node_id: str, number: int, question: Question) -> nodes.Node:
        options = element("ol", classes="quiz-options")
        reasons = element("ol", classes="quiz-reasons")
        for option in question.options:
            options += element("li", *self._inline(option.text))
            verdict = element("strong", nodes.Text("Correcta." if option.correct else "Incorrecta."))
            reasons += element(
                "li",
                verdict,
                nodes.Text(" "),
                element("span", *self._inline(option.reason)),
                **{"data-correct": str(option.correct).lower()},
            )
        prompt = element("div", element("span", nodes.Text(f"{number}. ")), classes="quiz-prompt")
        prompt += self._inline(question.prompt)
        summary = element("summary", nodes.Text("Respuestas y razones"))
        node = element("div", prompt, options, element("details", summary, reasons), classes="quiz-question")
        node["ids"].append(node_id)
        return node

    def _inline(self, text: str) -> list[nodes.Node]:
        parsed, messages = self.state.inline_text(text, self.lineno)
        return [*parsed, *messages]


def _page_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    if doctree and any("quiz" in node["classes"] for node in doctree.findall(nodes.Element) if "classes" in node):
        add_assets(app, "quiz.css", "quiz.js")


def setup(app: Sphinx) -> dict:
    app.setup_extension("course_html")
    app.add_config_value("quiz_dir", "chapters/quizzes", "env")
    app.add_directive("quiz", QuizDirective)
    app.connect("html-page-context", _page_assets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
