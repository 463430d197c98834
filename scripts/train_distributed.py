"""El mismo entrenamiento en uno o en muchos procesos, en una máquina o en varias: se lanza con torchrun.

    torchrun --standalone --nproc-per-node 2 scripts/train_distributed.py --strategy ddp

Entrena un transformer pequeño que lee intervenciones de diálogos, byte a byte. El lote de cada paso depende solo de la
semilla y del paso, y cada proceso toma su parte: con uno, dos o cuatro procesos se entrena lo mismo y salen los mismos
pesos. Con `--checkpoint` guarda cada pocos pasos y, si se corta, la misma orden sigue desde el último.

No mide la calidad del modelo ni usa precisión mixta. Sin torchrun funciona igual, en un solo proceso.
"""

# ruff: noqa: E402 (los imports del curso van detrás de decir dónde está)
import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # torchrun no añade la raíz del curso al camino

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F

from utils.course.env import seed
from utils.course.numerals import number
from utils.model.batching import IGNORE, pad
from utils.model.transformer import Transformer, TransformerConfig
from utils.parallel.distributed import STRATEGIES
from utils.parallel.group import Ranks, explain_lost_partner, start
from utils.parallel.sharding import local_bytes, state_bytes
from utils.parallel.shared_checkpoint import load_shared, save_shared
from utils.parallel.wire import bytes_on_wire


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Entrena un transformer pequeño, repartido como diga --strategy.")
    parser.add_argument("--strategy", nargs="+", choices=STRATEGIES, default=["manual"], help="una o varias, por turno")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=16, help="filas del lote, entre todos los procesos")
    parser.add_argument("--length", type=int, default=64, help="bytes por fila, como mucho")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--out", type=Path, help="carpeta para los pesos finales y las medidas")
    parser.add_argument("--checkpoint", type=Path, help="carpeta del punto de control")
    parser.add_argument("--save-every", type=int, default=5, help="pasos entre dos puntos de control")
    parser.add_argument("--timeout", type=float, default=600, help="segundos que se espera a otro proceso")
    parser.add_argument("--kill", nargs=2, type=int, metavar=("PROCESO", "PASO"), help="ensaya un corte: muere ahí")
    return parser.parse_args()


def batch_at(texts: list[bytes], step: int, size: int, length: int) -> list[list[int]]:
    """El lote de un paso: función de la semilla y del paso, y de nada más."""
    dice = torch.Generator().manual_seed(1_000_003 * seed() + step)
    return [list(texts[i][: length + 1]) for i in torch.randint(len(texts), (size,), generator=dice)]


def loss_sum(model: torch.nn.Module, rows: Tensor, labels: Tensor) -> Tensor:
    """La pérdida sumada, no promediada, de predecir cada byte con los anteriores."""
    logits = model(rows[:, :-1])  # (B, T, V)
    return F.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORE, reduction="sum")


def run(name: str, options: argparse.Namespace, ranks: Ranks, texts: list[bytes]) -> dict:
    """Entrena con una estrategia y devuelve lo medido en este proceso."""
    torch.manual_seed(seed() + ranks.rank)  # a propósito: igualar los pesos es tarea de cada estrategia
    config = TransformerConfig(vocab=256, dim=options.dim, decoder_layers=options.layers, max_positions=options.length)
    model = Transformer(config).to(ranks.device, getattr(torch, options.dtype))
    strategy = STRATEGIES[name](model, ranks, options.lr)
    first, history = 0, {"losses": []}
    if options.checkpoint and (found := load_shared(options.checkpoint, strategy)):
        first, history = found
        report(ranks, f"Sigo desde el paso {first}, el último punto de control completo.")

    seconds, wire = [], bytes_on_wire()
    for step in range(first, options.steps):
        began = time.perf_counter()
        rows = batch_at(texts, step, options.batch, options.length)
        ids, labels = (ranks.rows(pad(rows, value)).to(ranks.device) for value in (0, IGNORE))  # (B / n, T + 1)
        loss = ranks.shared_loss(loss_sum(strategy.model, ids, labels), int((labels[:, 1:] != IGNORE).sum()))
        strategy.step(loss)
        shared = loss.detach().clone()
        dist.all_reduce(shared)  # la suma de las partes es la pérdida del lote entero
        history["losses"].append(shared.item())
        seconds.append(time.perf_counter() - began)
        if options.checkpoint and (step + 1) % options.save_every == 0:
            save_shared(options.checkpoint, strategy, step + 1, history)
        if options.kill == [ranks.rank, step + 1] and os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0":
            os.kill(os.getpid(), signal.SIGKILL)
    wire = None if wire is None else bytes_on_wire() - wire

    measured = {"rank": ranks.rank, "losses": history["losses"], "seconds": seconds, "wire_bytes": wire}
    measured |= {"sent_bytes": dict(strategy.traffic.sent), "state_bytes": state_bytes(strategy.optimizer)}
    measured["weight_bytes"] = sum(local_bytes(p.detach()) for p in strategy.model.parameters())
    weights = strategy.weights()  # (N,)
    measured["parameters"] = len(weights)
    if options.out and ranks.rank == 0:
        options.out.mkdir(parents=True, exist_ok=True)
        torch.save(weights.cpu(), options.out / f"pesos-{name}-{ranks.count}.pt")
    return measured


def report(ranks: Ranks, text: str) -> None:
    """Escribe una línea, en un solo proceso."""
    if ranks.rank == 0:
        print(text, flush=True)


def main() -> None:
    options = arguments()
    dialogues = (ROOT / "data/dialogos/train.jsonl").read_text("utf-8").splitlines()[:300]
    texts = [turn.encode() for line in dialogues for turn in json.loads(line)["dialogue"].split("\n")]
    with start(options.timeout) as ranks, explain_lost_partner(ranks):
        for name in options.strategy:
            measured: list = [None] * ranks.count
            dist.all_gather_object(measured, run(name, options, ranks, texts))
            slowest = [max(times) for times in zip(*(m["seconds"] for m in measured), strict=True)]
            losses, median = measured[0]["losses"], 1000 * sorted(slowest)[len(slowest) // 2]
            text = f"pérdida {number(losses[0], 3)} -> {number(losses[-1], 3)} en {len(losses)} pasos"
            report(ranks, f"{name}, {ranks.count} proceso(s): {text}, {median:.0f} ms por paso")
            if options.out and ranks.rank == 0:
                (options.out / f"medidas-{name}-{ranks.count}.json").write_text(json.dumps(measured))


if __name__ == "__main__":
    main()
