"""Adaptadores de Houlsby: módulos pequeños con forma de cuello de botella, metidos en un modelo congelado.

Cada bloque de un transformer acaba la atención y la red de avance (FFN) con una matriz que devuelve la salida al ancho
D del modelo. Justo después, y antes de sumar la conexión residual, se pone un adaptador: baja de D a m números, aplica
una no linealidad, vuelve a subir a D y suma lo que entró. La matriz de subida empieza en cero, así que un adaptador
recién puesto devuelve su entrada, bit a bit. Vale para los T5 y los Llama de transformers.

Lo que NO hace: entrenar las normalizaciones de capa (en el artículo también se entrenan), fundirse con la base (la no
linealidad lo impide) ni las variantes en paralelo.
"""

import re

from torch import Tensor, nn

#: Cómo se llaman las matrices que cierran la atención, la atención cruzada y la FFN en un T5 y en un Llama.
OUTPUT_PROJECTION = re.compile(
    r"\.(SelfAttention\.o|EncDecAttention\.o|DenseReluDense\.wo|self_attn\.o_proj|mlp\.down_proj)$"
)


class BottleneckAdapter(nn.Module):
    """x + W_sube · gelu(W_baja · x + b) + c, de D números a D pasando por `bottleneck`. (B, T, D) -> (B, T, D)

    W_sube y c empiezan en cero. Fuente: Houlsby et al. (2019), sección 2.1.

    >>> import torch
    >>> adapter, x = BottleneckAdapter(width=4, bottleneck=2), torch.randn(1, 3, 4)
    >>> torch.equal(adapter(x), x), sum(p.numel() for p in adapter.parameters())  # 2·D·m + D + m
    (True, 22)
    """

    def __init__(self, width: int, bottleneck: int):
        super().__init__()
        self.down = nn.Linear(width, bottleneck)
        self.up = nn.Linear(bottleneck, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        low = nn.functional.gelu(self.down(x.to(self.down.weight.dtype)))  # (B, T, m), en 32 bits aunque la base no
        return x + self.up(low).to(x.dtype)  # (B, T, D)


def output_projections(model: nn.Module) -> dict[str, nn.Linear]:
    """Las matrices tras las que va un adaptador, por su nombre. `ValueError` si el modelo no tiene ninguna.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> tiny = dict(vocab_size=16, hidden_size=8, intermediate_size=8, num_attention_heads=2)
    >>> list(output_projections(LlamaForCausalLM(LlamaConfig(**tiny, num_hidden_layers=1))))
    ['model.layers.0.self_attn.o_proj', 'model.layers.0.mlp.down_proj']
    """
    found = {name: module for name, module in model.named_modules() if OUTPUT_PROJECTION.search(name)}
    if not found:
        raise ValueError(f"No sé dónde poner adaptadores en {type(model).__name__}: usa un T5 o un Llama.")
    return found


def add_adapters(model: nn.Module, bottleneck: int) -> nn.Module:
    """Congela `model`, le pone adaptadores en su sitio y lo devuelve: a partir de aquí solo se entrenan ellos.

    Pasa una copia (`deepcopy`) si quieres conservar el modelo sin adaptadores. Error si ya los tiene o si
    `bottleneck` no es positivo.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> tiny = dict(vocab_size=16, hidden_size=8, intermediate_size=8, num_attention_heads=2)
    >>> model = add_adapters(LlamaForCausalLM(LlamaConfig(**tiny, num_hidden_layers=1)), bottleneck=2)
    >>> sum(p.numel() for p in model.parameters() if p.requires_grad)  # 2 adaptadores de 2·8·2 + 8 + 2
    84
    """
    if bottleneck < 1:
        raise ValueError(f"El cuello de botella mide {bottleneck} y debe medir al menos 1.")
    projections = output_projections(model)
    if any(hasattr(module, "adapter") for module in projections.values()):
        raise ValueError("El modelo ya tiene adaptadores: quítalos antes con remove_adapters o parte de una copia.")
    model.requires_grad_(False)
    for module in projections.values():
        # El adaptador cuelga de la matriz, y un gancho (hook) lo aplica a lo que sale de ella.
        module.adapter = BottleneckAdapter(module.out_features, bottleneck).to(module.weight.device)
        module.adapter_hook = module.register_forward_hook(_apply_adapter)
    return model


def _apply_adapter(module: nn.Linear, inputs: tuple, output: Tensor) -> Tensor:
    return module.adapter(output)  # (B, T, D)


def remove_adapters(model: nn.Module) -> nn.Module:
    """Quita los adaptadores: el modelo vuelve a ser el de partida, con sus pesos congelados."""
    for module in output_projections(model).values():
        if hasattr(module, "adapter"):
            module.adapter_hook.remove()
            del module.adapter, module.adapter_hook
    return model
