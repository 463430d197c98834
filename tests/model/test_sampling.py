"""Los filtros de logits: erratas 1-4, igualdad con transformers y errores en español."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from utils.model.sampling import (
    apply_repetition_penalty,
    apply_temperature,
    probabilities,
    sample,
    top_k_filter,
    top_p_filter,
)

NOTES_LOGITS = torch.tensor([10.0, 5.0, 2.0])


def random_logits(seed: int, rows: int = 3, vocab: int = 40) -> torch.Tensor:
    return torch.randn(rows, vocab, generator=torch.Generator().manual_seed(seed)) * 3


def kept(filtered: torch.Tensor) -> list[int]:
    return filtered.isfinite().nonzero().flatten().tolist()


# --- Erratas 1-4 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("temperature", "expected", "tolerance"),
    [
        (2.0, [0.9088, 0.0746, 0.0166], 5e-5),
        (1.0, [0.9930, 0.0067, 0.0003], 5e-5),
        (0.5, [0.99995, 4.5e-5, 1.1e-7], 5e-6),
    ],
)
def test_erratum_1_softmax_with_temperature(temperature, expected, tolerance):
    probs = probabilities(NOTES_LOGITS, temperature).tolist()
    assert probs == pytest.approx(expected, abs=tolerance)
    assert probs == pytest.approx(expected, rel=0.2)  # también el orden de magnitud de los pequeños


@pytest.mark.parametrize("temperature", [0.3, 0.5, 1, 1.5, 2, math.pi])
def test_erratum_2_temperature_is_any_positive_real(temperature):
    expected = [math.exp((x - 10) / temperature) for x in (10, 5, 2)]
    expected = [x / sum(expected) for x in expected]
    assert probabilities(NOTES_LOGITS, temperature).tolist() == pytest.approx(expected, abs=1e-6)


def test_erratum_2_small_temperature_tends_to_greedy():
    logits = random_logits(1)
    assert torch.allclose(probabilities(logits, 1e-3), probabilities(logits, None), atol=1e-6)
    huge = torch.tensor([1e36, 9e35, -1e36])
    assert probabilities(huge, 1e-6).tolist() == [1.0, 0.0, 0.0]


def test_erratum_3_the_token_that_crosses_p_is_kept():
    logits = torch.tensor([0.30, 0.20, 0.10, 0.02, 0.38]).log()
    assert kept(top_p_filter(logits[:4].softmax(-1).log(), 0.32)) == [0]  # 0.30 / 0.62 > 0.32
    # El ejemplo del resumen, con la masa que falta repartida en tokens menores que 0.02.
    tail = torch.full((38,), 0.01)
    probs = torch.cat([torch.tensor([0.30, 0.20, 0.10, 0.02]), tail])
    assert probs.sum().item() == pytest.approx(1.0)
    assert kept(top_p_filter(probs.log(), 0.32)) == [0, 1]


def test_erratum_3_float_trap_when_p_is_reached_exactly():
    assert 0.60 + 0.30 < 0.90
    for probs in ([0.60, 0.30, 0.10], [0.30, 0.10, 0.60]):
        for dtype in (torch.float32, torch.float64):
            logits = torch.tensor(probs, dtype=dtype).log()
            assert top_p_filter(logits, 0.90).isfinite().sum() == 2
    assert kept(top_p_filter(torch.tensor([0.60, 0.30, 0.10]).log(), 0.9001)) == [0, 1, 2]
    assert kept(top_p_filter(torch.tensor([0.60, 0.30, 0.10]).log(), 0.60)) == [0]
    for vocab in (2, 4, 5, 10, 100):  # uniforme: p = n / V deja exactamente n
        for n in range(1, vocab):
            assert kept(top_p_filter(torch.zeros(vocab), n / vocab)) == list(range(n))


def test_erratum_4_greedy_is_deterministic_and_zero_is_not_a_temperature():
    assert probabilities(NOTES_LOGITS, None).tolist() == [1.0, 0.0, 0.0]
    for temperature in (0, 0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="para decodificación voraz usa temperature=None"):
            apply_temperature(NOTES_LOGITS, temperature)


# --- Igualdad con transformers --------------------------------------------------------------------

seeds = st.integers(0, 2**31)
temperatures = st.floats(0.05, 20)
ks = st.integers(1, 40)
ps = st.floats(0.01, 1.0)


def reference_chain(penalty, temperature, k, p):
    return LogitsProcessorList(
        [
            RepetitionPenaltyLogitsProcessor(penalty),
            TemperatureLogitsWarper(temperature),
            TopKLogitsWarper(k),
            TopPLogitsWarper(p),
        ]
    )


def far_from_edge(logits: torch.Tensor, p: float) -> bool:
    """Fuera de la holgura: ninguna suma acumulada coincide con p salvo redondeo."""
    cumulative = logits.double().softmax(-1).sort(descending=True).values.cumsum(-1)
    return bool(((cumulative - p).abs() > 1e-5).all())


@given(seeds, temperatures)
@settings(max_examples=60, deadline=None)
def test_temperature_equals_transformers(seed, temperature):
    logits = random_logits(seed)
    expected = TemperatureLogitsWarper(temperature)(None, logits)
    assert torch.equal(apply_temperature(logits, temperature), expected)


@given(seeds, ks, st.booleans())
@settings(max_examples=60, deadline=None)
def test_top_k_equals_transformers_also_with_ties(seed, k, ties):
    logits = random_logits(seed).round() if ties else random_logits(seed)
    assert torch.equal(top_k_filter(logits, k), TopKLogitsWarper(k)(None, logits))


@given(seeds, ps)
@settings(max_examples=100, deadline=None)
def test_top_p_equals_transformers(seed, p):
    logits = random_logits(seed)
    assume(p == 1 or far_from_edge(logits, p))
    if p == 1:
        assert torch.equal(top_p_filter(logits, p), logits)
    else:
        assert torch.equal(top_p_filter(logits, p), TopPLogitsWarper(p)(None, logits))


@given(seeds, st.floats(0.2, 3))
@settings(max_examples=60, deadline=None)
def test_repetition_penalty_equals_transformers(seed, penalty):
    logits = random_logits(seed)
    ids = torch.randint(0, 40, (3, 12), generator=torch.Generator().manual_seed(seed))
    assert torch.equal(
        apply_repetition_penalty(logits, ids, penalty), RepetitionPenaltyLogitsProcessor(penalty)(ids, logits)
    )


@given(seeds, st.floats(0.5, 2), temperatures, ks, ps)
@settings(max_examples=100, deadline=None)
def test_whole_chain_equals_transformers(seed, penalty, temperature, k, p):
    logits = random_logits(seed)
    ids = torch.randint(0, 40, (3, 12), generator=torch.Generator().manual_seed(seed))
    penalised = apply_repetition_penalty(logits, ids, penalty)
    assume(p == 1 or far_from_edge(top_k_filter(penalised / temperature, k), p))
    expected = reference_chain(penalty, temperature, k, p)(ids, logits).softmax(-1)
    assert torch.allclose(probabilities(penalised, temperature, k, p), expected, atol=2e-6)


# --- Propiedades y errores ------------------------------------------------------------------------


@given(seeds, st.one_of(st.none(), temperatures), st.one_of(st.none(), ks), st.one_of(st.none(), ps))
@settings(max_examples=60, deadline=None)
def test_probabilities_sum_to_one_and_do_not_touch_the_input(seed, temperature, k, p):
    logits = random_logits(seed)
    before = logits.clone()
    probs = probabilities(logits, temperature, k, p)
    assert torch.allclose(probs.sum(-1), torch.ones(3), atol=1e-5)
    assert (probs.argmax(-1) == logits.argmax(-1)).all()
    assert torch.equal(logits, before)
    one_row = probabilities(logits[0], temperature, k, p)
    assert torch.allclose(one_row, probs[0])


def test_top_p_keeps_one_token_even_with_a_tiny_p():
    assert kept(top_p_filter(torch.zeros(5), 1e-9)) == [0]


def test_negative_ids_are_padding_and_not_penalised():
    logits = torch.tensor([[2.0, -2.0, 1.0]])
    assert apply_repetition_penalty(logits, torch.tensor([[-1, 2]]), 2.0).tolist() == [[2.0, -2.0, 0.5]]
    assert torch.equal(apply_repetition_penalty(logits, torch.empty(1, 0, dtype=torch.long), 2.0), logits)


def test_sample_follows_the_distribution_and_the_seed():
    probs = torch.tensor([0.5, 0.3, 0.2]).expand(20_000, 3)
    draws = sample(probs, torch.Generator().manual_seed(3))
    assert torch.equal(draws, sample(probs, torch.Generator().manual_seed(3)))
    assert not torch.equal(draws, sample(probs, torch.Generator().manual_seed(4)))
    assert (draws.bincount(minlength=3) / 20_000).tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.015)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: top_k_filter(torch.zeros(3), 4), "tiene 3 tokens"),
        (lambda: top_k_filter(torch.zeros(3), 0), "entero mayor o igual que 1"),
        (lambda: top_k_filter(torch.zeros(3), 1.5), "entero mayor o igual que 1"),
        (lambda: top_k_filter(torch.zeros(3), True), "entero mayor o igual que 1"),
        (lambda: top_p_filter(torch.zeros(3), 0.0), r"\(0, 1\]"),
        (lambda: top_p_filter(torch.zeros(3), 1.01), r"\(0, 1\]"),
        (lambda: top_p_filter(torch.zeros(3), math.nan), r"\(0, 1\]"),
        (lambda: apply_temperature(torch.zeros(3), 1e-9), "temperature=None"),
        (lambda: probabilities(torch.tensor([1.0, math.nan])), "NaN"),
        (lambda: probabilities(torch.tensor([1.0, math.inf])), "inf"),
        (lambda: probabilities(torch.full((2,), -math.inf)), "toda -inf"),
        (lambda: probabilities(torch.empty(0)), "vacíos"),
        (lambda: probabilities(torch.empty(2, 0)), "vacíos"),
        (lambda: probabilities(torch.tensor([1, 2])), "tensor de reales"),
        (lambda: apply_repetition_penalty(torch.zeros(3), torch.tensor([0]), 0.0), "número positivo"),
        (lambda: apply_repetition_penalty(torch.zeros(2, 3), torch.tensor([0]), 1.2), "coincidir"),
        (lambda: apply_repetition_penalty(torch.zeros(3), torch.tensor([3]), 1.2), "de 0 a 2"),
        (lambda: sample(torch.tensor([0.5, 0.2])), "sumar 1 por fila"),
        (lambda: sample(torch.tensor([1.5, -0.5])), "sumar 1 por fila"),
        (lambda: sample(torch.tensor([math.nan, 1.0])), "sumar 1 por fila"),
        (lambda: sample(torch.zeros(0)), "forma"),
    ],
)
def test_bad_input_says_what_to_do_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()
