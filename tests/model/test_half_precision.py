"""Media precisión: las normas, las softmax y las pérdidas del curso aguantan números grandes, como las de referencia.

La lista es completa: una prueba recorre el código y falla si aparece una cuenta de estas que aquí no esté.
"""

import ast
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from transformers import (
    BertConfig,
    BertForMaskedLM,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.t5.modeling_t5 import T5LayerNorm

from utils.align.advantages import whiten
from utils.align.dpo import Margins, dpo_loss
from utils.align.grpo import group_advantages
from utils.align.kl import exact_kl, k3
from utils.align.ppo import clipped_loss
from utils.align.reward import pair_loss
from utils.compress.nf4 import quantize_linears
from utils.course.env import repo_root
from utils.measure.perplexity import score_texts
from utils.model import mlp
from utils.model.attention import attention, cross_entropy, softmax
from utils.model.beam import beam_search
from utils.model.blocks import ACTIVATIONS, LayerNorm, RMSNorm
from utils.model.kv_cache import next_logits
from utils.model.load import from_huggingface
from utils.model.logprobs import sequence_logprob, token_entropies, token_logprobs
from utils.model.precision import at_least_float32
from utils.model.sampling import probabilities, top_p_filter
from utils.studies.scaling_run import token_losses
from utils.train.chunked_loss import chunked_cross_entropy
from utils.train.completions import score_completions
from utils.train.pretraining import Pretraining
from utils.tune.adapters import add_adapters
from utils.tune.lora import LoRAConfig, add_lora
from utils.tune.soft_prompts import PrefixTuning, PromptTuning

HALVES = [torch.float16, torch.bfloat16]
SCALES = [1.0, 300.0, 1e4, 6e4]
DELICATE = {
    "softmax", "log_softmax", "logsumexp", "cross_entropy", "nll_loss", "logsigmoid", "rsqrt", "exp", "rms_norm",
    "layer_norm", "std", "var",
}  # fmt: skip
#: Dónde está cada cuenta delicada del curso -> la prueba de este archivo que la cubre.
ALIGN = "test_alignment_losses_are_computed_in_float32"
LOGPROBS = None  # solo mira log p, que `token_logprobs` da ya en float32
COVERED = {
    "align.advantages.whiten": ALIGN,
    "align.dpo.dpo_loss": ALIGN,
    "align.grpo.group_advantages": ALIGN,
    "align.grpo.grpo_iteration": LOGPROBS,
    "align.kl.exact_kl": ALIGN,
    "align.kl.k3": ALIGN,
    "align.ppo.clipped_loss": ALIGN,
    "align.ppo.update": LOGPROBS,
    "align.reward.pair_loss": ALIGN,
    "model.attention.softmax": "test_softmax_is_the_one_of_torch",
    "model.attention.cross_entropy": "test_cross_entropy_is_the_one_of_torch",
    "model.attention.attention": "test_attention_is_the_one_of_torch",
    "model.blocks.LayerNorm.forward": "test_norms_are_those_of_the_references",
    "model.blocks.RMSNorm.forward": "test_norms_are_those_of_the_references",
    "model.kv_cache._attend": "test_cached_attention_is_the_one_of_transformers",
    "model.mlp.cross_entropy": "test_the_losses_of_the_perceptron_are_those_of_torch",
    "model.sampling.probabilities": "test_probabilities_are_the_softmax_of_torch",
    "model.sampling.top_p_filter": "test_the_nucleus_is_that_of_float32",
    "model.logprobs._log_softmax": "test_logprobs_and_entropies_are_those_of_torch",
    "model.logprobs.token_entropies": "test_logprobs_and_entropies_are_those_of_torch",
    "model.beam.beam_search": "test_scores_of_a_model_in_half_precision",
    "model.word2vec.negative_sampling": None,  # entrena sus propios vectores, siempre en float32
    "train.chunked_loss.chunked_cross_entropy.piece": "test_the_loss_in_chunks_is_the_one_of_float32",
    "train.pretraining.Pretraining.forward": "test_pretraining_losses_in_every_precision",
}


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def output_and_gradient(function, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """La salida de `function` en `x` y el gradiente de una combinación de sus salidas."""
    x = x.clone().requires_grad_()
    y = function(x)
    weights = torch.ones_like(y) if y.dim() == 0 else randn(*y.shape, seed=1).sign().to(y.dtype)
    (gradient,) = torch.autograd.grad(y, x, weights)
    return y.detach(), gradient


def assert_close_in_half(ours: torch.Tensor, exact: torch.Tensor, dtype: torch.dtype) -> None:
    """Igual al valor exacto salvo dos redondeos de `dtype` respecto del mayor de la fila."""
    assert ours.dtype == dtype and ours.isfinite().all()
    tolerance = 2 * torch.finfo(dtype).eps * exact.abs().amax(-1, keepdim=True) + 2 * torch.finfo(dtype).smallest_normal
    assert ((ours.double() - exact.double()).abs() <= tolerance).all()


def assert_double(function, x: torch.Tensor) -> None:
    """En float64 no se pierde ni una cifra: mover la entrada en 1e-12 mueve la salida."""
    moved = function(x.double() * (1 + 1e-12))
    assert moved.dtype == torch.float64 and not torch.equal(moved, function(x.double()))


# --- la lista ------------------------------------------------------------------------------------


def delicate_calls() -> set[str]:
    """Las funciones de `utils` que llaman a una cuenta delicada de tensores: «sala.módulo.Clase.función»."""
    found = set()

    def visit(node: ast.AST, name: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = name
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = f"{name}.{child.name}"
            if isinstance(child, ast.Call):
                function = child.func
                called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                root = getattr(getattr(function, "value", None), "id", "")
                if called in DELICATE and root not in ("math", "np"):
                    found.add(name)
            visit(child, inner)

    for path in sorted((repo_root() / "utils").glob("*/*.py")):
        visit(ast.parse(path.read_text("utf-8")), f"{path.parent.name}.{path.stem}")
    return found


def test_every_delicate_computation_is_covered():
    """Si falla, hay una norma, una softmax o una pérdida nueva: pásala por `at_least_float32` y pruébala aquí."""
    assert delicate_calls() == COVERED.keys()
    assert {name for name in COVERED.values() if name} <= globals().keys()


# --- pieza a pieza -------------------------------------------------------------------------------

NORMS = [(LayerNorm, nn.LayerNorm), (RMSNorm, LlamaRMSNorm), (RMSNorm, T5LayerNorm)]


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("ours", "theirs"), NORMS)
def test_norms_are_those_of_the_references(ours, theirs, scale, dtype):
    x = (randn(4, 64).clamp(-1, 1) * scale).to(dtype)
    mine, reference, exact = ours(64), theirs(64), ours(64).double()
    weight = (1 + 0.1 * randn(64, seed=2)).to(dtype)
    for norm in (mine, reference, exact):
        norm.weight.data = weight.to(norm.weight.dtype)
    mine.eps = exact.eps = getattr(reference, "eps", None) or reference.variance_epsilon
    got, gradient = output_and_gradient(mine.to(dtype), x)
    expected, slope = output_and_gradient(exact, x.double())
    assert_close_in_half(got, expected, dtype)
    assert_close_in_half(gradient, slope, dtype)
    torch.testing.assert_close(got, reference.to(dtype)(x), rtol=4 * torch.finfo(dtype).eps, atol=1e-3)
    assert got.abs().max() > 0.5  # el fallo era que saliera 0
    assert_double(exact, x)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("scale", SCALES)
def test_softmax_is_the_one_of_torch(scale, dtype):
    x = (randn(4, 64).clamp(-1, 1) * scale).to(dtype)
    x[1, 3:] = -math.inf
    x[2] = x[2].abs().max()  # todas iguales
    got, gradient = output_and_gradient(softmax, x)
    expected, slope = output_and_gradient(lambda s: torch.softmax(s, -1), x.double())
    assert_close_in_half(got, expected, dtype)
    assert gradient.dtype == dtype and gradient.isfinite().all()
    torch.testing.assert_close(gradient.double(), slope, atol=4 * torch.finfo(dtype).eps, rtol=0)
    assert torch.equal(got, F.softmax(x, -1))
    assert_double(softmax, randn(5))


def test_softmax_of_a_long_row_still_adds_up_to_one():
    """70 000 exponenciales de 0 suman más de lo que cabe en float16: los pesos salían todos 0."""
    for dtype in HALVES:
        assert softmax(torch.zeros(70_000, dtype=dtype)).double().sum().item() == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("scale", SCALES)
def test_cross_entropy_is_the_one_of_torch(scale, dtype):
    logits, targets = (randn(6, 50).clamp(-1, 1) * scale).to(dtype), torch.arange(6)
    targets[2] = -100
    got, gradient = output_and_gradient(lambda x: cross_entropy(x, targets), logits)
    expected, slope = output_and_gradient(lambda x: F.cross_entropy(x, targets), logits.double())
    assert got.dtype == torch.float32  # una pérdida de 7e4 no cabría en float16
    torch.testing.assert_close(got.double(), expected, rtol=1e-5, atol=1e-5)
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient.double(), slope, atol=2 * torch.finfo(dtype).eps, rtol=0)
    assert_double(lambda x: cross_entropy(x, targets), logits)


@pytest.mark.parametrize("dtype", HALVES)
def test_the_loss_in_chunks_is_the_one_of_float32(dtype):
    hidden, weight, labels = randn(9, 16).to(dtype), (30 * randn(50, 16, seed=1)).to(dtype), torch.arange(9)
    loss = chunked_cross_entropy(hidden, weight, labels, chunk=4)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, F.cross_entropy((hidden @ weight.T).float(), labels), rtol=1e-5, atol=1e-5)
    assert_double(lambda x: chunked_cross_entropy(x, weight.double(), labels, chunk=4), hidden)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("scale", SCALES)
