"""Compute the float32 embeddings that the shipped int8 file is tested against, with numpy alone.

    python models/make_reference.py FOLDER_WITH_WEIGHTS tests/unit/embedding/data

Reads texts.json (documents and queries, written for this test) from the second folder and writes reference.npy beside it: float32,
one row per text, documents first. This is the published architecture written out from its config.json, sharing no code with the
exported graph or ONNX Runtime, so it checks the export as well as the quantisation.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from export_minilm import EPSILON, HEADS, LAYERS, MAX_TOKENS, WIDTH, read_safetensors
from tokenizers import Tokenizer

_erf = np.vectorize(math.erf, otypes=[np.float32])


def embed(weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """Return the unit vector of one tokenised text."""

    def norm(x: np.ndarray, key: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
        return scaled * weights[key + ".weight"] + weights[key + ".bias"]

    def dense(x: np.ndarray, key: str) -> np.ndarray:
        return x @ weights[key + ".weight"].T + weights[key + ".bias"]

    words, places = weights["embeddings.word_embeddings.weight"][ids], weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(words + places + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for n in range(LAYERS):
        p = f"encoder.layer.{n}."
        q, k, v = (
            dense(x, f"{p}attention.self.{name}").reshape(len(ids), HEADS, -1).transpose(1, 0, 2) for name in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(WIDTH // HEADS)
        chances = np.exp(scores - scores.max(-1, keepdims=True))
        seen = (chances / chances.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(len(ids), WIDTH)
        x = norm(x + dense(seen, p + "attention.output.dense"), p + "attention.output.LayerNorm")
        wide = dense(x, p + "intermediate.dense")
        gelu = wide * (1 + _erf(wide / math.sqrt(2))) / 2
        x = norm(x + dense(gelu, p + "output.dense"), p + "output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("data", type=Path, help="folder with texts.json")
    args = parser.parse_args()
    weights = read_safetensors(args.source / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(args.source / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    texts = json.loads((args.data / "texts.json").read_text(encoding="utf-8"))
    rows = [embed(weights, tokenizer.encode(text).ids) for text in texts["documents"] + texts["queries"]]
    np.save(args.data / "reference.npy", np.stack(rows).astype(np.float32))
    print(f"{len(rows)} embeddings")


if __name__ == "__main__":
    main()
