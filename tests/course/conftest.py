"""Un curso de mentira, con carpetas mini diminutas, y carpetas llenas o de solo lectura de verdad."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from utils.course import hub
from utils.course.roles import ROLES


@pytest.fixture(autouse=True)
def clean_variables(monkeypatch):
    """Ninguna prueba hereda las variables del curso de quien la lanza, salvo la caché de SmolLM2."""
    for name in (
        "CURSO_ESCALA",
        "CURSO_SEMILLA",
        "CURSO_HILOS",
        "COLAB_RELEASE_TAG",
        "KAGGLE_KERNEL_RUN_TYPE",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fake_root(tmp_path, replica_home, monkeypatch) -> Path:
    """Una raíz cuyos modelos mini son las réplicas; `hub` la usa en vez de la del curso."""
    for role in ROLES.values():
        if role.kind != "data" and role.mini:
            # La réplica de t5-v1_1 no trae safetensors, como la real: aquí vale la de flan-t5.
            repo = role.gpu.replace("t5-v1_1", "flan-t5").replace("/", "--")
            commit = next(replica_home.glob(f"hub/models--{repo}/snapshots/*"))
            shutil.copytree(commit, tmp_path / role.mini)
    for role in ("dialogues", "instructions"):
        folder = tmp_path / ROLES[role].mini
        folder.mkdir(parents=True)
        for split in ("train", "validation", "test"):
            write_rows(folder / f"{split}.jsonl", [example_row(role, n) for n in range(3)])
    monkeypatch.setenv("CURSO_ESCALA", "mini")
    monkeypatch.setattr(hub, "repo_root", lambda: tmp_path)
    return tmp_path


def example_row(role: str, n: int) -> dict[str, str]:
    """Una fila correcta."""
    if role == "dialogues":
        return {"id": str(n), "dialogue": "Ana: hola\nLuis: adiós", "summary": "Se ven.", "topic": "saludo"}
    return {"id": str(n), "task": "copia", "prompt": "Repite: sí", "completion": "sí"}


def write_rows(path: Path, rows: list[dict]) -> None:
    """Escribe un JSONL."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def mounted(tmp_path):
    """Una función que monta un tmpfs con unas opciones (`size=1m`, `ro`) y da su carpeta; pide ser root."""
    folders = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"montada{len(folders)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("esta máquina no deja montar un sistema de archivos pequeño")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", "-l", str(folder)], check=True)
