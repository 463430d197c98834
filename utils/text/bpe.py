"""Un tokenizador BPE de bytes: de texto a ids y de ids a texto, para cualquier cadena Unicode.

Codificar son tres pasos: apartar los tokens especiales, partir el resto en «palabras» con la expresión regular de
GPT-2 y, dentro de cada palabra, fundir parejas de bytes en el orden en que se aprendieron. Los ids van así: primero
los especiales, después los 256 bytes en el orden de GPT-2 y al final un id por fusión. Da los mismos ids que
`tokenizers` con `BPE` y `ByteLevel(add_prefix_space=False)`. No aprende las fusiones (eso es `utils.text.bpe_train`),
no normaliza el texto y no añade tokens de principio ni de fin. Fuentes: Sennrich et al. (2016), «Neural Machine
Translation of Rare Words with Subword Units»; la versión de bytes, Radford et al. (2019), sección 2.2.
"""

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import regex

from utils.text.pretokenize import WORDS, byte_symbols, check_text

# Para saber dónde acaba una palabra hay que ver, como mucho, dos caracteres más allá: «'» puede ser «'re».
_LOOKAHEAD = 2
_CACHE_SIZE, _CACHE_WORD = 1 << 15, 64
_FORMAT = "bpe-de-bytes-1"


class ByteBPE:
    """Un vocabulario de bytes y fusiones, y los tokens especiales que se respetan enteros.

    `merges` son parejas de ids, en el orden en que se aprendieron: cada una crea el id siguiente (o repite el de un
    token con los mismos bytes). `special_tokens` ocupan los primeros ids y no se parten nunca; si uno contiene a
    otro, gana el más largo. ValueError si un especial está vacío o repetido, o si una fusión usa un id que aún no
    existe.

    >>> bpe = ByteBPE(merges=[(79, 68)], special_tokens=["<fin>"])  # con un especial, «n» es el 78 y «o», el 79
    >>> bpe.encode("on<fin>"), bpe.decode([79, 78, 0])
    ([79, 78, 0], 'on<fin>')
    """

    def __init__(self, merges: Iterable[tuple[int, int]] = (), special_tokens: Sequence[str] = ()) -> None:
        self.special_tokens = tuple(special_tokens)
        for token in self.special_tokens:
            if not check_text(token):
                raise ValueError("Hay un token especial vacío: todos los textos lo contendrían; quítalo.")
        if len(set(self.special_tokens)) < len(self.special_tokens):
            raise ValueError(f"Hay tokens especiales repetidos en {list(self.special_tokens)}: deja uno de cada.")
        first = len(self.special_tokens)
        self.byte_ids = {byte: first + i for i, byte in enumerate(byte_symbols())}
        #: De id a bytes; un especial, en UTF-8.
        self.vocabulary = [token.encode() for token in self.special_tokens] + [bytes([b]) for b in self.byte_ids]
        self._ids = {token: first + i for i, token in enumerate(self.vocabulary[first:])}
        self._special_ids = {token: i for i, token in enumerate(self.special_tokens)}
        self._cache: dict[str, list[int]] = {}
        #: De pareja a (rango, id nuevo): cuanto menor es el rango, antes se funde.
        self.ranks: dict[tuple[int, int], tuple[int, int]] = {}
        for pair in merges:
            self.add_merge(*pair)
        # Una alternativa toma la primera opción que encaja: con las largas delante gana la más larga.
        ordered = sorted(self.special_tokens, key=len, reverse=True)
        self._special = regex.compile("|".join(map(regex.escape, ordered))) if ordered else None

    def add_merge(self, left: int, right: int) -> int:
        """Añade la fusión de dos tokens al final de la lista y devuelve el id del resultado."""
        first, size = len(self.special_tokens), len(self.vocabulary)
        if not (first <= left < size and first <= right < size):
            raise ValueError(f"La fusión ({left}, {right}) usa un id que no es de bytes: van de {first} a {size - 1}.")
        token = self.vocabulary[left] + self.vocabulary[right]
        new = self._ids.setdefault(token, size)
        if new == size:
            self.vocabulary.append(token)
        self.ranks[left, right] = (len(self.ranks), new)
        self._cache.clear()  # lo codificado hasta ahora no conocía esta fusión
        return new

    def __len__(self) -> int:
        """El tamaño del vocabulario, V."""
        return len(self.vocabulary)

    @property
    def merges(self) -> list[tuple[int, int]]:
        """Las fusiones, en su orden."""
        return sorted(self.ranks, key=self.ranks.get)

    def token_id(self, token: str) -> int:
        """El id de un token, especial o no; ValueError si no está en el vocabulario."""
        found = self._special_ids.get(check_text(token), self._ids.get(token.encode()))
        if found is None:
            raise ValueError(f"«{token}» no es un token de este vocabulario: codifícalo con encode() y serán varios.")
        return found

    def encode(self, text: str, special: bool = True) -> list[int]:
        """Los ids de un texto; el texto vacío da la lista vacía.

        Con `special=False`, los tokens especiales escritos en el texto se tratan como texto corriente: es lo que
        hace falta con lo que escribe un usuario, que si no podría fingir el final de su turno.
        """
        return [i for _, _, ids in self._pieces(check_text(text), special) for i in ids]

    def pieces(self, text: str) -> list[str]:
        """Los trozos en que queda un texto, para leerlos; los bytes sueltos de un carácter partido, como «\\xc3»."""
        return [self.vocabulary[i].decode("utf-8", "backslashreplace") for i in self.encode(text)]

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """El texto de unos ids; deshace `encode` exactamente.

        Unos ids cortados en medio de un carácter dan «�» al final. ValueError si un id no existe.
        """
        parts = []
        for i in map(int, ids):
            if not 0 <= i < len(self):
                raise ValueError(
                    f"El id {i} no existe: este vocabulario va de 0 a {len(self) - 1}. ¿Es de otro modelo?"
                )
            if not (skip_special and i < len(self.special_tokens)):
                parts.append(self.vocabulary[i])
        return b"".join(parts).decode("utf-8", "replace")

    def encode_stream(self, chunks: Iterable[str]) -> Iterator[int]:
        """Los ids de un texto que llega a trozos, los mismos que daría `encode` con el texto entero.

        Guarda solo lo que aún no se puede decidir: la palabra del final y un posible especial a medias. No vuelve a
        mirarlo hasta que ha crecido al doble, y así cada carácter se lee, de media, dos veces como mucho aunque una
        «palabra» ocupe mil trozos. La memoria no depende de la longitud del texto, salvo por una «palabra» sin fin.
        """
        hold = _LOOKAHEAD + max(map(len, self.special_tokens), default=0)
        waiting, size, enough = [""], 0, 0
        for chunk in chunks:
            waiting.append(check_text(chunk))
            size += len(chunk)
            if size < enough:
                continue
            pending, done = "".join(waiting), 0
            for _, end, ids in self._pieces(pending):
                if end > size - hold:
                    break
                yield from ids
                done = end
            waiting, size = [pending[done:]], size - done
            enough = 2 * size
        yield from self.encode("".join(waiting))

    def encode_file(self, path: str | Path, chunk_chars: int = 1 << 16) -> Iterator[int]:
        """Los ids de un archivo UTF-8, que no se carga entero; ValueError si no es UTF-8.

        Los saltos de línea se respetan tal como están, también «\\r\\n».
        """
        if chunk_chars < 1:
            raise ValueError(f"chunk_chars es {chunk_chars}: cada trozo debe tener al menos un carácter.")
        with open(path, encoding="utf-8", newline="") as file:
            try:
                yield from self.encode_stream(iter(lambda: file.read(chunk_chars), ""))
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{Path(path).name} no es UTF-8 (byte {error.object[error.start]:#04x}): conviértelo antes, "
                    "por ejemplo con `iconv -f latin1 -t utf8`."
                ) from None

    def save(self, path: str | Path) -> None:
        """Guarda el tokenizador como JSON legible: los especiales y una línea por fusión, con los símbolos de GPT-2."""
        symbols = byte_symbols()
        written = ["".join(symbols[byte] for byte in token) for token in self.vocabulary]
        data = {
            "format": _FORMAT,
            "special_tokens": list(self.special_tokens),
            "merges": [f"{written[a]} {written[b]}" for a, b in self.merges],
        }
        Path(path).write_text(json.dumps(data, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "ByteBPE":
        """Lee lo que escribió `save`; ValueError si el archivo está dañado o es de otro formato."""
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data.get("format") != _FORMAT:
            raise ValueError(f"{Path(path).name} no es un tokenizador guardado con `ByteBPE.save`: busca otro archivo.")
        bpe = cls(special_tokens=data["special_tokens"])
        back = {symbol: byte for byte, symbol in byte_symbols().items()}
        for line in data["merges"]:
            try:
                left, right = (bpe._ids[bytes(back[symbol] for symbol in side)] for side in line.split(" "))
            except (KeyError, ValueError):
                raise ValueError(
                    f"La fusión «{line}» de {Path(path).name} no se entiende: vuelve a guardarlo."
                ) from None
            bpe.add_merge(left, right)
        return bpe

    def _pieces(self, text: str, special: bool = True) -> Iterator[tuple[int, int, list[int]]]:
        """Cada palabra o especial de un texto: dónde empieza, dónde acaba y sus ids."""
        found = self._special.finditer(text) if self._special and special else ()
        start = 0
        for match in found:
            yield from self._plain(text[start : match.start()], start)
            start = match.end()
            yield match.start(), start, [self._special_ids[match.group()]]
        yield from self._plain(text[start:], start)

    def _plain(self, text: str, offset: int) -> Iterator[tuple[int, int, list[int]]]:
        for match in WORDS.finditer(text):
            word = match.group()
            ids = self._cache.get(word)
            if ids is None:
                ids = self._merge([self.byte_ids[byte] for byte in word.encode()])
                if len(word) <= _CACHE_WORD:  # las palabras se repiten; una ristra de un megabyte, no
                    if len(self._cache) >= _CACHE_SIZE:
                        self._cache.clear()
                    self._cache[word] = ids
            yield offset + match.start(), offset + match.end(), ids

    def _merge(self, ids: list[int]) -> list[int]:
        """Funde las parejas de una palabra, siempre la de menor rango y, si empatan, la de más a la izquierda.

        Una cola de prioridad guarda las parejas que se pueden fundir y una lista enlazada, quién sigue a quién: el
        coste es n log n aunque la palabra mida un megabyte. En la cola, rango y sitio van en un solo entero, que se
        compara el doble de deprisa que una tupla.
        """
        ranks, size = self.ranks, len(ids)
        before, after = list(range(-1, size - 1)), list(range(1, size + 1))
        queue = [ranks[pair][0] * size + i for i, pair in enumerate(pairwise(ids)) if pair in ranks]
        heapq.heapify(queue)
        while queue:
            rank, i = divmod(heapq.heappop(queue), size)
            j = after[i]
            if ids[i] < 0 or j >= size or (found := ranks.get((ids[i], ids[j]))) is None or found[0] != rank:
                continue  # alguno de los dos ya se fundió con otro
            ids[i], ids[j], after[i] = found[1], -1, after[j]
            if after[i] < size:
                before[after[i]] = i
            for a, b in ((before[i], i), (i, after[i])):
                if a >= 0 and b < size and (ids[a], ids[b]) in ranks:
                    heapq.heappush(queue, ranks[ids[a], ids[b]][0] * size + a)
        return [i for i in ids if i >= 0]
