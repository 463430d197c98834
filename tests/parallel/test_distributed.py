"""Procesos de verdad: las estrategias dan los mismos pesos, los bytes son los de la fórmula y un corte se salva."""

import itertools
import json
import subprocess
import sys

import pytest
import torch
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from utils.course.env import repo_root
from utils.parallel.collectives import (
    Traffic,
    all_gather,
    all_reduce,
    broadcast,
    reduce_scatter,
    ring_bytes,
    ring_seconds,
)
from utils.parallel.distributed import STRATEGIES
from utils.parallel.group import Ranks, start
from utils.parallel.launch import Job, torchrun, torchrun_nodes
from utils.parallel.model_parallel import TensorParallelMLP, bubble, gpipe_schedule
from utils.parallel.sharding import ShardedAdamW, flatten, state_bytes, unflatten, zero_bytes
from utils.parallel.shared_checkpoint import load_shared, save_shared
from utils.parallel.wire import bytes_on_wire

TRAIN = repo_root() / "scripts/train_distributed.py"
CHECK = repo_root() / "scripts/check_parallelism.py"
STEPS = 8
SMALL = ("--dtype", "float64", "--steps", STEPS, "--length", 16, "--dim", 32, "--batch", 8)


def weights(folder, strategy, ranks):
    return torch.load(folder / f"pesos-{strategy}-{ranks}.pt", weights_only=True)


def measures(folder, strategy, ranks):
    return json.loads((folder / f"medidas-{strategy}-{ranks}.json").read_text())


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """El mismo entrenamiento en uno, dos y cuatro procesos; el de uno, sin torchrun."""
    folder = tmp_path_factory.mktemp("distribuido")
    command = [sys.executable, TRAIN, *SMALL, "--out", folder]
    subprocess.run([str(word) for word in command], check=True, cwd=folder)
    torchrun(TRAIN, "--strategy", *STRATEGIES, *SMALL, "--out", folder)
    torchrun(TRAIN, "--strategy", "manual", "zero1", *SMALL, "--out", folder, ranks=4)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_processes_give_the_weights_of_one(runs, strategy):
    single = weights(runs, "manual", 1)
    assert (weights(runs, strategy, 2) - single).abs().max() < 1e-12
    losses = [measures(runs, name, n)[0]["losses"] for name, n in (("manual", 1), (strategy, 2))]
    assert losses[0] == pytest.approx(losses[1], abs=1e-12) and losses[0][-1] < losses[0][0]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["manual", "zero1"])
def test_four_processes_give_the_weights_of_one(runs, strategy):
    assert (weights(runs, strategy, 4) - weights(runs, "manual", 1)).abs().max() < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "ranks", "states", "kept"),
    [("manual", 2, 1, 1), ("ddp", 2, 1, 1), ("zero1", 2, 2, 1), ("zero1", 4, 4, 1), ("fsdp", 2, 2, 2)],
)
def test_each_process_keeps_its_share(runs, strategy, ranks, states, kept):
    whole = measures(runs, "manual", 1)[0]
    for measured in measures(runs, strategy, ranks):
        assert measured["state_bytes"] * states == whole["state_bytes"]
        assert measured["weight_bytes"] * kept == whole["weight_bytes"]


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "ranks"), [("manual", 2), ("zero1", 2), ("manual", 4), ("zero1", 4)])
def test_bytes_counted_are_those_of_the_formula(runs, strategy, ranks):
    for measured in measures(runs, strategy, ranks):
        payload = 8 * measured["parameters"]
        for operation in ("reduce-scatter", "all-gather"):
            assert measured["sent_bytes"][operation] == STEPS * ring_bytes(operation, payload, ranks)
        if measured["wire_bytes"] is not None:
            wanted = STEPS * ring_bytes("all-reduce", payload, ranks)
            assert wanted <= measured["wire_bytes"] < 1.05 * wanted + 5000


@pytest.mark.slow
def test_killed_and_resumed_gives_the_same_weights(runs, tmp_path):
    common = ("--strategy", "zero1", *SMALL, "--checkpoint", tmp_path / "punto", "--save-every", 3, "--out", tmp_path)
    killed = torchrun(TRAIN, *common, "--kill", 1, 5, check=False)
    assert killed.returncode and killed.killed == (1, 9)
    assert "El proceso 1 ha muerto (señal 9)" in killed.explain()
    assert "El proceso 0 se detiene: otro proceso ha muerto" in killed.output
    # La misma orden sigue; y si vuelve a morir uno, con restarts=1 torchrun la repite solo.
    resumed = torchrun(TRAIN, *common, "--kill", 0, 7, restarts=1)
    assert "Sigo desde el paso 3" in resumed.output and "Sigo desde el paso 6" in resumed.output
    assert torch.equal(weights(tmp_path, "zero1", 2), weights(runs, "zero1", 2))


