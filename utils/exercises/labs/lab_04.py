"""Los ejercicios del lab 4: ejemplos limpios, el espacio de la etiqueta, su log-probabilidad y la calibración."""

from types import SimpleNamespace

import torch

from utils.exercises.grading import Exercise, Verdict


def _rows(prefix: str, texts: str) -> list[dict[str, str]]:
    return [{"id": f"{prefix}-{i}", "text": text} for i, text in enumerate(texts)]


def _clean(train, test, field="text"):
    forbidden = {row[field] for row in test}
    return [row for row in train if row[field] not in forbidden]


TRAIN = _rows("train", "abcdef")
SAME_TEXT = (
    "uno de tus ejemplos tiene el mismo texto que una fila de test, aunque su `id` sea otro: compara los textos."
)

PICK = Exercise(
    "lab-04.1",
    "elegir ejemplos que no estén en test",
    "ningún texto de test llega al prompt.",
    right=lambda train, test, k: _clean(train, test)[:k],
    cases=[
        (TRAIN, _rows("test", "bza"), 3),
        (_rows("train", "pqrstu"), [{"id": "train-2", "text": "p"}, {"id": "test-1", "text": "s"}], 2),
    ],
    mistakes=[
        (
            lambda train, test, k: test[:k],
            "has tomado los ejemplos de test: dan la respuesta de lo que luego vas a medir.",
        ),
        (lambda train, test, k: train[:k], SAME_TEXT),
        (lambda train, test, k: _clean(train, test, field="id")[:k], SAME_TEXT),
        (
            lambda train, test, k: _clean(train[:k], test),
            "devuelves menos de k ejemplos: descarta primero los repetidos y corta después.",
        ),
        (lambda train, test, k: _clean(train, test), "devuelves más ejemplos: quédate con los k primeros."),
        (
            lambda train, test, k: _clean(train, test)[::-1][:k],
            "los ejemplos están limpios, pero no son los primeros de train: no cambies el orden.",
        ),
    ],
    traps=[((TRAIN, [], 0), "con k = 0 no debe haber ningún ejemplo: eso es *zero-shot*.")],
)


def _template(prompt: str, completion: str) -> SimpleNamespace:
    """Lo que este ejercicio mira de una `Template`: así `course` no depende de `text`."""
    return SimpleNamespace(prompt=prompt, completion=completion)


def check_template(template) -> Verdict:
    """Corrige por reglas y no con casos: cada error se reconoce sea cual sea el texto de la plantilla."""
    parts = getattr(template, "prompt", None), getattr(template, "completion", None)
    if not all(isinstance(part, str) for part in parts):
        return Verdict(False, "se espera una plantilla: `Template(prompt=..., completion=...)`.")
    prompt, completion = parts
    if prompt != prompt.rstrip():
        return Verdict(
            False,
            "el prompt acaba en un espacio o un salto: el modelo tendría que seguir con un token sin espacio, "
            "que es otro. Pasa ese espacio al principio de completion.",
        )
    if "{language}" in prompt:
        return Verdict(False, "el prompt contiene la respuesta: `{language}` va solo en completion.")
    if "{text}" not in prompt:
        return Verdict(False, "el prompt debe llevar el campo `{text}`, que cambia de un ejemplo a otro.")
    if "{language}" not in completion:
        return Verdict(False, "completion debe llevar el campo `{language}`.")
    if not completion.startswith(" "):
        return Verdict(
            False, "la respuesta no empieza por un espacio: «:English» no es «: English», y su primer token es otro."
        )
    example = {"{text}": "Where is the station?", "{language}": "English"}
    solved = prompt + completion
    for field, value in example.items():
        solved = solved.replace(field, value)
    if solved != "Sentence: Where is the station?\nLanguage: English":
        return Verdict(False, f"el ejemplo resuelto no queda como en el enunciado, sino así: `{solved!r}`.")
    return Verdict(True, "el prompt acaba en los dos puntos y el espacio viaja con la respuesta.")


TEMPLATE = Exercise(
    "lab-04.2",
    "la plantilla y su espacio",
    check=check_template,
    mistakes=[
        (_template("Sentence: {text}\nLanguage:", "{language}"), "no empieza por un espacio"),
        (_template("Sentence: {text}\nLanguage: ", "{language}"), "acaba en un espacio"),
        (_template("Sentence: {text}\nLanguage:", ""), "completion debe llevar el campo"),
        (_template("Sentence: {text}\nLanguage:", " English"), "completion debe llevar el campo"),
        (_template("Sentence: Where is the station?\nLanguage:", " {language}"), "el prompt debe llevar el campo"),
        (_template("Sentence: {text}\nLanguage: {language}", " "), "contiene la respuesta"),
        (_template("{text}\nLanguage:", " {language}"), "no queda como en el enunciado"),
        (_template(" {language}", "Sentence: {text}\nLanguage:"), "contiene la respuesta"),
        (_template(1, 2), "se espera una plantilla"),
        ("Sentence: {text}\nLanguage:", "se espera una plantilla"),
    ],
)


