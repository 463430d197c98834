"""Plantillas de chat: de una conversación por turnos al texto que lee el modelo, y qué tokens se aprenden.

Cuatro formatos: ChatML, Alpaca, Llama 2 y Llama 3. Cada uno escribe la conversación como una lista de trozos y dice
cuáles son del asistente; `apply_chat_template` la tokeniza y devuelve la máscara. Cada formato trae además su plantilla
Jinja, la misma para `tokenizer.apply_chat_template` de transformers: los dos caminos dan los mismos ids y máscaras.

Lo que NO hace: herramientas, imágenes, ni recortar los espacios de los mensajes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Message = Mapping[str, str]


@dataclass(frozen=True)
class Piece:
    """Un trozo del texto; `learned` si lo escribe el asistente y cuenta en la pérdida."""

    text: str
    learned: bool = False


@dataclass(frozen=True)
class ChatFormat:
    """Un formato de chat.

    `write(mensajes, bos, eos)` da los trozos; `opening` es lo que se añade para que el modelo conteste; `control`, las
    marcas que un mensaje no puede llevar dentro; `jinja`, la misma plantilla para transformers.
    """

    name: str
    write: Callable[[Sequence[Message], str, str], list[Piece]]
    opening: str
    control: tuple[str, ...]
    jinja: str


def _chatml(messages: Sequence[Message], bos: str, eos: str) -> list[Piece]:
    pieces = []
    for message in messages:
        pieces.append(Piece(f"<|im_start|>{message['role']}\n"))
        pieces.append(Piece(f"{message['content']}<|im_end|>", learned=message["role"] == "assistant"))
        pieces.append(Piece("\n"))
    return pieces


def _llama3(messages: Sequence[Message], bos: str, eos: str) -> list[Piece]:
    pieces = [Piece("<|begin_of_text|>")]
    for message in messages:
        pieces.append(Piece(f"<|start_header_id|>{message['role']}<|end_header_id|>\n\n"))
        pieces.append(Piece(f"{message['content']}<|eot_id|>", learned=message["role"] == "assistant"))
    return pieces


def _llama2(messages: Sequence[Message], bos: str, eos: str) -> list[Piece]:
    pieces, system = [], ""
    for message in messages:
        content = message["content"]
        if message["role"] == "system":  # va dentro del primer turno del usuario
            system = f"<<SYS>>\n{content}\n<</SYS>>\n\n"
        elif message["role"] == "user":
            pieces.append(Piece(f"{bos}[INST] {system}{content} [/INST]"))
            system = ""
        else:
            pieces.append(Piece(f" {content} {eos}", learned=True))
    return pieces


ALPACA_PREAMBLE = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request."
)


def _alpaca(messages: Sequence[Message], bos: str, eos: str) -> list[Piece]:
    has_system = messages[0]["role"] == "system"
    pieces = [Piece(messages[0]["content"] if has_system else ALPACA_PREAMBLE)]
    for message in messages[has_system:]:
        if message["role"] == "user":
            pieces.append(Piece(f"\n\n### Instruction:\n{message['content']}"))
        else:
            pieces += [Piece("\n\n### Response:\n"), Piece(f"{message['content']}{eos}", learned=True)]
    return pieces


CHATML = ChatFormat(
    "ChatML",
    _chatml,
    opening="<|im_start|>assistant\n",
    control=("<|im_start|>", "<|im_end|>"),
    jinja=(
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}"
        "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}"
        "{% else %}{{ m['content'] + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    ),
)
LLAMA3 = ChatFormat(
    "Llama 3",
    _llama3,
    opening="<|start_header_id|>assistant<|end_header_id|>\n\n",
    control=("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    jinja=(
        "{{ '<|begin_of_text|>' }}{% for m in messages %}"
        "{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' }}"
        "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] + '<|eot_id|>' }}{% endgeneration %}"
        "{% else %}{{ m['content'] + '<|eot_id|>' }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
    ),
)
LLAMA2 = ChatFormat(
    "Llama 2",
    _llama2,
    opening="",
    control=("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),
    jinja=(
        "{% set ns = namespace(system='') %}{% for m in messages %}{% if m['role'] == 'system' %}"
        "{% set ns.system = '<<SYS>>\\n' + m['content'] + '\\n<</SYS>>\\n\\n' %}{% elif m['role'] == 'user' %}"
        "{{ (bos_token or '') + '[INST] ' + ns.system + m['content'] + ' [/INST]' }}{% set ns.system = '' %}{% else %}"
        "{% generation %}{{ ' ' + m['content'] + ' ' + (eos_token or '') }}{% endgeneration %}{% endif %}{% endfor %}"
    ),
)
#: El original acaba en «### Response:»; el salto de línea es la variante que usan casi todas las bibliotecas.
ALPACA = ChatFormat(
    "Alpaca",
    _alpaca,
    opening="\n\n### Response:\n",
    control=("### Instruction:", "### Response:"),
    jinja=(
        f"{{% if messages[0]['role'] != 'system' %}}{{{{ '{ALPACA_PREAMBLE}' }}}}{{% endif %}}"
        "{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] }}{% elif m['role'] == 'user' %}"
        "{{ '\\n\\n### Instruction:\\n' + m['content'] }}{% else %}{{ '\\n\\n### Response:\\n' }}"
        "{% generation %}{{ m['content'] + (eos_token or '') }}{% endgeneration %}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '\\n\\n### Response:\\n' }}{% endif %}"
    ),
)
FORMATS = {chat.name: chat for chat in (CHATML, ALPACA, LLAMA2, LLAMA3)}
#: El principio y el fin en casi todos los vocabularios: ningún mensaje los lleva, aunque el formato no los escriba.
BOUNDARIES = ("<s>", "</s>")


def render_chat(
    messages: Sequence[Message],
    chat: ChatFormat = CHATML,
    *,
    bos: str = "<s>",
    eos: str = "</s>",
    add_generation_prompt: bool = False,
) -> str:
    """La conversación como texto. Con `add_generation_prompt` acaba donde el modelo tiene que empezar a contestar.

    Errores: los de `chat_pieces`. De un texto no se sabe con qué vocabulario se leerá; quien tenga el tokenizador debe
    usar `apply_chat_template`, que niega también sus demás tokens especiales.

    >>> render_chat([{"role": "user", "content": "Hola"}], CHATML, add_generation_prompt=True)
    '<|im_start|>user\\nHola<|im_end|>\\n<|im_start|>assistant\\n'
    """
    return "".join(piece.text for piece in chat_pieces(messages, chat, bos, eos, add_generation_prompt))


def chat_pieces(
    messages: Sequence[Message],
    chat: ChatFormat,
    bos: str,
    eos: str,
    add_generation_prompt: bool = False,
    special: Sequence[str] = (),
) -> list[Piece]:
    """Los trozos de una conversación comprobada. `special`, los tokens especiales de quien la va a leer.

    ValueError si no empieza por el usuario (tras un `system` opcional), si los turnos no se alternan, si un mensaje
    está vacío o si lleva dentro una marca del formato, una de `BOUNDARIES` o un token especial: el modelo los tomaría
    por un cambio de turno o por el final.
    """
    forbidden = (*chat.control, bos, eos, *BOUNDARIES, *special)
    turns = [m["role"] for m in messages if m["role"] != "system"]
    if not turns or any(m["role"] == "system" for m in messages[1:]):
        raise ValueError("Hace falta un turno de usuario, y el mensaje «system» solo puede ir el primero.")
    if any(role != ("user", "assistant")[i % 2] for i, role in enumerate(turns)):
        raise ValueError(f"Los turnos se alternan y empieza «user»; llegaron: {', '.join(turns)}.")
    if add_generation_prompt and turns[-1] == "assistant":
        raise ValueError("Con add_generation_prompt el último turno es del usuario: quita la respuesta.")
    for message in messages:
        if not message["content"].strip():
            raise ValueError(f"Hay un mensaje vacío de «{message['role']}»: quítalo o complétalo.")
        for mark in forbidden:
            if mark and mark in message["content"]:
                raise ValueError(f"Un mensaje de «{message['role']}» lleva dentro la marca {mark}: quítala antes.")
    pieces = chat.write(messages, bos, eos)
    return [*pieces, Piece(chat.opening)] if add_generation_prompt else pieces


def apply_chat_template(
    tokenizer, messages: Sequence[Message], chat: ChatFormat = CHATML, *, add_generation_prompt: bool = False
) -> dict[str, list[int]]:
    """La conversación en tokens: {"input_ids", "assistant_masks"}, con un 1 en lo que escribe el asistente.

    El texto se tokeniza **entero** y la máscara sale de las posiciones: por trozos, los tokens de las fronteras serían
    otros. Lo aprendido incluye la marca de fin de turno, para que el modelo sepa callarse. Los ids y la máscara son los
    de `tokenizer.apply_chat_template(..., return_assistant_tokens_mask=True)` con `chat.jinja`. Las marcas que no estén
    en el vocabulario se parten en muchos tokens: añádelas con `tokenizer.add_special_tokens`.

    Errores: los de `chat_pieces`, y ValueError si el tokenizador no da posiciones (los lentos).
    """
    if not tokenizer.is_fast:
        raise ValueError("Este tokenizador no da las posiciones de sus tokens: carga el rápido (use_fast=True).")
    special = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
    bos, eos = tokenizer.bos_token or "", tokenizer.eos_token or ""
    pieces = chat_pieces(messages, chat, bos, eos, add_generation_prompt, special)
    text = "".join(piece.text for piece in pieces)
    learned, position = [False] * len(text), 0
    for piece in pieces:
        learned[position : position + len(piece.text)] = [piece.learned] * len(piece.text)
        position += len(piece.text)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    masks = [int(any(learned[start:end])) for start, end in encoded["offset_mapping"]]
    return {"input_ids": encoded["input_ids"], "assistant_masks": masks}
