"""Aprender a jugar al tres en raya probando: el aprendizaje por refuerzo entero, en un problema que se ve.

Un tablero es un texto de nueve casillas: «X», «O» o «.». El agente lleva las X; su política es, en cada tablero, una
softmax sobre las casillas libres, con una preferencia por casilla que empieza en 0. La recompensa llega una vez, al
acabar: 1 si gana, 0 si empata y −1 si pierde. Aprende con REINFORCE: sube la preferencia de cada jugada de una partida
que fue mejor de lo esperado y baja la de las que fueron peor. Es lo que hace PPO, sin redes y sin recorte.

Lo que NO hace: jugar lo mejor posible, ni aprovechar que un tablero girado es el mismo. Fuente: Williams (1992).
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

EMPTY = "." * 9
LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]
#: De un tablero y un azar, a la casilla que se juega, de 0 a 8.
Player = Callable[[str, random.Random], int]
#: Los tableros por los que ha pasado el agente y la casilla que jugó en cada uno.
Trajectory = list[tuple[str, int]]


def free_cells(board: str) -> list[int]:
    """Las acciones posibles: las casillas libres.

    >>> free_cells("XO..X...O")
    [2, 3, 5, 6, 7]
    """
    return [cell for cell, mark in enumerate(board) if mark == "."]


def winner(board: str) -> str | None:
    """«X», «O», «empate» o, si la partida sigue, None.

    >>> winner("XXXOO...."), winner("XO.......") is None
    ('X', True)
    """
    for a, b, c in LINES:
        if board[a] != "." and board[a] == board[b] == board[c]:
            return board[a]
    return None if "." in board else "empate"


def put(board: str, cell: int, mark: str) -> str:
    """El tablero después de jugar. Error si la casilla no está libre."""
    if not 0 <= cell < 9 or board[cell] != ".":
        raise ValueError(f"La casilla {cell} no está libre en «{board}»: las libres son {free_cells(board)}.")
    return board[:cell] + mark + board[cell + 1 :]


def random_player(board: str, rng: random.Random) -> int:
    """El rival: cualquier casilla libre."""
    return rng.choice(free_cells(board))


@cache
def outcome(board: str, turn: str) -> int:
    """Cómo acaba para las X un tablero si los dos juegan lo mejor posible: 1, 0 o −1.

    >>> outcome(EMPTY, "X")  # el tres en raya bien jugado es un empate
    0
    """
    if (result := winner(board)) is not None:
        return {"X": 1, "O": -1, "empate": 0}[result]
    other, best = ("O", max) if turn == "X" else ("X", min)
    return best(outcome(put(board, cell, turn), other) for cell in free_cells(board))


def perfect_player(board: str, rng: random.Random) -> int:
    """Un rival que lleva las O y no falla: la casilla que peor deja a las X."""
    return min(free_cells(board), key=lambda cell: (outcome(put(board, cell, "O"), "X"), rng.random()))


def play(agent: Player, rival: Player, rng: random.Random) -> tuple[Trajectory, int]:
    """Una partida entera, que empieza el agente: su trayectoria y la recompensa final, 1, 0 o −1.

    >>> trajectory, reward = play(random_player, random_player, random.Random(1))
    >>> trajectory[0], reward
    (('.........', 2), 1)
    """
    board, trajectory, turn = EMPTY, [], "X"
    while (result := winner(board)) is None:
        cell = (agent if turn == "X" else rival)(board, rng)
        if turn == "X":
            trajectory.append((board, cell))
        board, turn = put(board, cell, turn), "O" if turn == "X" else "X"
    return trajectory, {"X": 1, "O": -1, "empate": 0}[result]


@dataclass
class Policy:
    """La política: las preferencias de cada casilla en los tableros que ya ha visto. Se llama como a un jugador."""

    preferences: dict[str, list[float]] = field(default_factory=dict)

    def probabilities(self, board: str) -> dict[int, float]:
        """π(casilla | tablero), la softmax de las preferencias de las casillas libres.

        >>> Policy({"XOXOXO...": [0, 0, 0, 0, 0, 0, 2.0, 1.0, 0.0]}).probabilities("XOXOXO...")[6].__round__(3)
        0.665
        """
        cells = free_cells(board)
        known = self.preferences.get(board, [0.0] * 9)
        weights = [math.exp(known[cell]) for cell in cells]
        return dict(zip(cells, (w / sum(weights) for w in weights), strict=True))

    def __call__(self, board: str, rng: random.Random) -> int:
        probabilities = self.probabilities(board)
        return rng.choices(list(probabilities), list(probabilities.values()))[0]

    def reinforce(self, trajectory: Trajectory, advantage: float, rate: float) -> None:
        """Suma rate · ventaja · ∇ log π a las preferencias de cada tablero: 1 − π en lo jugado y −π en lo demás."""
        for board, played in trajectory:
            probabilities = self.probabilities(board)  # antes de tocar nada
            values = self.preferences.setdefault(board, [0.0] * 9)
            for cell, p in probabilities.items():
                values[cell] += rate * advantage * ((cell == played) - p)


def learn(games: int, seed: int, rate: float = 0.5, memory: float = 0.99) -> tuple[Policy, list[int]]:
    """Juega contra el azar y aprende de cada partida. Devuelve la política y la recompensa de cada una.

    Lo esperado es una media móvil de las recompensas, con peso `memory` para lo pasado; la ventaja es la recompensa
    menos lo esperado.
    """
    policy, rng, rewards, expected = Policy(), random.Random(seed), [], 0.0
    for _ in range(games):
        trajectory, reward = play(policy, random_player, rng)
        policy.reinforce(trajectory, reward - expected, rate)
        expected = memory * expected + (1 - memory) * reward
        rewards.append(reward)
    return policy, rewards
