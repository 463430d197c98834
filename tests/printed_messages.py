"""Lo que la preparación escribe de verdad: los avisos en toda clase de máquinas inventadas y los errores provocados."""

import itertools
from collections.abc import Iterator

import pytest

from utils.course import env, install, report, scale

CHOICES = {
    "platform": ("Linux", "Colab", "Kaggle"),
    "scale": ("mini", "gpu"),
    "gpu": (None, "Tesla T4"),
    "gpu_gb": (4.0, 15.0),
    "gpus": (0, 2),
    "disk_gb": (0.2, 50.0),
    "internet": (None, True, False),
    "hub": (None, True, False),
    "missing_folders": ([], ["models/mini-gpt", "data/dialogos"]),
    "needs_smollm2": (False, True),
}
PIP_ERRORS = (
    "OSError: [Errno 28] No space left on device",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
    "Temporary failure in name resolution",
    "ERROR: No matching distribution found for peft==0.19.1",
)
BAD_VARIABLES = (("CURSO_SEMILLA", env.seed), ("CURSO_HILOS", env.thread_count), ("CURSO_ESCALA", scale.scale))


def printed() -> list[str]:
    """Devuelve los mensajes, sin repetir."""
    return list(dict.fromkeys(itertools.chain(_notices(), map(install.explain, PIP_ERRORS), _errors())))


def _notices() -> Iterator[str]:
    for values in itertools.product(*CHOICES.values()):
        changes = dict(zip(CHOICES, values, strict=True))
        yield from report.notices(report.Facts(lab="lab-04", python="3.11.7", torch="2.13.0", **changes))


def _errors() -> Iterator[str]:
    for variable, read in BAD_VARIABLES:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(ValueError) as error:
            patch.setenv(variable, "muchos")
            read()
        yield str(error.value)
