"""El banco de medida del ajuste fino se puede ejecutar y nuestra receta gana."""

import os
import re
import subprocess
import sys

import pytest

from utils.course.env import repo_root


@pytest.mark.slow
def test_our_recipe_is_at_least_twice_as_fast():
    weights = repo_root() / "models" / "mini-flan-t5" / "model.safetensors"
    assert weights.exists(), "Falta models/mini-flan-t5: ejecuta «make models»."
    command = [sys.executable, "benchmarks/bench_finetuning.py", "--pasos", "1", "--resumenes", "4", "--rondas", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, cwd=repo_root(), capture_output=True, text=True, env=environment)
    ratio = re.search(r"^cociente: (\d+,\d)", result.stdout, re.MULTILINE)
    assert ratio, result.stderr
    assert float(ratio[1].replace(",", ".")) > 2, result.stdout
