"""De un papel a su modelo, su tokenizador o sus datos, en la escala que toque.

En `mini` todo sale del repositorio, sin red. En `gpu` se pide al hub la rama `main`, se imprime el commit que
resolvió y, desde ahí, se carga la carpeta descargada con el mismo código. No entrena ni modifica nada.
"""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import TYPE_CHECKING

from utils.course import hub_data, smollm2
from utils.course.env import device, quiet, repo_root
from utils.course.roles import Role, find_role
from utils.course.scale import scale

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CONFIG_FILES = ["*.json", "*.txt", "*.model", "*.jinja"]
#: Commit que el hub resolvió para cada repositorio pedido en este proceso.
COMMITS: dict[str, str] = {}


def load_model(role: str) -> PreTrainedModel:
    """Carga el modelo de un papel en float32, en modo `eval()` y en `device()`.

    Lanza `ValueError` (papel desconocido, pesos dañados), `FileNotFoundError` (falta la carpeta o la rueda) o
    `ConnectionError` (no se llega al hub), siempre con lo que hay que hacer.
    """
    import torch
    import transformers

    quiet()
    found = find_role(role, data=False)
    folder = _model_folder(found, weights=True)
    auto = {
        "seq2seq": transformers.AutoModelForSeq2SeqLM,
        "causal": transformers.AutoModelForCausalLM,
        "encoder": transformers.AutoModelForMaskedLM,
    }[found.kind]
    for weights in folder.glob("*.safetensors"):
        check_safetensors(weights)
    model = auto.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    return model.eval().to(device())


def load_tokenizer(role: str) -> PreTrainedTokenizerBase:
    """Carga el tokenizador de un papel; los mismos errores que `load_model`."""
    import transformers

    quiet()
    folder = _model_folder(find_role(role, data=False), weights=False)
    return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)


def load_data(role: str) -> dict[str, list[dict]]:
    """Carga los trozos de un conjunto de datos: `{"train": [...], "validation": [...], "test": [...]}`.

    Las preguntas («questions») no tienen `train`: un benchmark no se entrena.

    Los campos son los mismos en las dos escalas. Errores: los de `load_model`, y `ValueError` con archivo y
    número de línea si una línea está rota o un campo vacío.
    """
    quiet()
    found = find_role(role, data=True)
    if scale() == "gpu" and found.gpu:
        return found.reader.read(_download(found.gpu, list(found.reader.files), repo_type="dataset"))
    return hub_data.read_jsonl_splits(repo_root(), found.mini, found.fields, found.splits)


def check_safetensors(path: Path) -> None:
    """Comprueba sin cargarlo que un `.safetensors` está entero: cabecera legible y tantos bytes como anuncia.

    Lanza `ValueError` si está truncado o dañado. Formato: 8 bytes con la longitud N de la cabecera,
    N bytes de JSON y los datos (https://github.com/huggingface/safetensors#format).
    """
    remedy = "Recupéralo con `git checkout -- models`, vuelve a descargarlo o ejecuta `make models`."
    name = f"{path.parent.name}/{path.name}"
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise ValueError(f"{name} está truncado o no es un archivo safetensors ({size} bytes). {remedy}")
        try:
            header = json.loads(file.read(length))
            ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        except (ValueError, AttributeError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"{name} tiene la cabecera dañada. {remedy}") from error
    expected = 8 + length + max(ends, default=0)
    if size != expected:
        raise ValueError(f"{name} está truncado o dañado: tiene {size} bytes y anuncia {expected}. {remedy}")


def _model_folder(role: Role, *, weights: bool) -> Path:
    """Devuelve la carpeta con los archivos del modelo, descargándola o convirtiéndola si hace falta."""
    if scale() == "gpu" and role.gpu:
        folder = _download(role.gpu, CONFIG_FILES)
        if weights:
            folder = _download(role.gpu, [*CONFIG_FILES, "*.safetensors"])
            if not list(folder.glob("*.safetensors")):  # t5-v1_1 solo publica pesos en el formato de torch
                folder = _download(role.gpu, [*CONFIG_FILES, "pytorch_model*.bin"])
        return folder
    if role.mini is None:
        return smollm2.converted_folder()
    folder = repo_root() / role.mini
    needed = ["config.json", *(["model.safetensors"] if weights else ["tokenizer_config.json"])]
    absent = [name for name in needed if not (folder / name).is_file()]
    if absent:
        what = f"la carpeta {role.mini}" if not folder.is_dir() else f"{', '.join(absent)} en {role.mini}"
        raise FileNotFoundError(
            f"Falta {what}, el modelo del papel «{role.name}»: recupérala con `git checkout -- {role.mini}` "
            "o ejecuta `make models`."
        )
    return folder


def _download(repo_id: str, patterns: list[str], repo_type: str = "model") -> Path:
    """Descarga (o toma de la caché local) la rama `main` de un repositorio y apunta el commit resuelto."""
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = Path(
            huggingface_hub.snapshot_download(repo_id, repo_type=repo_type, revision="main", allow_patterns=patterns)
        )
    except LocalEntryNotFoundError as error:
        raise ConnectionError(
            f"No se llega al hub y «{repo_id}» no está en la caché local. Comprueba internet (en Kaggle: "
            "Settings → Internet, con el teléfono verificado) o trabaja sin red con CURSO_ESCALA=mini."
        ) from error
    except (HfHubHTTPError, OSError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise OSError(errno.ENOSPC, f"Disco lleno al descargar «{repo_id}»: libera espacio y repite.") from error
        raise ConnectionError(
            f"El hub no entregó «{repo_id}» ({type(error).__name__}). Espera unos minutos y repite, "
            "o trabaja sin red con CURSO_ESCALA=mini."
        ) from error
    if COMMITS.get(repo_id) != folder.name:
        COMMITS[repo_id] = folder.name
        print(f"{repo_id}: rama main, commit {folder.name[:12]}")
    return folder
