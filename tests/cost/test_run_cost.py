"""El coste de un ajuste fino: las dos tarifas, su cruce y lo que cuesta dejar un servicio encendido."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from utils.cost.flops import PEAK_TFLOPS, gpu_hours
from utils.cost.run_cost import PerToken, Rental, break_even, serving_cost, tuning_flops

prices = st.floats(0.1, 100)


def test_flops_by_hand():
    assert tuning_flops(7e9, 1e9) == 6 * 7e9 * 1e9 and tuning_flops(7e9, 1e9, frozen_base=True) == 4 * 7e9 * 1e9


def test_rental_by_hand():
    flops = tuning_flops(8e9, 1e8, frozen_base=True)
    hours = 4 * 8e9 * 1e8 / (312e12 * 0.3) / 3600
    assert gpu_hours(flops, PEAK_TFLOPS["A100"], 0.3) == pytest.approx(hours)
    assert Rental(2, PEAK_TFLOPS["A100"], 0.3, fixed=50).cost(flops) == pytest.approx(50 + 2 * hours)


@given(price=prices, million=prices, fixed=st.floats(1, 1e4), parameters=st.floats(1e8, 1e11), frozen=st.booleans())
def test_at_the_break_even_both_cost_the_same(price, million, fixed, parameters, frozen):
    rental, service = Rental(price, 312, 0.3, fixed), PerToken(million)
    tokens = break_even(rental, service, parameters, frozen)
    assume(tokens is not None and tokens < 1e15)
    assert rental.cost(tuning_flops(parameters, tokens, frozen)) == pytest.approx(service.cost(tokens), rel=1e-6)


def test_a_service_that_is_always_cheaper_has_no_break_even():
    assert break_even(Rental(5, 312, 0.3, fixed=100), PerToken(0.0001), 70e9) is None
    assert break_even(Rental(1, 312), PerToken(3), 8e9) is None  # sin coste de empezar, gana desde el primer token


def test_an_idle_service_costs_the_same_as_a_busy_one():
    assert serving_cost(2) == 1460 and serving_cost(2, hours_per_day=12) == 730 and serving_cost(2, machines=3) == 4380


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Rental(-1, 312), "no puede ser negativo"),
        (lambda: PerToken(-3), "no puede ser negativo"),
        (lambda: serving_cost(1, hours_per_day=25), "entre 0 y 24 horas"),
        (lambda: Rental(1, 312, mfu=40).cost(1e18), "el 40 % se escribe 0.4"),
    ],
)
def test_bad_input_is_told_in_spanish(call, message):
    with pytest.raises(ValueError, match=message):
        call()