def test_logprobs_and_entropies_are_those_of_torch(scale, dtype):
    logits, labels = (randn(1, 6, 50).clamp(-1, 1) * scale).to(dtype), torch.arange(6)[None].clone()
    labels[0, 2] = -100
    for ours, reference in (
        (token_logprobs, lambda x: -F.cross_entropy(x[0], labels[0], reduction="none")[None]),
        (token_entropies, lambda x: torch.distributions.Categorical(logits=x).entropy() * (labels != -100)),
    ):
        got, gradient = output_and_gradient(lambda x, f=ours: f(x, labels), logits)
        expected, slope = output_and_gradient(reference, logits.double())
        assert got.dtype == torch.float32
        torch.testing.assert_close(got.double(), expected, rtol=1e-5, atol=1e-5)
        assert gradient.dtype == dtype
        torch.testing.assert_close(gradient.double(), slope, atol=4 * torch.finfo(dtype).eps, rtol=1e-2)
        assert_double(lambda x, f=ours: f(x, labels), randn(1, 6, 50))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("scale", SCALES)
def test_the_losses_of_the_perceptron_are_those_of_torch(scale, dtype):
    logits, targets = (randn(6, 50).clamp(-1, 1) * scale).to(dtype), torch.arange(6)
    other = (randn(6, 50, seed=3).clamp(-1, 1) * scale).to(dtype)
    for ours, theirs, target in (
        (mlp.cross_entropy, F.cross_entropy, targets),
        (mlp.mean_squared_error, F.mse_loss, other),
    ):
        loss, gradient = ours(logits, target)
        wide = target.double() if target.is_floating_point() else target
        expected, slope = output_and_gradient(lambda x, f=theirs, t=wide: f(x, t), logits.double())
        assert loss == pytest.approx(expected.item(), rel=1e-5)
        assert_close_in_half(gradient, slope, dtype)
        assert ours(logits.double(), wide)[1].dtype == torch.float64


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("scale", [1.0, 300.0])  # más allá desborda el producto, también en torch
def test_attention_is_the_one_of_torch(scale, dtype):
    query, key = randn(1, 2, 5, 16) * scale / 10, randn(1, 2, 7, 16, seed=4) * 2
    query, key, value = query.to(dtype), key.to(dtype), (randn(1, 2, 7, 16, seed=5) * scale).to(dtype)
    mask = torch.ones(5, 7, dtype=torch.bool).tril(2)
    mixed, weights = attention(query, key, value, mask)
    exact = F.scaled_dot_product_attention(query.double(), key.double(), value.double(), attn_mask=mask)
    assert mixed.dtype == weights.dtype == dtype
    torch.testing.assert_close(weights.double().sum(-1), torch.ones(1, 2, 5).double(), atol=1e-2, rtol=0)
    theirs = F.scaled_dot_product_attention(query, key, value, attn_mask=mask).double()
    worst = (theirs - exact).abs().max() + 8 * torch.finfo(dtype).eps * exact.abs().max()
    assert (mixed.double() - exact).abs().max() <= 4 * worst


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_gradients_are_finite(name, scale, dtype):
    function = ACTIVATIONS[name][0]
    x = (randn(4, 64).clamp(-1, 1) * scale).to(dtype)
    got, gradient = output_and_gradient(function, x)
    expected, slope = output_and_gradient(function, x.double())
    assert_close_in_half(got, expected, dtype)
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient.double(), slope, atol=8 * torch.finfo(dtype).eps, rtol=0)
    assert_double(function, randn(5).abs())


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("scale", SCALES)
def test_probabilities_are_the_softmax_of_torch(scale, dtype):
    logits = (randn(4, 64).clamp(-1, 1) * scale).to(dtype)
    for temperature in (0.01, 1.0, 100.0):
        got = probabilities(logits, temperature)
        assert got.dtype == torch.float32
        expected = torch.softmax(logits.double() / temperature, -1)
        torch.testing.assert_close(got.double(), expected, atol=1e-6, rtol=1e-3)
    assert_double(probabilities, randn(5))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("scale", SCALES)
