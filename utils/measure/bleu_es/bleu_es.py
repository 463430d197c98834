"""BLEU para el español como módulo local de `evaluate`: `evaluate.load("utils/measure/bleu_es")`.

Se carga por su ruta y sin red. Los números son los de `utils.measure.bleu`: aquí solo se adaptan a la interfaz. Por
omisión corta con la tokenización «es»; la firma, que va en la respuesta, dice con cuál. No añade intervalos: para
eso, pide `sentence_bleu` texto a texto y pasa los valores a `utils.measure.stats.bootstrap`.
"""

import evaluate

from utils.measure.bleu import corpus_bleu
from utils.measure.metric_info import text_metric_info

_DESCRIPTION = "BLEU de corpus, de 0 a 100, con los signos y las letras del español, y con su firma."
_CITATION = """\
@inproceedings{papineni-2002-bleu,
  title = {{BLEU}: a Method for Automatic Evaluation of Machine Translation},
  author = {Papineni, Kishore and Roukos, Salim and Ward, Todd and Zhu, Wei-Jing},
  booktitle = {Proceedings of ACL},
  year = {2002},
  pages = {311--318},
}
"""
_INPUTS = """
Args:
    predictions: lista de textos generados.
    references: lista de referencias; cada una es un texto o una lista de textos.
    tokenizer: es (por omisión), 13a o none.
    smoothing: exp (por omisión), floor, add-k o none.
    effective_order: no contar los órdenes que no caben en el corpus; False por omisión.
"""


class BleuEs(evaluate.Metric):
    """La medida que devuelve `evaluate.load`."""

    def _info(self) -> evaluate.MetricInfo:
        return text_metric_info(_DESCRIPTION, _CITATION, _INPUTS, "https://aclanthology.org/P02-1040/")

    def _compute(self, predictions, references, tokenizer="es", smoothing="exp", effective_order=False) -> dict:
        """Calcula la medida; `evaluate` la llama desde `compute` con los datos ya reunidos."""
        result = corpus_bleu(
            predictions, references, tokenizer=tokenizer, smoothing=smoothing, effective_order=effective_order
        )
        return {
            "bleu": result.score,
            "precisions": list(result.precisions),
            "brevity_penalty": result.brevity_penalty,
            "signature": result.signature,
        }
