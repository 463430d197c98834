"""Un estudio de juguete, de dos filas por ejecución. Como programa, se muere en la tercera o al escribir la segunda."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.study import Study, main, near


@dataclass(frozen=True)
class Toy:
    name: str
    size: int
    rate: float


PLAN = [Toy("uno, dos", 1, 0.5), Toy("uno, dos", 2, 0.5), Toy("tres", 1, 1e10)]


def execute(toy: Toy) -> list[dict]:
    return [{"part": part, "loss": toy.size + part / 8} for part in (1, 2)]


def toy_study(csv: Path, **changes) -> Study:
    options = {"plan": lambda rows: PLAN, "execute": execute, "compare": near(loss=0.1), "item": "part"}
    return Study(csv, "name part size rate loss", Toy, **(options | changes))


def die(*_) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    path, moment = Path(sys.argv[1]), sys.argv[2]
    write = Path.replace

    def replace(self: Path, target: Path) -> Path:
        """Muere la segunda vez que se escribe, con el archivo a medias."""
        if target.exists():
            os.truncate(self, self.stat().st_size - 9)
            die()
        return write(self, target)

    if moment == "writing":
        Path.replace = replace
    dying = moment == "running"
    main(toy_study(path, execute=lambda toy: die() if dying and toy == PLAN[2] else execute(toy)), [])
