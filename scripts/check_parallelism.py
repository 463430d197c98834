"""Cada pieza del entrenamiento distribuido contra su modelo, en procesos de verdad: se lanza con torchrun.

    torchrun --standalone --nproc-per-node 4 scripts/check_parallelism.py

Compara nuestras colectivas con las de torch y cuenta sus bytes; una red repartida por matrices y otra por capas, con
las mismas redes enteras; y mide la burbuja de una tubería cuyas etapas duermen en vez de calcular, para que el
resultado no dependa de cuántos núcleos haya. No mide velocidad.
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # torchrun no añade la raíz del curso al camino

import torch
import torch.distributed as dist
from torch import Tensor, nn

from utils.course.env import seed
from utils.parallel.collectives import Traffic, all_gather, all_reduce, reduce_scatter, ring_bytes
from utils.parallel.group import Ranks, explain_lost_partner, start
from utils.parallel.model_parallel import TensorParallelMLP, pipeline_step
from utils.parallel.wire import bytes_on_wire


def gap(a: Tensor, b: Tensor) -> float:
    """La mayor diferencia entre dos tensores."""
    return (a - b).abs().max().item()


def collectives(ranks: Ranks, size: int, repeats: int) -> list[dict]:
    """Por operación: diferencia con torch y bytes, los que apuntamos, los de torch según el sistema y la fórmula."""
    n, rows = ranks.count, []
    for operation in OURS:
        traffic, dice = Traffic(), torch.Generator().manual_seed(seed() * 1000 + ranks.rank)
        vectors = torch.randn(repeats, size, generator=dice, dtype=torch.float64).to(ranks.device)  # (R, N)
        before = wire(ranks)
        mine = [OURS[operation](x, traffic) for x in vectors]
        middle = wire(ranks)  # al acabar todas: ponerse de acuerdo también cuesta bytes
        theirs = [by_torch(operation, x, n) for x in vectors]
        after = wire(ranks)
        rows.append({
            "operation": operation, "differences": [gap(a, b) for a, b in zip(mine, theirs, strict=True)],
            "counted": traffic.total / repeats, "wire_ours": (middle - before) / repeats,
            "wire_torch": (after - middle) / repeats,
            "formula": ring_bytes(operation, size * vectors.element_size(), n),
        })  # fmt: skip
    return rows


def wire(ranks: Ranks) -> float:
    """Los bytes llegados hasta ahora, con todos los procesos en el mismo punto."""
    dist.barrier()
    counted = bytes_on_wire()
    return float("nan") if counted is None else counted


def gather_share(x: Tensor, traffic: Traffic) -> Tensor:
    """Junta en todos el trozo de x que le toca a cada uno."""
    return all_gather(x.chunk(dist.get_world_size())[dist.get_rank()].contiguous(), traffic)


OURS = {"reduce-scatter": reduce_scatter, "all-gather": gather_share, "all-reduce": all_reduce}


def by_torch(operation: str, x: Tensor, n: int) -> Tensor:
    """La misma operación, con torch."""
    share = x.chunk(n)[dist.get_rank()].contiguous()
    if operation == "reduce-scatter":
        result = torch.empty_like(share)
        getattr(dist, "reduce_scatter_single", dist.reduce_scatter_tensor)(result, x.clone())  # el nombre cambió
    elif operation == "all-gather":
        result = torch.empty_like(x)
        getattr(dist, "all_gather_single", dist.all_gather_into_tensor)(result, share)
    else:
        result = x.clone()
        dist.all_reduce(result)
    return result


def tensor_parallel(ranks: Ranks, dim: int = 32, hidden: int = 128) -> dict:
    """La red de dos matrices, entera y repartida: salida, gradientes y bytes de un paso."""
    torch.manual_seed(seed())
    first, second, x = (torch.randn(*shape, dtype=torch.float64, device=ranks.device) / 8
                        for shape in ((hidden, dim), (dim, hidden), (4, 10, dim)))  # fmt: skip
    whole = [tensor.clone().requires_grad_() for tensor in (first, second, x)]
    output = nn.functional.gelu(whole[2] @ whole[0].T) @ whole[1].T  # (B, T, D)
    output.square().sum().backward()

    traffic, mine = Traffic(), x.clone().requires_grad_()
    split = TensorParallelMLP(first, second, traffic)
    split_output = split(mine)
    split_output.square().sum().backward()
    own = whole[0].grad.chunk(ranks.count, dim=0)[ranks.rank], whole[1].grad.chunk(ranks.count, dim=1)[ranks.rank]
    gradients = max(gap(split.first.grad, own[0]), gap(split.second.grad, own[1]), gap(mine.grad, whole[2].grad))
    return {
        "output": gap(output, split_output), "gradients": gradients, "bytes": traffic.total,
        "formula": 2 * ring_bytes("all-reduce", x.numel() * x.element_size(), ranks.count),
        "weights_share": (split.first.numel() + split.second.numel()) / (first.numel() + second.numel()),
    }  # fmt: skip


def pipeline(ranks: Ranks, micro_batches: int, dim: int = 32) -> dict:
    """Una capa por proceso, y lo mismo en uno solo: pérdida y gradientes."""
    torch.manual_seed(seed())
    layers = [nn.Sequential(nn.Linear(dim, dim), nn.Tanh()).to(ranks.device, torch.float64) for _ in range(ranks.count)]
    x = torch.randn(8, dim, dtype=torch.float64, device=ranks.device)  # (B, D)
    loss = nn.Sequential(*layers)(x).square().mean()
    wanted = torch.autograd.grad(loss, list(layers[ranks.rank].parameters()))

    micro, traffic = list(x.chunk(micro_batches)), Traffic()
    mine = pipeline_step(
        layers[ranks.rank], micro, lambda y, i: y.square().mean() / micro_batches, torch.empty_like(micro[0]), traffic
    )
    gradients = max(gap(p.grad, g) for p, g in zip(layers[ranks.rank].parameters(), wanted, strict=True))
    last = abs(mine - loss.item()) if ranks.rank == ranks.count - 1 else 0.0
    return {"micro_batches": micro_batches, "loss": last, "gradients": gradients, "bytes": traffic.total}


class Sleep(torch.autograd.Function):
    """Una etapa que tarda lo que se le diga hacia delante y lo mismo hacia atrás, sin gastar procesador."""

    @staticmethod
    def forward(context, x, seconds):
        context.seconds = seconds
        time.sleep(seconds)
        return x.clone()

    @staticmethod
    def backward(context, gradient):
        time.sleep(context.seconds)
        return gradient, None


def measured_bubble(ranks: Ranks, micro_batches: int, seconds: float) -> float:
    """La fracción del paso que este proceso no ha trabajado, sino esperado."""
    like = torch.zeros(1, device=ranks.device)
    inputs = [torch.zeros(1, device=ranks.device, requires_grad=True) for _ in range(micro_batches)]
    dist.barrier()
    began = time.perf_counter()
    pipeline_step(lambda x: Sleep.apply(x, seconds), inputs, lambda y, i: y.sum(), like, Traffic())
    dist.barrier()
    return 1 - 2 * micro_batches * seconds / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description="Comprueba las piezas del entrenamiento distribuido.")
    parser.add_argument("--size", type=int, default=10_000, help="números del vector de las colectivas")
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--sleep", type=float, default=0.02, help="segundos que dura cada tarea de la tubería")
    parser.add_argument("--bubbles", type=int, default=5, help="veces que se mide cada burbuja")
    parser.add_argument("--out", type=Path, help="archivo JSON para lo medido")
    options = parser.parse_args()
    with start() as ranks, explain_lost_partner(ranks):
        mine = {
            "collectives": collectives(ranks, options.size, options.repeats),
            "tensor": tensor_parallel(ranks),
            "pipeline": [pipeline(ranks, m) for m in (1, 2, 4, 8)],
            "bubble": {
                m: [measured_bubble(ranks, m, options.sleep) for _ in range(options.bubbles)] for m in (1, 2, 4, 8)
            },
        }  # fmt: skip
        everyone: list = [None] * ranks.count
        dist.all_gather_object(everyone, mine)
        if ranks.rank == 0:
            worst = max(max(row["differences"]) for rank in everyone for row in rank["collectives"])
            print(f"Con {ranks.count} procesos, la mayor diferencia con torch es {worst:.0e}.")
            if options.out:
                options.out.parent.mkdir(parents=True, exist_ok=True)
                options.out.write_text(json.dumps(everyone))


if __name__ == "__main__":
    main()
