"""Un entrenamiento cortado con kill -9 y reanudado es el mismo; y un mal archivo o un disco lleno se explican."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.train.resumable import SAVE_EVERY, STEPS, run, tiny_t5
from utils.course.env import repo_root
from utils.train.checkpoint import FILE, load_checkpoint, save_checkpoint
from utils.train.optim import adafactor


def start(folder: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.train.resumable", str(folder), *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=repo_root(), stderr=subprocess.DEVNULL, env=environment)


def wait_until(done, process: subprocess.Popen) -> None:
    while not done():
        assert process.poll() is None, "el entrenamiento terminó antes de lo previsto"
        time.sleep(0.001)


def kill_at_a_random_moment(folder: Path) -> None:
    process = start(folder, "--despacio")
    wait_until((folder / FILE).exists, process)
    time.sleep(random.uniform(0, 0.3))
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL


def kill_during_the_third_write(folder: Path) -> None:
    assert start(folder, "--muere-al-guardar", "3").wait(120) == -signal.SIGKILL
    assert (folder / (FILE + ".tmp")).exists()  # la escritura se quedó a medias


@pytest.fixture(scope="module")
def uninterrupted():
    return run(None)


@pytest.mark.slow
@pytest.mark.parametrize("kill", [kill_at_a_random_moment, kill_during_the_third_write])
def test_killed_and_resumed_gives_the_same_losses_to_the_last_digit(kill, tmp_path, uninterrupted):
    kill(tmp_path)
    saved = torch.load(tmp_path / FILE, weights_only=True)["step"]
    assert saved % SAVE_EVERY == 0 and 0 < saved < STEPS
    assert start(tmp_path).wait(120) == 0
    losses, validation, tokens = json.loads((tmp_path / "historia.json").read_text())
    assert losses == uninterrupted.losses
    assert [tuple(pair) for pair in validation] == uninterrupted.validation
    assert tokens == uninterrupted.tokens
    assert not (tmp_path / (FILE + ".tmp")).exists()


def test_the_training_of_these_tests_would_notice_lost_state(uninterrupted):
    """Con dropout y trozos al azar, el azar importa: si no se restaurase, las pérdidas serían otras."""
    assert len(set(uninterrupted.losses)) == STEPS
    assert uninterrupted.losses[-1] < uninterrupted.losses[0]


def test_a_finished_training_is_not_repeated(tmp_path, uninterrupted):
    first = run(tmp_path)
    again = run(tmp_path)
    assert first.losses == again.losses == uninterrupted.losses
    assert again.seconds == first.seconds


# Archivos dañados.


@pytest.fixture
def trained():
    """Un modelo y su optimizador, ya con estado."""
    model = tiny_t5()
    optimizer = adafactor(model, 1e-2)
    model(input_ids=torch.tensor([[9, 10]]), labels=torch.tensor([[11, 1]])).loss.backward()
    optimizer.step()
    return model, optimizer


def fresh():
    model = tiny_t5(seed=1)
    return model, adafactor(model, 1e-2)


def test_a_checkpoint_restores_everything(tmp_path, trained):
    model, optimizer = trained
    history = {"losses": [1.5], "validation": [(1, 2.5)], "tokens": 3, "seconds": 0.5}
    save_checkpoint(tmp_path, model, optimizer, 1, history)
    expected = torch.rand(3)
    other, other_optimizer = fresh()
    assert load_checkpoint(tmp_path, other, other_optimizer) == (1, history)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    assert len(other_optimizer.state) == len(optimizer.state) > 0


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path):
    assert load_checkpoint(tmp_path / "nada", *fresh()) is None


DAMAGED = r"está dañado o es de otro modelo. Borra esa carpeta para empezar de cero"


@pytest.mark.parametrize("content", [b"", b"hola\n", b"\x80\x04garbage", bytes(5000), b"PK\x03\x04" + bytes(50)])
def test_a_file_that_is_not_a_checkpoint_is_explained(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ValueError, match=DAMAGED):
        load_checkpoint(tmp_path, *fresh())


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_is_explained(tmp_path, trained, kept):
    save_checkpoint(tmp_path, *trained, 1, {})
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ValueError, match=DAMAGED):
        load_checkpoint(tmp_path, *fresh())


def test_a_flipped_bit_never_gives_other_weights_in_silence(tmp_path, trained):
    model, optimizer = trained
    save_checkpoint(tmp_path, model, optimizer, 1, {"losses": [0.25]})
    data = (tmp_path / FILE).read_bytes()
    rng = random.Random(0)
    for _ in range(60):
        position = rng.randrange(len(data))
        flipped = bytes([data[position] ^ (1 << rng.randrange(8))])
        (tmp_path / FILE).write_bytes(data[:position] + flipped + data[position + 1 :])
        other, other_optimizer = fresh()
        try:
            step, history = load_checkpoint(tmp_path, other, other_optimizer)
        except ValueError as error:
            assert "está dañado" in str(error)
        else:  # el bit estaba en un hueco sin contenido
            assert (step, history) == (1, {"losses": [0.25]})
            assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("state", [[1, 2], {"model": {}}, {"step": 3}])
def test_a_valid_file_with_something_else_is_explained(tmp_path, state):
    torch.save(state, tmp_path / FILE)
    with pytest.raises(ValueError, match=DAMAGED):
        load_checkpoint(tmp_path, *fresh())


def test_a_checkpoint_of_another_model_is_explained(tmp_path, trained):
    save_checkpoint(tmp_path, *trained, 1, {})
    other = torch.nn.Linear(3, 3)
    with pytest.raises(ValueError, match=DAMAGED):
        load_checkpoint(tmp_path, other, torch.optim.SGD(other.parameters(), lr=0.1))


# Sin sitio donde escribir.

FULL = "No se pudo guardar el punto de control en .*: ¿disco lleno"


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int):
    """Un disco de ese tamaño en `folder`; da False si este usuario no puede montarlo."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:  # no hay orden mount
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_explained_and_spares_the_previous_checkpoint(tmp_path, trained):
    with small_disk(tmp_path, 256) as mounted:
        save_checkpoint(tmp_path, *trained, 1, {"losses": [1.0]})
        before = (tmp_path / FILE).read_bytes()
        if mounted:
            filler = tmp_path / "relleno"
            with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
            os.truncate(filler, filler.stat().st_size - 8192)  # cabe el principio, no el archivo entero
        else:
            (tmp_path / (FILE + ".tmp")).symlink_to("/dev/full")  # el núcleo responde «disco lleno» a cada escritura
        with pytest.raises(OSError, match=FULL):
            save_checkpoint(tmp_path, *trained, 2, {"losses": [1.0, 2.0]})
        assert (tmp_path / FILE).read_bytes() == before
        assert not (tmp_path / (FILE + ".tmp")).exists()
        assert load_checkpoint(tmp_path, *fresh()) == (1, {"losses": [1.0]})


