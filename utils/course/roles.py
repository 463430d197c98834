"""Los papeles que un lab puede pedir y qué los interpreta en cada escala. Solo la tabla: los carga `hub`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from utils.course.hub_data import DIALOGSUM, DIALOGUE_FIELDS, SPLITS, HubReader

Kind = Literal["seq2seq", "causal", "encoder", "data"]


@dataclass(frozen=True)
class Role:
    """Un papel: qué clase de cosa es, en qué carpeta está (`mini`) y cómo se llama en el hub (`gpu`).

    `mini=None` significa que la escala mini usa la rueda de SmolLM2; `gpu=None`, que las dos usan la carpeta. Un papel
    de datos dice además qué campos y qué trozos tiene y, si está en el hub, con qué se lee allí (`reader`), porque cada
    conjunto tiene sus archivos y sus columnas. Error si le falta algo de eso.
    """

    name: str
    kind: Kind
    mini: str | None
    gpu: str | None
    fields: tuple[str, ...] = ()
    splits: tuple[str, ...] = SPLITS
    reader: HubReader | None = None

    def __post_init__(self):
        if self.kind == "data" and not (self.mini and self.fields):
            raise ValueError(f"El papel de datos «{self.name}» debe decir su carpeta y sus campos.")
        if self.kind == "data" and bool(self.gpu) != bool(self.reader):
            raise ValueError(f"El papel de datos «{self.name}» debe llevar lector si está en el hub, y solo entonces.")


ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        Role("seq2seq", "seq2seq", "models/mini-flan-t5", "google/flan-t5-base"),
        Role("seq2seq-base", "seq2seq", "models/mini-t5", "google/t5-v1_1-base"),
        Role("causal", "causal", "models/mini-gpt", "Qwen/Qwen2.5-0.5B-Instruct"),
        Role("causal-real", "causal", None, "HuggingFaceTB/SmolLM2-135M-Instruct"),
        Role("reasoning", "causal", "models/mini-razona", "Qwen/Qwen2.5-0.5B-Instruct"),
        Role("encoder", "encoder", "models/mini-bert", "dccuchile/bert-base-spanish-wwm-cased"),
        Role("dialogues", "data", "data/dialogos", "knkarthick/dialogsum", DIALOGUE_FIELDS, reader=DIALOGSUM),
        Role("instructions", "data", "data/instrucciones", None, ("id", "task", "prompt", "completion")),
        Role("domains", "data", "data/dominios", None, ("id", "domain", "kind", "text")),
        Role("problems", "data", "data/razonamiento", None, ("id", "kind", "template", "question", "answer")),
        # un benchmark no se entrena: no tiene `train`
        Role("questions", "data", "data/preguntas", None, ("id", "level", "area", "question"), SPLITS[1:]),
    )
}


def find_role(name: str, *, data: bool) -> Role:
    """Busca un papel de datos (`data=True`) o de modelo; si no existe, el error enumera los válidos.

    >>> find_role("causal", data=False).mini
    'models/mini-gpt'
    """
    valid = [role.name for role in ROLES.values() if (role.kind == "data") == data]
    if name in valid:
        return ROLES[name]
    what, other = ("datos", "load_model") if data else ("modelo", "load_data")
    if name in ROLES:
        raise ValueError(f'El papel «{name}» existe, pero no es de {what}: pídelo con `{other}("{name}")`.')
    near = difflib.get_close_matches(str(name), valid, n=1, cutoff=0.5)
    hint = f" ¿Querías decir «{near[0]}»?" if near else ""
    known = ", ".join(valid)
    raise ValueError(f"No hay ningún papel de {what} llamado «{name}».{hint} Los válidos son: {known}.")
