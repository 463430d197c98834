"""Los ejercicios del lab 2: pesos de atención, máscara del decodificador, entrada desplazada y bucle de traducción."""

import math

import torch

from utils.course.checks import AnswerError, Exercise, Verdict


def check_weights(attention_weights) -> Verdict:
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(3, 4, generator=generator), torch.randn(5, 4, generator=generator)  # (T, D), (S, D)
    scores = query @ key.T  # (T, S)
    right = (scores / 2).softmax(-1)
    got = torch.as_tensor(attention_weights(query.clone(), key.clone()))
    if got.shape == (5, 3):
        return Verdict(False, "te ha salido una tabla de claves por consultas: es query @ key.T, con T filas.")
    if got.shape != (3, 5):
        return Verdict(False, f"esperaba una tabla (3, 5), consultas por claves, y tiene forma {tuple(got.shape)}.")
    mistakes = {
        "falta dividir las puntuaciones por la raíz de D antes de la softmax.": scores.softmax(-1),
        "has dividido por D y es por su raíz cuadrada.": (scores / 4).softmax(-1),
        "son las puntuaciones: falta la softmax que las convierte en pesos.": scores / 2,
        "tus columnas suman 1 y deben sumar 1 las filas: la softmax va sobre las claves, `dim=-1`.": (
            (scores / 2).softmax(0)
        ),
        "has dividido después de la softmax, y los pesos ya no suman 1: primero se divide.": scores.softmax(-1) / 2,
    }
    for message, value in mistakes.items():
        if torch.allclose(got, value, atol=1e-5):
            return Verdict(False, message)
    if not torch.allclose(got, right, atol=1e-5):
        return Verdict(False, "la forma es buena, pero los números no: repasa la fórmula paso a paso.")
    return Verdict(True, "cada fila reparte una mirada entera entre las claves.")


def check_mask(decoder_mask) -> Verdict:
    given = torch.tensor([[1, 1, 1], [1, 1, 0]])  # (B, T)
    causal, real = torch.ones(3, 3).tril().bool(), given.bool()[:, None, None, :]
    right = causal & real  # (B, 1, T, T)
    got = torch.as_tensor(decoder_mask(given.clone()))
    if got.shape == (2, 3, 3):
        return Verdict(False, "falta la dimensión de las cabezas: la forma es (B, 1, T, T), y el 1 vale para todas.")
    if got.shape in {(3, 3), (1, 1, 3, 3)} and torch.equal(got.bool().view(3, 3), causal):
        return Verdict(False, "es la causal, y no mira el relleno: la segunda frase solo tiene dos tokens de verdad.")
    if got.shape == (2, 1, 1, 3):
        return Verdict(False, "es la del relleno, y deja ver el futuro: combínala con el triángulo.")
    if got.shape != (2, 1, 3, 3):
        return Verdict(False, f"esperaba forma (2, 1, 3, 3), es decir (B, 1, T, T), y tiene {tuple(got.shape)}.")
    mistakes = {
        "el triángulo está al revés: así cada token ve su futuro y no su pasado.": causal.T & real,
        "cada token debe poder mirarse a sí mismo: la diagonal va incluida.": torch.ones(3, 3).tril(-1).bool() & real,
        "basta con una de las dos condiciones y hacen falta las dos: usa `&` en vez de `|`.": causal | real,
        "está al revés: True debe querer decir «puede mirar».": ~right,
        "has tapado las filas del relleno y hay que tapar sus columnas: se trata de que nadie las mire.": (
            causal & given.bool()[:, None, :, None]
        ),
    }
    for message, value in mistakes.items():
        if torch.equal(got.bool(), value):
            return Verdict(False, message)
    if not torch.equal(got.bool(), right):
        return Verdict(False, "la forma es buena, pero alguna casilla no: compárala con la figura de las máscaras.")
    if got.dtype != torch.bool:
        return Verdict(False, "las casillas son correctas, pero la máscara debe ser booleana: acaba con `.bool()`.")
    return Verdict(True, "cada token ve su pasado, a sí mismo y ningún relleno.")


