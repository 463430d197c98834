"""NF4: guardar los pesos de una capa lineal con 4,127 bits por parámetro, como la base congelada de QLoRA.

Los pesos se cortan en bloques de 64. De cada bloque se guarda su mayor valor absoluto (*absmax*), y cada peso, dividido
por él, se cambia por el más cercano de 16 niveles: los cuantiles de una normal. Con un *absmax* de 32 bits por bloque
serían 4,5 bits por parámetro; la cuantización doble los cuantiza también a ellos, a 8 bits en bloques de 256. Para
calcular, la capa vuelve a escribir sus pesos en coma flotante. Fuente: Dettmers et al. (2023), sección 3 y anexo E.

Lo que NO hace: cuentas en 4 bits, entrenar los pesos guardados ni ahorrar la copia en coma flotante que el paso hacia
atrás conserva (bitsandbytes la rehace); en una CPU, además, tarda más que la capa original.
"""

from statistics import NormalDist

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from utils.compress.formats import E4M3, NF4
from utils.model.surgery import linear_layers, replace_layers

BLOCK = 64  # pesos por absmax
SECOND_BLOCK = 256  # absmax por escala de la segunda cuantización


def normal_float_levels() -> tuple[float, ...]:
    """Los 16 niveles de NF4, calculados: siete cuantiles negativos de la normal, el cero y ocho positivos.

    Hay más niveles donde hay más pesos, cerca de cero. Cada lado se reparte por su cuenta, para que el cero sea exacto,
    y todo se divide por el mayor. Los dos lados empiezan en la probabilidad 1 − (1/30 + 1/32) / 2, la media de los
    extremos de un reparto en 15 y otro en 16 partes: es lo que hace el código publicado.

    >>> [round(level, 3) for level in normal_float_levels()[6:10]]
    [-0.091, 0.0, 0.08, 0.161]
    """
    edge = 1 - (1 / 30 + 1 / 32) / 2
    quantile = NormalDist().inv_cdf
    positive = [quantile(edge + (0.5 - edge) * i / 8) for i in range(8)]
    negative = [-quantile(edge + (0.5 - edge) * i / 7) for i in range(7)]
    return tuple(level / positive[0] for level in sorted([*negative, 0.0, *positive]))


def nearest_codes(values: Tensor) -> Tensor:
    """El código de NF4, de 0 a 15, más cercano a cada valor de [−1, 1].

    >>> nearest_codes(torch.tensor([-1.0, 0.01, 0.3])).tolist()
    [0, 7, 11]
    """
    levels = torch.tensor(NF4.levels, device=values.device)
    return torch.bucketize(values, (levels[1:] + levels[:-1]) / 2).to(torch.uint8)


def pack(codes: Tensor) -> Tensor:
    """Junta los códigos de dos en dos, 4 bits cada uno: (N,) -> (N / 2,) bytes. Error si N es impar.

    >>> pack(torch.tensor([1, 15], dtype=torch.uint8)).tolist()
    [31]
    """
    if codes.numel() % 2:
        raise ValueError(f"Hay {codes.numel()} códigos y van de dos en dos: rellena hasta un número par.")
    return codes[0::2] << 4 | codes[1::2]


def unpack(packed: Tensor) -> Tensor:
    """Deshace `pack`: (N / 2,) bytes -> (N,) códigos."""
    return torch.stack([packed >> 4, packed & 15], dim=1).flatten()


class NF4Linear(nn.Module):
    """Una capa lineal con los pesos en NF4, congelados. Se construye a partir de otra y calcula casi lo mismo.

    >>> _ = torch.manual_seed(0)
    >>> layer = nn.Linear(512, 512, bias=False)
    >>> compact = NF4Linear(layer)
    >>> round(compact.bits_per_parameter(), 3), (compact.weight - layer.weight).abs().max().item() < 0.007
    (4.127, True)
    """

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach().clone())
        weight = linear.weight.detach().float().flatten()  # (d · k,)
        if not weight.isfinite().all():
            raise ValueError("La capa tiene pesos que no son números finitos: revisa el entrenamiento.")
        blocks = F.pad(weight, (0, -weight.numel() % BLOCK)).view(-1, BLOCK)  # (N, 64)
        absmax = blocks.abs().amax(dim=1)  # (N,)
        scaled = blocks / absmax.clamp_min(1e-30)[:, None]  # (N, 64), en [−1, 1]
        self.register_buffer("codes", pack(nearest_codes(scaled).flatten()))  # (N · 32,) bytes

        # Los absmax son positivos y parecidos: sin su media caben mejor en los 8 bits de E4M3.
        self.register_buffer("mean", absmax.mean())
        rest = F.pad(absmax - self.mean, (0, -absmax.numel() % SECOND_BLOCK)).view(-1, SECOND_BLOCK)  # (M, 256)
        scale = rest.abs().amax(dim=1).clamp_min(1e-30) / E4M3.max  # (M,)
        self.register_buffer("scale", scale)
        small = (rest / scale[:, None]).flatten()[: absmax.numel()]  # (N,), en [−448, 448]
        self.register_buffer("absmax", small.to(torch.float8_e4m3fn))

    @property
    def weight(self) -> Tensor:
        """Los pesos, otra vez en coma flotante: (d, k)."""
        scale = self.scale.repeat_interleave(SECOND_BLOCK)[: self.absmax.numel()]  # (N,)
        absmax = self.absmax.float() * scale + self.mean  # (N,)
        levels = torch.tensor(NF4.levels, device=absmax.device)
        values = levels[unpack(self.codes).long()].view(-1, BLOCK) * absmax[:, None]  # (N, 64)
        return values.flatten()[: self.out_features * self.in_features].view(self.out_features, self.in_features)

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.linear(x, self.weight.to(x.dtype), bias)  # (..., d)

    def bits_per_parameter(self) -> float:
        """Los bits que ocupan de verdad los tensores guardados, sin el sesgo, entre el número de pesos."""
        tensors = (self.codes, self.absmax, self.scale, self.mean)
        return 8 * sum(tensor.nbytes for tensor in tensors) / (self.out_features * self.in_features)


def quantize_linears(model: nn.Module, skip: tuple[str, ...] = ("lm_head",)) -> list[str]:
    """Cambia en su sitio las capas lineales de `model` por su versión en NF4 y devuelve sus nombres.

    Como QLoRA, deja en paz la capa de salida (`skip`), los *embeddings* y las normalizaciones. Error si no hay ninguna
    capa lineal que cambiar.
    """
    compact = {path: NF4Linear(layer) for path, layer in linear_layers(model, skip).items()}
    replace_layers(model, compact)
    return list(compact)
