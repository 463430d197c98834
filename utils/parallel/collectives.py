"""Las operaciones colectivas, a mano: hablan todos los procesos de un grupo, y cada byte enviado se apunta.

Todo se construye con un solo gesto, «mando un trozo a mi vecino de la derecha y recibo otro del de la izquierda».
Con él salen las tres operaciones del entrenamiento distribuido: repartir una suma (*reduce-scatter*), juntar trozos
(*all-gather*) y, una tras otra, sumar para todos (*all-reduce*). Cada proceso envía lo mismo que recibe, y es lo
mínimo posible (Patarasuk y Yuan, 2009).

Lo que NO hacen: solaparse con el cálculo, elegir otro camino según la red (árboles) ni comprimir. `torch.distributed`
sí lo hace; una prueba comprueba que dan lo mismo.
"""

from collections import Counter
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass
class Traffic:
    """Los bytes que ha enviado este proceso, por operación.

    >>> traffic = Traffic(); traffic.add("all-gather", torch.zeros(3)); traffic.total
    12
    """

    sent: Counter = field(default_factory=Counter)

    def add(self, operation: str, tensor: Tensor) -> None:
        """Apunta un envío de `tensor`."""
        self.sent[operation] += tensor.numel() * tensor.element_size()

    @property
    def total(self) -> int:
        return sum(self.sent.values())


def ring_bytes(operation: str, payload: int, ranks: int) -> float:
    """Bytes que envía cada proceso por una operación en anillo sobre un vector de `payload` bytes.

    Con n procesos: (n − 1)/n · payload para `reduce-scatter` y `all-gather`, el doble para `all-reduce` y, de media,
    otro tanto para `broadcast` (lo envían todos menos el último de la cadena). `ValueError` si no se conoce.

    >>> ring_bytes("all-reduce", 1000, ranks=2), ring_bytes("all-gather", 1000, ranks=4)
    (1000.0, 750.0)
    """
    times = {"reduce-scatter": 1, "all-gather": 1, "broadcast": 1, "all-reduce": 2}
    if operation not in times:
        raise ValueError(f"No hay una operación «{operation}»: elige {', '.join(times)}.")
    if ranks < 1:
        raise ValueError(f"Hay {ranks} procesos: hace falta al menos 1.")
    return times[operation] * (ranks - 1) / ranks * payload


def ring_seconds(operation: str, payload: int, ranks: int, bandwidth: float, latency: float = 0.0) -> float:
    """Segundos de una operación en anillo: por cada vuelta, una latencia y un trozo.

    `bandwidth` en bytes por segundo y `latency` en segundos, de cada enlace en cada sentido. El anillo da n − 1 vueltas
    (el doble en un all-reduce), y por eso con muchos procesos y mensajes cortos manda la latencia.

    >>> ring_seconds("all-reduce", 1_000_000, ranks=2, bandwidth=1e9)
    0.001
    """
    if not bandwidth > 0:
        raise ValueError(f"El ancho de banda es {bandwidth} bytes por segundo: tiene que ser positivo.")
    rounds = (2 if operation == "all-reduce" else 1) * (ranks - 1)
    return rounds * latency + ring_bytes(operation, payload, ranks) / bandwidth


def exchange(outgoing: Tensor, traffic: Traffic, operation: str) -> Tensor:
    """El gesto del anillo: manda `outgoing` al proceso siguiente y devuelve lo que llega del anterior.

    El envío y la recepción se piden a la vez: si todos enviaran y después recibieran, podrían quedarse esperándose.
    """
    rank, ranks = dist.get_rank(), dist.get_world_size()
    incoming = torch.empty_like(outgoing)
    work = dist.batch_isend_irecv([
        dist.P2POp(dist.isend, outgoing.contiguous(), (rank + 1) % ranks),
        dist.P2POp(dist.irecv, incoming, (rank - 1) % ranks),
    ])  # fmt: skip
    for request in work:
        request.wait()
    traffic.add(operation, outgoing)
    return incoming


def pad_to_ranks(vector: Tensor) -> Tensor:
    """Alarga un vector (N,) con ceros hasta que se pueda cortar en un trozo igual por proceso."""
    missing = -len(vector) % dist.get_world_size()
    return torch.cat([vector, vector.new_zeros(missing)]) if missing else vector


def reduce_scatter(vector: Tensor, traffic: Traffic) -> Tensor:
    """Suma el vector (N,) de todos los procesos y deja a cada uno su trozo de la suma: (N / n,).

    En la vuelta s, cada proceso manda el trozo que acaba de completar a medias y suma el que recibe al suyo; tras
    n − 1 vueltas, el trozo r ha pasado por todos y acaba en el proceso r. `ValueError` si N no es múltiplo de n.
    """
    rank, ranks = dist.get_rank(), dist.get_world_size()
    if len(vector) % ranks:
        raise ValueError(f"El vector mide {len(vector)} y no se reparte entre {ranks}: usa antes pad_to_ranks.")
    chunks = list(vector.clone().chunk(ranks))  # n trozos de (N / n,)
    for s in range(ranks - 1):
        incoming = exchange(chunks[(rank - 1 - s) % ranks], traffic, "reduce-scatter")
        chunks[(rank - 2 - s) % ranks] += incoming  # (N / n,)
    return chunks[rank]


def all_gather(chunk: Tensor, traffic: Traffic) -> Tensor:
    """Junta el trozo (M,) de cada proceso, en orden, y deja el vector entero (n M,) en todos."""
    rank, ranks = dist.get_rank(), dist.get_world_size()
    chunks = [torch.empty_like(chunk) for _ in range(ranks)]
    chunks[rank] = chunk
    for s in range(ranks - 1):  # se pasa al vecino lo último que ha llegado
        chunks[(rank - 1 - s) % ranks] = exchange(chunks[(rank - s) % ranks], traffic, "all-gather")
    return torch.cat(chunks)


def all_reduce(vector: Tensor, traffic: Traffic) -> Tensor:
    """Suma el vector (N,) de todos los procesos y deja la suma entera en todos: un reparto y una reunión.

    Cada trozo se suma en un solo proceso y de ahí se copia: todos acaban con los mismos bits, que es lo que mantiene
    iguales los modelos. El orden de la suma no es el de `dist.all_reduce`; con más de dos procesos puede cambiar el
    último bit.
    """
    share = reduce_scatter(pad_to_ranks(vector), traffic)
    return all_gather(share, traffic)[: len(vector)]


def broadcast(vector: Tensor, traffic: Traffic) -> Tensor:
    """Copia el vector (N,) del proceso 0 en todos, en cadena: cada uno se lo pasa al siguiente.

    Es lo más simple y lo más lento, porque cada eslabón espera al anterior; solo se usa una vez, al empezar.
    """
    rank, ranks = dist.get_rank(), dist.get_world_size()
    vector = vector.clone()
    if rank > 0:
        dist.recv(vector, rank - 1)
    if rank < ranks - 1:
        dist.send(vector, rank + 1)
        traffic.add("broadcast", vector)
    return vector
