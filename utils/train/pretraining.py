"""Nuestro transformer, listo para preentrenar: recibe el lote de un objetivo y devuelve su pérdida.

El mismo envoltorio sirve para las tres familias, porque la arquitectura ya dice qué hacer con las etiquetas: un
codificador predice cada token tapado en su sitio; un decodificador, el siguiente; uno con los dos lee la entrada
dañada y escribe el objetivo. Si el lote viene empaquetado (`utils.train.packing`), ningún token mira fuera de su
documento.

Lo que NO hace: generar texto ni elegir qué se tapa, que es cosa de `utils.train.objectives`.
"""

from types import SimpleNamespace

import torch
from torch import Tensor, nn

from utils.model.attention import causal_mask, cross_entropy, padding_mask
from utils.model.batching import IGNORE
from utils.model.logprobs import token_logprobs
from utils.model.transformer import Transformer
from utils.train.packing import document_mask


class Pretraining(nn.Module):
    """Un `Transformer` con la cara que espera `utils.train.loop`: `model(**batch).loss`.

    `pad_id` es el token con que arranca el decodificador de un modelo con las dos mitades, como en T5. Error si el
    lote viene empaquetado y las posiciones del modelo no son relativas: las absolutas no vuelven a empezar en cada
    documento.

    >>> from utils.model.config import TransformerConfig
    >>> model = Pretraining(Transformer(TransformerConfig(vocab=10, dim=16, decoder_layers=1)), pad_id=0)
    >>> ids = torch.tensor([[4, 5, 6]])
    >>> abs(model(input_ids=ids, labels=ids).loss.item() - 2.3026) < 0.1  # sin entrenar, ln 10
    True
    """

    def __init__(self, transformer: Transformer, pad_id: int):
        super().__init__()
        self.transformer, self.pad_id = transformer, pad_id
        config = transformer.config
        self.causal, self.both = config.encoder_layers == 0, config.encoder_layers > 0 and config.decoder_layers > 0

    def forward(
        self,
        input_ids: Tensor,
        labels: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> SimpleNamespace:
        """`input_ids` (B, T) y `labels` (B, T) o, con las dos mitades, (B, S). Devuelve `.loss`, en nats por token.

        Los logits solo se calculan donde hay algo que predecir: con el 15 % tapado, son siete veces menos.
        """
        hidden, targets = self._predictions(input_ids, labels, attention_mask, position_ids)  # (N, D), (N,)
        return SimpleNamespace(loss=cross_entropy(self.transformer.logits(hidden), targets))

    @torch.no_grad()
    def token_losses(
        self,
        input_ids: Tensor,
        labels: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> Tensor:
        """Nats de cada token que cuenta, en su sitio: la forma de `labels`, con 0 en lo que no cuenta."""
        hidden, targets = self._predictions(input_ids, labels, attention_mask, position_ids)  # (N, D), (N,)
        nats = -token_logprobs(self.transformer.logits(hidden), targets)  # (N,)
        placed = torch.zeros(labels.shape, dtype=nats.dtype, device=nats.device)  # (B, T)
        if self.causal:
            labels = torch.cat([torch.full_like(labels[:, :1], IGNORE), labels[:, 1:]], dim=1)  # (B, T)
        placed[labels != IGNORE] = nats
        return placed

    def _predictions(self, ids, labels, mask, positions) -> tuple[Tensor, Tensor]:
        """El vector desde el que se predice cada token que cuenta, (N, D), y cuál es, (N,)."""
        if positions is not None and (self.both or self.transformer.config.positions not in ("rope", "relative")):
            raise ValueError(
                "Un lote empaquetado pide un modelo de una sola mitad y con posiciones rope o relative: "
                "las absolutas no vuelven a empezar en cada documento."
            )
        if self.both:
            hidden = self._decode(ids, labels, mask)  # (B, S, D)
        else:
            stack = self.transformer.decoder if self.causal else self.transformer.encoder
            visible = document_mask(ids, mask, positions, causal=self.causal)  # (B, 1, T, T)
            hidden = stack(self.transformer.embed(ids), visible)[0]  # (B, T, D)
        if self.causal:  # la posición t predice el token t + 1
            hidden, labels = hidden[:, :-1], labels[:, 1:]
        counted = labels != IGNORE  # (B, T)
        return hidden[counted], labels[counted]

    def _decode(self, ids: Tensor, labels: Tensor, mask: Tensor | None) -> Tensor:
        """La salida del decodificador, (B, S, D), que en cada paso ve lo leído y las etiquetas anteriores."""
        before = labels.masked_fill(labels == IGNORE, self.pad_id)[:, :-1]  # (B, S - 1)
        start = torch.full_like(ids[:, :1], self.pad_id)  # (B, 1)
        written = torch.cat([start, before], dim=1)  # (B, S)
        memory = self.transformer.encode(ids, mask)  # (B, T, D)
        across = None if mask is None else padding_mask(mask)  # (B, 1, 1, T)
        causal = causal_mask(written.shape[1], device=ids.device)  # (S, S)
        return self.transformer.decoder(self.transformer.embed(written), causal, memory, across)[0]
