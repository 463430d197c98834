"""Escribe los archivos que los widgets guardan: los ejemplos de los minis y los casos de referencia de sus pruebas.

    python scripts/export_widgets.py                  # los de todos
    python scripts/export_widgets.py lora-calculator  # los de uno

- `_static/course/widgets/NOMBRE.json`, con lo que da `examples()` en `_ext/widgets/NOMBRE.py`: lo que enseña el widget.
- `tests/mechanisms/widgets/NOMBRE.json`, con lo que da `golden_cases()` en su prueba: lo que `utils` calcula y el
  navegador debe repetir.

Los que no tienen esas funciones no guardan nada. Las pruebas comprueban que están al día. No mide nada por sí mismo.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests" / "mechanisms" / "widgets"
sys.path.append(str(ROOT / "_ext"))


def write(path: Path, cases: list, **style) -> None:
    """Guarda una lista en JSON, con un caso por línea para que los cambios se lean."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, **style) for case in cases)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(cases)} casos en {path.relative_to(ROOT)}")


def main(names: list[str]) -> None:
    from widgets import NAMES, SOURCES, load

    tests = {path.stem.removeprefix("test_").replace("_", "-"): path.stem for path in TESTS.glob("test_*.py")}
    everything = sorted({*NAMES, *tests})
    for name in names or everything:
        if name not in everything:
            sys.exit(f"No hay un widget «{name}»; los que hay son: {', '.join(NAMES)}.")
        widget = load(name) if name in NAMES else None
        if hasattr(widget, "examples"):
            write(ROOT / SOURCES / f"{name}.json", widget.examples(), separators=(",", ":"))
        test = import_module(f"tests.mechanisms.widgets.{tests[name]}") if name in tests else None
        if hasattr(test, "golden_cases"):
            write(TESTS / f"{name.replace('-', '_')}.json", test.golden_cases())


if __name__ == "__main__":
    main(sys.argv[1:])
