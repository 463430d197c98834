"""Las celdas recurrentes (RNN, GRU y LSTM) escritas a mano, y un modelo de lenguaje con LSTM.

Una celda lee un vector y su memoria, y devuelve la memoria nueva; una secuencia se lee llamándola una vez por palabra,
sin poder empezar la siguiente antes de acabar. Los pesos tienen la forma y el orden de los de torch, y los resultados
son los suyos. El modelo de lenguaje usa la LSTM de torch, que hace las mismas cuentas más deprisa.

Lo que NO hace: leer en los dos sentidos ni varias capas a mano.
"""

import torch
from torch import Tensor, nn

# (pesos de la entrada, pesos de la memoria, sesgo de la entrada, sesgo de la memoria)
Weights = tuple[Tensor, Tensor, Tensor, Tensor]


def rnn_cell(x: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """La red recurrente simple: h' = tanh(W x + U h + b). Fuente: Elman (1990).

    `x` (B, D), `h` (B, H) y pesos (H, D), (H, H), (H,), (H,). Devuelve (B, H).

    >>> one = torch.ones(1, 1)
    >>> round(rnn_cell(one, one, (one, one, one[0], one[0])).item(), 4)  # tanh(4)
    0.9993
    """
    w, u, b, c = _checked(x, h, weights, gates=1)
    return torch.tanh(x @ w.T + b + h @ u.T + c)  # (B, H)


def gru_cell(x: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """GRU: h' = (1 − z) · n + z · h. La puerta z decide cuánto se conserva; r, cuánto pasado mira la propuesta n.

    Los pesos apilan r, z y n: (3H, D), (3H, H), (3H,), (3H,). Fuente: Cho et al. (2014), con la variante de torch, que
    aplica r después de multiplicar por U.

    >>> zero = [torch.zeros(3, 1), torch.zeros(3, 1), torch.zeros(3), torch.zeros(3)]
    >>> gru_cell(torch.ones(1, 1), torch.ones(1, 1), tuple(zero)).item()  # z = 1/2 y n = 0
    0.5
    """
    w, u, b, c = _checked(x, h, weights, gates=3)
    xr, xz, xn = (x @ w.T + b).chunk(3, dim=-1)  # (B, H) cada uno
    hr, hz, hn = (h @ u.T + c).chunk(3, dim=-1)  # (B, H) cada uno
    r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)  # (B, H)
    n = torch.tanh(xn + r * hn)  # (B, H)
    return (1 - z) * n + z * h  # (B, H)


def lstm_cell(x: Tensor, h: Tensor, c: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
    """LSTM: c' = f · c + i · g y h' = o · tanh(c'). Devuelve (h', c'), los dos (B, H).

    La memoria larga c solo se multiplica por la puerta de olvido f y se le suma lo nuevo, i · g: si f = 1 e i = 0, dura
    para siempre. La puerta o decide qué parte se enseña. Los pesos apilan i, f, g y o: (4H, D), (4H, H), (4H,), (4H,).
    Fuente: Hochreiter y Schmidhuber (1997); la puerta de olvido es de Gers et al. (2000).

    >>> zero = (torch.zeros(4, 1), torch.zeros(4, 1), torch.zeros(4), torch.zeros(4))
    >>> lstm_cell(torch.ones(1, 1), torch.zeros(1, 1), torch.ones(1, 1), zero)[1].item()  # f = 1/2
    0.5
    """
    w, u, b, d = _checked(x, h, weights, gates=4)
    if c.shape != h.shape:
        raise ValueError(f"h y c deben tener la misma forma y tienen {tuple(h.shape)} y {tuple(c.shape)}.")
    i, f, g, o = (x @ w.T + b + h @ u.T + d).chunk(4, dim=-1)  # (B, H) cada uno
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)  # (B, H)
    return torch.sigmoid(o) * torch.tanh(c), c  # (B, H) dos veces


class LSTMLanguageModel(nn.Module):
    """Embedding, LSTM y una capa que puntúa el vocabulario: `ids` (B, T) -> logits (B, T, V) de la palabra siguiente.

    El sesgo de la puerta de olvido empieza en 1, para que al principio la memoria dure (Jozefowicz et al., 2015): sin
    eso, una LSTM aprende peor las dependencias largas y la comparación con otras redes no sería justa.
    """

    def __init__(self, vocab_size: int, width: int, layers: int = 1):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.lstm = nn.LSTM(width, width, num_layers=layers, batch_first=True)
        self.head = nn.Linear(width, vocab_size)
        for name, bias in self.lstm.named_parameters():
            if name.startswith("bias_ih"):
                nn.init.ones_(bias.data[width : 2 * width])  # i, f, g, o: el segundo cuarto es f

    def forward(self, ids: Tensor) -> Tensor:
        states, _ = self.lstm(self.embedding(ids))  # (B, T, D)
        return self.head(states)  # (B, T, V)


def _checked(x: Tensor, h: Tensor, weights: Weights, gates: int) -> Weights:
    w, u, *biases = weights
    size = gates * h.shape[-1]
    if w.shape != (size, x.shape[-1]) or u.shape != (size, h.shape[-1]) or any(b.shape != (size,) for b in biases):
        raise ValueError(
            f"Con x {tuple(x.shape)} y h {tuple(h.shape)} los pesos deben medir ({size}, {x.shape[-1]}), "
            f"({size}, {h.shape[-1]}), ({size},) y ({size},), y el primero mide {tuple(w.shape)}."
        )
    return weights
