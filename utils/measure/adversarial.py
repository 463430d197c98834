"""Textos trampa para examinar una medida: uno que dice lo mismo con otras palabras y cuatro que no lo dicen.

A partir de un resumen bueno y de sus hechos se hace una paráfrasis (`synonyms`) y cuatro estropicios: `negate`,
`change_fact`, `shuffle_words` y `repeat_half`. Una medida sensata puntúa la paráfrasis por encima de los cuatro;
`prefers` dice cuántas veces lo hace. Puntuar una medida por las parejas que ordena bien es de Kocmi et al. (2021), «To
Ship or Not to Ship», sección 4.

Lo que NO hace: entender la frase. Las reglas valen para los resúmenes de `data/dialogos`, que empiezan por el nombre de
quien pide, y la tabla de sinónimos solo conoce sus giros.
"""

import random
import re
from collections.abc import Mapping, Sequence

from utils.measure.stats import Interval, bootstrap

#: Giros de los resúmenes y otros que dicen lo mismo con las mismas piezas.
SYNONYMS = {
    "habla con": "conversa con",
    "llama a": "telefonea a",
    "acude a": "va a",
    "se dirige a": "recurre a",
    "pide ayuda": "solicita auxilio",
    "busca ayuda": "solicita auxilio",
    "tiene un problema": "está en apuros",
    "cuenta": "relata",
    "explica": "detalla",
    "comenta": "menciona",
    "avisa": "advierte",
    "comunica": "notifica",
    "consulta a": "pregunta a",
    "se queja": "se lamenta",
    "necesita": "precisa",
    "quiere": "desea",
    "desea": "quiere",
    "propone": "plantea",
    "no es posible": "resulta inviable",
    "se niega": "rehúsa",
    "dice que no": "contesta negativamente",
    "no puede ayudar, ya que": "tampoco sirve de ayuda, pues",
    "porque": "pues",
    "quedan en encontrarse": "deciden reunirse",
    "acuerdan verse": "pactan encontrarse",
    "quedan": "se citan",
    "se verán": "se encontrarán",
    "fijan la cita": "conciertan el encuentro",
    "la cita queda": "el encuentro se fija",
    "le da cita": "lo convoca",
    "pagará": "abonará",
    "el precio es de": "todo asciende a",
    "le costará": "tendrá que abonar",
    "acuerdan": "pactan",
    "se compromete a": "promete",
    "le pide": "le encarga",
    "le recuerda que debe": "insiste en que tiene que",
    "antes debe": "primero tiene que",
}
_TURNS = re.compile(r"\b(" + "|".join(sorted(map(re.escape, SYNONYMS), key=len, reverse=True)) + r")\b")


def synonyms(text: str) -> str:
    """El mismo resumen con otros giros; los nombres, las fechas y los precios no cambian.

    >>> synonyms("Ana llama a Luis porque su horno no enciende y quedan el lunes.")
    'Ana telefonea a Luis pues su horno no enciende y se citan el lunes.'
    """
    return _TURNS.sub(lambda match: SYNONYMS[match[0]], text)


def negate(text: str, subject: str) -> str:
    """Una palabra de más: «no», detrás del sujeto. ValueError si el texto no empieza por él.

    >>> negate("Ana quiere reservar una mesa.", "Ana")
    'Ana no quiere reservar una mesa.'
    """
    if not text.startswith(subject + " "):
        raise ValueError(f"El texto no empieza por «{subject}»: negate pone el «no» detrás del sujeto.")
    return f"{subject} no {text[len(subject) + 1 :]}"


def change_fact(text: str, facts: Mapping[str, str], others: Sequence[Mapping[str, str]], rng: random.Random) -> str:
    """El mismo resumen con un hecho de otro diálogo: otra hora, otro precio, otro encargo u otro motivo.

    ValueError si ningún hecho está en el texto o si ninguno de `others` trae uno distinto de la misma clase.

    >>> change_fact("Quedan a las dos.", {"hora": "las dos"}, [{"hora": "las seis"}], random.Random(0))
    'Quedan a las seis.'
    """
    for kind in ("hora", "precio", "motivo", "encargo"):
        if kind in facts and facts[kind] in text:
            values = {other[kind] for other in others if kind in other}
            values = sorted(v for v in values if v not in facts[kind] and facts[kind] not in v)  # «las dos y media»
            if values:
                return text.replace(facts[kind], rng.choice(values))
    raise ValueError("No hay ningún hecho que cambiar: hace falta una hora, un precio, un motivo o un encargo.")


def shuffle_words(text: str, rng: random.Random) -> str:
    """Las mismas palabras en desorden, con el punto al final.

    >>> shuffle_words("Ana llama a Luis.", random.Random(1))
    'llama a Ana Luis.'
    """
    words = text.rstrip(".").split()
    return " ".join(rng.sample(words, len(words))) + "."


def repeat_half(text: str) -> str:
    """La primera mitad, dos veces: lo que escribe un modelo que entra en bucle.

    >>> repeat_half("Ana llama a Luis para quedar.")
    'Ana llama a Ana llama a.'
    """
    words = text.rstrip(".").split()
    half = words[: (len(words) + 1) // 2]
    return " ".join(half + half) + "."


def prefers(good: Sequence[float], bad: Sequence[float]) -> Interval:
    """Fracción de parejas en que la medida puntúa más `good[i]` que `bad[i]`; un empate vale medio acierto.

    0,5 es lo que haría una moneda y 0 es equivocarse siempre. ValueError si no van por parejas.

    >>> prefers([0.9, 0.8, 0.7, 0.6], [0.5, 0.8, 0.9, 0.1]).estimate
    0.625
    """
    if len(good) != len(bad):
        raise ValueError(f"Hay {len(good)} textos buenos y {len(bad)} malos: deben ir por parejas.")
    return bootstrap([(g > b) + 0.5 * (g == b) for g, b in zip(good, bad, strict=True)])
