"""Los ejercicios del lab 4: ejemplos limpios, el espacio de la etiqueta, su log-probabilidad y la calibración."""

from types import SimpleNamespace

import torch

from utils.course.checks import Exercise, Verdict

TRAIN = [{"id": f"train-{i}", "text": text} for i, text in enumerate("abcdef")]
TEST = [{"id": "test-0", "text": "b"}, {"id": "test-1", "text": "z"}, {"id": "test-2", "text": "a"}]


def check_pick(pick) -> Verdict:
    got = [row["text"] for row in pick([dict(row) for row in TRAIN], [dict(row) for row in TEST], 3)]
    if got == ["b", "z", "a"]:
        return Verdict(False, "has tomado los ejemplos de test: dan la respuesta de lo que luego vas a medir.")
    if "b" in got or "a" in got:
        return Verdict(
            False,
            "uno de tus ejemplos tiene el mismo texto que una fila de test, aunque su `id` sea otro: "
            "compara los textos.",
        )
    if len(got) < 3:
        return Verdict(
            False, f"pedí 3 ejemplos y devuelves {len(got)}: descarta primero los repetidos y corta después."
        )
    if len(got) > 3:
        return Verdict(False, f"pedí 3 ejemplos y devuelves {len(got)}: quédate con los k primeros.")
    if got != ["c", "d", "e"]:
        return Verdict(False, "los ejemplos están limpios, pero no son los primeros de train: no cambies el orden.")
    if pick([dict(row) for row in TRAIN], [], 0) != []:
        return Verdict(False, "con k = 0 no debe haber ningún ejemplo: eso es *zero-shot*.")
    return Verdict(True, "ningún texto de test llega al prompt.")


def _template(prompt: str, completion: str) -> SimpleNamespace:
    """Lo que este ejercicio mira de una `Template`: así `course` no depende de `text`."""
    return SimpleNamespace(prompt=prompt, completion=completion)


def check_template(template) -> Verdict:
    if not (hasattr(template, "prompt") and hasattr(template, "completion")):
        return Verdict(False, "se espera una plantilla: `Template(prompt=..., completion=...)`.")
    if template.prompt != template.prompt.rstrip():
        return Verdict(
            False,
            "el prompt acaba en un espacio o un salto: el modelo tendría que seguir con un token sin espacio, "
            "que es otro. Pasa ese espacio al principio de completion.",
        )
    if "{language}" in template.prompt:
        return Verdict(False, "el prompt contiene la respuesta: `{language}` va solo en completion.")
    if "{language}" not in template.completion:
        return Verdict(False, "completion debe llevar el campo `{language}`.")
    if not template.completion.startswith(" "):
        return Verdict(
            False,
            "la respuesta no empieza por un espacio: «:English» no es «: English», y su primer token es otro.",
        )
    example = {"text": "Where is the station?", "language": "English"}
    expected = "Sentence: Where is the station?\nLanguage: English"
    solved = (template.prompt + template.completion).format(**example)
    if solved != expected:
        return Verdict(False, f"el ejemplo resuelto no queda como en el enunciado, sino así: `{solved!r}`.")
    return Verdict(True, "el prompt acaba en los dos puntos y el espacio viaja con la respuesta.")


def check_logprob(label_logprob) -> Verdict:
    logits = torch.tensor([[2.0, 0.0, 1.0, -1.0], [0.5, 1.5, -2.0, 0.0], [0.0, 0.0, 3.0, 1.0]])  # (m, V)
    ids = torch.tensor([2, 1, 0])  # (m,)
    picked = logits.log_softmax(-1).gather(1, ids[:, None])[:, 0]  # (m,)
    got = float(torch.as_tensor(label_logprob(logits.clone(), ids.clone())))
    mistakes = {
        "has sumado probabilidades: la de una secuencia es su producto, así que se suman los logaritmos.": (
            picked.exp().sum()
        ),
        "has promediado: es otra medida (por token), útil para comparar longitudes, "
        "pero no es log p(y | x). Suma.": picked.mean(),
        "has sumado los logits tal cual: antes hay que normalizarlos con `log_softmax`.": (
            logits.gather(1, ids[:, None]).sum()
        ),
        "es la probabilidad, no su logaritmo: con etiquetas largas se quedaría en cero.": picked.sum().exp(),
        "te falta el signo: has devuelto la pérdida, menos log p(y | x).": -picked.sum(),
        "has normalizado por columnas: la softmax va sobre el vocabulario, `dim=-1`.": (
            logits.log_softmax(0).gather(1, ids[:, None]).sum()
        ),
        "has contado un solo token: la etiqueta tiene tres.": picked[0],
    }
    for message, value in mistakes.items():
        if abs(got - float(value)) < 1e-4:
            return Verdict(False, message)
    if abs(got - float(picked.sum())) > 1e-4:
        return Verdict(False, f"en un caso de tres tokens esperaba {float(picked.sum()):.3f} y da {got:.3f}.")
    return Verdict(True, "los logaritmos de los tokens de la etiqueta, sumados.")


