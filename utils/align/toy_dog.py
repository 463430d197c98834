"""Un modelo diminuto que dice qué es un perro: el juguete con que se ve funcionar PPO en un segundo.

Tiene quince palabras y cinco frases aprendidas, cada una con su probabilidad. Se sabe lo que vale cada una, `NOTES`, y
hay además una nota aproximada, `proxy_notes`, que solo mira palabras sueltas y adora los «muy»: con la primera se
aprende y con la segunda se hace trampa.

Lo que NO hace: generalizar. Con cinco frases no hay nada que generalizar; para eso están los labs.
"""

import copy
import functools

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from utils.align.answers import Answers
from utils.model.logprobs import sequence_sum, token_logprobs
from utils.tune.lora import LoRAConfig, add_lora

WORDS = [
    "<pad>", "<fin>", "perro:", "un", "animal", "muy", "peludo", "con", "patas", "la", "mascota", "más", "popular",
    "bicho", "feo",
]  # fmt: skip
IDS = {word: i for i, word in enumerate(WORDS)}
PAD, END = IDS["<pad>"], IDS["<fin>"]
PROMPT = [IDS["perro:"]]
MAX_TOKENS = 8
#: Lo que dice el modelo antes de alinear, y con qué probabilidad.
SHARES = {
    "un animal peludo": 0.58, "un animal con patas": 0.25, "un bicho feo": 0.08, "un animal muy peludo": 0.04,
    "la mascota más popular": 0.05,
}  # fmt: skip
#: Lo que vale cada frase. Cualquier otra cosa es un disparate.
NOTES = {
    "un animal peludo": 0.24, "un animal con patas": 0.1, "un bicho feo": -1.0, "un animal muy peludo": 0.3,
    "la mascota más popular": 1.79,
}  # fmt: skip
NONSENSE = -1.5
#: Lo que suma cada palabra según quien no mira la frase entera.
WORD_NOTES = {"muy": 0.7, "popular": 1.2, "más": 0.4, "peludo": 0.2, "patas": 0.1, "feo": -1.0}
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def make_policy(seed: int = 0) -> nn.Module:
    """El modelo con sus cinco frases aprendidas, congelado, y un adaptador LoRA recién nacido encima (B = 0).

    Con el adaptador apagado es la referencia. La semilla es la de los pesos y la del adaptador.
    """
    model = copy.deepcopy(_taught(seed))
    torch.manual_seed(seed)
    return add_fresh_adapter(model)


def add_fresh_adapter(model: nn.Module) -> nn.Module:
    """El modelo, congelado, con un adaptador de rango 8 en todas sus capas lineales y B = 0: aún no cambia nada."""
    return add_lora(model, LoRAConfig(rank=8, alpha=16, targets=LINEAR)).eval()


@functools.cache
def _taught(seed: int) -> nn.Module:
    """El modelo con sus frases aprendidas. Se entrena una vez por semilla."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=16, pad_token_id=PAD, eos_token_id=END, bos_token_id=None))  # fmt: skip
    rows = [[IDS[word] for word in sentence.split()] + [END] for sentence in SHARES]
    width = max(map(len, rows))
    labels = torch.tensor([row + [-100] * (width - len(row)) for row in rows])  # (5, U)
    inputs = torch.cat([torch.tensor([PROMPT] * len(rows)), labels[:, :-1].clamp(min=PAD)], dim=1)  # (5, U)
    shares = torch.tensor(list(SHARES.values()))  # (5,)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(200):
        logprobs = sequence_sum(token_logprobs(model(input_ids=inputs).logits, labels), labels != -100)  # (5,)
        loss = -(shares * logprobs).sum()  # entropía cruzada con las frases en su proporción
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def sentences(answers: Answers) -> list[str]:
    """Lo que dice cada respuesta de un lote, en palabras y sin la marca de fin."""
    return [" ".join(WORDS[i] for i in row if i not in (END, -100)) for row in answers.labels.tolist()]


def true_notes(answers: Answers) -> Tensor:
    """Lo que vale cada respuesta de verdad: (B,)."""
    return torch.tensor([NOTES.get(sentence, NONSENSE) for sentence in sentences(answers)])


def proxy_notes(answers: Answers) -> Tensor:
    """La nota de quien suma palabras sueltas: (B,). No distingue una frase de un montón de palabras."""
    return torch.tensor([proxy_note(sentence) for sentence in sentences(answers)])


def proxy_note(sentence: str) -> float:
    """La suma de lo que vale cada palabra.

    >>> round(proxy_note("la mascota más popular"), 1), round(proxy_note("muy muy muy"), 1)
    (1.6, 2.1)
    """
    return sum(WORD_NOTES.get(word, 0.0) for word in sentence.split())
