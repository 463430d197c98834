"""Modelos con parámetros congelados, compartidos, que no se usan o que solo usa un proceso. Se lanza con torchrun:

torchrun --standalone --nproc-per-node 2 tests/parallel/partial_gradients.py CARPETA

Cada proceso escribe lo que ha visto: la mayor diferencia con un solo proceso y lo que dicen los errores.
"""

import json
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from utils.model.blocks import Block
from utils.model.transformer import Transformer, TransformerConfig
from utils.parallel.collectives import Traffic
from utils.parallel.distributed import FSDP2, STRATEGIES, ManualDDP, TorchDDP, ZeRO1
from utils.parallel.group import Ranks, start
from utils.parallel.model_parallel import TensorParallelMLP, pipeline_step
from utils.parallel.sharding import flatten, state_bytes
from utils.parallel.shared_checkpoint import load_shared, save_shared

LR, VOCAB = 0.1, 7
#: Por paso, si usa la capa `sometimes` cada proceso: uno, nadie, el otro, los dos, nadie. FSDP no admite lo primero.
UNEVEN = [(1, 0), (0, 0), (0, 1), (1, 1), (0, 0)]
EVEN = [(1, 1), (0, 0), (1, 1), (0, 0)]


class Patchwork(nn.Module):
    """De todo: una matriz compartida, una capa usada dos veces, otra congelada, un sesgo congelado y otra sin usar."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.head = nn.Embedding(VOCAB, 4), nn.Linear(4, VOCAB, bias=False)
        self.body, self.frozen, self.sometimes, self.never = (nn.Linear(4, 4) for _ in range(4))
        self.head.weight = self.embedding.weight
        nn.init.constant_(self.body.bias.requires_grad_(False), 5.0)
        self.frozen.requires_grad_(False)
        self.double()

    def forward(self, ids: Tensor, use: bool) -> Tensor:
        x = self.body(self.body(self.embedding(ids)).tanh())  # (B, T, D)
        x = self.frozen(x)
        x = x + self.sometimes(x) if use else x
        return self.head(x)  # (B, T, V)


def frozen_transformer(shared: bool = False) -> Transformer:
    """Un transformer con el primer bloque y la última norma congelados; o con la atención de un bloque en los dos."""
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(vocab=VOCAB, dim=8, heads=2, decoder_layers=2, max_positions=8)).double()
    first, second = (module for module in model.modules() if isinstance(module, Block))
    if shared:
        second.attention = first.attention
    else:
        first.requires_grad_(False)
    return model


def loss_part(model: nn.Module, rank: int, step: int, *use: bool) -> Tensor:
    """La parte de un proceso en la pérdida media de un lote: 15 tokens suyos de 30."""
    dice = torch.Generator().manual_seed(100 * step + rank)
    ids, labels = torch.randint(VOCAB, (2, 3, 5), generator=dice)  # (B, T), (B, T)
    return F.cross_entropy(model(ids, *use).flatten(0, 1), labels.flatten(), reduction="sum") / 30


def alone(model: nn.Module, plan: list[tuple], optimizer: torch.optim.Optimizer | None = None) -> Tensor:
    """Los pesos (N,) de entrenar en un solo proceso con el AdamW de torch."""
    optimizer = optimizer or torch.optim.AdamW(model.parameters(), lr=LR)
    for step, uses in enumerate(plan):
        sum(loss_part(model, rank, step, *use) for rank, use in enumerate(uses)).backward()
        optimizer.step()
        optimizer.zero_grad()
    return flatten(p.detach() for p in model.parameters())


def used(plan: list[tuple]) -> list[tuple]:
    """El plan con cada uso como lista de argumentos del modelo."""
    return [tuple((bool(use),) for use in uses) for uses in plan]


def gap(a: Tensor, b: Tensor) -> float:
    """La mayor diferencia; infinita si hay un NaN o no tienen la misma forma."""
    return (a - b).abs().max().nan_to_num(torch.inf).item() if a.shape == b.shape else torch.inf


def follow(strategy, ranks: Ranks, plan: list[tuple], first: int = 0) -> Tensor:
    """Los pesos (N,) de seguir un plan con una estrategia."""
    for step, uses in enumerate(plan[first:], first):
        strategy.step(loss_part(strategy.model, ranks.rank, step, *uses[ranks.rank]))
    return strategy.weights()


def message(call) -> str:
    """Lo que dice el error de una llamada."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return "ningún error"


def strategies(ranks: Ranks) -> dict:
    """Nuestras estrategias y las de torch contra un solo proceso, con gradientes que faltan y pesos congelados."""
    from torch.distributed.optim import (
        ZeroRedundancyOptimizer,
    )  # aquí: avisa mucho, y las pruebas importan este archivo

    found = {}
    for name, plan in (("uneven", used(UNEVEN)), ("even", used(EVEN))):
        wanted = alone(Patchwork(), plan)
        ours = [ManualDDP, ZeRO1, *([FSDP2] if name == "even" else [])]
        for strategy in ours:
            found[f"{strategy.__name__} {name}"] = gap(follow(strategy(Patchwork(), ranks, LR), ranks, plan), wanted)
        for kind, options in (
            (torch.optim.AdamW, {}),
            (ZeroRedundancyOptimizer, {"optimizer_class": torch.optim.AdamW}),
        ):
            model = Patchwork()
            optimizer = kind(model.parameters(), lr=LR, **options)
            copy = nn.parallel.DistributedDataParallel(model, find_unused_parameters=True)
            for step, uses in enumerate(plan):
                (loss_part(copy, ranks.rank, step, *uses[ranks.rank]) * ranks.count).backward()
                optimizer.step()
                optimizer.zero_grad()
            found[f"{kind.__name__} {name}"] = gap(flatten(p.detach() for p in model.parameters()), wanted)
    always = [((), ())] * 3
    wanted = alone(frozen_transformer(), always)
    for name, strategy in STRATEGIES.items():
        found[f"{name} frozen"] = gap(follow(strategy(frozen_transformer(), ranks, LR), ranks, always), wanted)
        if strategy is not FSDP2:
            tied = follow(strategy(frozen_transformer(shared=True), ranks, LR), ranks, always)
            found[f"{name} shared"] = gap(tied, alone(frozen_transformer(shared=True), always))
    return found