def _picked(logits, ids):
    return logits.gather(1, ids[:, None])[:, 0]  # (m,)


LOGPROB = Exercise(
    "lab-04.3",
    "la log-probabilidad de una etiqueta",
    "los logaritmos de los tokens de la etiqueta, sumados.",
    right=lambda logits, ids: _picked(logits.log_softmax(-1), ids).sum(),
    cases=[  # (m, V) y (m,)
        (torch.tensor([[2.0, 0.0, 1.0, -1.0], [0.5, 1.5, -2.0, 0.0], [0.0, 0.0, 3.0, 1.0]]), torch.tensor([2, 1, 0])),
        (torch.tensor([[0.5, 2.0, -1.0], [1.0, 0.0, 3.0]]), torch.tensor([0, 2])),
    ],
    mistakes=[
        (
            lambda logits, ids: _picked(logits.softmax(-1), ids).sum(),
            "has sumado probabilidades: la de una secuencia es su producto, así que se suman los logaritmos.",
        ),
        (
            lambda logits, ids: _picked(logits.log_softmax(-1), ids).mean(),
            "has promediado: es otra medida (por token), útil para comparar longitudes, pero no es log p(y | x). Suma.",
        ),
        (
            lambda logits, ids: _picked(logits, ids).sum(),
            "has sumado los logits tal cual: antes hay que normalizarlos con `log_softmax`.",
        ),
        (
            lambda logits, ids: _picked(logits.softmax(-1), ids).prod(),
            "es la probabilidad, no su logaritmo: con etiquetas largas se quedaría en cero.",
        ),
        (
            lambda logits, ids: -_picked(logits.log_softmax(-1), ids).sum(),
            "te falta el signo: has devuelto la pérdida, menos log p(y | x).",
        ),
        (
            lambda logits, ids: _picked(logits.log_softmax(0), ids).sum(),
            "has normalizado por columnas: la softmax va sobre el vocabulario, `dim=-1`.",
        ),
        (
            lambda logits, ids: _picked(logits.log_softmax(-1), ids)[0],
            "has contado un solo token: la etiqueta tiene varios.",
        ),
        (
            lambda logits, ids: _picked(logits.log_softmax(-1), ids),
            "das un número por token: la log-probabilidad de la etiqueta es su suma.",
        ),
    ],
)

# Tres etiquetas: con dos, restar probabilidades elegiría lo mismo que dividirlas y no se vería el error.
SCORES = torch.tensor([[0.18, 0.07, 0.75], [0.30, 0.30, 0.40], [0.08, 0.52, 0.40], [0.02, 0.08, 0.90]]).log()  # (N, K)
CHOOSE = "devuelves las puntuaciones calibradas: falta elegir la mayor de cada fila."
PROBABILITIES = "has mezclado escalas o restado probabilidades: dividir probabilidades es restar sus logaritmos."

CALIBRATE = Exercise(
    "lab-04.4",
    "calibrar con una entrada sin contenido",
    "el sesgo se resta y cada texto queda con lo que dice él.",
    right=lambda scores, empty: (scores - empty).argmax(1),
    cases=[  # (N, K) y (K,)
        (SCORES, torch.tensor([0.1, 0.3, 0.6]).log()),
        (SCORES, torch.tensor([0.5, 0.3, 0.2]).log()),
        (torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]]).log(), torch.tensor([0.7, 0.2, 0.1]).log()),
    ],
    mistakes=[
        (
            lambda s, e: (s + e).argmax(1),
            "has cambiado el signo: sumar el sesgo lo dobla, y lo que se quiere es quitarlo.",
        ),
        (lambda s, e: s.argmax(1), "no has calibrado: son las etiquetas de antes."),
        (lambda s, e: (s - e).argmin(1), "has elegido la etiqueta menos probable: usa el mayor de cada fila."),
        (lambda s, e: s - e, CHOOSE),
        (lambda s, e: s.exp() - e.exp(), CHOOSE),
        (lambda s, e: (s - e).exp(), CHOOSE),
        (lambda s, e: (s - e).argmax(0), "hace falta una etiqueta por texto, (N,): ¿has elegido por columnas?"),
        (lambda s, e: (s - e.exp()).argmax(1), PROBABILITIES),
        (lambda s, e: (s.exp() - e.exp()).argmax(1), PROBABILITIES),
    ],
)

EXERCISES = {e.id: e for e in (PICK, TEMPLATE, LOGPROB, CALIBRATE)}
