"""Prompts blandos: vectores aprendidos que un modelo congelado lee como si fueran tokens.

`PromptTuning` pone P vectores delante de los embeddings de la entrada (Lester et al., 2021). `PrefixTuning` pone, en
cada capa, P claves y P valores delante de los de la autoatención (Li y Liang, 2021); en un encoder-decoder van en el
decoder, como en peft. Los dos envuelven al modelo y se usan como él: con `utils.train.loop.train` y con
`utils.model.decoding.generate`. Con los mismos pesos dan los mismos logits que peft.

Lo que NO hace: prefijos en el encoder ni en la atención cruzada, prompts que dependan de la entrada (P-tuning) ni
descontar los P tokens de la longitud máxima del modelo.
"""

import torch
from torch import Tensor, nn
from transformers import DynamicCache, EncoderDecoderCache

from utils.model.batching import IGNORE
from utils.model.surgery import trained_tensors


class SoftPrompt(nn.Module):
    """Lo común: un modelo congelado (`base`) y P tokens virtuales (`length`) delante de lo que lee."""

    def __init__(self, base: nn.Module, length: int):
        super().__init__()
        if length < 1:
            raise ValueError(f"El prompt blando debe tener al menos un vector y mide {length}.")
        self.base, self.length = base.requires_grad_(False), length
        self.config, self.generation_config = base.config, base.generation_config

    def _longer_mask(self, mask: Tensor) -> Tensor:
        return torch.cat([mask.new_ones(len(mask), self.length), mask], dim=1)  # (B, P + T)

    def trained(self) -> dict[str, Tensor]:
        """Los pesos aprendidos, sin los de la base: lo que se guarda por tarea."""
        return trained_tensors(self)


class PromptTuning(SoftPrompt):
    """Antepone `prompt` (P, D) a los embeddings de cada entrada; es lo único que se entrena.

    En un solo decodificador, los logits de los P vectores se quitan y quedan (B, T, V), como los de la base.
    Fuente: Lester et al. (2021), sección 2.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> tiny = dict(vocab_size=16, hidden_size=8, intermediate_size=8, num_attention_heads=2)
    >>> model = PromptTuning(LlamaForCausalLM(LlamaConfig(**tiny, num_hidden_layers=1)), torch.zeros(5, 8))
    >>> model(torch.tensor([[3, 4, 1]])).logits.shape, sum(p.numel() for p in model.parameters() if p.requires_grad)
    (torch.Size([1, 3, 16]), 40)
    """

    def __init__(self, base: nn.Module, prompt: Tensor):
        width = base.get_input_embeddings().embedding_dim
        if prompt.dim() != 2 or prompt.shape[1] != width:
            raise ValueError(f"El prompt debe tener forma (P, {width}) para este modelo y tiene {tuple(prompt.shape)}.")
        super().__init__(base, len(prompt))
        self.prompt = nn.Parameter(prompt.detach().clone())  # (P, D)

    def embed(self, input_ids: Tensor) -> Tensor:
        """Embeddings de la entrada con el prompt delante. (B, T) -> (B, P + T, D)"""
        words = self.base.get_input_embeddings()(input_ids)  # (B, T, D)
        prompt = self.prompt.to(words.dtype).expand(len(input_ids), -1, -1)  # (B, P, D)
        return torch.cat([prompt, words], dim=1)

    def get_encoder(self):
        """El encoder con el prompt puesto, como lo pide `generate`: se llama con `input_ids` y `attention_mask`."""
        encoder = self.base.get_encoder()
        return lambda input_ids, attention_mask: encoder(
            inputs_embeds=self.embed(input_ids), attention_mask=self._longer_mask(attention_mask)
        )

    def forward(self, input_ids=None, attention_mask=None, position_ids=None, labels=None, **kwargs):
        """Como el modelo de partida. Con `encoder_outputs` o con caché, el prompt ya está leído."""
        if attention_mask is None and input_ids is not None:
            attention_mask = torch.ones_like(input_ids)
        inputs = {"attention_mask": self._longer_mask(attention_mask)} | kwargs
        if self.config.is_encoder_decoder:
            if kwargs.get("encoder_outputs") is None:
                inputs["inputs_embeds"] = self.embed(input_ids)  # (B, P + T, D)
            return self.base(**inputs, labels=labels)

        if position_ids is not None:
            inputs["position_ids"] = position_ids + self.length
        if kwargs.get("past_key_values") is not None:
            return self.base(input_ids=input_ids, **inputs)
        if position_ids is not None:
            first = torch.arange(self.length, device=input_ids.device).expand(len(input_ids), -1)
            inputs["position_ids"] = torch.cat([first, inputs["position_ids"]], dim=1)  # (B, P + T)
        if labels is not None:
            labels = torch.cat([labels.new_full((len(labels), self.length), IGNORE), labels], dim=1)  # (B, P + T)
        output = self.base(inputs_embeds=self.embed(input_ids), labels=labels, **inputs)
        output.logits = output.logits[:, self.length :]  # (B, T, V)
        return output


