"""Los pesos de Hugging Face en nuestros módulos: los mismos logits, con relleno y sin él."""

import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from utils.course.hub import load_model
from utils.model.load import from_huggingface

TINY = {"vocab_size": 50, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
REAL = [
    "seq2seq",
    "seq2seq-base",
    "encoder",
    "causal",
    pytest.param("causal-real", marks=pytest.mark.slow),
]


def largest_difference(theirs, ours, side: str) -> float:
    """La mayor diferencia entre los logits de los tokens de verdad, con tres textos de longitudes distintas."""
    generator = torch.Generator().manual_seed(0)
    vocab = theirs.config.vocab_size
    ids, written = (torch.randint(0, vocab, shape, generator=generator) for shape in ((3, 20), (3, 11)))
    mask = torch.ones_like(ids)
    if side != "ninguno":
        for row, padding in enumerate((0, 8, 15)):
            mask[row, slice(20 - padding, None) if side == "derecha" else slice(padding)] = 0
    given = None if side == "ninguno" else mask
    with torch.no_grad():
        if theirs.config.is_encoder_decoder:
            expected = theirs(input_ids=ids, attention_mask=given, decoder_input_ids=written).logits
            return (ours(written, source=ids, source_mask=given) - expected).abs().max().item()
        expected = theirs(input_ids=ids, attention_mask=given).logits
        return (ours(ids, given) - expected)[mask.bool()].abs().max().item()


@pytest.fixture(scope="module")
def pairs():
    """Cada modelo y el nuestro, cargados una vez."""
    cache = {}

    def get(role):
        if role not in cache:
            cache.clear()
            theirs = load_model(role)
            cache[role] = theirs, from_huggingface(theirs)
        return cache[role]

    return get


@pytest.mark.parametrize("role", REAL)
@pytest.mark.parametrize("side", ["ninguno", "derecha", "izquierda"])
def test_same_logits_as_transformers(pairs, role, side):
    assert largest_difference(*pairs(role), side) < 1e-4


RANDOM = {
    "Llama con grupos": lambda: LlamaForCausalLM(LlamaConfig(**TINY, num_key_value_heads=2, tie_word_embeddings=False)),
    "Qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**TINY, num_key_value_heads=2)),
    "T5 original": lambda: T5ForConditionalGeneration(
        T5Config(vocab_size=50, d_model=32, d_kv=12, d_ff=48, num_layers=2, num_heads=4, feed_forward_proj="relu")
    ),
    "T5 1.1": lambda: T5ForConditionalGeneration(
        T5Config(
            vocab_size=50, d_model=32, d_kv=8, d_ff=48, num_layers=3, num_decoder_layers=1, num_heads=4,
            feed_forward_proj="gated-gelu", tie_word_embeddings=False,
        )
    ),
    "BERT": lambda: BertForMaskedLM(BertConfig(**TINY)),
}  # fmt: skip


@pytest.mark.parametrize("build", RANDOM.values(), ids=RANDOM.keys())
@pytest.mark.parametrize("side", ["ninguno", "derecha"])
def test_same_logits_with_random_weights(build, side):
    torch.manual_seed(0)
    theirs = build().eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # también los sesgos y las normas, que nacen en 0 y en 1
    assert largest_difference(theirs, from_huggingface(theirs), side) < 1e-4


def test_our_copy_does_not_share_memory_and_keeps_the_tie():
    theirs = load_model("causal")
    ours = from_huggingface(theirs)
    assert ours.head.weight is ours.embedding.weight
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())
    before = theirs.get_input_embeddings().weight.clone()
    with torch.no_grad():
        ours.embedding.weight.zero_()
    assert torch.equal(theirs.get_input_embeddings().weight, before)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=10)), "No sé cargar «gpt2»"),
        (lambda: LlamaForCausalLM(LlamaConfig(**TINY)).model, "¿es la clase con la cabeza"),
        (lambda: LlamaForCausalLM(LlamaConfig(**TINY, hidden_act="relu")), "lleva SwiGLU"),
        (
            lambda: LlamaForCausalLM(
                LlamaConfig(**TINY, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4})
            ),
            "estira el contexto con «linear»",
        ),
    ],
)
def test_what_it_cannot_load_says_so(build, message):
    with pytest.raises(ValueError, match=message):
        from_huggingface(build())