def counters(ranks: Ranks) -> dict:
    """Lo que se guarda y lo que viaja: solo cuenta lo que se entrena, y una vez."""
    model = Patchwork()
    single = torch.optim.AdamW(model.parameters(), lr=LR)
    alone(model, used(EVEN), single)
    found = {"trained": sum(p.numel() for p in model.parameters() if p.requires_grad), "states": state_bytes(single)}
    for name in ("manual", "zero1", "fsdp"):
        strategy = STRATEGIES[name](Patchwork(), ranks, LR)
        follow(strategy, ranks, used(EVEN))
        found[name] = {"states": state_bytes(strategy.optimizer), "sent": dict(strategy.traffic.sent)}
    return found


def masked(ranks: Ranks, empty: list[int], reduction: str) -> dict[str, float | str]:
    """Un paso en el que a los procesos `empty` no les cuenta ningún token: diferencia, o lo que dice el error."""
    results, ids = {}, torch.randint(VOCAB, (2, 3, 5), generator=torch.Generator().manual_seed(1))  # (n, B, T)
    labels = ids.clone()
    labels[empty] = -100
    mine = labels[ranks.rank].flatten()  # (B T,)
    for name in STRATEGIES:
        strategy = STRATEGIES[name](frozen_transformer(), ranks, LR)
        part = F.cross_entropy(strategy.model(ids[ranks.rank]).flatten(0, 1), mine, reduction=reduction)
        try:
            strategy.step(ranks.shared_loss(part, int((mine != -100).sum())))
        except ValueError as error:
            results[name] = str(error)
            continue
        single = frozen_transformer()
        optimizer = torch.optim.AdamW(single.parameters(), lr=LR)
        F.cross_entropy(single(ids.flatten(0, 1)).flatten(0, 1), labels.flatten()).backward()
        optimizer.step()
        results[name] = gap(strategy.weights(), flatten(p.detach() for p in single.parameters()))
    return results


def pipeline(ranks: Ranks, frozen: int, constant: bool) -> float:
    """Dos etapas, una congelada, contra la red entera; con `constant`, un micro-lote sin tokens no da gradiente."""
    torch.manual_seed(0)
    layers = [nn.Linear(4, 4).double() for _ in range(2)]
    layers[frozen].requires_grad_(False)
    x = torch.randn(6, 4, dtype=torch.float64)  # (B, D)
    micro = list(x.chunk(3))

    def loss(y: Tensor, i: int) -> Tensor:
        return torch.zeros(()).double() if constant and i == 1 else y.square().mean()

    whole = sum(loss(nn.Sequential(*layers)(part), i) for i, part in enumerate(micro))
    whole.backward()
    wanted = [p.grad for p in layers[ranks.rank].parameters()]
    layers[ranks.rank].zero_grad()
    pipeline_step(layers[ranks.rank], micro, loss, torch.empty_like(micro[0]), Traffic())
    pairs = zip(layers[ranks.rank].parameters(), wanted, strict=True)
    return max(float(p.grad is not g) if g is None else gap(p.grad, g) for p, g in pairs)


def tensor_parallel_frozen() -> float:
    """La red de dos matrices con la primera congelada: el gradiente de x es el de la red entera."""
    torch.manual_seed(0)
    first, second, x = (torch.randn(*shape, dtype=torch.float64) for shape in ((8, 4), (4, 8), (2, 3, 4)))
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    (F.gelu(inputs[0] @ first.T) @ second.T).square().sum().backward()
    split = TensorParallelMLP(first, second, Traffic())
    split.first.requires_grad_(False)
    split(inputs[1]).square().sum().backward()
    return gap(inputs[0].grad, inputs[1].grad) if split.first.grad is None else torch.inf


def resumed(ranks: Ranks, folder: Path) -> dict:
    """Un punto de control a mitad del plan, y seguir desde él con un modelo nuevo: ¿los mismos bits?"""
    found, plan = {}, used(UNEVEN)
    for name in ("manual", "zero1"):
        strategy = STRATEGIES[name](Patchwork(), ranks, LR)
        follow(strategy, ranks, plan[:3])
        save_shared(folder / name, strategy, 3, {})
        again = STRATEGIES[name](Patchwork(), ranks, LR)
        first, _ = load_shared(folder / name, again)
        found[name] = torch.equal(follow(strategy, ranks, plan, 3), follow(again, ranks, plan, first))
    return found


def main() -> None:
    folder = Path(sys.argv[1])
    with start(60) as ranks:
        found = {
            "strategies": strategies(ranks),
            "counters": counters(ranks),
            "one empty": masked(ranks, [1], "sum"),
            "all empty": masked(ranks, [0, 1], "sum"),
            "mean of nothing": masked(ranks, [1], "mean"),
            "pipeline": [pipeline(ranks, frozen, constant) for frozen in (0, 1) for constant in (False, True)],
            "tensor": tensor_parallel_frozen(),
            "resumed": resumed(ranks, folder),
            "blocks": message(lambda: FSDP2(frozen_transformer(shared=True), ranks, LR)),
            "unused": message(lambda: follow(TorchDDP(Patchwork(), ranks, LR), ranks, used(EVEN))),
        }
        (folder / f"visto-{ranks.rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
