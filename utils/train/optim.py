"""Los optimizadores: de un gradiente a un cambio en los parámetros, desde el descenso simple hasta AdamW.

Cada uno añade una idea al anterior. SGD resta el gradiente y, con `momentum`, conserva la inercia. RMSprop divide por
el tamaño reciente de cada gradiente. Adam junta las dos y corrige el arranque. AdamW saca de ahí la reducción de pesos.
Todos comparten `Optimizer`: reciben una lista de parámetros y tienen `step()`, `zero_grad()` y `lr`, que se puede
cambiar entre pasos. Dan los mismos pesos que `torch.optim`. De Adafactor, con el que se entrenan los T5 del curso, se
usa el de transformers.

Lo que NO hacen: grupos de parámetros con tasas distintas, guardar su estado ni variantes (Nesterov, AMSGrad).
"""

from collections.abc import Iterable

import torch


def check_parameters(parameters: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """Los parámetros en una lista, comprobados. Puede haberlos congelados: no reciben gradiente y no se mueven.

    `ValueError` si no hay ninguno, si alguno no es un tensor suelto (el resultado de una operación no se puede mover),
    si todos están congelados o si uno aparece dos veces, porque daría dos pasos en vez de uno. Una matriz compartida
    por dos capas sale una sola vez de `model.parameters()`.
    """
    parameters = list(parameters)
    if not parameters:
        raise ValueError("No hay parámetros que optimizar: pasa, por ejemplo, model.parameters().")
    if not all(torch.is_tensor(p) and p.is_leaf for p in parameters):
        raise ValueError("Un parámetro es un tensor suelto, no el resultado de una operación: pasa model.parameters().")
    if not any(p.requires_grad for p in parameters):
        raise ValueError("Todos los parámetros están congelados: deja al menos uno con requires_grad=True.")
    if len({id(p) for p in parameters}) < len(parameters):
        raise ValueError("Un parámetro aparece dos veces y daría dos pasos: pasa model.parameters(), que no repite.")
    return parameters


def trainable(parameters: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """Los que no están congelados, comprobados como en `check_parameters`.

    >>> frozen, free = torch.ones(3), torch.ones(2, requires_grad=True); [p.tolist() for p in trainable([frozen, free])]
    [[1.0, 1.0]]
    """
    return [p for p in check_parameters(parameters) if p.requires_grad]


class Optimizer:
    """Lo común: recorre los parámetros con gradiente y deja que cada regla (`_update`) los cambie en su sitio.

    `state` guarda, por parámetro, los tensores que la regla recuerda de un paso a otro. Error si los parámetros no
    sirven (`check_parameters`) o si `lr` o `weight_decay` no tienen sentido.
    """

    def __init__(self, parameters: Iterable[torch.Tensor], lr: float, weight_decay: float = 0.0):
        self.parameters = check_parameters(parameters)
        if not lr > 0:
            raise ValueError(f"La tasa de aprendizaje debe ser positiva y es {lr}.")
        if not weight_decay >= 0:
            raise ValueError(f"weight_decay no puede ser negativo y es {weight_decay}.")
        self.lr, self.weight_decay = lr, weight_decay
        self.state: list[dict[str, torch.Tensor | int]] = [{} for _ in self.parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Da un paso con los gradientes que haya; un parámetro sin gradiente ni se mueve ni se reduce."""
        for parameter, state in zip(self.parameters, self.state, strict=True):
            if parameter.grad is not None:
                self._update(parameter, parameter.grad, state)

    def zero_grad(self) -> None:
        """Olvida los gradientes: si no, `backward()` los sumaría a los anteriores."""
        for parameter in self.parameters:
            parameter.grad = None

    def _update(self, parameter: torch.Tensor, gradient: torch.Tensor, state: dict) -> None:
        raise NotImplementedError

    def _with_l2(self, parameter: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """El gradiente de la pérdida más el de (weight_decay / 2) · ‖parámetro‖², la regularización L2."""
        return gradient + self.weight_decay * parameter if self.weight_decay else gradient


class SGD(Optimizer):
    """w ← w − lr · v, con v ← momentum · v + g. Sin momento es el descenso por el gradiente, tal cual.

    Fuente: Polyak (1964); la forma es la de `torch.optim.SGD`, que no multiplica g por (1 − momentum).

    >>> w = torch.tensor([1.0], requires_grad=True); w.grad = torch.tensor([2.0])
    >>> SGD([w], lr=0.1).step(); round(w.item(), 3)
    0.8
    """

    def __init__(self, parameters, lr: float, momentum: float = 0.0, weight_decay: float = 0.0):
        super().__init__(parameters, lr, weight_decay)
        self.momentum = _fraction("momentum", momentum)

    def _update(self, parameter, gradient, state):
        velocity = self._with_l2(parameter, gradient)
        if self.momentum:
            if "velocity" in state:
                velocity = self.momentum * state["velocity"] + velocity
            state["velocity"] = velocity.clone()
        parameter -= self.lr * velocity


class RMSprop(Optimizer):
    """w ← w − lr · g / (√s + eps), con s ← alpha · s + (1 − alpha) · g².

    Cada parámetro se mueve según lo grandes que suelen ser sus gradientes. Fuente: Hinton (2012), lección 6e.

    >>> w = torch.tensor([1.0], requires_grad=True); w.grad = torch.tensor([2.0])
    >>> RMSprop([w], lr=0.1).step(); round(w.item(), 3)  # 0,1 / √0,01 = 1
    0.0
    """

    def __init__(self, parameters, lr: float, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0):
        super().__init__(parameters, lr, weight_decay)
        self.alpha, self.eps = _fraction("alpha", alpha), eps

    def _update(self, parameter, gradient, state):
        gradient = self._with_l2(parameter, gradient)
        square = state.get("square", torch.zeros_like(parameter))
        state["square"] = self.alpha * square + (1 - self.alpha) * gradient**2
        parameter -= self.lr * gradient / (state["square"].sqrt() + self.eps)


class Adam(Optimizer):
    """w ← w − lr · m̂ / (√v̂ + eps): la media reciente del gradiente entre la raíz de la de su cuadrado.

    m y v empiezan en cero y al principio se quedan cortas: m̂ = m / (1 − beta1ᵗ) y v̂ = v / (1 − beta2ᵗ) lo corrigen.
    Aquí `weight_decay` es L2: se suma al gradiente. Fuente: Kingma y Ba (2015), algoritmo 1.

    >>> w = torch.tensor([1.0], requires_grad=True); w.grad = torch.tensor([2.0])
    >>> Adam([w], lr=0.1).step(); round(w.item(), 3)  # el primer paso mide lr, sea cual sea el gradiente
    0.9
    """

    def __init__(
        self,
        parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr, weight_decay)
        self.betas, self.eps = tuple(_fraction("betas", beta) for beta in betas), eps

    def _update(self, parameter, gradient, state):
        self._move(parameter, self._with_l2(parameter, gradient), state)

    def _move(self, parameter, gradient, state):
        beta1, beta2 = self.betas
        mean, square = (state.get(name, torch.zeros_like(parameter)) for name in ("mean", "square"))
        state["mean"] = beta1 * mean + (1 - beta1) * gradient
        state["square"] = beta2 * square + (1 - beta2) * gradient**2
        # Los pasos se cuentan por parámetro: uno que estuvo sin gradiente arranca cuando le llega el primero.
        state["steps"] = state.get("steps", 0) + 1
        corrected_mean = state["mean"] / (1 - beta1 ** state["steps"])
        corrected_square = state["square"] / (1 - beta2 ** state["steps"])
        parameter -= self.lr * corrected_mean / (corrected_square.sqrt() + self.eps)


class AdamW(Adam):
    """Adam con la reducción de pesos aparte: w ← (1 − lr · weight_decay) · w, y después el paso de Adam.

    Sumada al gradiente, como en Adam, la reducción se dividiría por √v̂ y frenaría menos a los parámetros de gradiente
    grande. Fuente: Loshchilov y Hutter (2019), algoritmo 2.

    >>> w = torch.tensor([1.0], requires_grad=True); w.grad = torch.tensor([2.0])
    >>> AdamW([w], lr=0.1, weight_decay=0.5).step(); round(w.item(), 3)  # 0,95 · 1 − 0,1
    0.85
    """

    def __init__(
        self,
        parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def _update(self, parameter, gradient, state):
        parameter *= 1 - self.lr * self.weight_decay
        self._move(parameter, gradient, state)


def _fraction(name: str, value: float) -> float:
    """Comprueba que un factor de memoria está en [0, 1)."""
    if not 0 <= value < 1:
        raise ValueError(f"{name} debe estar en [0, 1) y es {value}: 0 no recuerda nada y 1 no olvidaría nunca.")
    return value


def adafactor(model: torch.nn.Module, learning_rate: float) -> torch.optim.Optimizer:
    """Adafactor con paso relativo a los pesos: `learning_rate` = 0.01 mueve cada matriz un 1 % de su norma por paso.

    Es el optimizador de T5 (Shazeer y Stern, 2018). Con `scale_parameter` el paso es relativo al tamaño de cada matriz
    de pesos; sin eso, un T5 pequeño aprende la forma de las respuestas y no a copiar de la entrada.
    """
    from transformers import Adafactor  # aquí: tarda segundos en llegar y los demás optimizadores no lo necesitan

    return Adafactor(model.parameters(), lr=learning_rate, scale_parameter=True, relative_step=False)
