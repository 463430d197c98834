"""La ficha con que nuestras medidas de texto se presentan a `evaluate`: la comparten `rouge_es` y `bleu_es`.

Lo que NO hace: calcular nada.
"""

import datasets
import evaluate


def text_metric_info(description: str, citation: str, inputs: str, url: str) -> evaluate.MetricInfo:
    """La ficha de una medida que compara textos con una referencia, o con varias, por texto."""
    text = datasets.Value("string")
    return evaluate.MetricInfo(
        description=description,
        citation=citation,
        inputs_description=inputs,
        features=[
            datasets.Features({"predictions": text, "references": datasets.Sequence(text)}),
            datasets.Features({"predictions": text, "references": text}),
        ],
        reference_urls=[url],
    )
