// Convierte cada pregunta en un grupo de botones de radio. Sin este fichero, la página se lee igual: ver _ext/quiz.py.
(() => {
  const make = (tag, className, ...children) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  };

  const enhance = (question, onFirstAnswer) => {
    const items = [...question.querySelectorAll(".quiz-options > li")];
    const reasons = [...question.querySelectorAll(".quiz-reasons > li")];
    const details = question.querySelector("details");
    const prompt = question.querySelector(".quiz-prompt");
    const isCorrect = reasons.map((reason) => reason.dataset.correct === "true");
    const several = isCorrect.filter(Boolean).length > 1;

    const labels = items.map((item, index) => {
      const radio = make("input");
      Object.assign(radio, { type: "radio", name: question.id, value: index });
      return make("label", "quiz-option", radio, make("span", "", ...item.childNodes));
    });
    const feedback = make("div", "quiz-feedback");
    feedback.setAttribute("role", "status");
    const button = make("button", "quiz-check", "Comprobar");
    const fieldset = make("fieldset", "", make("legend", "quiz-prompt", ...prompt.childNodes), ...labels);
    const form = make("form", "", fieldset, button, feedback);

    const clear = () => {
      labels.forEach((label) => label.classList.remove("is-correct", "is-wrong"));
      feedback.classList.remove("is-correct", "is-wrong");
      feedback.replaceChildren();
    };
    let answered = false;
    form.addEventListener("change", clear);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clear();
      const chosen = labels.findIndex((label) => label.firstChild.checked);
      if (chosen < 0) {
        feedback.textContent = "Elige antes una opción.";
        return;
      }
      const state = isCorrect[chosen] ? "is-correct" : "is-wrong";
      labels[chosen].classList.add(state);
      feedback.classList.add(state);
      // La razón se copia ahora y no antes: sus fórmulas ya están compuestas.
      const reason = reasons[chosen].lastElementChild.cloneNode(true);
      feedback.append(make("strong", "", isCorrect[chosen] ? "Correcto." : "No exactamente."), " ", reason);
      if (isCorrect[chosen] && several) feedback.append(" Hay otra opción que también es correcta.");
      details.hidden = false;
      if (!answered) onFirstAnswer(isCorrect[chosen]);
      answered = true;
    });

    details.hidden = true; // hasta que respondas
    question.replaceChildren(form, details);
  };

  for (const quiz of document.querySelectorAll(".quiz")) {
    const questions = [...quiz.querySelectorAll(".quiz-question")];
    const score = make("p", "quiz-score");
    score.setAttribute("role", "status");
    let answers = 0;
    let hits = 0;
    for (const question of questions) {
      enhance(question, (hit) => {
        answers += 1;
        hits += hit;
        if (answers === questions.length) score.textContent = `A la primera: ${hits} de ${answers}.`;
      });
    }
    quiz.append(score);
    quiz.classList.add("is-live");
  }
})();
