"""Agranda los números que viajan por dentro de un T5 sin cambiar lo que calcula.

T5 normaliza la entrada de cada subcapa con RMSNorm, que no nota si todo se multiplica por una constante. Así que al
multiplicar por c los embeddings y la última matriz de cada subcapa, toda la corriente residual se multiplica por c, y
la norma final la devuelve a su sitio: los logits no cambian. Sirve para ver qué formatos aguantan números grandes.

Lo que NO hace: entrenar. Los T5 de verdad llegan solos a esos tamaños (transformers, incidencias 5651, 11461 y 23918),
porque sus activaciones iban en bfloat16 y nada se lo impedía.
"""

import copy

import torch
from torch import nn

from utils.model.surgery import untie


def scale_residual_stream(model: nn.Module, factor: float) -> nn.Module:
    """Copia de un T5 de transformers con la corriente residual multiplicada por `factor` y los mismos logits.

    Iguales salvo por el épsilon de las normas, que al agrandar pesa menos; con una potencia de 2 no hay otro redondeo.
    `ValueError` si el factor no es positivo o el modelo no es un T5.
    """
    if not factor > 0:
        raise ValueError(f"El factor debe ser positivo y es {factor}.")
    if getattr(model.config, "model_type", "") != "t5":
        raise ValueError("Solo sé hacerlo con T5: pasa un T5ForConditionalGeneration.")
    scaled = copy.deepcopy(model)
    # La salida comparte matriz con los embeddings: se separa para que los logits no se multipliquen.
    untie(scaled, "lm_head")
    with torch.no_grad():
        scaled.shared.weight.mul_(factor)  # (V, D)
        for name, weight in scaled.named_parameters():
            if name.endswith((".o.weight", ".wo.weight")):
                weight.mul_(factor)
    return scaled
