"""Un perceptrón multicapa con su retropropagación escrita a mano: ni autograd ni torch.nn.

Cada capa es z = a W + b seguida de una activación, menos la última, que da los logits. `forward` guarda lo que hará
falta y `backward` aplica la regla de la cadena de la última capa a la primera, dejando en `.grad` de cada parámetro lo
que dejaría autograd. Los gradientes los gasta cualquiera de los optimizadores de `utils.train.optim`.

Lo que NO hace: convoluciones, normalización ni GPU.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import torch

from utils.model.precision import at_least_float32

# Nombre -> (activación, su derivada), las dos en función de z.
ACTIVATIONS: dict[str, tuple[Callable, Callable]] = {
    "relu": (lambda z: z.clamp(min=0), lambda z: (z > 0).to(z.dtype)),
    "tanh": (torch.tanh, lambda z: 1 - torch.tanh(z) ** 2),
    "sigmoid": (torch.sigmoid, lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),
    "identity": (lambda z: z, torch.ones_like),
}


class MLP:
    """Capas densas de tamaños `sizes` = (entrada, ocultas..., salida), con pesos al azar según la semilla.

    Los pesos salen de una normal de desviación √(2 / entradas) con ReLU y √(1 / entradas) con las demás, para que las
    activaciones no crezcan ni mengüen de capa en capa; los sesgos, de cero. Fuente: He et al. (2015), ecuación 10.

    >>> MLP((2, 8, 3)).forward(torch.zeros(5, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(self, sizes: Sequence[int], activation: str = "relu", seed: int = 0, dtype=torch.float32):
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes es {tuple(sizes)}: da al menos la entrada y la salida, con 1 unidad o más.")
        if activation not in ACTIVATIONS:
            raise ValueError(f"No conozco la activación «{activation}»: usa {', '.join(ACTIVATIONS)}.")
        self.function, self.derivative = ACTIVATIONS[activation]
        generator = torch.Generator().manual_seed(seed)
        self.weights, self.biases = [], []
        for n_in, n_out in itertools.pairwise(sizes):
            scale = math.sqrt((2 if activation == "relu" else 1) / n_in)
            weight = scale * torch.randn(n_in, n_out, generator=generator, dtype=torch.float64)
            self.weights.append(weight.to(dtype).requires_grad_())  # (n_in, n_out)
            self.biases.append(torch.zeros(n_out, dtype=dtype, requires_grad=True))  # (n_out,)
        self.cache: list[tuple] = []

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [*self.weights, *self.biases]

    @torch.no_grad()
    def forward(self, x: torch.Tensor, dropout: float = 0.0, generator: torch.Generator | None = None) -> torch.Tensor:
        """`x` (B, D) -> logits (B, K). Con `dropout` apaga esa fracción de las unidades ocultas y sube el resto.

        Subir las que quedan por 1 / (1 − dropout) conserva la media, de modo que al evaluar basta con no pasar
        `dropout`. Fuente: Srivastava et al. (2014). Error si la entrada no mide D o `dropout` no está en [0, 1).
        """
        if x.dim() != 2 or x.shape[1] != self.weights[0].shape[0]:
            raise ValueError(f"La entrada tiene forma {tuple(x.shape)} y se espera (B, {self.weights[0].shape[0]}).")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout debe estar en [0, 1) y es {dropout}.")
        self.cache, a = [], x
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = a @ weight + bias  # (B, n_out)
            if layer == len(self.weights) - 1:
                self.cache.append((a, None, None))
                return z
            keep = None
            if dropout:
                keep = (torch.rand(z.shape, generator=generator) >= dropout) / (1 - dropout)  # (B, n_out)
            self.cache.append((a, z, keep))
            a = self.function(z) if keep is None else self.function(z) * keep

    @torch.no_grad()
    def backward(self, grad: torch.Tensor) -> torch.Tensor:
        """De ∂L/∂logits (B, K) a los gradientes de todos los parámetros, en `.grad`. Devuelve ∂L/∂x (B, D).

        Por capa, con δ = ∂L/∂z: ∂L/∂W = aᵀ δ, ∂L/∂b = suma de δ y ∂L/∂a = δ Wᵀ. Fuente: Rumelhart et al. (1986).
        Error si no se ha llamado antes a `forward`.
        """
        if not self.cache:
            raise ValueError("No hay nada que retropropagar: llama antes a forward.")
        for weight, bias, (a, z, keep) in zip(
            reversed(self.weights), reversed(self.biases), reversed(self.cache), strict=True
        ):
            if z is not None:  # una capa oculta: deshacer el dropout y la activación
                grad = grad * self.derivative(z) if keep is None else grad * keep * self.derivative(z)  # (B, n_out)
            weight.grad = a.T @ grad  # (n_in, n_out)
            bias.grad = grad.sum(dim=0)  # (n_out,)
            grad = grad @ weight.T  # (B, n_in)
        return grad


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Entropía cruzada media de la softmax y su gradiente respecto de los logits, (p − 1 en la clase buena) / B.

    `logits` (B, K), `targets` (B,) con la clase. Restar el máximo antes de la exponencial evita que desborde.

    >>> loss, grad = cross_entropy(torch.tensor([[1e4, 0.0]]), torch.tensor([1]))
    >>> loss, grad.tolist()
    (10000.0, [[1.0, -1.0]])
    """
    if logits.dim() != 2 or targets.shape != logits.shape[:1] or not len(targets):
        raise ValueError(
            f"Se esperan logits (B, K) y B clases, B >= 1; hay {tuple(logits.shape)} y {tuple(targets.shape)}."
        )
    if targets.min() < 0 or targets.max() >= logits.shape[1]:
        raise ValueError(f"Hay clases fuera de 0 a {logits.shape[1] - 1}: revisa las etiquetas.")
    wide = at_least_float32(logits)  # (B, K)
    shifted = wide - wide.amax(dim=1, keepdim=True)  # (B, K)
    log_p = shifted - shifted.exp().sum(dim=1, keepdim=True).log()  # (B, K)
    rows = torch.arange(len(targets))
    grad = log_p.exp()  # (B, K)
    grad[rows, targets] -= 1
    return -log_p[rows, targets].mean().item(), (grad / len(targets)).to(logits.dtype)


def mean_squared_error(outputs: torch.Tensor, targets: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Error cuadrático medio y su gradiente, 2 (y − t) / n, para salidas de cualquier forma.

    >>> mean_squared_error(torch.tensor([[3.0]]), torch.tensor([[1.0]]))
    (4.0, tensor([[4.]]))
    """
    if outputs.shape != targets.shape:
        raise ValueError(f"Las salidas {tuple(outputs.shape)} y los objetivos {tuple(targets.shape)} no coinciden.")
    if not outputs.numel():
        raise ValueError("No hay ninguna salida: la media de nada no es un número.")
    error = at_least_float32(outputs) - at_least_float32(targets)
    return (error**2).mean().item(), (2 * error / error.numel()).to(outputs.dtype)
