"""Cargar por papel: lo que llega bien y cada entrada mala con su frase."""

import json

import pandas
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.course.conftest import example_row, write_rows
from utils.course import hub, hub_data
from utils.course.env import device
from utils.course.roles import ROLES, Role, find_role

MODELS = [role.name for role in ROLES.values() if role.kind != "data"]
MINIS = [name for name in MODELS if ROLES[name].mini]


@pytest.mark.parametrize("role", MINIS)
def test_mini_model_and_tokenizer(fake_root, role, capsys):
    model, tokenizer = hub.load_model(role), hub.load_tokenizer(role)
    assert not model.training and model.dtype == torch.float32 and model.device.type == device().type
    assert tokenizer.decode(tokenizer("Ana").input_ids)
    assert capsys.readouterr() == ("", "")  # ni barras de progreso ni avisos


@pytest.mark.replicas
@pytest.mark.parametrize("role", MODELS)
def test_gpu_code_path_on_replicas(replica_hub, role, capsys):
    model, tokenizer = hub.load_model(role), hub.load_tokenizer(role)
    inputs = tokenizer("Summarize: Ana calls Tom.", return_tensors="pt").to(model.device)
    if ROLES[role].kind == "encoder":
        assert torch.isfinite(model(**inputs).logits).all()
    else:
        model.generate(**inputs, max_new_tokens=3, do_sample=False)
    commit = hub.COMMITS[ROLES[role].gpu]
    out = capsys.readouterr().out
    assert len(commit) == 40 and out.count(commit[:12]) == 1 and "rama main" in out


@pytest.mark.replicas
def test_gpu_loads_the_weights_of_the_replica(replica_hub):
    """t5-v1_1 solo publica `pytorch_model.bin`: hay que llegar a él y cargarlo entero."""
    model = hub.load_model("seq2seq-base")
    saved = torch.load(next(replica_hub.glob("hub/models--google--t5-v1_1-base/snapshots/*/pytorch_model.bin")))
    assert all(torch.equal(value, model.state_dict()[name].cpu()) for name, value in saved.items())


@pytest.mark.replicas
def test_dialogsum_has_the_fields_of_our_data(replica_hub):
    data = hub.load_data("dialogues")
    assert {split: len(rows) for split, rows in data.items()} == {"train": 80, "validation": 20, "test": 20}
    for row in data["test"]:
        assert len(set(row["references"])) == 3 and row["summary"] == row["references"][0]
    assert data["test"][0]["id"] == "test_0"
    assert all({"id", "dialogue", "summary", "topic", "domain"} <= set(row) for rows in data.values() for row in rows)


def test_dialogsum_reads_parquet_too(tmp_path, replica_home):
    for path in replica_home.glob("hub/datasets--*/snapshots/*/*.csv"):
        pandas.read_csv(path).to_parquet(tmp_path / f"{path.stem}-00000-of-00001.parquet")
    assert hub_data.read_dialogsum(tmp_path)["test"][19]["id"] == "test_19"


def test_dialogsum_with_other_columns(tmp_path):
    pandas.DataFrame({"id": ["train_0"], "text": ["x"]}).to_csv(tmp_path / "train.csv")
    with pytest.raises(ValueError, match=r"le faltan columnas: dialogue, summary, topic"):
        hub_data.read_dialogsum(tmp_path)


def test_each_data_set_of_the_hub_is_read_by_its_own_reader(tmp_path, monkeypatch):
    """Dos papeles del hub, cada uno con sus archivos y su lector: antes, todo se leía como DialogSum."""
    (tmp_path / "parejas.jsonl").write_text(json.dumps({"a": "sí", "b": "no"}) + "\n", encoding="utf-8")

    def read(folder):
        rows = hub_data.read_jsonl(folder / "parejas.jsonl", ("a", "b"))
        return {"train": [{"chosen": row["a"], "rejected": row["b"]} for row in rows]}

    reader = hub_data.HubReader(("*.jsonl",), read)
    role = Role("pairs", "data", "data/parejas", "alguien/parejas", ("chosen", "rejected"), ("train",), reader)
    asked = []
    monkeypatch.setitem(ROLES, "pairs", role)
    monkeypatch.setattr(hub, "_download", lambda *args, **options: asked.append((*args, options)) or tmp_path)
    monkeypatch.setattr(hub, "scale", lambda: "gpu")
    assert hub.load_data("pairs") == {"train": [{"chosen": "sí", "rejected": "no"}]}
    pandas.DataFrame({name: ["x"] for name in hub_data.DIALOGUE_FIELDS}).to_csv(tmp_path / "train.csv")
    with pytest.raises(FileNotFoundError, match="DialogSum no trae ningún archivo de «validation»"):
        hub.load_data("dialogues")
    assert [files for _, files, _ in asked] == [["*.jsonl"], ["*.csv", "*.parquet"]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gpu": "alguien/parejas"}, "debe llevar lector si está en el hub"),
        ({"reader": hub_data.DIALOGSUM}, "y solo entonces"),
        ({"fields": ()}, "su carpeta y sus campos"),
        ({"mini": None}, "su carpeta y sus campos"),
    ],
)
def test_a_data_role_says_all_that_reading_it_needs(changes, message):
    whole = {"name": "pairs", "kind": "data", "mini": "data/parejas", "gpu": None, "fields": ("a",)}
    assert Role(**whole).reader is None
    with pytest.raises(ValueError, match=f"«pairs» .*{message}"):
        Role(**whole | changes)


@pytest.mark.replicas
def test_instructions_come_from_the_repository_at_both_scales(fake_root, monkeypatch):
    mini = hub.load_data("instructions")
    monkeypatch.setenv("CURSO_ESCALA", "gpu")
    assert hub.load_data("instructions") == mini


