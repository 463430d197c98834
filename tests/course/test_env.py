"""Semilla, hilos, escala: lo que deciden las variables, y cada valor malo con su frase."""

import http.server
import random
import threading

import numpy
import pytest
import torch

from utils.course import env, scale


def test_scale_follows_the_variable_then_the_machine(monkeypatch):
    monkeypatch.setattr(scale, "hub_reachable", lambda: True)
    monkeypatch.setattr(scale, "gpu_gb", lambda: 14.6)
    assert scale.scale() == "gpu"
    monkeypatch.setenv("CURSO_ESCALA", " MINI ")
    assert scale.scale() == "mini" and scale.by_scale(mini=1, gpu=2) == 1
    monkeypatch.setenv("CURSO_ESCALA", "gpu")
    monkeypatch.setattr(scale, "gpu_gb", lambda: 0.0)
    assert scale.scale() == "gpu" and scale.by_scale(mini=1, gpu=2) == 2


@pytest.mark.parametrize(("memory", "hub"), [(14.6, False), (0.0, True), (0.0, False), (4.0, True), (11.8, True)])
def test_scale_is_mini_without_a_big_gpu_or_without_hub(monkeypatch, memory, hub):
    monkeypatch.setattr(scale, "gpu_gb", lambda: memory)
    monkeypatch.setattr(scale, "hub_reachable", lambda: hub)
    assert scale.scale() == "mini"


def test_unknown_scale_names_the_valid_ones(monkeypatch):
    monkeypatch.setenv("CURSO_ESCALA", "grande")
    with pytest.raises(ValueError, match=r"CURSO_ESCALA='grande' no es una escala: usa «mini».*«gpu»"):
        scale.scale()


@pytest.mark.parametrize(("status", "answers"), [(200, True), (404, True), (503, False)])
def test_reachable_asks_a_real_server(status, answers):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert scale.reachable(f"http://127.0.0.1:{server.server_port}") is answers


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-existe.invalid", "esto no es una dirección"])
def test_reachable_without_network(url):
    assert scale.reachable(url) is False


def test_offline_mode_does_not_ask(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(scale, "reachable", lambda url: pytest.fail("no debía preguntar"))
    assert scale.hub_reachable.__wrapped__() is False


def draws() -> tuple:
    return random.random(), float(numpy.random.rand()), float(torch.rand(()))  # noqa: NPY002


def test_one_seed_for_everything(monkeypatch):
    env.set_seed()
    default = draws()
    env.set_seed(0)
    assert draws() == default
    monkeypatch.setenv("CURSO_SEMILLA", "7")
    env.set_seed()
    other = draws()
    assert env.seed() == 7 and all(a != b for a, b in zip(default, other, strict=True))


@pytest.mark.parametrize("text", ["-1", "1.5", "siete", "4294967296", "²"])
def test_bad_seed(monkeypatch, text):
    monkeypatch.setenv("CURSO_SEMILLA", text)
    with pytest.raises(ValueError, match=r"CURSO_SEMILLA=.*escribe un entero entre 0 y 4294967295"):
        env.seed()


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_is_as_if_unset(monkeypatch, text):
    for variable in ("CURSO_SEMILLA", "CURSO_HILOS", "CURSO_ESCALA"):
        monkeypatch.setenv(variable, text)
    assert env.seed() == 0 and env.thread_count() >= 1 and scale.scale() in scale.SCALES


@pytest.mark.parametrize("variable", ["CURSO_HILOS", "OMP_NUM_THREADS"])
def test_more_threads_than_cores_are_no_use(monkeypatch, variable):
    """Sin tope, 999 999 hilos tumban el proceso."""
    monkeypatch.setattr(env.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for name in ("CURSO_HILOS", "PYTEST_XDIST_WORKER", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "999999")
    assert env.thread_count() == 8


@pytest.mark.parametrize(
    ("variables", "threads"),
    [
        ({"CURSO_HILOS": "3", "PYTEST_XDIST_WORKER": "gw0", "OMP_NUM_THREADS": "2"}, 3),
        ({"PYTEST_XDIST_WORKER": "gw0", "OMP_NUM_THREADS": "2"}, 1),
        ({"OMP_NUM_THREADS": "2"}, 2),
        ({}, None),
    ],
)
def test_threads(monkeypatch, variables, threads):
    for name in ("CURSO_HILOS", "PYTEST_XDIST_WORKER", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(env.os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    before = torch.get_num_threads()
    try:
        assert env.limit_threads() == torch.get_num_threads()
        assert threads is None or torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("text", ["0", "-2", "muchos"])
def test_bad_threads(monkeypatch, text):
    monkeypatch.setenv("CURSO_HILOS", text)
    with pytest.raises(ValueError, match=r"CURSO_HILOS=.*mayor que 0"):
        env.thread_count()
