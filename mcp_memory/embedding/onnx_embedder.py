"""The local model: tokenise, one ONNX run per text, a finished unit vector comes out. Import this module in a thread: it is heavy.

One text a run, never a batch: the int8 graph scales its activations per run, so batch-mates would change a text's vector (measured
cosine to the text alone: 0.99 mean, 0.97 least, more than the quantisation itself costs), and on one core a batch is no faster.
"""

import logging
import os
import threading
from collections.abc import Sequence

import numpy as np

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when onnxruntime is imported: a memory tells nobody that it is used
import onnxruntime as ort
from tokenizers import Tokenizer

from mcp_memory.embedding.model_files import ModelFiles
from mcp_memory.errors import ModelUnavailable

CHARS_PER_TOKEN = 16  # text beyond max_tokens * 16 characters is not tokenised: 20,000 characters would cost as much as a query
_NORM_TOLERANCE = 1e-3
logger = logging.getLogger(__name__)


class OnnxEmbedder:
    """An Embedder on a model folder. Constructing it loads the model: about 0.1 s, 45 MB.

    Deterministic: a text has one vector, whatever it is embedded with. The empty text has a vector too (that of no words). Of a
    long text the first `max_tokens` tokens count. Roles share one vector. At most one run per role at a time, so that a query
    never waits for a bulk of documents.
    """

    def __init__(self, files: ModelFiles, *, threads: int = 1) -> None:
        """Load and try the model.

        Args:
            files: The folder; see `model_files.find_model`.
            threads: Of one run.

        Raises:
            ModelUnavailable: A file is missing, cut short or not what it should be; or the model's output is not unit vectors
                of the manifest's dimension.
        """
        files.check_sizes()
        self.space, self.dimension = files.space, files.dimension
        self._max_chars = files.max_tokens * CHARS_PER_TOKEN
        self._turns = {"document": threading.Lock(), "query": threading.Lock()}
        try:
            self._session = ort.InferenceSession(
                str(files.folder / "model.onnx"), session_options(threads), providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(files.folder / "tokenizer.json"))
            self._tokenizer.no_padding()  # the published file pads every text to 128 tokens
            self._tokenizer.enable_truncation(files.max_tokens)
            self._check(self._run("warm up"))
        except ModelUnavailable:
            raise
        except Exception as error:  # onnxruntime and tokenizers raise a dozen unrelated types for a bad file
            logger.debug("loading %s", files.folder, exc_info=True)
            raise ModelUnavailable(f"the model in {files.folder} cannot be loaded ({type(error).__name__})") from error

    def embed(self, texts: Sequence[str], *, role: str = "document") -> np.ndarray:
        """Return float32 unit vectors, shape (n, dimension), in order. Linear in tokens; releases the GIL while the model runs."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            with self._turns[role]:
                row[:] = self._run(text)
        return vectors

    def _run(self, text: str) -> np.ndarray:
        # A lone surrogate (half of an emoji cut in two) is no character; the tokenizer refuses it.
        clean = text[: self._max_chars].encode("utf-8", "replace").decode("utf-8")
        ids = np.array([self._tokenizer.encode(clean).ids], np.int64)
        (embedding,) = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return np.asarray(embedding[0], np.float32)

    def _check(self, vector: np.ndarray) -> None:
        if vector.shape != (self.dimension,):
            raise ModelUnavailable(f"the model returns shape {vector.shape}, its manifest says ({self.dimension},)")
        if not abs(float(np.linalg.norm(vector)) - 1) < _NORM_TOLERANCE:
            raise ModelUnavailable("the model does not return unit vectors")


def session_options(threads: int) -> "ort.SessionOptions":
    """Return the session settings measured for this model: the arena would cost 38 MB for 2 % of latency."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3  # errors only: stderr belongs to our own log
    return options
