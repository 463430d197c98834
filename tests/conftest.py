"""Lo que comparten las pruebas: la caché del hub con réplicas, para ejecutar la escala `gpu` sin red."""

from __future__ import annotations

from pathlib import Path

import pytest

from utils.course.env import limit_threads

limit_threads()


@pytest.fixture(scope="session")
def replica_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """La carpeta `HF_HOME` con las réplicas, construida una vez por proceso."""
    from tests.replicas import build_hub

    return build_hub(tmp_path_factory.mktemp("hf"))


@pytest.fixture
def replica_hub(replica_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pone la escala `gpu` sobre las réplicas, en este proceso y en los que se lancen desde él."""
    from huggingface_hub import constants

    from utils.course import hub

    for name, value in {
        "CURSO_ESCALA": "gpu",
        "HF_HOME": str(replica_home),
        "HF_HUB_CACHE": str(replica_home / "hub"),
        "HF_HUB_OFFLINE": "1",
    }.items():
        monkeypatch.setenv(name, value)
    # huggingface_hub leyó las variables al importarse; aquí se corrigen para este proceso.
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(replica_home / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.COMMITS.clear()
    return replica_home
