"""Una caché del hub con réplicas diminutas y al azar: la escala `gpu` se prueba sin red y en CPU.

Cada réplica tiene el mismo identificador, la misma clase, el mismo tipo de tokenizador y los mismos archivos
que el modelo real; DialogSum, las mismas columnas e ids. No imitan su calidad: lo que generan no dice nada.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path

import sentencepiece
import tokenizers
import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

NAMES = ("Ana", "Tom", "Lucy", "Mark", "Sara", "Paul", "Rose", "Jack")
THINGS = (
    "the train to Boston",
    "a room with a view",
    "his broken phone",
    "the budget meeting",
    "her new bicycle",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def build_hub(home: Path, train: int = 80, validation: int = 20, test: int = 20) -> Path:
    """Escribe en `home` (será `HF_HOME`) la caché del hub con todas las réplicas, y devuelve `home`."""
    torch.manual_seed(0)
    texts = [row["dialogue"] + "\n" + row["summary"] for row in dialogue_rows(0, 60)]
    pieces = _sentencepiece(texts)
    flan = _snapshot(home, "google/flan-t5-base")
    tokenizer = _t5_tokenizer(flan, pieces)
    tokenizer.save_pretrained(flan)
    _t5_model(tokenizer).save_pretrained(flan)
    # t5-v1_1-base no publica ni tokenizer.json ni safetensors.
    v11 = _snapshot(home, "google/t5-v1_1-base")
    tokenizer = _t5_tokenizer(v11, pieces)
    model = _t5_model(tokenizer)
    model.config.save_pretrained(v11)
    torch.save(model.state_dict(), v11 / "pytorch_model.bin")
    for repo, tokenizer_class, config_class, model_class in (
        ("Qwen/Qwen2.5-0.5B-Instruct", "Qwen2Tokenizer", "Qwen2Config", "Qwen2ForCausalLM"),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "GPT2Tokenizer", "LlamaConfig", "LlamaForCausalLM"),
    ):
        tokenizer = _bpe_tokenizer(texts, tokenizer_class)
        _save(home, repo, tokenizer, _causal_model(tokenizer, config_class, model_class))
    tokenizer = _wordpiece_tokenizer(texts)
    _save(home, "dccuchile/bert-base-spanish-wwm-cased", tokenizer, _bert_model(tokenizer))
    dialogsum = _snapshot(home, "knkarthick/dialogsum", kind="datasets")
    for split, start, count in (("train", 0, train), ("validation", 1000, validation), ("test", 2000, test)):
        _write_csv(dialogsum / f"{split}.csv", split, dialogue_rows(start, count))
    return home


def dialogue_rows(start: int, count: int) -> list[dict[str, str]]:
    """Diálogos en inglés con el aspecto de DialogSum, todos distintos y sin azar."""
    rows = []
    for n in range(start, start + count):
        name, thing, day, hour = NAMES[n % 8], THINGS[n // 8 % 5], DAYS[n // 40 % 6], 1 + n % 12
        rows.append(
            {
                "dialogue": f"#Person1#: Hi, {name}, can you help me with {thing}?\n"
                f"#Person2#: Sure. Is {day} at {hour} fine for you, number {n}?\n#Person1#: Yes, thank you.",
                "summary": f"#Person1# asks {name} for help with {thing}. They will meet on {day} at {hour}.",
                "topic": f"help with {thing}",
            }
        )
    return rows


def _write_csv(path: Path, split: str, rows: Iterable[dict[str, str]]) -> None:
    """Escribe un trozo; en test cada diálogo ocupa tres filas, `test_N_1`, `test_N_2` y `test_N_3`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "dialogue", "summary", "topic"])
        writer.writeheader()
        for n, row in enumerate(rows):
            if split != "test":
                writer.writerow({"id": f"{split}_{n}", **row})
                continue
            for k, start in enumerate(("", "In short, ", "In the dialogue, "), start=1):
                writer.writerow({"id": f"test_{n}_{k}", **row, "summary": start + row["summary"]})


def _snapshot(home: Path, repo: str, kind: str = "models") -> Path:
    """Crea la carpeta de un commit inventado y la referencia `main` que lleva a él."""
    commit = hashlib.sha1(repo.encode()).hexdigest()
    base = home / "hub" / f"{kind}--{repo.replace('/', '--')}"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text(commit)
    folder = base / "snapshots" / commit
    folder.mkdir(parents=True)
    return folder


def _save(home: Path, repo: str, tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> None:
    folder = _snapshot(home, repo)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def _sentencepiece(texts: list[str]) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(line for text in texts for line in text.split("\n")),
        model_writer=model, vocab_size=200, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, hard_vocab_limit=False,
        num_threads=1, minloglevel=2,
    )  # fmt: skip
    return model.getvalue()


def _t5_tokenizer(folder: Path, pieces: bytes) -> PreTrainedTokenizerBase:
    (folder / "spiece.model").write_bytes(pieces)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "T5Tokenizer", "extra_ids": 100}')
    (folder / "config.json").write_text('{"model_type": "t5"}')  # AutoTokenizer lo mira; luego se reescribe
    return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)


def _t5_model(tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    config = transformers.T5Config(
        vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, dropout_rate=0.1,
        feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0,
    )  # fmt: skip
    return transformers.T5ForConditionalGeneration(config)


def _bpe_tokenizer(texts: list[str], class_name: str) -> PreTrainedTokenizerBase:
    trained = tokenizers.ByteLevelBPETokenizer()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trained.train_from_iterator(texts, vocab_size=500, special_tokens=special, show_progress=False)
    state = json.loads(trained.to_str())["model"]
    tokenizer = getattr(transformers, class_name)(
        vocab=state["vocab"], merges=[tuple(pair) for pair in state["merges"]], eos_token="<|im_end|>",
        pad_token="<|endoftext|>", unk_token="<|endoftext|>", extra_special_tokens=["<|im_start|>"],
    )  # fmt: skip
    tokenizer.chat_template = CHATML
    return tokenizer


def _causal_model(tokenizer: PreTrainedTokenizerBase, config_class: str, model_class: str) -> PreTrainedModel:
    config = getattr(transformers, config_class)(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=8192, tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, bos_token_id=None,
    )  # fmt: skip
    return getattr(transformers, model_class)(config)


def _wordpiece_tokenizer(texts: list[str]) -> PreTrainedTokenizerBase:
    trained = tokenizers.BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    trained.train_from_iterator(texts, vocab_size=400, show_progress=False)
    return transformers.BertTokenizer(vocab=trained.get_vocab(), do_lower_case=False, strip_accents=False)


def _bert_model(tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return transformers.BertForMaskedLM(config)