def check_calibrate(calibrate) -> Verdict:
    # Tres etiquetas: con dos, restar probabilidades elegiría lo mismo que dividirlas y no se vería el error.
    rows = [[0.18, 0.07, 0.75], [0.30, 0.30, 0.40], [0.08, 0.52, 0.40], [0.02, 0.08, 0.90]]
    scores = torch.tensor(rows).log()  # (N, K)
    empty = torch.tensor([0.1, 0.3, 0.6]).log()  # (K,)
    got = torch.as_tensor(calibrate(scores.clone(), empty.clone()))
    if got.shape == scores.shape:
        return Verdict(False, "devuelves las puntuaciones calibradas: falta elegir la mayor de cada fila.")
    if got.shape != (len(rows),):
        return Verdict(
            False,
            f"esperaba una etiqueta por texto, forma ({len(rows)},), y tiene {tuple(got.shape)}: "
            "¿has elegido por columnas?",
        )
    got = got.long().tolist()
    mistakes = {
        "has cambiado el signo: sumar el sesgo lo dobla, y lo que se quiere es quitarlo.": (scores + empty),
        "no has calibrado: son las etiquetas de antes.": scores,
        "has elegido la etiqueta menos probable: usa el mayor de cada fila.": -(scores - empty),
        "has mezclado escalas o restado probabilidades: dividir probabilidades es restar sus logaritmos.": (
            scores - empty.exp()
        ),
    }
    right = (scores - empty).argmax(1).tolist()
    if got == right:
        return Verdict(True, "el sesgo se resta y cada texto queda con lo que dice él.")
    for message, values in mistakes.items():
        if got == values.argmax(1).tolist():
            return Verdict(False, message)
    return Verdict(False, f"esperaba {right} y da {got}.")


EXERCISES = {
    e.id: e
    for e in [
        Exercise(
            "lab-04.1",
            "elegir ejemplos que no estén en test",
            check_pick,
            wrong=[
                (lambda train, test, k: test[:k], "de test"),
                (lambda train, test, k: train[:k], "mismo texto"),
                (
                    lambda train, test, k: [r for r in train if r["id"] not in {t["id"] for t in test}][:k],
                    "aunque su `id` sea otro",
                ),
                (
                    lambda train, test, k: [r for r in train[:k] if r["text"] not in {t["text"] for t in test}],
                    "descarta primero",
                ),
                (
                    lambda train, test, k: [r for r in train if r["text"] not in {t["text"] for t in test}],
                    "los k primeros",
                ),
                (
                    lambda train, test, k: [r for r in train if r["text"] not in {t["text"] for t in test}][::-1][:k],
                    "no cambies el orden",
                ),
            ],
        ),
        Exercise(
            "lab-04.2",
            "la plantilla y su espacio",
            check_template,
            wrong=[
                (_template("Sentence: {text}\nLanguage:", "{language}"), "no empieza por un espacio"),
                (_template("Sentence: {text}\nLanguage: ", "{language}"), "acaba en un espacio"),
                (_template("Sentence: {text}\nLanguage:", ""), "debe llevar el campo"),
                (_template("Sentence: {text}\nLanguage: {language}", " "), "contiene la respuesta"),
                (_template("{text}\nLanguage:", " {language}"), "no queda como en el enunciado"),
                ("Sentence: {text}\nLanguage:", "se espera una plantilla"),
            ],
        ),
        Exercise(
            "lab-04.3",
            "la log-probabilidad de una etiqueta",
            check_logprob,
            wrong=[
                (lambda z, i: z.softmax(-1).gather(1, i[:, None]).sum(), "sumado probabilidades"),
                (lambda z, i: z.log_softmax(-1).gather(1, i[:, None]).mean(), "promediado"),
                (lambda z, i: z.gather(1, i[:, None]).sum(), "logits tal cual"),
                (lambda z, i: z.softmax(-1).gather(1, i[:, None]).prod(), "no su logaritmo"),
                (lambda z, i: -z.log_softmax(-1).gather(1, i[:, None]).sum(), "signo"),
                (lambda z, i: z.log_softmax(0).gather(1, i[:, None]).sum(), "por columnas"),
                (lambda z, i: z.log_softmax(-1)[0, i[0]], "un solo token"),
                (lambda z, i: z.sum(), "esperaba"),
            ],
        ),
        Exercise(
            "lab-04.4",
            "calibrar con una entrada sin contenido",
            check_calibrate,
            wrong=[
                (lambda s, e: (s + e).argmax(1), "signo"),
                (lambda s, e: s.argmax(1), "no has calibrado"),
                (lambda s, e: (s - e).argmin(1), "menos probable"),
                (lambda s, e: s - e, "falta elegir"),
                (lambda s, e: (s - e).argmax(0), "por columnas"),
                (lambda s, e: (s - e.exp()).argmax(1), "mezclado escalas"),
                (lambda s, e: s.exp() - e.exp(), "falta elegir"),
                (lambda s, e: (s.exp() - e.exp()).argmax(1), "restado probabilidades"),
                (lambda s, e: torch.zeros(4), "esperaba"),
            ],
        ),
    ]
}
