"""Los módulos locales de `evaluate`: se cargan por su ruta, sin red, y dan los números de `utils.measure`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from utils.measure.bleu import corpus_bleu
from utils.measure.rouge import rouge_corpus

ROOT = Path(__file__).resolve().parents[2]
CANDIDATES = ["¿Vino el niño?", "El pingüino pasó ayer por la tarde.", "it is cold"]
SINGLE = ["¿Vino ayer el niño?", "El pingüino pasó ayer por la noche.", "it is not cold"]
SEVERAL = [[text, "otra cosa"] for text in SINGLE]

PROGRAM = """
import json, sys
import evaluate
rouge, bleu = (evaluate.load(f"utils/measure/{name}") for name in ("rouge_es", "bleu_es"))
candidates, single, several = json.loads(sys.argv[1])
texts = {"predictions": candidates, "references": single}
print(json.dumps({
    "rouge": rouge.compute(**texts),
    "rouge several": rouge.compute(predictions=candidates, references=several),
    "rouge each": rouge.compute(**texts, use_aggregator=False),
    "rouge one": rouge.compute(**texts, rouge_types=["rouge1"]),
    "bleu es": bleu.compute(**texts),
    "bleu 13a": bleu.compute(**texts, tokenizer="13a"),
    "bleu several": bleu.compute(predictions=candidates, references=several),
}))
"""


@pytest.mark.slow
def test_evaluate_loads_them_by_path_offline_with_the_same_numbers(tmp_path):
    offline = {"HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([CANDIDATES, SINGLE, SEVERAL])],
        env={**os.environ, **offline},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    got = json.loads(result.stdout.splitlines()[-1])
    expected = rouge_corpus(CANDIDATES, SINGLE)
    means = {kind: sum(values) / len(values) for kind, values in expected.items()}
    assert got["rouge each"] == expected
    assert got["rouge"] == got["rouge several"] == pytest.approx(means)
    assert got["rouge one"] == {"rouge1": pytest.approx(means["rouge1"])}
    for tokenizer in ("es", "13a"):
        score = corpus_bleu(CANDIDATES, SINGLE, tokenizer=tokenizer)
        assert got[f"bleu {tokenizer}"]["bleu"] == score.score
        assert got[f"bleu {tokenizer}"]["signature"] == score.signature
    assert got["bleu several"]["bleu"] == corpus_bleu(CANDIDATES, SEVERAL, tokenizer="es").score
