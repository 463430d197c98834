"""De muchos prompts a muchos textos, en lotes de longitud parecida.

Ordenar por longitud antes de agrupar evita casi todo el relleno; el resultado vuelve en el orden de entrada.
No decide cómo se elige cada token: eso es `utils.model.decoding`.
"""

from collections.abc import Sequence

from torch import nn
from tqdm import tqdm

from utils.model.decoding import generate


def length_batches(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Índices de menor a mayor longitud, en lotes de `batch_size`.

    >>> length_batches([9, 2, 7, 1], batch_size=2)
    [[3, 1], [2, 0]]
    """
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def generate_texts(
    model: nn.Module,
    tokenizer,
    prompts: Sequence[str],
    *,
    max_new_tokens: int,
    batch_size: int = 50,
    max_prompt: int = 512,
    **decoding,
) -> list[str]:
    """Un texto por prompt, en el mismo orden. `decoding` son los mandos de `utils.model.decoding.generate`.

    Lanza `ValueError` si algún prompt está vacío.
    """
    for i, prompt in enumerate(prompts):
        if not prompt.strip():
            raise ValueError(f"El prompt número {i} está vacío: no hay nada que continuar.")
    device = next(model.parameters()).device
    texts = [""] * len(prompts)
    batches = length_batches([len(prompt) for prompt in prompts], batch_size)
    for batch in tqdm(batches, desc="generando", unit="lote", mininterval=1):
        encoded = tokenizer(
            [prompts[i] for i in batch], padding=True, truncation=True, max_length=max_prompt, return_tensors="pt"
        ).to(device)
        ids = generate(model, encoded.input_ids, encoded.attention_mask, max_new_tokens=max_new_tokens, **decoding)
        for i, text in zip(batch, tokenizer.batch_decode(ids, skip_special_tokens=True), strict=True):
            texts[i] = text.strip()
    return texts
