"""Lo que el lab 5 y su capítulo dicen del control de profundidad sale de las cifras guardadas."""

from utils.course.results import load_results


def test_depth_explains_part_of_the_gap_and_not_all_of_it():
    lab = load_results("lab-05")
    depth, left, gap = lab["restore_depth"], lab["restore_left"], -lab["restore_causal"].estimate
    assert abs(depth.estimate + left.estimate - gap) < 1e-6
    assert 0.35 < depth.estimate / gap < 0.5, "el lab dice unas dos quintas partes"
    assert depth.low > 0 and left.low > 0
