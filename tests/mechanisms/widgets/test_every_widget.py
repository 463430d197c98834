"""Lo que se exige a cualquier widget. Sus pruebas llevan el nombre del widget y así `-k` pasa solo las de uno."""

import json
import math
import re
import shutil
from importlib import import_module
from pathlib import Path

import pytest
from widgets import NAMES, bundle, load, modules

from tests.mechanisms.tiny_book import ROOT, build, make_project

SOURCES = ROOT / "_static" / "course" / "widgets"
TESTS = {
    path.stem.removeprefix("test_"): import_module(f"tests.mechanisms.widgets.{path.stem}")
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    if path != Path(__file__)
}
GOLDEN = [name for name, test in TESTS.items() if hasattr(test, "golden_cases")]
BAD_BODIES = [(name, *case) for name, test in TESTS.items() for case in getattr(test, "BAD_BODIES", ())]
#: Los KB que puede pesar el script de un widget, sin los campos que comparten y con ellos.
KILOBYTES, WITH_FORM = 12, 24

BAD_PAGE = """# Mal

```{widget} no-existe
```

```{widget} bpe-merges
text: [sin cerrar
```

```{widget} bpe-merges
solo un texto
```

```{widget} bpe-merges
texto: hola
```
"""

each_widget = pytest.mark.parametrize("name", NAMES, ids=[name.replace("-", "_") for name in NAMES])


def close(stored, now, margin: float) -> bool:
    """¿Son iguales, salvo lo que cada máquina redondea en los decimales?"""
    if isinstance(stored, float) and isinstance(now, float):
        return math.isclose(stored, now, rel_tol=1e-12, abs_tol=margin)
    if isinstance(stored, dict) and isinstance(now, dict):
        return stored.keys() == now.keys() and all(close(stored[key], now[key], margin) for key in stored)
    if isinstance(stored, list) and isinstance(now, list):
        return len(stored) == len(now) and all(close(a, b, margin) for a, b in zip(stored, now, strict=True))
    return stored == now


@each_widget
def test_it_has_its_files(name):
    assert (SOURCES / f"{name}.mjs").exists(), f"falta _static/course/widgets/{name}.mjs"
    assert callable(load(name).parse) and callable(load(name).fallback)
    test = TESTS.get(name.replace("-", "_"))
    assert test is not None, "falta su prueba: CONTRIBUIR.md dice qué lleva"
    assert test.BAD_BODIES, "la prueba no dice qué datos se rechazan"


@each_widget
def test_the_script_is_classic_and_light(name):
    path = SOURCES / f"{name}.mjs"
    assert not re.search(r"^(import|export)\b", bundle(path), re.MULTILINE), "cada import, en una línea"
    limit = WITH_FORM if SOURCES / "form.mjs" in modules(path) else KILOBYTES
    assert len(bundle(path).encode()) <= limit * 1024


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_file_is_up_to_date(name):
    path = Path(__file__).with_name(f"{name}.json")
    assert path.exists(), "ejecuta scripts/export_widgets.py"
    stored = json.loads(path.read_text(encoding="utf-8"))
    now = json.loads(json.dumps(TESTS[name].golden_cases()))  # como vuelve de un JSON: sin tuplas
    assert len(stored) == len(now) >= 40
    margin = getattr(TESTS[name], "GOLDEN_MARGIN", 0)
    for old, new in zip(stored, now, strict=True):
        assert close(old, new, margin), f"guardado: {old}; ahora: {new}; ejecuta scripts/export_widgets.py"


@pytest.mark.parametrize(
    ("name", "body", "message"), BAD_BODIES, ids=[f"{name}-{number}" for number, (name, *_) in enumerate(BAD_BODIES)]
)
def test_bad_bodies_are_told_in_spanish(name, body, message):
    with pytest.raises(ValueError, match=message):
        load(name).parse(body)


@pytest.mark.slow
def test_bad_directives_stop_the_build(tmp_path):
    folder = make_project(tmp_path, intro=BAD_PAGE)
    shutil.rmtree(folder / "chapters")
    result = build(folder)
    assert result.returncode != 0
    for message in (
        f"No hay un widget «no-existe»; los que hay son: {', '.join(NAMES)}.",
        "bpe-merges: el YAML del cuerpo no se puede leer",
        "bpe-merges: el cuerpo debe ser YAML",
        "bpe-merges: sobra la clave `texto`",
    ):
        assert message in result.stderr
