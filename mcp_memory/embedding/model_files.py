"""Where the local model's files are, and whether they are what their manifest says. Reads JSON only: nothing heavy is imported."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_memory.errors import ModelUnavailable
from mcp_memory.user_data import expanded

SHIPPED_MODEL = "all-minilm-l6-v2-int8"
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model folder, described by its manifest.json."""

    folder: Path
    model_id: str
    dimension: int
    max_tokens: int
    files: Mapping[str, tuple[int, str]]  # name -> (size in bytes, sha256)
    space: str  # of its vectors

    def check_sizes(self) -> None:
        """Raise ModelUnavailable when a file is absent or cut short. Costs microseconds, so it is done at every load."""
        for name, (size_bytes, _) in self.files.items():
            path = self.folder / name
            if not path.is_file():
                raise ModelUnavailable(f"the model file {path} is missing")
            if path.stat().st_size != size_bytes:
                raise ModelUnavailable(f"the model file {path} has {path.stat().st_size} bytes, its manifest says {size_bytes}")

    def problems(self) -> list[str]:
        """Compare sizes and SHA-256 with the manifest and return what differs. Reads everything: tens of milliseconds."""
        try:
            self.check_sizes()
        except ModelUnavailable as error:
            return [error.message]
        differing = (name for name, (_, sha256) in self.files.items() if _sha256(self.folder / name) != sha256)
        return [f"the model file {self.folder / name} is not the one its manifest describes" for name in differing]


def find_model(path: str = "") -> ModelFiles:
    """Return the model in folder *path*; empty: the shipped one, in a checkout or an installed wheel.

    Raises:
        ModelUnavailable: There is no such folder, or its manifest.json is absent or malformed.
    """
    folder = Path(expanded(path)) if path else _shipped_folder()
    manifest = folder / "manifest.json"
    try:
        return _read(folder, json.loads(manifest.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelUnavailable(f"the model folder {folder} has no readable manifest.json") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelUnavailable(f"{manifest} is malformed: {error}") from error


def _shipped_folder() -> Path:
    installed = _PACKAGE / "models" / SHIPPED_MODEL  # the wheel carries models/ inside the package
    return installed if installed.is_dir() else _PACKAGE.parent / "models" / SHIPPED_MODEL


def _read(folder: Path, manifest: Mapping[str, Any]) -> ModelFiles:
    files = {str(name): (int(entry["size_bytes"]), str(entry["sha256"])) for name, entry in manifest["files"].items()}
    if not {"model.onnx", "tokenizer.json"} <= files.keys():
        raise ValueError("it lists no model.onnx or no tokenizer.json")
    dimension, max_tokens = int(manifest["dimension"]), int(manifest["max_tokens"])
    if dimension < 1 or max_tokens < 3:
        raise ValueError("dimension and max_tokens must be positive")
    model_id = str(manifest["model_id"])
    return ModelFiles(folder, model_id, dimension, max_tokens, files, space=f"local:{model_id}:{dimension}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
