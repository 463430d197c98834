"""1F1B: los mismos trabajos y la misma espera que GPipe, y menos micro-lotes a medias."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.parallel.model_parallel import gpipe_schedule
from utils.parallel.turns import max_in_flight, one_f_one_b_schedule


@given(st.integers(1, 6), st.integers(1, 12), st.floats(0.1, 5))
def test_it_is_a_valid_schedule_that_takes_as_long_as_gpipe(stages, micro_batches, backward):
    tasks = one_f_one_b_schedule(stages, micro_batches, 1.0, backward)
    ends = {(t.stage, t.micro, t.forward): t for t in tasks}
    assert len(ends) == len(tasks) == 2 * stages * micro_batches
    for task in tasks:  # nadie empieza antes de tener lo que necesita
        if task.forward and task.stage:
            assert ends[task.stage - 1, task.micro, True].end <= task.start + 1e-9
        if not task.forward:
            before = (task.stage + 1, task.micro, False) if task.stage < stages - 1 else (task.stage, task.micro, True)
            assert ends[before].end <= task.start + 1e-9
    for stage in range(stages):
        mine = sorted((t for t in tasks if t.stage == stage), key=lambda t: t.start)
        assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(mine))
        assert max_in_flight(tasks, stage) == min(micro_batches, stages - stage)
    gpipe = gpipe_schedule(stages, micro_batches, 1.0, backward)
    assert max(t.end for t in tasks) == pytest.approx(max(t.end for t in gpipe))
    assert max_in_flight(gpipe) == micro_batches


def test_bad_sizes():
    with pytest.raises(ValueError, match="hace falta al menos 1 de cada"):
        one_f_one_b_schedule(0, 3)
