"""The shipped model file: it is the one its manifest describes, and it ranks as the float32 original does."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mcp_memory.embedding import model_files
from mcp_memory.embedding.model_files import SHIPPED_MODEL, find_model
from mcp_memory.embedding.onnx_embedder import OnnxEmbedder
from mcp_memory.errors import ModelUnavailable

DATA = Path(__file__).parent / "data"


def ranks(similarities: np.ndarray) -> np.ndarray:
    return similarities.argsort(axis=1).argsort(axis=1).astype(float)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A model folder of our own, to damage."""
    folder = tmp_path / "model"
    folder.mkdir()
    for path in find_model().folder.iterdir():
        (shutil.copy if path.name == "manifest.json" else _link)(path, folder / path.name)
    return folder


def _link(source: Path, target: Path) -> None:
    target.symlink_to(source)


def test_the_shipped_files_are_the_ones_the_manifest_describes() -> None:
    files = find_model()
    assert files.space == "local:all-minilm-l6-v2-int8:384"
    assert set(files.files) == {"model.onnx", "tokenizer.json", "LICENSE"}
    assert files.problems() == []


def test_the_shipped_model_reproduces_the_float32_ranking() -> None:
    texts = json.loads((DATA / "texts.json").read_text(encoding="utf-8"))
    reference = np.load(DATA / "reference.npy")
    vectors = OnnxEmbedder(find_model()).embed(texts["documents"] + texts["queries"])
    cosines = (vectors * reference).sum(axis=1)
    assert cosines.min() > 0.98
    assert cosines.mean() > 0.99
    split = len(texts["documents"])
    ours, theirs = vectors[split:] @ vectors[:split].T, reference[split:] @ reference[:split].T
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).all()
    spearman = [np.corrcoef(a, b)[0, 1] for a, b in zip(ranks(ours), ranks(theirs), strict=True)]
    assert min(spearman) > 0.95
    assert np.mean(spearman) > 0.975


def test_of_a_long_text_the_first_tokens_count() -> None:
    embedder = OnnxEmbedder(find_model())
    head = "the parser fails on two-digit years " * 60
    np.testing.assert_array_equal(embedder.embed([head + "one end"]), embedder.embed([head + "quite another end"]))


def test_an_installed_wheel_keeps_the_model_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "mcp_memory"
    (package / "models").mkdir(parents=True)
    (package / "models" / SHIPPED_MODEL).symlink_to(find_model().folder, target_is_directory=True)
    monkeypatch.setattr(model_files, "_PACKAGE", package)
    assert find_model().folder == package / "models" / SHIPPED_MODEL


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"no readable manifest\.json"):
        find_model(str(tmp_path))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": {}, "dimension": 4, "max_tokens": 8, "model_id": "x"}'])
def test_a_malformed_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ModelUnavailable, match="malformed"):
        find_model(str(tmp_path))


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "tokenizer.json").unlink()
    with pytest.raises(ModelUnavailable, match=r"tokenizer\.json is missing"):
        OnnxEmbedder(find_model(str(copy)))


def test_a_file_cut_short_is_refused_before_it_is_read(copy: Path) -> None:
    body = (copy / "model.onnx").read_bytes()
    (copy / "model.onnx").unlink()
    (copy / "model.onnx").write_bytes(body[:-1])
    with pytest.raises(ModelUnavailable, match="has 23480972 bytes"):
        OnnxEmbedder(find_model(str(copy)))
    assert "has 23480972 bytes" in find_model(str(copy)).problems()[0]


def test_a_damaged_file_of_the_right_size_is_refused_and_found_by_its_hash(copy: Path) -> None:
    size = (copy / "model.onnx").stat().st_size
    (copy / "model.onnx").unlink()
    (copy / "model.onnx").write_bytes(b"\0" * size)
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        OnnxEmbedder(find_model(str(copy)))
    assert "is not the one its manifest describes" in find_model(str(copy)).problems()[0]


def test_a_model_of_another_dimension_than_its_manifest_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"dimension": 768}))
    with pytest.raises(ModelUnavailable, match=r"shape \(384,\)"):
        OnnxEmbedder(find_model(str(copy)))