def test_the_nucleus_is_that_of_float32(scale, dtype):
    logits = (randn(4, 64).clamp(-1, 1) * scale).to(dtype)
    got = top_p_filter(logits, 0.9)
    assert got.dtype == dtype
    assert torch.equal(got.isfinite(), top_p_filter(logits.float(), 0.9).isfinite())
    assert top_p_filter(logits.double(), 0.9).dtype == torch.float64


def test_only_real_numbers_have_a_precision():
    for x in (torch.tensor([1, 2]), torch.tensor([True])):
        with pytest.raises(ValueError, match=r"conviértelo antes con \.float\(\)"):
            at_least_float32(x)
        with pytest.raises(ValueError, match="números reales"):
            softmax(x)
    same = torch.ones(2)
    assert at_least_float32(same) is same


# --- modelos enteros -----------------------------------------------------------------------------

SMALL = dict(vocab_size=40, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2)
IDS = torch.tensor([[3, 9, 14, 27, 8], [5, 7, 11, 1, 30]])


def llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**SMALL, max_position_embeddings=32, eos_token_id=None, pad_token_id=0)).eval()


def bert() -> BertForMaskedLM:
    torch.manual_seed(0)
    return BertForMaskedLM(BertConfig(**SMALL, max_position_embeddings=32)).eval()


