"""Buscar prompts duros: consignas hechas de tokens del vocabulario, con el modelo congelado.

`prompt_loss` puntúa una consigna por la pérdida de las respuestas correctas, y `search` la mejora cambiando un token
cada vez, como AutoPrompt: el gradiente de la pérdida respecto al embedding de ese token dice qué sustitutos parecen
mejores, se prueban de verdad y se queda el que más baja (Shin et al., 2020, sección 2.2). Solo para encoder-decoder.

Lo que NO hace: buscar la longitud, añadir texto detrás ni garantizar que el resultado se pueda leer.
"""

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from utils.model.batching import Batch, counted_labels


def prompt_loss(model: nn.Module, embeddings: Tensor, batch: Batch) -> Tensor:
    """Pérdida de `batch` con `embeddings` (P, D) delante de cada entrada, en nats por token. Error si nada cuenta."""
    if not counted_labels(batch):
        raise ValueError(
            "En el lote no cuenta ninguna etiqueta: sin respuesta no hay pérdida con que puntuar la consigna."
        )
    words = model.get_input_embeddings()(batch["input_ids"])  # (B, T, D)
    prompt = embeddings.expand(len(words), -1, -1)  # (B, P, D)
    mask = torch.cat([batch["attention_mask"].new_ones(prompt.shape[:2]), batch["attention_mask"]], dim=1)  # (B, P + T)
    inputs = torch.cat([prompt, words], dim=1)  # (B, P + T, D)
    return model(inputs_embeds=inputs, attention_mask=mask, labels=batch["labels"]).loss


def search(
    model: nn.Module, ids: list[int], batches: list[Batch], *, steps: int, candidates: int = 8, seed: int = 0
) -> tuple[list[int], list[float]]:
    """Mejora la consigna `ids` durante `steps` pasos y devuelve sus ids y las pérdidas, la de partida y una por paso.

    En cada paso se elige una posición al azar y se prueban los `candidates` tokens que el gradiente prefiere; si
    ninguno baja la pérdida media de `batches`, la consigna se queda como está. Error si no hay tokens en `ids` o lotes.
    """
    if not ids:
        raise ValueError("La consigna de partida está vacía: tokeniza un texto, aunque sea de una palabra.")
    if not batches:
        raise ValueError("No hay lotes con los que puntuar las consignas: pasa al menos uno.")
    table = model.get_input_embeddings().weight.detach()  # (V, D)
    rng = np.random.default_rng(seed)
    current = torch.tensor(ids, device=table.device)  # (P,)

    @torch.no_grad()
    def score(prompt: Tensor) -> float:
        return float(np.mean([prompt_loss(model, table[prompt], batch).item() for batch in batches]))

    losses = [score(current)]
    for step in tqdm(range(steps), desc="buscando consignas", unit="paso", mininterval=1):
        position = int(rng.integers(len(current)))
        embeddings = table[current].requires_grad_()  # (P, D)
        loss = prompt_loss(model, embeddings, batches[step % len(batches)])
        (gradient,) = torch.autograd.grad(loss, embeddings)  # (P, D)
        # Aproximación lineal: cambiar el token por w mueve la pérdida en (w - actual) · gradiente.
        promising = (table @ gradient[position]).topk(candidates, largest=False).indices  # (candidates,)
        trials = current.repeat(candidates, 1)  # (candidates, P)
        trials[:, position] = promising
        scores = [score(trial) for trial in trials]
        best = int(np.argmin(scores))
        if scores[best] < losses[-1]:
            current = trials[best]
        losses.append(min(scores[best], losses[-1]))
    return current.tolist(), losses