def test_a_place_that_is_not_a_folder_is_explained(tmp_path, trained):
    (tmp_path / "ocupado").write_text("no soy una carpeta")
    with pytest.raises(OSError, match=FULL):
        save_checkpoint(tmp_path / "ocupado", *trained, 1, {})
    (tmp_path / FILE).mkdir()  # no se puede renombrar un archivo sobre una carpeta
    with pytest.raises(OSError, match=FULL):
        save_checkpoint(tmp_path, *trained, 1, {})


def test_frozen_and_unused_parameters_are_resumed(tmp_path):
    """No tienen estados que guardar: al seguir, lo entrenado acaba igual y ellos siguen donde estaban."""

    def model_and_optimizer():
        torch.manual_seed(0)
        model = torch.nn.ModuleList(torch.nn.Linear(3, 3) for _ in range(3))
        model[1].requires_grad_(False)
        return model, adafactor(model, 0.01)

    def advance(model, optimizer):
        model[1](model[0](torch.eye(3))).square().sum().backward()  # la tercera no se usa
        optimizer.step()
        optimizer.zero_grad()

    (model, optimizer), (again, other) = model_and_optimizer(), model_and_optimizer()
    start = [p.detach().clone() for p in model.parameters()]
    advance(model, optimizer)
    save_checkpoint(tmp_path, model, optimizer, 1, {})
    assert load_checkpoint(tmp_path, again, other) == (1, {})
    for net, its in ((model, optimizer), (again, other)):
        advance(net, its)
    for i, (before, a, b) in enumerate(zip(start, model.parameters(), again.parameters(), strict=True)):
        assert torch.equal(a, b) and torch.equal(a, before) == (i >= 2)