def t5() -> T5ForConditionalGeneration:
    torch.manual_seed(0)
    config = T5Config(vocab_size=40, d_model=32, d_kv=16, d_ff=48, num_heads=2, num_layers=2, decoder_start_token_id=0)
    return T5ForConditionalGeneration(config).eval()


@pytest.mark.parametrize("dtype", [*HALVES, torch.float64])
@pytest.mark.parametrize("build", [llama, bert, t5])
@torch.no_grad()
def test_our_transformer_loses_no_more_than_the_one_of_transformers(build, dtype):
    extra = {"decoder_input_ids": IDS} if build is t5 else {}
    exact = build().double()(input_ids=IDS, **extra).logits
    theirs = build().to(dtype)
    ours = from_huggingface(theirs)(IDS, source=IDS if build is t5 else None)
    assert ours.dtype == dtype and ours.isfinite().all()
    expected = theirs(input_ids=IDS, **extra).logits
    allowed = 2 * (expected.double() - exact).abs().max() + 4 * torch.finfo(dtype).eps * exact.abs().max()
    if dtype == torch.float64:
        allowed = 1e-5 * exact.abs().max()  # RoPE y las constantes de T5 se calculan en 32 bits
    assert (ours.double() - exact).abs().max() <= allowed


@pytest.mark.parametrize("dtype", HALVES)
@torch.no_grad()
def test_cached_attention_is_the_one_of_transformers(dtype):
    exact, model = llama().double()(IDS).logits, llama().to(dtype)
    ours, theirs = next_logits(model, IDS, None, last=IDS.shape[1]), model(IDS).logits
    assert ours.dtype == dtype
    allowed = 2 * (theirs.double() - exact).abs().max() + 4 * torch.finfo(dtype).eps * exact.abs().max()
    assert (ours.double() - exact).abs().max() <= allowed


