"""Genera problemas de cuentas en español: un número al principio, varios cambios y una pregunta.

El nivel de un problema son dos números: las cifras de sus datos y sus pasos, que son sus cambios. Las frases salen de
`data/razonamiento/gramatica.yaml`. A qué partición va lo decide la propia cuenta, con una huella: la misma cuenta no
está nunca en dos. Además, el test guarda tres novedades: escenas, tramos de números y niveles que no se entrenan.

Lo que NO hace: ni productos, ni divisiones, ni datos de más. Ninguna cantidad baja de cero.
"""

import random
import zlib

from utils.corpus.arithmetic import evaluate
from utils.corpus.dialogues import SPLITS

DIGITS, STEPS = range(1, 5), range(1, 5)
#: Se entrena con los niveles en que cifras + pasos no pasa de 5; los demás son «nivel» reservado.
TRAINED_SUM = 5
NOVELTIES = ("ninguna", "escena", "tramo")


def trained(digits: int, steps: int) -> bool:
    """Si ese nivel se ve al entrenar.

    >>> trained(3, 2), trained(3, 3)
    (True, False)
    """
    return digits + steps <= TRAINED_SUM


def reserved(n: int) -> bool:
    """Si un número es de los tramos que solo salen en test: 60-69, 600-699 y 6000-6999.

    >>> [reserved(n) for n in (6, 64, 640, 6400, 46)]
    [False, True, True, True, False]
    """
    return n >= 10 and str(n)[0] == "6"


def split_of(expression: str) -> str:
    """La partición de una cuenta, por su huella CRC-32: 8 de cada 10 son de train, 1 de validation y 1 de test.

    >>> split_of("34 + 27 - 12"), split_of("34 + 27 - 14")
    ('test', 'train')
    """
    return {0: "test", 1: "validation"}.get(zlib.crc32(expression.encode()) % 10, "train")


class ProblemGenerator:
    """Sortea problemas de una partición: `problem(digits, steps)` da uno de ese nivel.

    Cada uno es {"kind", "template", "digits", "steps", "novelty", "question", "plan", "answer"}; `plan` es el número
    inicial y, por cambio, «signo número nota». `ValueError` si la partición no existe.
    """

    def __init__(self, grammar: dict, split: str, seed: int):
        if split not in SPLITS:
            raise ValueError(f"Partición desconocida: «{split}». Usa una de estas: {', '.join(SPLITS)}.")
        self.grammar, self.split = grammar, split
        self.rng = random.Random(f"{seed}-{split}-problemas")

    def problem(self, digits: int, steps: int, novelty: str = "ninguna") -> dict:
        """Un problema de ese nivel. Novedad «escena»: una reservada; «tramo»: con algún dato de los reservados.

        `ValueError` si el nivel no existe o si se pide una novedad o un nivel que no son de esta partición.
        """
        if digits not in DIGITS or steps not in STEPS:
            raise ValueError(f"El nivel va de 1 a 4 cifras y de 1 a 4 pasos, y pides {digits} y {steps}.")
        if novelty not in NOVELTIES or (novelty == "tramo" and digits == 1):
            raise ValueError(f"No hay novedad «{novelty}»: usa {', '.join(NOVELTIES)}; «tramo», con 2 cifras o más.")
        if self.split != "test" and not (trained(digits, steps) and novelty == "ninguna"):
            raise ValueError("Las novedades y los niveles reservados solo están en test.")
        numbers, signs = self._sums(digits, steps, novelty == "tramo")
        shown = "nivel" if novelty == "ninguna" and not trained(digits, steps) else novelty
        scenes = self.grammar["escenas"]["prueba" if novelty == "escena" else "entrenamiento"]
        template = self.rng.choice(list(scenes))
        scene, changes = scenes[template], []
        words = {"nombre": self.rng.choice(self.grammar["nombres"]), "cosa": self.rng.choice(scene["cosas"])}
        sentences, plan = [scene["inicio"].format(n=numbers[0], **words)], [str(numbers[0])]
        for sign, n in zip(signs, numbers[1:], strict=True):
            options = [c for c in self.grammar["cambios"][sign] if c not in changes]
            change = self.rng.choice(options)
            changes.append(change)
            sentences.append(change["frase"].format(n=n))
            plan.append(f"{sign} {n} {change['nota']}")
        sentences.append(scene["pregunta"].format(**words))
        return {
            "kind": "cuentas", "template": template, "digits": digits, "steps": steps, "novelty": shown,
            "question": " ".join(sentences), "plan": plan, "answer": str(evaluate(expression(plan))),
        }  # fmt: skip

    def _sums(self, digits: int, steps: int, unusual: bool) -> tuple[list[int], list[str]]:
        """Los números y los signos de una cuenta de esta partición que nunca baja de cero."""
        low, high = 10 ** (digits - 1), 10**digits - 1
        while True:
            numbers, signs = [self.rng.randint(low, high)], []
            total = numbers[0]
            for _ in range(steps):
                n = self.rng.randint(low, high)
                sign = self.rng.choice("+-")
                if sign == "-" and n > total:
                    sign = "+" if total < low else sign
                    n = n if sign == "+" else self.rng.randint(low, min(high, total))
                total += n if sign == "+" else -n
                numbers.append(n)
                signs.append(sign)
            text = expression([str(numbers[0]), *(f"{s} {n} -" for s, n in zip(signs, numbers[1:], strict=True))])
            if any(map(reserved, numbers)) == unusual and split_of(text) == self.split:
                return numbers, signs


def expression(plan: list[str]) -> str:
    """La cuenta de un plan, en una línea.

    >>> expression(["34", "+ 27 compra", "- 12 vende"])
    '34 + 27 - 12'
    """
    return " ".join([plan[0], *(" ".join(change.split()[:2]) for change in plan[1:])])
