"""La caché KV: mismos logits que transformers y mismos tokens que sin caché."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from utils.course import hub
from utils.course.env import repo_root
from utils.model.decoding import generate
from utils.model.kv_cache import KVCache, cache_bytes, greedy, next_logits

VOCAB = 50
SIZES = dict(
    vocab_size=VOCAB, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, initializer_range=0.3,
)  # fmt: skip


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def tiny(request):
    torch.manual_seed(0)
    if request.param == "llama":
        return LlamaForCausalLM(
            LlamaConfig(**SIZES, head_dim=12, rope_parameters={"rope_type": "default", "rope_theta": 100.0})
        ).eval()
    return Qwen2ForCausalLM(Qwen2Config(**SIZES)).eval()


@pytest.fixture(scope="module")
def mini_gpt():
    return AutoModelForCausalLM.from_pretrained(repo_root() / "models" / "mini-gpt", dtype=torch.float32).eval()


def random_ids(rows: int, length: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, VOCAB, (rows, length), generator=torch.Generator().manual_seed(seed))


def test_logits_equal_transformers(tiny):
    ids = random_ids(3, 11)
    with torch.no_grad():
        expected = tiny(ids).logits
    assert torch.allclose(next_logits(tiny, ids, last=11), expected, atol=1e-4)
    assert torch.allclose(next_logits(tiny, ids), expected[:, -1:], atol=1e-4)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_any_way_of_cutting_the_text_gives_the_same_logits(chunks, seed):
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**SIZES)).eval()
    ids = random_ids(2, sum(chunks), seed)
    cache = KVCache(2)
    pieces = [next_logits(model, chunk, cache, last=chunk.shape[1]) for chunk in ids.split(chunks, dim=1)]
    assert cache.length == sum(chunks)
    assert torch.allclose(torch.cat(pieces, dim=1), next_logits(model, ids, last=sum(chunks)), atol=1e-4)


def test_greedy_is_the_same_with_and_without_cache_and_as_generate(tiny):
    ids = random_ids(2, 5)
    cached = greedy(tiny, ids, 20)
    assert torch.equal(cached, greedy(tiny, ids, 20, use_cache=False))
    assert torch.equal(cached, generate(tiny, ids, max_new_tokens=20, eos_token_id=[]))


def test_crop_forgets_the_rest(tiny):
    ids = random_ids(1, 8)
    cache = KVCache(2)
    next_logits(tiny, ids, cache)
    cache.crop(5)
    assert cache.length == 5
    again = next_logits(tiny, ids[:, 5:], cache)
    assert torch.allclose(again, next_logits(tiny, ids), atol=1e-4)
    for length in (-1, 9):
        with pytest.raises(ValueError, match="no se puede recortar"):
            cache.crop(length)


def test_measured_bytes_are_those_of_the_formula(tiny):
    cache = KVCache(2)
    next_logits(tiny, random_ids(3, 7), cache)
    assert cache.nbytes == cache_bytes(tiny.config, length=7, batch=3)
    assert KVCache(2).nbytes == 0 and KVCache(2).length == 0


def test_bad_input_says_what_to_do_in_spanish(tiny):
    ids = random_ids(1, 4)
    t5 = T5ForConditionalGeneration(T5Config(vocab_size=8, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2))
    scaled = LlamaForCausalLM(
        LlamaConfig(**SIZES, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4})
    )
    cases = [
        (lambda: next_logits(tiny, ids[:, :0]), "el prompt está vacío"),
        (lambda: next_logits(tiny, ids[0]), r"\(B, N\)"),
        (lambda: next_logits(tiny, ids, last=5), "no cabe"),
        (lambda: next_logits(tiny, ids + VOCAB), "fuera del vocabulario"),
        (lambda: next_logits(tiny, ids - VOCAB), "fuera del vocabulario"),
        (lambda: next_logits(scaled, ids), "RoPE sin escalar"),
        (lambda: greedy(tiny, ids, 0), "max_new_tokens"),
        (lambda: cache_bytes(tiny.config, 0), "al menos 1"),
        (lambda: next_logits(t5, ids), "usa utils.model.decoding.generate"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()


def test_text_longer_than_the_positions_says_so_also_with_a_cache(tiny, monkeypatch):
    monkeypatch.setattr(tiny.config, "max_position_embeddings", 8)
    cache = KVCache(2)
    next_logits(tiny, random_ids(1, 8), cache)
    for call in (
        lambda: next_logits(tiny, random_ids(1, 9)),
        lambda: next_logits(tiny, random_ids(1, 1), cache),
        lambda: greedy(tiny, random_ids(1, 5), 5),
    ):
        with pytest.raises(ValueError, match="llega a 9 tokens y el modelo tiene 8 posiciones"):
            call()


def test_total_cost_is_linear_with_the_cache_and_quadratic_without(mini_gpt):
    """Se cuentan operaciones, que no dependen del reloj: el exponente del coste de generar T tokens, T de 64 a 256."""
    ids = torch.zeros(1, 1, dtype=torch.long)
    exponents = {}
    for use_cache in (True, False):
        flops = []
        for new in (64, 128, 256):
            with FlopCounterMode(display=False) as counter:
                greedy(mini_gpt, ids, new, use_cache=use_cache)
            flops.append(counter.get_total_flops())
        exponents[use_cache] = math.log(flops[-1] / flops[0]) / math.log(256 / 64)
    assert 1 <= exponents[True] < 1.1
    assert 1.9 < exponents[False] < 2.15


def test_mini_gpt_logits_and_tokens(mini_gpt):
    model, vocab = mini_gpt, mini_gpt.config.vocab_size
    ids = torch.randint(3, vocab, (1, 40), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(next_logits(model, ids, last=40), model(ids).logits, atol=1e-4)
    assert torch.equal(greedy(model, ids, 40), greedy(model, ids, 40, use_cache=False))


@pytest.mark.slow
def test_smollm2_is_token_identical(monkeypatch):
    monkeypatch.setenv("CURSO_ESCALA", "mini")
    model, tokenizer = hub.load_model("causal-real"), hub.load_tokenizer("causal-real")
    ids = tokenizer("The best way to learn a language is", return_tensors="pt").input_ids
    with torch.no_grad():
        assert torch.allclose(next_logits(model, ids, last=ids.shape[1]), model(ids).logits, atol=1e-3)
    assert torch.equal(greedy(model, ids, 24), greedy(model, ids, 24, use_cache=False))