@pytest.mark.slow
def test_two_launchers_are_two_machines(runs, tmp_path):
    torchrun_nodes(TRAIN, *SMALL, "--out", tmp_path)
    assert torch.equal(weights(tmp_path, "manual", 2), weights(runs, "manual", 2))


@pytest.mark.slow
def test_every_piece_matches_its_model(tmp_path):
    torchrun(CHECK, "--repeats", 10, "--bubbles", 1, "--sleep", 0.005, "--size", 4000, "--out", tmp_path / "p.json")
    for rank in json.loads((tmp_path / "p.json").read_text()):
        for row in rank["collectives"]:
            assert max(row["differences"]) < 1e-12 and row["counted"] == row["formula"]
        assert rank["tensor"]["output"] < 1e-12 and rank["tensor"]["gradients"] < 1e-12
        assert rank["tensor"]["bytes"] == rank["tensor"]["formula"] and rank["tensor"]["weights_share"] == 0.5
        for row in rank["pipeline"]:
            assert row["gradients"] < 1e-12 and row["loss"] < 1e-12
        assert rank["bubble"]["1"][0] > rank["bubble"]["8"][0]


@pytest.mark.slow
def test_a_failing_program_is_explained(tmp_path):
    (tmp_path / "falla.py").write_text("raise ValueError('algo va mal')")
    with pytest.raises(RuntimeError, match="ha fallado con el código 1: ValueError: algo va mal"):
        torchrun(tmp_path / "falla.py", ranks=1)


@pytest.mark.slow
def test_a_program_that_never_ends_is_stopped(tmp_path):
    (tmp_path / "espera.py").write_text("import time; time.sleep(600)")
    with pytest.raises(RuntimeError, match="no ha acabado en 3 segundos"):
        torchrun(tmp_path / "espera.py", ranks=1, timeout=3)


def test_a_killed_process_is_told_from_those_torchrun_stops():
    summary = "  rank      : {} (local_rank: {})\n  exitcode  : {} (pid: 7)\n"
    errors = summary.format(0, 0, -15) + summary.format(2, 2, -9)
    assert Job(1, "", errors, 1.0).killed == (2, 9)
    assert Job(0, "", "", 1.0).explain() == "El trabajo ha terminado bien."


# Con un solo proceso, sin lanzar nada.


@pytest.fixture
def alone():
    with start() as ranks:
        yield ranks
    assert not dist.is_initialized()


def test_alone_the_collectives_change_nothing_and_send_nothing(alone):
    x, traffic = torch.arange(5.0), Traffic()
    for operation in (all_reduce, reduce_scatter, all_gather, broadcast):
        assert torch.equal(operation(x, traffic), x)
    assert traffic.total == 0


def test_sharded_adamw_is_torch_adamw(alone):
    torch.manual_seed(0)
    mine, theirs = nn.Linear(5, 3), nn.Linear(5, 3)
    theirs.load_state_dict(mine.state_dict())
    ours = ShardedAdamW(mine.parameters(), Traffic(), lr=0.01)
    reference = torch.optim.AdamW(theirs.parameters(), lr=0.01)
    for _ in range(5):
        x = torch.randn(4, 5)
        for model, optimizer in ((mine, ours), (theirs, reference)):
            model(x).square().sum().backward()
            optimizer.step()
        reference.zero_grad()
    assert torch.allclose(mine.weight, theirs.weight, atol=1e-7)
    assert state_bytes(ours) == state_bytes(reference) == 2 * 4 * 18


def test_a_shard_of_another_process_is_explained(alone):
    optimizer = ShardedAdamW(nn.Linear(2, 2).parameters(), Traffic(), lr=0.01)
    with pytest.raises(ValueError, match="es del proceso 1 de 2 y aquí es el 0 de 1"):
        optimizer.load_state_dict({**optimizer.state_dict(), "rank": 1, "ranks": 2})


def test_a_checkpoint_with_other_processes_is_explained(alone, tmp_path):
    strategy = STRATEGIES["zero1"](nn.Linear(2, 2), alone, lr=0.01)
    strategy.step(strategy.model(torch.ones(1, 2)).sum())
    save_shared(tmp_path, strategy, 1, {})
    assert load_shared(tmp_path, strategy) == (1, {})
    (tmp_path / "ultimo.json").write_text('{"step": 1, "ranks": 4}')
    with pytest.raises(ValueError, match="repartido entre 4 procesos y ahora hay 1"):
        load_shared(tmp_path, strategy)


