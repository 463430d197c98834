"""Los óptimos de la ley de escala, contra una búsqueda a ciegas; los ajustes, contra leyes conocidas; y las erratas."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from utils.cost.flops import SECONDS_PER_DAY, petaflop_days, training_flops
from utils.cost.known_models import KNOWN_MODELS, find_model
from utils.cost.power_law import bootstrap_fits, fit_line, fit_loss_law, interval, isoflop_minimum
from utils.cost.scaling import (
    BESIROGLU_2024,
    HOFFMANN_2022,
    Allocation,
    LossLaw,
    budgets,
    chinchilla_optimum,
    total_flops,
)
from utils.course.numerals import in_words

LAWS = {"Hoffmann": HOFFMANN_2022, "Besiroglu": BESIROGLU_2024}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("flops", budgets())
def test_the_closed_form_optimum_is_the_one_a_search_finds(law, flops):
    found = minimize_scalar(
        lambda x: law.loss(math.exp(x), flops / 6 / math.exp(x)), bounds=(10, 35), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    best = law.optimum(flops)
    assert best.parameters == pytest.approx(math.exp(found.x), rel=1e-3)
    assert best.flops == pytest.approx(flops)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_the_optimum_grows_with_the_stated_exponent(law):
    small, large = law.optimum(1e21), law.optimum(1e25)
    k, _ = fit_line([1e21, 1e25], [small.parameters, large.parameters])
    assert k == pytest.approx(law.exponent)


def test_the_published_fit_asks_for_many_more_tokens_than_its_correction():
    published = [HOFFMANN_2022.optimum(c).tokens_per_parameter for c in budgets()]
    corrected = [BESIROGLU_2024.optimum(c).tokens_per_parameter for c in budgets()]
    assert [round(x) for x in published] == [50, 63, 78, 98, 122]
    assert [round(x) for x in corrected] == [22, 20, 19, 18, 17]
    assert all(p > 2 * c for p, c in zip(published, corrected, strict=True))


def test_the_correction_agrees_with_chinchilla_itself():
    best = BESIROGLU_2024.optimum(find_model("Chinchilla").flops)
    assert best.parameters == pytest.approx(70e9, rel=0.1) and best.tokens == pytest.approx(1.4e12, rel=0.1)


def test_the_twenty_token_rule():
    best = chinchilla_optimum(training_flops(70e9, 1.4e12))
    assert best.parameters == pytest.approx(70e9) and best.tokens == pytest.approx(1.4e12)
    assert chinchilla_optimum(1e23, 100).tokens_per_parameter == pytest.approx(100)


@given(st.floats(0, 1e16))
def test_serving_more_never_asks_for_a_larger_model(served):
    law, start = BESIROGLU_2024, BESIROGLU_2024.optimum(1e23)
    loss = law.loss(start.parameters, start.tokens)
    best, more = law.inference_optimum(loss, served), law.inference_optimum(loss, 2 * served + 1e9)
    assert more.parameters <= best.parameters * (1 + 1e-6) <= start.parameters * (1 + 1e-5)
    assert law.loss(best.parameters, best.tokens) == pytest.approx(loss)


@pytest.mark.parametrize("served", [0, 1e12, 1e14])
def test_the_inference_optimum_is_the_one_a_search_finds(served):
    law, start = BESIROGLU_2024, BESIROGLU_2024.optimum(1e23)
    loss = law.loss(start.parameters, start.tokens)
    sizes = np.geomspace(1e9, 1e12, 40_001)
    costs = [total_flops(n, d, served) if math.isfinite(d := law.tokens_for(loss, n)) else math.inf for n in sizes]
    assert law.inference_optimum(loss, served).parameters == pytest.approx(sizes[int(np.argmin(costs))], rel=1e-3)


@settings(max_examples=25)
@given(
    st.floats(0.5, 2.5), st.floats(0.2, 0.8), st.floats(0.2, 0.8), st.floats(0.05, 0.5), st.floats(0.05, 0.5)
)  # fmt: skip
def test_the_fit_recovers_a_law_it_did_not_see(e, alpha, beta, model_share, data_share):
    n, d = (x.ravel() for x in np.meshgrid(np.geomspace(1e4, 3e5, 5), np.geomspace(3e5, 1e7, 5)))
    true = LossLaw(e, model_share * 3e4**alpha, data_share * 1e6**beta, alpha, beta)
    found = fit_loss_law(n, d, true.loss(n, d))
    assert found.loss(1e6, 3e7) == pytest.approx(true.loss(1e6, 3e7), rel=5e-3)
    known = fit_loss_law(n, d, true.loss(n, d), irreducible=e)
    assert (known.E, known.alpha, known.beta) == pytest.approx((e, alpha, beta), rel=1e-2)


def test_one_broken_run_hardly_moves_the_fit():
    n, d = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    losses = BESIROGLU_2024.loss(n, d)
    losses[7] *= 1.2  # un entrenamiento que salió mal
    found = fit_loss_law(n, d, losses)
    assert (found.E, found.alpha, found.beta) == pytest.approx(
        (BESIROGLU_2024.E, BESIROGLU_2024.alpha, BESIROGLU_2024.beta), rel=0.1
    )


def test_a_warm_start_reaches_the_same_fit():
    rng = np.random.default_rng(0)
    n, d = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    losses = BESIROGLU_2024.loss(n, d) * np.exp(0.002 * rng.normal(size=25))
    cold = fit_loss_law(n, d, losses)
    warm = fit_loss_law(n, d, losses, start=HOFFMANN_2022)
    assert warm.loss(n, d) == pytest.approx(cold.loss(n, d), rel=1e-4)


def test_isoflop_parabolas_find_the_optimum_of_a_law():
    for flops in (1e19, 1e21):
        n = BESIROGLU_2024.optimum(flops).parameters * np.geomspace(0.5, 2, 5)
        best, loss = isoflop_minimum(n, BESIROGLU_2024.loss(n, flops / 6 / n))
        assert best == pytest.approx(BESIROGLU_2024.optimum(flops).parameters, rel=0.05)
        assert loss == pytest.approx(BESIROGLU_2024.loss(n, flops / 6 / n).min(), rel=1e-3)


def test_the_bootstrap_covers_a_known_slope():
    rng = np.random.default_rng(1)
    x = np.geomspace(1, 1000, 30)
    y = 5 * x**-0.4 * np.exp(0.05 * rng.normal(size=30))
    samples = bootstrap_fits(lambda i: fit_line(x[i], y[i]), np.zeros(30), n=300, seed=0)
    found = interval(fit_line(x, y)[0], samples[:, 0])
    assert found.low < -0.4 < found.high < 0 and found.high - found.low < 0.1


def test_the_bootstrap_never_empties_a_group_and_redraws_what_cannot_be_fitted():
    groups, seen = np.repeat([0, 1], [3, 5]), []

    def fit(index):
        seen.append(np.bincount(groups[index]))
        return [isoflop_minimum(np.array([1e3, 1e4, 1e5])[index[:3]], np.array([3.0, 2.0, 3.0])[index[:3]])[0]]

    samples = bootstrap_fits(fit, groups, n=100, seed=0)
    assert all((counts == [3, 5]).all() for counts in seen) and len(seen) > 100
    assert samples[:, 0] == pytest.approx(1e4)


# Las erratas


def test_errata_11_a_petaflop_day_in_cards():
    v100, a100 = 125e12, 312e12  # picos densos, en FP16 y BF16
    assert petaflop_days(8 * v100 * SECONDS_PER_DAY) == pytest.approx(1.0)
    assert petaflop_days(3.2 * a100 * SECONDS_PER_DAY) == pytest.approx(1.0, rel=0.01)
    assert petaflop_days(2 * a100 * SECONDS_PER_DAY) < 0.63


def test_errata_12_gpt3():
    assert training_flops(175e9, 300e9) == pytest.approx(3.15e23)
    assert round(find_model("GPT-3").petaflop_days) == 3646


def test_errata_14_ten_times_the_parameters():
    assert training_flops(10e9, 300e9) / training_flops(1e9, 300e9) == pytest.approx(10)
    small = chinchilla_optimum(1e21)
    assert training_flops(10 * small.parameters, 20 * 10 * small.parameters) / small.flops == pytest.approx(100)


def test_errata_15_long_scale():
    assert in_words(find_model("Chinchilla").tokens) == "1,4 billones"
    assert in_words(find_model("Llama-2-70B").tokens) == "2 billones"


def test_errata_16_tokens_per_parameter():
    expected = {"GPT-3": 1.7, "OPT-175B": 1.7, "BLOOM": 2.1, "LLaMA-65B": 21.5, "Llama-2-70B": 28.6, "Chinchilla": 20.0}
    assert {name: round(find_model(name).tokens_per_parameter, 1) for name in expected} == expected
    assert len({model.name for model in KNOWN_MODELS}) == len(KNOWN_MODELS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LossLaw(1.0, -1.0, 1.0, 0.3, 0.3), "deben ser positivas"),
        (lambda: BESIROGLU_2024.optimum(0), "flops debe ser mayor que 0"),
        (lambda: chinchilla_optimum(1e21, -20), "tokens_per_parameter debe ser mayor"),
        (lambda: BESIROGLU_2024.inference_optimum(1.5, 1e12), "pide una pérdida mayor"),
        (lambda: BESIROGLU_2024.inference_optimum(2.5, -1), "no pueden ser negativos"),
        (lambda: fit_line([1, 2], [1, -1]), "mayores que 0"),
        (lambda: fit_loss_law([1e6], [1e7], [3.0]), "hacen falta más"),
        (lambda: fit_loss_law([1e6] * 6, [1e7] * 6, [3.0, 0, 1, 1, 1, 1]), "positivos y finitos"),
        (lambda: isoflop_minimum([1e6, 1e6, 1e7], [3, 3, 2]), "al menos 3 tamaños"),
        (lambda: isoflop_minimum([1e6, 1e7, 1e8], [2, 3, 2]), "no tiene mínimo"),
        (lambda: bootstrap_fits(lambda i: fit_line([1], [1]), [0, 0], n=100), "Casi ninguna remuestra"),
        (lambda: find_model("GPT-9"), "No conozco «GPT-9»"),
    ],
)
def test_wrong_values_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message), np.errstate(divide="ignore"):
        call()


def test_optimum_knows_its_cost():
    assert Allocation(1e9, 20e9).flops == training_flops(1e9, 20e9) and Allocation(1e9, 20e9).tokens_per_parameter == 20