@pytest.mark.parametrize("role", ["dialogues", "instructions"])
def test_real_data_is_complete(role, monkeypatch):
    monkeypatch.setenv("CURSO_ESCALA", "mini")
    data = hub.load_data(role)
    assert list(data) == ["train", "validation", "test"] and len(data["test"]) >= 300
    if role == "dialogues":
        assert all(row["references"][0] == row["summary"] and len(row["references"]) == 3 for row in data["test"])


@pytest.mark.parametrize("role", MINIS)
def test_real_minis_load(role, monkeypatch):
    monkeypatch.setenv("CURSO_ESCALA", "mini")
    model, tokenizer = hub.load_model(role), hub.load_tokenizer(role)
    assert len(tokenizer) <= model.config.vocab_size


def test_unknown_role_suggests_the_nearest():
    with pytest.raises(ValueError, match=r"«seq2sec»\. ¿Querías decir «seq2seq»\? Los válidos son: seq2seq, "):
        hub.load_model("seq2sec")
    with pytest.raises(ValueError, match=r"Los válidos son: dialogues, instructions"):
        hub.load_data("xyz")


def test_role_of_the_other_kind():
    with pytest.raises(ValueError, match=r'no es de modelo: pídelo con `load_data\("dialogues"\)`'):
        hub.load_model("dialogues")
    with pytest.raises(ValueError, match=r'no es de datos: pídelo con `load_model\("causal"\)`'):
        hub.load_data("causal")


@given(st.text())
def test_any_other_name_is_a_sentence(name):
    if name not in ROLES:
        with pytest.raises(ValueError, match="No hay ningún papel"):
            find_role(name, data=False)


def test_missing_model_folder(fake_root, monkeypatch):
    monkeypatch.setattr(hub, "repo_root", lambda: fake_root / "vacía")
    with pytest.raises(FileNotFoundError, match=r"Falta la carpeta models/mini-gpt.*`make models`"):
        hub.load_model("causal")


def test_missing_weights(fake_root):
    (fake_root / "models/mini-gpt/model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"Falta model.safetensors en models/mini-gpt"):
        hub.load_model("causal")
    hub.load_tokenizer("causal")  # el tokenizador no necesita los pesos


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (truncate, "está truncado o dañado"),
        (lambda data: b"", "truncado o no es un archivo safetensors"),
        (lambda data: data[:5], "truncado o no es un archivo safetensors"),
        (lambda data: b"\xff" * 8 + data[8:], "truncado o no es un archivo safetensors"),
        (lambda data: data[:8] + b"}" + data[9:], "la cabecera dañada"),
        (lambda data: (2).to_bytes(8, "little") + b"[]" + data, "la cabecera dañada"),
        (
            lambda data: b"version https://git-lfs.github.com/spec/v1\n",
            "truncado o no es un archivo safetensors",
        ),
        (lambda data: data + b"x", "está truncado o dañado"),
    ],
)
def test_corrupt_safetensors(fake_root, damage, sentence):
    path = fake_root / "models/mini-gpt/model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=rf"mini-gpt/model.safetensors .*{sentence}.*`make models`"):
        hub.load_model("causal")


@given(cut=st.integers(min_value=0))
def test_any_truncation_is_noticed(tmp_path_factory, cut):
    from safetensors.torch import save

    data = save({"w": torch.zeros(3)})
    path = tmp_path_factory.mktemp("x") / "model.safetensors"
    path.write_bytes(data[: cut % len(data)])
    with pytest.raises(ValueError, match="truncado"):
        hub.check_safetensors(path)


def test_missing_data(fake_root):
    (fake_root / "data/dialogos/test.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match=r"Faltan los datos data/dialogos \(test.jsonl\).*`make data`"):
        hub.load_data("dialogues")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"id": "9", "dialogue": "Ana: ho', r"línea 4: no es JSON válido \(columna 33\)"),
        ("", "línea 4: no es JSON válido"),
        ("[1, 2]", "línea 4: se esperaba un objeto"),
        (
            json.dumps(example_row("dialogues", 9) | {"dialogue": "  "}),
            "línea 4: el campo «dialogue» falta o está vacío",
        ),
        (json.dumps({"id": "9"}), "línea 4: el campo «dialogue» falta"),
        (json.dumps(example_row("dialogues", 9) | {"summary": 3}), "línea 4: el campo «summary» falta"),
    ],
)
def test_broken_line_says_file_and_number(fake_root, line, sentence):
    path = fake_root / "data/dialogos/train.jsonl"
    path.write_text(path.read_text() + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"^data/dialogos/train.jsonl, {sentence}.*`make data`"):
        hub.load_data("dialogues")


def test_latin1_and_empty_files(fake_root):
    path = fake_root / "data/dialogos/train.jsonl"
    path.write_bytes('{"id": "año"}\n'.encode("latin-1"))
    with pytest.raises(ValueError, match="línea 1: no es UTF-8"):
        hub.load_data("dialogues")
    write_rows(path, [])
    with pytest.raises(ValueError, match=r"train\.jsonl está vacío"):
        hub.load_data("dialogues")


@pytest.mark.replicas
def test_hub_without_the_repository_nor_network(replica_hub, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConnectionError, match=r"No se llega al hub.*teléfono.*CURSO_ESCALA=mini"):
        hub.load_model("seq2seq")


@pytest.mark.replicas
def test_hub_that_does_not_answer(replica_hub, tmp_path, monkeypatch):
    """De verdad contra un puerto cerrado: el error de red llega como frase."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ConnectionError, match=r"(No se llega al hub|El hub no entregó).*CURSO_ESCALA=mini"):
        hub.load_tokenizer("seq2seq")