def test_a_half_written_checkpoint_is_not_the_last_one(alone, tmp_path):
    strategy = STRATEGIES["zero1"](nn.Linear(2, 2), alone, lr=0.01)
    strategy.step(strategy.model(torch.ones(1, 2)).sum())
    save_shared(tmp_path, strategy, 1, {"losses": [1.0]})
    (tmp_path / "paso-000002" / "proceso-0-de-1").mkdir(parents=True)  # el corte llegó antes de apuntarlo
    assert load_shared(tmp_path, strategy) == (1, {"losses": [1.0]})
    save_shared(tmp_path, strategy, 3, {})
    assert [folder.name for folder in tmp_path.glob("paso-*")] == ["paso-000003"]


def test_without_a_checkpoint_there_is_nothing_to_resume(alone, tmp_path):
    assert load_shared(tmp_path / "nada", STRATEGIES["manual"](nn.Linear(2, 2), alone, lr=0.01)) is None


def test_the_share_of_the_loss_counts_everybodys_tokens(alone):
    assert alone.shared_loss(torch.tensor(12.0), 4).item() == 3.0


def test_a_batch_that_cannot_be_shared_is_explained():
    with pytest.raises(ValueError, match="Un lote de 5 no se reparte entre 2 procesos"):
        Ranks(0, 2, torch.device("cpu")).rows(torch.zeros(5, 3))


@given(st.integers(1, 8), st.integers(1, 5))
def test_the_parts_of_a_batch_are_the_batch(ranks, share):
    batch = torch.arange(ranks * share)
    parts = [Ranks(r, ranks, torch.device("cpu")).rows(batch) for r in range(ranks)]
    assert sorted(torch.cat(parts).tolist()) == batch.tolist()


@given(st.lists(st.lists(st.integers(1, 4), max_size=3), min_size=1, max_size=4))
def test_unflatten_undoes_flatten(shapes):
    tensors = [torch.randn(shape) for shape in shapes]
    assert all(torch.equal(a, b) for a, b in zip(tensors, unflatten(flatten(tensors), tensors), strict=True))


# Las fórmulas.


@given(st.integers(1, 6), st.integers(1, 10), st.floats(0.1, 5))
def test_the_bubble_is_the_idle_part_of_the_schedule(stages, micro_batches, backward):
    tasks = gpipe_schedule(stages, micro_batches, 1.0, backward)
    end = max(task.end for task in tasks)
    for stage in range(stages):
        mine = sorted((t for t in tasks if t.stage == stage), key=lambda t: t.start)
        assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(mine))
        busy = sum(t.end - t.start for t in mine)
        assert 1 - busy / end == pytest.approx(bubble(stages, micro_batches), abs=1e-9)


def test_zero_is_the_figure_of_the_paper():
    gigabytes = [zero_bytes(7.5e9, 64, stage) / 1e9 for stage in range(4)]
    assert [round(x, 1) for x in gigabytes] == [120.0, 31.4, 16.6, 1.9]


def test_data_parallel_repeats_the_memory():
    assert zero_bytes(7e9, 8, 0) / 1e9 == 112 and zero_bytes(7e9, 8, 1) / 1e9 == 38.5  # lo que dice la errata


def test_an_all_reduce_is_a_scatter_and_a_gather():
    for ranks in (1, 2, 3, 8):
        parts = ring_bytes("reduce-scatter", 960, ranks) + ring_bytes("all-gather", 960, ranks)
        assert ring_bytes("all-reduce", 960, ranks) == parts
    assert ring_seconds("all-gather", 1000, 4, bandwidth=1e3, latency=0.5) == pytest.approx(3 * 0.5 + 0.75)


def test_the_wire_counts_what_arrives():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sender:
        receiver, _ = server.accept()
        with receiver:
            before = bytes_on_wire()
            if before is None:
                pytest.skip("este sistema no cuenta los bytes de cada conexión")
            sender.sendall(b"x" * 12345)
            left = 12345
            while left:
                left -= len(receiver.recv(left))
            assert bytes_on_wire() - before == 12345


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ring_bytes("gather", 8, 2), "No hay una operación «gather»"),
        (lambda: ring_bytes("all-reduce", 8, 0), "hace falta al menos 1"),
        (lambda: ring_seconds("all-reduce", 8, 2, bandwidth=0), "tiene que ser positivo"),
        (lambda: zero_bytes(1, 2, stage=4), "ZeRO no tiene etapa 4"),
        (lambda: zero_bytes(1, 0, stage=1), "hace falta al menos 1"),
        (lambda: bubble(0, 3), "hace falta al menos 1 de cada"),
        (lambda: gpipe_schedule(2, 0), "hace falta al menos 1 de cada"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_sizes_that_do_not_split_are_explained(monkeypatch):
    monkeypatch.setattr(dist, "get_rank", lambda: 0)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    with pytest.raises(ValueError, match="usa antes pad_to_ranks"):
        reduce_scatter(torch.zeros(3), Traffic())
    with pytest.raises(ValueError, match="columnas no se reparten entre 2"):
        TensorParallelMLP(torch.zeros(3, 4), torch.zeros(4, 3), Traffic())
