"""La decodificación especulativa: la distribución del modelo grande, exacta, con menos llamadas."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from transformers import LlamaConfig, LlamaForCausalLM

from utils.model.decoding import generate
from utils.model.drafts import NgramLM, PromptLookup
from utils.model.sampling import probabilities
from utils.model.speculative import CausalLM, expected_tokens_per_call, speculative_generate, verify

VOCAB = 4


class Table:
    """Un modelo de Markov con una tabla al azar: dice la distribución exacta y cuenta las llamadas."""

    def __init__(self, seed: int, vocab: int = VOCAB, sharp: float = 1.5) -> None:
        self.vocab_size, self.calls = vocab, 0
        self.rows = (torch.randn(vocab, vocab, generator=torch.Generator().manual_seed(seed)) * sharp).softmax(-1)

    def probs(self, ids, last=1):
        self.calls += 1
        return self.rows[list(ids[-last:])]


def exact(model: Table, start: int, length: int) -> dict[tuple[int, ...], float]:
    """Probabilidad de cada texto de `length` tokens que empieza tras `start`."""
    found = {}
    for text in itertools.product(range(model.vocab_size), repeat=length):
        steps = zip((start, *text), text, strict=False)
        found[text] = math.prod(model.rows[a, b].item() for a, b in steps)
    return found


def fit(draws, expected: dict, n: int) -> float:
    """Valor p de la ji-cuadrado; las casillas con menos de 5 esperados se juntan en una."""
    observed = dict.fromkeys(expected, 0)
    for draw in draws:
        observed[draw] += 1
    big = [key for key, p in expected.items() if n * p >= 5]
    counts = [observed[key] for key in big] + [n - sum(observed[key] for key in big)]
    wanted = [n * expected[key] for key in big] + [n - sum(n * expected[key] for key in big)]
    if wanted[-1] < 1e-6:
        counts, wanted = counts[:-1], wanted[:-1]
    total = sum(wanted)
    return chisquare(counts, [w * n / total for w in wanted]).pvalue


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [1, 4])
@pytest.mark.parametrize("draft", ["otra", "copia", "uniforme"])
def test_distribution_is_exactly_that_of_the_target(gamma, draft):
    target, n = Table(1), 1500
    drafts = {"otra": Table(2), "copia": PromptLookup(VOCAB), "uniforme": Table(3, sharp=0.0)}
    draws = [
        tuple(speculative_generate(target, drafts[draft], [0], max_new_tokens=3, gamma=gamma, seed=i).ids)
        for i in range(n)
    ]
    assert fit(draws, exact(target, 0, 3), n) > 1e-3


def test_the_chi_square_would_see_the_draft_and_a_wrong_rule():
    target, draft, n = Table(1), Table(2), 6000
    generator = torch.Generator().manual_seed(0)
    expected = {(i,): target.rows[0, i].item() for i in range(VOCAB)}
    own = [(int(torch.multinomial(draft.rows[0], 1, generator=generator)),) for _ in range(n)]
    assert fit(own, expected, n) < 1e-6

    def resample_from_p(p, q, token):  # el error típico: tras un rechazo, sortear de p y no de lo que falta
        if torch.rand((), generator=generator) * q[token] < p[token]:
            return token
        return int(torch.multinomial(p, 1, generator=generator))

    wrong = [(resample_from_p(target.rows[0], draft.rows[0], token),) for (token,) in own]
    assert fit(wrong, expected, n) < 1e-6


@given(st.integers(0, 10_000), st.integers(2, 6))
@settings(max_examples=40, deadline=None)
def test_acceptance_is_the_overlap_of_the_two_distributions(seed, vocab):
    p, q = Table(seed, vocab).rows[0], Table(seed + 1, vocab).rows[0]
    generator = torch.Generator().manual_seed(seed)
    kept = 0
    for token in torch.multinomial(q, 400, replacement=True, generator=generator).tolist():
        kept += verify(torch.stack([p, p]), q[None], [token], generator)[0]
    overlap = torch.minimum(p, q).sum().item()  # Leviathan et al., corolario 3.6
    assert kept / 400 == pytest.approx(overlap, abs=5 * math.sqrt(0.25 / 400))


def test_a_perfect_draft_is_always_accepted():
    target = Table(1)
    result = speculative_generate(target, Table(1), [0], max_new_tokens=20, gamma=4, seed=0)
    assert result.acceptance == 1.0
    assert result.target_calls == target.calls == 4
    assert result.tokens_per_call == 5.0


def test_an_impossible_draft_still_gives_the_target_and_one_token_per_call():
    target, never = Table(1), Table(2)
    target.rows = torch.tensor([[0.5, 0.5, 0.0, 0.0]]).expand(4, 4)
    never.rows = torch.tensor([[0.0, 0.0, 0.5, 0.5]]).expand(4, 4)
    result = speculative_generate(target, never, [0], max_new_tokens=30, gamma=3, seed=0)
    assert result.acceptance == 0.0 and result.target_calls == 30
    assert set(result.ids) == {0, 1}


def test_gain_follows_the_formula():
    target, draft = Table(1, sharp=0.5), Table(2, sharp=0.5)
    # Con filas iguales la aceptación es la misma en todos los pasos, como supone la fórmula.
    target.rows, draft.rows = target.rows[:1].expand(4, 4), draft.rows[:1].expand(4, 4)
    overlap = torch.minimum(target.rows[0], draft.rows[0]).sum().item()
    result = speculative_generate(target, draft, [0], max_new_tokens=4000, gamma=3, seed=0)
    assert result.acceptance == pytest.approx(overlap, abs=0.03)
    assert result.tokens_per_call == pytest.approx(expected_tokens_per_call(overlap, 3), rel=0.05)


def test_stops_at_the_end_token_and_repeats_with_the_seed():
    target, draft = Table(1), Table(2)
    options = {"max_new_tokens": 40, "gamma": 4, "eos_token_id": 3}
    lengths = set()
    for seed in range(20):
        result = speculative_generate(target, draft, [0], seed=seed, **options)
        assert result == speculative_generate(target, draft, [0], seed=seed, **options)
        assert 3 not in result.ids[:-1] and (result.ids[-1] == 3 or len(result.ids) == 40)
        lengths.add(len(result.ids))
    assert len(lengths) > 3


# --- Con redes -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def llama():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=12, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, initializer_range=0.3,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def test_causal_lm_gives_the_same_whatever_it_read_before(llama):
    model = CausalLM(llama, temperature=0.8, top_k=6, top_p=0.9)
    generator = torch.Generator().manual_seed(0)
    text = torch.randint(0, 12, (12,), generator=generator).tolist()
    with torch.no_grad():
        for _ in range(25):
            ids = text[: int(torch.randint(3, 12, (), generator=generator))]
            ids = [*ids[:-1], int(torch.randint(0, 12, (), generator=generator))]
            last = int(torch.randint(1, 4, (), generator=generator))
            fresh = probabilities(llama(torch.tensor([ids])).logits[0, -last:], 0.8, 6, 0.9)
            assert torch.allclose(model.probs(ids, last), fresh, atol=1e-4)
    assert model.calls == 25


def test_greedy_speculation_is_token_identical(llama):
    target = CausalLM(llama, temperature=None)
    for draft in (CausalLM(llama, temperature=1.0), PromptLookup(12), NgramLM([[1, 2, 3, 4, 5]], 12)):
        got = speculative_generate(target, draft, [3, 4], max_new_tokens=30, gamma=4, seed=0)
        plain = generate(llama, torch.tensor([[3, 4]]), max_new_tokens=30, eos_token_id=[])
        assert got.ids == plain[0].tolist()


@pytest.mark.slow
def test_network_target_keeps_its_distribution(llama):
    target, n = CausalLM(llama, top_k=3), 250
    first = target.probs([5])[0]
    expected = {(a, b): (first[a] * target.probs([5, a])[0][b]).item() for a in range(12) for b in range(12)}
    draft = NgramLM([[5, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 0] * 3], 12, order=2)
    draws = [tuple(speculative_generate(target, draft, [5], max_new_tokens=2, gamma=2, seed=i).ids) for i in range(n)]
    assert fit(draws, expected, n) > 1e-3


# --- Borradores ------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=6), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_ngrams_give_distributions(texts, order):
    if not any(texts):
        return
    model = NgramLM(texts, vocab_size=6, order=order)
    ids = [0, 3, 1, 5, 2]
    probs = model.probs(ids, last=4)
    assert probs.shape == (4, 6) and (probs > 0).all()
    assert torch.allclose(probs.sum(-1), torch.ones(4), atol=1e-5)
    assert torch.allclose(probs[-2], model.probs(ids[:-1])[0])


def test_prompt_lookup_prefers_the_longest_and_latest_match():
    draft = PromptLookup(10, size=2)
    assert draft.probs([1, 2, 3, 4, 2, 5, 1, 2])[0].argmax() == 3  # «1 2» salió antes: siguió 3
    assert draft.probs([2, 3, 2, 4, 9, 2])[0].argmax() == 4  # solo «2»: manda la última vez
    assert draft.probs([1, 2, 7])[0].argmax() == 7


def test_bad_input_says_what_to_do_in_spanish(llama):
    target = Table(1)
    p, q = target.rows[:2], target.rows[:1]
    cases = [
        (lambda: speculative_generate(target, target, [], max_new_tokens=3), "El prompt está vacío"),
        (lambda: speculative_generate(target, Table(1, 5), [0], max_new_tokens=3), "compartir tokenizador"),
        (lambda: speculative_generate(target, target, [0], max_new_tokens=0), "max_new_tokens"),
        (lambda: speculative_generate(target, target, [0], max_new_tokens=3, gamma=0), "gamma"),
        (lambda: verify(p, q, [0, 1]), "hacen falta 3"),
        (lambda: verify(p, torch.ones(1, 5) / 5, [0]), "compartir tokenizador"),
        (lambda: CausalLM(llama, temperature=0.0).probs([1]), "temperature=None"),
        (lambda: CausalLM(llama, top_k=13).probs([1]), "supera el vocabulario"),
        (lambda: CausalLM(llama, top_p=0.0).probs([1]), r"\(0, 1\]"),
        (lambda: CausalLM(llama).probs([]), "prompt está vacío"),
        (lambda: expected_tokens_per_call(1.2, 3), "de 0 a 1"),
        (lambda: NgramLM([[]], 4), "vacío"),
        (lambda: NgramLM([[7]], 4), "fuera del vocabulario"),
        (lambda: NgramLM([[1]], 4, order=0), "al menos 1"),
        (lambda: PromptLookup(4, size=0), "al menos 1"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()
