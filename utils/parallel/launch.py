"""Lanzar torchrun desde un cuaderno o una prueba, y contar en español cómo ha acabado.

`torchrun(...)` ejecuta en esta máquina lo mismo que escribirías en un terminal, y `torchrun_nodes(...)` finge varias
máquinas con un lanzador por cada una. Los dos esperan, con un plazo, y devuelven un `Job` con lo que se ha escrito.

Lo que NO hace: instalar nada ni conectar con otras máquinas. En un terminal basta `torchrun`.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from utils.course.env import repo_root

TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]  # es `torchrun`, aunque no esté en el PATH


@dataclass(frozen=True)
class Job:
    """Cómo acabó un trabajo: su código, lo que escribieron los procesos, los errores y los segundos que tardó."""

    returncode: int
    output: str
    errors: str
    seconds: float

    @property
    def killed(self) -> tuple[int, int] | None:
        """(proceso, señal) del que murió por una señal sin que torchrun se la enviara, o `None`."""
        deaths = re.findall(r"rank\s*:\s*(\d+)[^\n]*\n\s*exitcode\s*:\s*-(\d+)", self.errors)
        deaths = [(int(rank), int(number)) for rank, number in deaths if number != "15"]  # 15: SIGTERM, de torchrun
        return deaths[0] if deaths else None

    def explain(self) -> str:
        """Dice cómo ha acabado y qué hacer."""
        if self.returncode == 0:
            return "El trabajo ha terminado bien."
        if self.killed:
            return (
                f"El proceso {self.killed[0]} ha muerto (señal {self.killed[1]}) y torchrun ha detenido a los demás. "
                "Vuelve a lanzar la misma orden: si el trabajo guarda puntos de control, seguirá desde el último."
            )
        found = re.findall(r"^(?:\[rank\d+\]: ?)?(\w+(?:Error|Exception)\b.*)$", self.errors, re.MULTILINE)
        reason = found[0] if found else self.errors[-2000:]
        return f"El trabajo ha fallado con el código {self.returncode}: {reason}"


def torchrun(
    script: Path | str, *arguments, ranks: int = 2, restarts: int = 0, timeout: float = 300, check: bool = True
) -> Job:
    """Ejecuta `torchrun --standalone --nproc-per-node ranks script arguments...` y espera a que acabe.

    `restarts` es cuántas veces puede torchrun repetir la orden si muere un proceso; `timeout`, los segundos tras los
    que se detiene todo. Con `check`, un trabajo que falla lanza `RuntimeError` con su explicación en español.
    """
    options = ["--standalone", "--max-restarts", str(restarts)]
    return _wait([_start(options, script, arguments, ranks)], timeout, check)


def torchrun_nodes(script: Path | str, *arguments, nodes: int = 2, ranks: int = 1, timeout: float = 300) -> Job:
    """Finge `nodes` máquinas en esta: un torchrun por máquina, con la misma dirección y distinto `--node-rank`.

    `ranks` es el número de procesos de cada una. Van en CPU: dos máquinas de verdad no comparten las GPU, y estas sí.
    Lo demás, como en `torchrun`.
    """
    port = str(free_port())
    meeting = ["--nnodes", str(nodes), "--master-addr", "127.0.0.1", "--master-port", port]
    launchers = [
        _start([*meeting, "--node-rank", str(node)], script, arguments, ranks, CUDA_VISIBLE_DEVICES="")
        for node in range(nodes)
    ]
    return _wait(launchers, timeout, check=True)


def free_port() -> int:
    """Un puerto libre de esta máquina, elegido por el sistema.

    >>> 1024 <= free_port() <= 65535
    True
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _start(options: list[str], script, arguments, ranks: int, **env: str) -> tuple[subprocess.Popen, Path]:
    """Arranca un lanzador que escribe en una carpeta temporal, la que se devuelve."""
    folder = Path(tempfile.mkdtemp(prefix="torchrun-"))
    command = [*TORCHRUN, *options, "--nproc-per-node", str(ranks), str(script), *map(str, arguments)]
    loopback = {"linux": "lo", "darwin": "lo0"}.get(sys.platform)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(repo_root()), os.environ.get("PYTHONPATH", "")]),
        "OMP_NUM_THREADS": "1",  # varios procesos se reparten los núcleos: que no pida cada uno todos
        **({"GLOO_SOCKET_IFNAME": loopback} if loopback else {}),  # todo queda en esta máquina, haya red o no
        **env,
    }
    with open(folder / "salida", "w") as output, open(folder / "errores", "w") as errors:
        process = subprocess.Popen(command, cwd=repo_root(), env=environment, stdout=output, stderr=errors)
    return process, folder


def _wait(launchers: list[tuple[subprocess.Popen, Path]], timeout: float, check: bool) -> Job:
    began = time.perf_counter()
    try:
        for process, _ in launchers:
            process.wait(max(0.1, timeout - (time.perf_counter() - began)))
    except subprocess.TimeoutExpired:
        raise RuntimeError(
            f"El trabajo no ha acabado en {timeout:.0f} segundos y se ha detenido: da un plazo mayor con timeout=, o "
            "baja el número de pasos."
        ) from None
    finally:
        for process, _ in launchers:
            if process.poll() is None:
                process.terminate()  # torchrun detiene a sus procesos antes de irse
                process.wait()
        texts = {name: "".join((folder / name).read_text("utf-8", "replace") for _, folder in launchers)
                 for name in ("salida", "errores")}  # fmt: skip
        for _, folder in launchers:
            shutil.rmtree(folder)
    code = max((process.returncode for process, _ in launchers), key=abs)
    job = Job(code, texts["salida"], texts["errores"], time.perf_counter() - began)
    if check and code:
        raise RuntimeError(job.explain())
    return job
