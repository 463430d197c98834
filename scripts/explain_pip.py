"""Lee de la entrada lo que escribió pip al fallar y dice en español la causa y qué hacer. Lo usa make."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # la instalación ha fallado: aún no hay archivo .pth

from utils.course.install import explain

if __name__ == "__main__":
    print(explain(sys.stdin.read()))
