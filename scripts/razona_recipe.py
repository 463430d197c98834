"""La receta de mini-razona: su tokenizador, su mezcla de ejemplos nuevos y su arquitectura.

Lo usan `mini_recipes` y `train_minis`. El tokenizador es suyo: cada cifra es un token, y lleva la plantilla ChatML.
"""

import random

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from utils.corpus.dialogues import read_yaml
from utils.corpus.problems import DIGITS, STEPS, ProblemGenerator, trained
from utils.corpus.reasoning import world_questions
from utils.corpus.traces import conversation
from utils.course.env import repo_root
from utils.text.chat_templates import CHATML, apply_chat_template, render_chat
from utils.train.completions import CompletionLM, pack_masked
from utils.train.loop import train

SPECIAL = ["<pad>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 1000
#: De cada cien ejemplos, y qué parte de los de «react» pregunta sobre un mundo; la otra, por cuentas.
MIX = {"directo": 25, "pasos": 35, "programa": 20, "react": 20}
WORLD_SHARE = 0.8
#: Más ejemplos de pocas cifras: la suma se aprende antes con ellas.
DIGIT_WEIGHTS = {1: 3, 2: 4, 3: 3, 4: 1}
#: Los ejemplos se empaquetan, unas cuatro conversaciones y copias por fila: en cada lote los hay de todas las clases.
TRAINING_STEPS, BATCH, ROW, PER_ROW, COPIES = 9000, 6, 256, 3.0, 0.1
COPY_STEPS = 500
LIMITS = (
    "Solo suma y resta enteros; ni multiplica ni divide.",
    "Solo conoce los verbos, las escenas y los nombres de `data/razonamiento`: fuera de ahí escribe cosas sin sentido.",
    "Lo que escribe paso a paso imita una cuenta; no explica lo que hace por dentro.",
    "Sus acciones pueden buscar lo que no es: que una acción valga no la hace acertada.",
    "Cuánto acierta en cada nivel está en `data/razonamiento/README.md`; lo que se probó, en `models/ENSAYOS.md`.",
)


def grammar() -> dict:
    return read_yaml(repo_root() / "data" / "razonamiento" / "gramatica.yaml")


def conversations(size: int, seed: int, split: str = "train") -> list[list[dict[str, str]]]:
    """`size` conversaciones nuevas de los niveles que se entrenan, en los cuatro formatos."""
    rules, rng = grammar(), random.Random(f"{seed}-{split}-mezcla")
    problems, questions = ProblemGenerator(rules, split, seed), world_questions(rules, split)
    levels = [(d, s) for d in DIGITS for s in STEPS if trained(d, s)]
    weights = [DIGIT_WEIGHTS[d] / sum(x == d for x, _ in levels) for d, _ in levels]
    rows = []
    for form in rng.choices(list(MIX), list(MIX.values()), k=size):
        about_world = form == "react" and rng.random() < WORLD_SHARE
        row = next(questions) if about_world else problems.problem(*rng.choices(levels, weights)[0])
        rows.append(conversation(row, form))
    return rows


def train_tokenizer() -> PreTrainedTokenizerFast:
    """BPE de bytes sobre el texto de entrenamiento. El espacio va delante de la palabra, pero nunca de una cifra."""
    tokenizer = Tokenizer(models.BPE())
    pieces = Regex(r"\p{N}| ?\p{L}+|\n| ?[^\s\p{L}\p{N}]+|\s")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(pieces, "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    texts = (m["content"] for messages in conversations(8000, 1) for m in messages)
    roles = ("system\n", "user\n", "assistant\n") * 1000
    tokenizer.train_from_iterator([*texts, *roles], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<|im_end|>", extra_special_tokens=["<|im_start|>"],
        model_max_length=512, padding_side="left", chat_template=CHATML.jinja,
    )  # fmt: skip


def optimizer(model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95), weight_decay=0.01)


def encode(tokenizer, messages: list[list[dict[str, str]]]) -> list[dict]:
    """Conversaciones en ejemplos de `CompletionLM`: solo se aprende lo que escribe el asistente."""
    return [apply_chat_template(tokenizer, conversation) for conversation in messages]


def copies(tokenizer, size: int, seed: int) -> list[dict]:
    """Secuencias al azar, de 4 a 12 tokens, que hay que repetir: copiar es lo que más tarda un modelo pequeño."""
    rng = random.Random(f"{seed}-copias")
    opening, close = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    rows = []
    for _ in range(size):
        ids = [rng.randrange(len(SPECIAL), len(tokenizer)) for _ in range(rng.randint(4, 12))]
        learned = [0] * (len(ids) + 2) + [1] * (len(ids) + 1)
        rows.append({"input_ids": [opening, *ids, close, *ids, close], "assistant_masks": learned})
    return rows


def training_examples(tokenizer, seed: int) -> list[dict]:
    """Filas de `ROW` tokens con conversaciones de todos los formatos y copias, para `TRAINING_STEPS` pasos."""
    size = int(TRAINING_STEPS * BATCH * PER_ROW)
    examples = encode(tokenizer, conversations(size, seed)) + copies(tokenizer, int(size * COPIES), seed)
    random.Random(seed).shuffle(examples)
    groups = (examples[start : start + 1000] for start in range(0, len(examples), 1000))
    return [row for group in groups for row in pack_masked(group, ROW)]


def build_model(tokenizer, seed: int = 0) -> LlamaForCausalLM:
    """Un modelo con pesos al azar al que antes de nada se le enseña a copiar, unos minutos.

    Es la primera fase, no guarda puntos de control: al reanudar se repite igual.
    """
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=144, intermediate_size=400, num_hidden_layers=4,
        num_attention_heads=4, max_position_embeddings=512, tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id, bos_token_id=None))  # fmt: skip
    examples = copies(tokenizer, COPY_STEPS * 32, seed)
    train(
        model, examples, CompletionLM(tokenizer.pad_token_id), steps=COPY_STEPS, batch_size=32, seed=seed,
        optimizer=optimizer(model), warmup=50, description="mini-razona, copiar",
    )  # fmt: skip
    return model


if __name__ == "__main__":
    for messages in conversations(12, 0):
        print(render_chat(messages), "\n")
