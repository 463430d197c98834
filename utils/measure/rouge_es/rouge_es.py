"""ROUGE para el español como módulo local de `evaluate`: `evaluate.load("utils/measure/rouge_es")`.

Se carga por su ruta y sin red; con `keep_in_memory=True` no escribe los textos en disco. Los números son los
de `utils.measure.rouge`: aquí solo se adaptan a la interfaz. No añade intervalos: para eso, pide los valores
por texto y pásalos a `utils.measure.stats.bootstrap`.
"""

import evaluate

from utils.measure.metric_info import text_metric_info
from utils.measure.rouge import TYPES, rouge_corpus

_DESCRIPTION = "ROUGE-1, ROUGE-2 y ROUGE-L con palabras Unicode: «niño» es una palabra y «pasó» no es «pasé»."
_CITATION = """\
@inproceedings{lin-2004-rouge,
  title = {{ROUGE}: A Package for Automatic Evaluation of Summaries},
  author = {Lin, Chin-Yew},
  booktitle = {Text Summarization Branches Out},
  year = {2004},
  pages = {74--81},
}
"""
_INPUTS = """
Args:
    predictions: lista de textos generados.
    references: lista de referencias; cada una es un texto o una lista de textos (cuenta la mejor).
    rouge_types: medidas que se quieren; por omisión rouge1, rouge2 y rougeL.
    use_aggregator: True da la media de F1 de cada medida; False, la lista de F1 por texto.
"""


class RougeEs(evaluate.Metric):
    """La medida que devuelve `evaluate.load`."""

    def _info(self) -> evaluate.MetricInfo:
        return text_metric_info(_DESCRIPTION, _CITATION, _INPUTS, "https://aclanthology.org/W04-1013/")

    def _compute(self, predictions, references, rouge_types=TYPES, use_aggregator=True) -> dict:
        """Calcula las medidas pedidas; `evaluate` la llama desde `compute` con los datos ya reunidos."""
        scores = rouge_corpus(predictions, references, rouge_types)
        if not use_aggregator:
            return scores
        return {kind: sum(values) / len(values) for kind, values in scores.items()}
