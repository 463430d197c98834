"""Los programas que construyen el libro: huella, índice, errores en español y la salida a Sphinx sin Jupyter Book."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from execute_chapters import chapters_in_toc, fingerprint, main, refresh_cache

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = """---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
---
# Prueba

```{{code-cell}} python
{code}
```
"""


def book(folder: Path, code: str) -> Path:
    """Un libro de un solo capítulo con una celda."""
    (folder / "utils").mkdir()
    (folder / "utils" / "uno.py").write_text("x = 1\n", encoding="utf-8")
    (folder / "capitulo.md").write_text(NOTEBOOK.format(code=code), encoding="utf-8")
    (folder / "intro.md").write_text("# Inicio\n", encoding="utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: intro\nchapters:\n  - file: capitulo\n", encoding="utf-8")
    return folder


def test_fingerprint_changes_with_utils_and_not_with_caches(tmp_path: Path) -> None:
    book(tmp_path, "1 + 1")
    before = fingerprint(tmp_path)
    (tmp_path / "utils" / "__pycache__").mkdir()
    (tmp_path / "utils" / "__pycache__" / "uno.pyc").write_bytes(b"nada")
    assert fingerprint(tmp_path) == before
    (tmp_path / "utils" / "uno.py").write_text("x = 2\n", encoding="utf-8")
    assert fingerprint(tmp_path) != before


def test_changing_utils_throws_the_cache_away(tmp_path: Path) -> None:
    book(tmp_path, "1 + 1")
    cache = refresh_cache(tmp_path, tmp_path / "_build")
    cache.mkdir(parents=True)
    refresh_cache(tmp_path, tmp_path / "_build")
    assert cache.exists(), "sin cambios, la caché se conserva"
    (tmp_path / "utils" / "uno.py").write_text("x = 2\n", encoding="utf-8")
    refresh_cache(tmp_path, tmp_path / "_build")
    assert not cache.exists()


def test_only_notebooks_of_the_contents_are_executed(tmp_path: Path) -> None:
    book(tmp_path, "1 + 1")
    assert [path.name for path in chapters_in_toc(tmp_path / "_toc.yml")] == ["capitulo.md"]


def test_a_missing_page_is_reported_in_spanish(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    book(tmp_path, "1 + 1")
    (tmp_path / "capitulo.md").unlink()
    assert main(["--root", str(tmp_path)]) == 1
    assert "«capitulo»" in capsys.readouterr().err


@pytest.mark.slow
def test_a_failing_cell_stops_with_its_name_and_nothing_is_cached(tmp_path: Path) -> None:
    book(tmp_path, "1 / 0")
    command = [sys.executable, str(ROOT / "scripts" / "execute_chapters.py"), "--root", str(tmp_path)]
    for _ in range(2):
        result = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
        assert result.returncode == 1
        assert "Falla una celda de capitulo.md" in result.stderr and "ZeroDivisionError" in result.stderr


@pytest.mark.slow
def test_a_good_chapter_is_executed_once(tmp_path: Path) -> None:
    book(tmp_path, "1 + 1")
    command = [sys.executable, str(ROOT / "scripts" / "execute_chapters.py"), "--root", str(tmp_path)]
    first = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=True)
    second = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=True)
    assert "capitulo" in first.stdout and "capitulo" not in second.stdout


@pytest.mark.slow
def test_plain_sphinx_builds_a_page_with_our_configuration(tmp_path: Path) -> None:
    """La puerta de salida: `conf.py` sale de `_config.yml` y Sphinx, sin Jupyter Book, construye con él."""
    import yaml
    from jupyter_book.config import get_final_config

    config, _ = get_final_config(
        user_yaml=yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8")),
        cli_config={"latex_individualpages": False},
        sourcedir=ROOT,
        use_external_toc=False,
    )
    dropped = {"jupyter_book", "sphinx_external_toc", "sphinx_thebe", "sphinx_comments"}
    config["extensions"] = [name for name in config["extensions"] if name not in dropped]
    local = {
        "root_doc": "index",
        "templates_path": [str(ROOT / "_templates")],
        "html_static_path": [str(ROOT / "_static")],
        "html_logo": str(ROOT / "_static/logo.svg"),
        "html_favicon": str(ROOT / "_static/favicon.svg"),
        "bibtex_bibfiles": ["references.bib"],
    }
    config["html_theme_options"]["logo"] = {"text": "LLM"}
    lines = ["import sys", f"sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / '_ext')!r}]"]
    lines += [f"{key} = {value!r}" for key, value in {**config, **local}.items()]
    source = tmp_path / "fuente"
    source.mkdir()
    (source / "conf.py").write_text("\n".join(lines), encoding="utf-8")
    (source / "references.bib").write_text((ROOT / "references.bib").read_text(encoding="utf-8"), encoding="utf-8")
    (source / "index.md").write_text(
        "# Prueba\n\nUna fórmula $x^2$ y una nota:\n\n```{note}\nHola.\n```\n", encoding="utf-8"
    )
    (source / "_static").mkdir()
    for name in ("course",):
        if (ROOT / "_static" / name).exists():
            (source / "_static" / name).symlink_to(ROOT / "_static" / name)
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "-n",
        "--keep-going",
        str(source),
        str(tmp_path / "html"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False, env={**os.environ})
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    assert "Nota" in page and "Enlace a este apartado" in page and "fontawesome.js" not in page