def check_shift(shift_right) -> Verdict:
    labels = torch.tensor([[5, 6, 2], [7, 2, 0]])  # (B, T): 2 es el fin y 0, el relleno
    right = [[1, 5, 6], [1, 7, 2]]
    got = torch.as_tensor(shift_right(labels.clone(), 1))
    mistakes = {
        "son las etiquetas tal cual: el modelo tendría delante la respuesta que debe dar.": labels.tolist(),
        "has añadido el inicio sin quitar el último: sobra una columna.": [[1, 5, 6, 2], [1, 7, 2, 0]],
        "las has desplazado hacia la izquierda: en la posición t debe estar el token t - 1.": [[6, 2, 1], [2, 0, 1]],
        "has pisado el primer token en vez de desplazar: se pierde.": [[1, 6, 2], [1, 2, 0]],
        "has dado la vuelta completa: el primero debe ser siempre el de inicio.": labels.roll(1, dims=1).tolist(),
    }
    for message, value in mistakes.items():
        if got.tolist() == value:
            return Verdict(False, message)
    if got.tolist() != right:
        return Verdict(False, f"esperaba {right} y da {got.tolist()}.")
    return Verdict(True, "en cada posición, el modelo ve solo lo anterior a lo que debe escribir.")


def check_translate(translate) -> Verdict:
    target, calls = [5, 3, 7, 2], []

    def decode(ids):
        """Un modelo de juguete: sigue `target` si se le da todo lo escrito; si no, contesta 9."""
        ids = [int(i) for i in ids]
        calls.append(ids)
        if len(calls) > 50:
            raise RuntimeError("el bucle no para")
        following = target[len(ids) - 1] if ids == [1, *target[: len(ids) - 1]] and len(ids) <= 4 else 9
        return torch.nn.functional.one_hot(torch.tensor(following), 10).float()  # (V,)

    def endless(ids):
        calls.append(list(ids))
        if len(calls) > 50:
            raise RuntimeError("el bucle no para")
        return torch.nn.functional.one_hot(torch.tensor(4), 10).float()  # (V,): nunca escribe el fin

    try:
        got = [int(i) for i in translate(decode, 1, 2, 8)]
        calls.clear()
        long = [int(i) for i in translate(endless, 1, 2, 6)]
    except AnswerError:
        if len(calls) > 50:
            return Verdict(False, "tu bucle no para: debe acabar con el token de fin o al escribir `limit` tokens.")
        raise
    mistakes = {
        "has dejado el token de inicio: lo pone quien llama, no es parte de la traducción.": [1, 5, 3, 7],
        "has dejado el token de fin: marca dónde acaba el texto, pero no es texto.": [5, 3, 7, 2],
        "has dejado los tokens de inicio y de fin, que no son parte de la traducción.": [1, 5, 3, 7, 2],
        "solo has dado una vuelta: la salida tiene que volver a entrar.": [5],
    }
    for message, value in mistakes.items():
        if got == value:
            return Verdict(False, message)
    if 9 in got:
        return Verdict(False, "al decodificador hay que darle todo lo escrito desde el inicio, no solo lo último.")
    if got != [5, 3, 7]:
        return Verdict(False, f"esperaba [5, 3, 7] y da {got}.")
    if len(long) != 6:
        return Verdict(False, f"con un modelo que nunca acaba y limit = 6 esperaba 6 tokens y hay {len(long)}.")
    return Verdict(True, "cada salida vuelve a entrar, hasta el token de fin o el límite.")


