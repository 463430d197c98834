"""Otros turnos para la tubería: uno hacia delante, uno hacia atrás (1F1B), que guarda menos con la misma espera.

GPipe manda todos los micro-lotes hacia delante antes de volver con ninguno, y guarda las activaciones de todos. En 1F1B
cada etapa, en cuanto puede, vuelve con el más antiguo antes de empezar otro: guarda como mucho tantos como etapas le
quedan por delante, la suya incluida (Narayanan et al., 2021, sección 2.2).

Lo que NO hace: los turnos intercalados, en que cada proceso lleva varios trozos de capas, ni ejecutarlos
(`utils.parallel.model_parallel.pipeline_step` es GPipe).
"""

from utils.parallel.model_parallel import Task


def one_f_one_b_schedule(
    stages: int, micro_batches: int, forward: float = 1.0, backward: float = 2.0
) -> list[Task]:
    """Cuándo trabaja cada etapa con 1F1B; los argumentos son los de `gpipe_schedule`.

    >>> tasks = one_f_one_b_schedule(stages=2, micro_batches=3)
    >>> max(task.end for task in tasks), max_in_flight(tasks)  # GPipe tarda lo mismo y guarda 3
    (12.0, 2)
    """
    if stages < 1 or micro_batches < 1:
        raise ValueError(f"Hay {stages} etapas y {micro_batches} micro-lotes: hace falta al menos 1 de cada.")
    waiting = [_turns(stages - stage, micro_batches) for stage in range(stages)]
    free, ends, tasks = [0.0] * stages, {}, []
    while any(waiting):
        for stage in range(stages):
            while waiting[stage]:
                micro, is_forward = waiting[stage][0]
                needs = _needs(stage, micro, is_forward, stages)
                if needs is not None and needs not in ends:
                    break  # todavía no le ha llegado lo que espera
                start = max(free[stage], ends.get(needs, 0.0))
                free[stage] = ends[stage, micro, is_forward] = start + (forward if is_forward else backward)
                tasks.append(Task(stage, micro, is_forward, start, free[stage]))
                waiting[stage].pop(0)
    return tasks


def _turns(ahead: int, micro_batches: int) -> list[tuple[int, bool]]:
    """El orden de una etapa con `ahead` etapas por delante, la suya incluida: (micro-lote, ¿hacia delante?)."""
    first = min(ahead, micro_batches)
    turns = [(micro, True) for micro in range(first)]
    for micro in range(micro_batches):
        turns.append((micro, False))
        if first + micro < micro_batches:
            turns.append((first + micro, True))
    return turns


def _needs(stage: int, micro: int, is_forward: bool, stages: int) -> tuple[int, int, bool] | None:
    """La tarea que tiene que haber acabado en la etapa vecina (o en la propia, en la última) antes de esta."""
    if is_forward:
        return (stage - 1, micro, True) if stage else None
    return (stage + 1, micro, False) if stage < stages - 1 else (stage, micro, True)


def max_in_flight(tasks: list[Task], stage: int = 0) -> int:
    """De cuántos micro-lotes guarda activaciones esa etapa, como mucho: los que han ido y no han vuelto.

    >>> from utils.parallel.model_parallel import gpipe_schedule
    >>> max_in_flight(gpipe_schedule(stages=4, micro_batches=8))
    8
    """
    alive = peak = 0
    for task in sorted((t for t in tasks if t.stage == stage), key=lambda t: t.start):
        alive += 1 if task.forward else -1
        peak = max(peak, alive)
    return peak