@pytest.mark.parametrize("dtype", [*HALVES, torch.float64])
@torch.no_grad()
def test_scores_of_a_model_in_half_precision(dtype, monkeypatch):
    """Lo que se calcula a partir de unos logits de 16 bits es lo que sale de esos mismos logits en 64."""
    model = llama().to(dtype)
    model.lm_head.weight.mul_(300)
    original = model.forward

    def scores() -> dict[str, np.ndarray]:
        labels = IDS.masked_fill(torch.arange(5) < 2, -100)
        examples = [{"input_ids": row.tolist(), "assistant_masks": [0, 0, 1, 1, 1]} for row in IDS]
        return {
            "sequence_logprob": sequence_logprob(model, IDS, None, labels).double().numpy(),
            "beam_search": np.array([b.logprob for b in beam_search(model, IDS[:1], num_beams=2, max_new_tokens=3)]),
            "score_texts": np.array([s.nats for s in score_texts(model, IDS.tolist())]),
            "score_completions": score_completions(model, examples, pad_id=0)[0],
            "token_losses": token_losses(lambda ids: model(input_ids=ids).logits, IDS).double().numpy(),
        }

    got = scores()

    def in_double(*args, **kwargs):
        output = original(*args, **kwargs)
        output.logits = output.logits.double()
        return output

    monkeypatch.setattr(model, "forward", in_double)
    tolerance = 1e-13 if dtype == torch.float64 else 1e-5  # a partir de 16 bits se calcula en 32
    for name, expected in scores().items():
        assert np.isfinite(got[name]).all(), name
        np.testing.assert_allclose(got[name], expected, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("dtype", [*HALVES, torch.float32, torch.float64])
@pytest.mark.parametrize("build", [llama, bert, t5])
def test_pretraining_losses_in_every_precision(build, dtype):
    model = Pretraining(from_huggingface(build().to(dtype)), pad_id=0)
    labels = IDS.masked_fill(torch.tensor([1, 0, 0, 1, 0]).bool(), -100)
    loss = model(input_ids=IDS, labels=labels).loss
    loss.backward()
    wide = torch.promote_types(dtype, torch.float32)
    assert loss.dtype == wide and all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    nats = model.token_losses(input_ids=IDS, labels=labels)
    assert nats.dtype == wide and nats.shape == labels.shape
    counted = nats[nats != 0]
    torch.testing.assert_close(counted.mean(), loss.detach(), rtol=1e-5, atol=0)


# --- lo que se le pone encima a una base de 16 bits -----------------------------------------------


def quantized(model: nn.Module) -> nn.Module:
    quantize_linears(model)
    return model


ADDED = {
    "LoRA": lambda model: add_lora(model, LoRAConfig(targets=("q", "v", "q_proj", "v_proj"))),
    "LoRA sobre NF4": lambda model: add_lora(quantized(model), LoRAConfig(targets=("q", "v", "q_proj", "v_proj"))),
    "Houlsby": lambda model: add_adapters(model, bottleneck=4),
    "prompt": lambda model: PromptTuning(model, randn(3, 32)),
    "prefijo": lambda model: PrefixTuning(model, length=3),
    "prefijo con red": lambda model: PrefixTuning(model, length=3, hidden=8),
}


@pytest.mark.parametrize("dtype", [*HALVES, torch.float64])
@pytest.mark.parametrize("build", [llama, t5])
@pytest.mark.parametrize("name", ADDED)
def test_what_is_added_to_a_base_works_in_its_precision(name, build, dtype):
    outputs = []
    for kind in (torch.float32, dtype):
        base = build().to(kind)
        torch.manual_seed(1)
        model = ADDED[name](base)
        output = model(input_ids=IDS, labels=IDS)
        output.loss.backward()
        outputs.append(output)
    exact, got = outputs
    assert got.logits.dtype == dtype
    trained = [p for p in model.parameters() if p.requires_grad]
    assert trained and all(p.dtype == torch.float32 and p.grad.isfinite().all() for p in trained)
    # NF4 redondea los pesos en 32 bits, pero los activa en 16: se parte de otros números
    allowed = (0.1 if dtype == torch.bfloat16 else 0.02) * (3 if "NF4" in name else 1)
    assert (got.logits - exact.logits).abs().max() <= allowed * exact.logits.abs().max()


@pytest.mark.parametrize("dtype", HALVES)
def test_alignment_losses_are_computed_in_float32(dtype):
    """Con diferencias de log p de hasta 20: e²⁰ no cabe en float16, y la media de muchas pierde cifras en bfloat16."""
    a, b = (20 * randn(4, 6, seed=i).clamp(-1, 1).to(dtype) for i in (2, 3))
    every = torch.ones(4, 6, dtype=torch.bool)
    functions = {
        "whiten": lambda x, y: whiten(x, every),
        "dpo": lambda x, y: dpo_loss(Margins(x[0], y[0]), beta=0.1),
        "group": lambda x, y: group_advantages(x),
        "exact": exact_kl,
        "k3": k3,
        "clipped": lambda x, y: clipped_loss(x, y, torch.ones_like(x, dtype=torch.float32), clip=0.2),
        "pair": lambda x, y: pair_loss(x[0], y[0]),
    }
    for name, function in functions.items():
        found, exact = function(a, b), function(a.double(), b.double())
        assert found.dtype == torch.float32 and found.isfinite().all(), name
        torch.testing.assert_close(found.double(), exact.double(), rtol=1e-4, atol=1e-4)