def _loop(keep_start=False, keep_end=False, last_only=False, limited=True, turns=None):
    """Una respuesta al ejercicio 4 con el defecto que se pida."""

    def translate(decode, start, end, limit):
        written = [start]
        while (turns is None or len(written) <= turns) and (not limited or len(written) <= limit):
            token = int(decode(written[-1:] if last_only else written).argmax())
            if token == end:
                return written[0 if keep_start else 1 :] + ([end] if keep_end else [])
            written.append(token)
        return written[0 if keep_start else 1 :]

    return translate


EXERCISES = {
    e.id: e
    for e in [
        Exercise(
            "lab-02.1",
            "los pesos de la atención",
            check_weights,
            wrong=[
                (lambda q, k: (q @ k.T).softmax(-1), "falta dividir"),
                (lambda q, k: (q @ k.T / q.shape[-1]).softmax(-1), "por su raíz"),
                (lambda q, k: q @ k.T / math.sqrt(q.shape[-1]), "falta la softmax"),
                (lambda q, k: (q @ k.T / 2).softmax(0), "tus columnas suman 1"),
                (lambda q, k: (q @ k.T).softmax(-1) / 2, "después de la softmax"),
                (lambda q, k: (k @ q.T / 2).softmax(-1), "claves por consultas"),
                (lambda q, k: torch.ones(3), "esperaba una tabla"),
                (lambda q, k: torch.ones(3, 5) / 5, "los números no"),
            ],
        ),
        Exercise(
            "lab-02.2",
            "la máscara del decodificador",
            check_mask,
            wrong=[
                (lambda m: torch.ones(3, 3).tril().bool(), "no mira el relleno"),
                (lambda m: m.bool()[:, None, None, :], "deja ver el futuro"),
                (lambda m: torch.ones(3, 3).tril().bool() & m.bool()[:, None, :], "dimensión de las cabezas"),
                (lambda m: torch.ones(3, 3).triu().bool() & m.bool()[:, None, None, :], "al revés: así cada token"),
                (lambda m: torch.ones(3, 3).tril(-1).bool() & m.bool()[:, None, None, :], "la diagonal"),
                (lambda m: torch.ones(3, 3).tril().bool() | m.bool()[:, None, None, :], "hacen falta las dos"),
                (lambda m: ~(torch.ones(3, 3).tril().bool() & m.bool()[:, None, None, :]), "«puede mirar»"),
                (lambda m: torch.ones(3, 3).tril().bool() & m.bool()[:, None, :, None], "sus columnas"),
                (lambda m: torch.ones(3, 3).tril() * m[:, None, None, :], "booleana"),
                (lambda m: torch.ones(2, 1, 3, 3).bool(), "alguna casilla"),
                (lambda m: m, "esperaba forma"),
            ],
        ),
        Exercise(
            "lab-02.3",
            "la entrada del decodificador",
            check_shift,
            wrong=[
                (lambda labels, start: labels, "tal cual"),
                (lambda labels, start: torch.nn.functional.pad(labels, (1, 0), value=start), "sobra una columna"),
                (lambda labels, start: torch.nn.functional.pad(labels[:, 1:], (0, 1), value=start), "izquierda"),
                (lambda labels, start: labels.index_fill(1, torch.tensor([0]), start), "has pisado"),
                (lambda labels, start: labels.roll(1, dims=1), "vuelta completa"),
                (lambda labels, start: labels * 0, "esperaba"),
            ],
        ),
        Exercise(
            "lab-02.4",
            "el bucle de traducción",
            check_translate,
            wrong=[
                (_loop(keep_start=True), "token de inicio"),
                (_loop(keep_end=True), "token de fin"),
                (_loop(keep_start=True, keep_end=True), "inicio y de fin"),
                (_loop(last_only=True), "todo lo escrito"),
                (_loop(limited=False), "no para"),
                (_loop(turns=1), "una vuelta"),
                (lambda decode, start, end, limit: [5, 3, 7], "6 tokens"),
                (lambda decode, start, end, limit: [], "esperaba"),
            ],
        ),
    ]
}