class PrefixTuning(SoftPrompt):
    """Antepone P claves y P valores aprendidos en la autoatención de cada capa del decodificador.

    Con `hidden`, el prefijo no se entrena directamente: sale de una matriz (P, D) y de una red de dos capas con
    `hidden` neuronas, que estabiliza el entrenamiento y después se tira (`bake`).
    Fuente: Li y Liang (2021), sección 4.3.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> tiny = dict(vocab_size=16, hidden_size=8, intermediate_size=8, num_attention_heads=2)
    >>> model = PrefixTuning(LlamaForCausalLM(LlamaConfig(**tiny, num_hidden_layers=3)), length=5)
    >>> sum(p.numel() for p in model.parameters() if p.requires_grad)  # 5 · 3 capas · (clave y valor) · 8
    240
    """

    def __init__(self, base: nn.Module, length: int, hidden: int | None = None, std: float = 0.1):
        super().__init__(base, length)
        config = base.config
        if config.is_encoder_decoder:
            self.layers, self.heads, self.head_dim = config.num_decoder_layers, config.num_heads, config.d_kv
        else:
            self.layers, self.heads = config.num_hidden_layers, config.num_key_value_heads
            self.head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        width, size = base.get_input_embeddings().embedding_dim, 2 * self.layers * self.heads * self.head_dim
        self.prefix = nn.Parameter(
            std * torch.randn(length, size if hidden is None else width)
        )  # (P, 2·L·H·d) o (P, D)
        self.mlp = nn.Identity()
        if hidden is not None:
            self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, size))
        self.to(base.get_input_embeddings().weight.device)

    def cache(self, batch: int) -> DynamicCache | EncoderDecoderCache:
        """Una caché KV que ya contiene el prefijo, repetido para `batch` filas: el modelo la cree leída."""
        values = self.mlp(self.prefix).to(self.base.get_input_embeddings().weight.dtype)  # (P, 2·L·H·d)
        values = values.view(self.length, 2 * self.layers, self.heads, self.head_dim)
        values = values.permute(1, 2, 0, 3)[:, None].expand(-1, batch, -1, -1, -1)  # (2·L, B, H, P, d)
        cache = DynamicCache()
        for layer in range(self.layers):
            cache.update(values[2 * layer], values[2 * layer + 1], layer)
        return EncoderDecoderCache(cache, DynamicCache()) if self.config.is_encoder_decoder else cache

    @torch.no_grad()
    def bake(self) -> "PrefixTuning":
        """Guarda el prefijo que produce la red y tira la red: da los mismos logits con menos parámetros."""
        self.prefix = nn.Parameter(self.mlp(self.prefix).clone())  # (P, 2·L·H·d)
        self.mlp = nn.Identity()
        return self

    def get_encoder(self):
        return self.base.get_encoder()

    def forward(self, input_ids=None, attention_mask=None, position_ids=None, past_key_values=None, **kwargs):
        """Como el modelo de partida; la primera pasada recibe la caché con el prefijo y las demás, la que devolvió."""
        if self.config.is_encoder_decoder:
            states = input_ids if input_ids is not None else kwargs["encoder_outputs"].last_hidden_state
            if past_key_values is None:
                past_key_values = self.cache(len(states))
            inputs = {"attention_mask": attention_mask} | kwargs
            return self.base(input_ids=input_ids, past_key_values=past_key_values, **inputs)
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        if past_key_values is None:
            past_key_values = self.cache(len(input_ids))
        return self.base(
            input_ids=input_ids,
            attention_mask=self._longer_mask(attention_mask),
            position_ids=None if position_ids is None else position_ids + self.length,
            past_key_values=past_key_values,
            **kwargs,
        )


def prompt_from_text(model: nn.Module, tokenizer, text: str, length: int) -> Tensor:
    """Los embeddings de `text`, repetidos o cortados hasta `length` vectores: un buen punto de partida. (P, D)

    Error si el texto no tiene ningún token.
    """
    ids = tokenizer(text, add_special_tokens=False).input_ids
    if not ids:
        raise ValueError("El texto está vacío: escribe, por ejemplo, una consigna de la tarea.")
    ids = torch.tensor((ids * length)[:length], device=model.get_input_embeddings().weight.device)
    return model.get_input_embeddings()(ids).detach().clone()


def nearest_words(model: nn.Module, tokenizer, prompt: Tensor, k: int = 3) -> list[list[tuple[str, float]]]:
    """Por cada vector del prompt (P, D), los `k` tokens del vocabulario con mayor coseno, y ese coseno.

    Fuente: Lester et al. (2021), sección 7, que también usa el coseno.
    """
    words = nn.functional.normalize(model.get_input_embeddings().weight, dim=-1)  # (V, D)
    cosines = nn.functional.normalize(prompt.detach(), dim=-1) @ words.T  # (P, V)
    best = cosines.topk(k, dim=-1)
    return [
        [(tokenizer.decode([i]), round(c, 3)) for c, i in zip(row_c, row_i, strict=True)]
        for row_c, row_i in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
