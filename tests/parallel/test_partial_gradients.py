"""Parámetros congelados, compartidos, sin usar o sin gradiente en algún proceso: lo mismo que torch en uno solo."""

import json

import pytest
import torch
from torch import nn

from tests.parallel.partial_gradients import EVEN
from utils.course.env import repo_root
from utils.parallel.collectives import Traffic, ring_bytes
from utils.parallel.distributed import STRATEGIES
from utils.parallel.group import start
from utils.parallel.launch import torchrun
from utils.parallel.sharding import ShardedAdamW


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Lo que ven dos procesos, en un solo trabajo."""
    folder = tmp_path_factory.mktemp("parciales")
    torchrun(repo_root() / "tests/parallel/partial_gradients.py", folder)
    return [json.loads((folder / f"visto-{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.slow
def test_two_processes_move_what_one_moves(seen):
    for found in seen:
        assert len(found["strategies"]) == 18
        assert {name: gap for name, gap in found["strategies"].items() if gap >= 1e-12} == {}


@pytest.mark.slow
def test_only_what_is_trained_is_kept_and_sent(seen):
    for found in seen:
        counted = found["counters"]
        assert counted["manual"]["states"] == counted["states"]
        payload = 8 * counted["trained"]
        for name in ("manual", "zero1"):
            for operation in ("reduce-scatter", "all-gather"):
                assert counted[name]["sent"][operation] == len(EVEN) * ring_bytes(operation, payload, 2)
    for name in ("zero1", "fsdp"):
        assert sum(found["counters"][name]["states"] for found in seen) == seen[0]["counters"]["states"]


@pytest.mark.slow
def test_a_process_without_tokens_adds_nothing(seen):
    for found in seen:
        assert found["one empty"].keys() == STRATEGIES.keys()
        assert max(found["one empty"].values()) < 1e-12


@pytest.mark.slow
def test_a_batch_where_nothing_counts_is_named_in_every_process(seen):
    for found in seen:
        assert all("todas las etiquetas del lote son -100" in text for text in found["all empty"].values())
        assert all("súmala, no la promedies" in text for text in found["mean of nothing"].values())


@pytest.mark.slow
def test_a_frozen_stage_lets_the_gradient_through(seen):
    for found in seen:
        assert max(found["pipeline"]) < 1e-12 and found["tensor"] < 1e-12


@pytest.mark.slow
def test_resuming_keeps_what_is_frozen(seen):
    assert all(found["resumed"] == {"manual": True, "zero1": True} for found in seen)


@pytest.mark.slow
def test_what_torch_cannot_share_is_explained(seen):
    for found in seen:
        assert "La pérdida no ha usado never.weight, never.bias, y DDP espera" in found["unused"]
        assert "Dos bloques comparten pesos" in found["blocks"]


# Con un solo proceso, sin lanzar nada.


@pytest.fixture
def alone():
    with start() as ranks:
        yield ranks


def test_the_sharded_optimizer_skips_what_has_no_gradient(alone):
    """Los números de la incidencia: un sesgo congelado en 5 y un peso con gradiente en uno de tres pasos."""
    ends = []
    for kind in (lambda p, **options: ShardedAdamW(p, Traffic(), **options), torch.optim.AdamW):
        moved, frozen = nn.Parameter(torch.ones(1).double()), nn.Parameter(torch.full((1,), 5.0).double(), False)
        optimizer = kind([moved, frozen], lr=0.1, weight_decay=0.1)
        for step in range(3):
            moved.grad = torch.ones(1).double() if step == 0 else None
            optimizer.step()
        assert frozen.item() == 5.0
        ends.append(moved.item())
    assert ends[0] == pytest.approx(ends[1], abs=1e-12) and ends[0] == pytest.approx(0.89, abs=1e-6)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_model_with_nothing_to_train_is_explained(alone, name):
    with pytest.raises(ValueError, match="Todos los parámetros están congelados"):
        STRATEGIES[name](nn.Linear(2, 2).requires_grad_(False), alone, lr=0.1)


def test_a_parameter_given_twice_is_explained(alone):
    weight = nn.Parameter(torch.ones(2))
    with pytest.raises(ValueError, match="aparece dos veces"):
        ShardedAdamW([weight, weight], Traffic(), lr=0.1)
