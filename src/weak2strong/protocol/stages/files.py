"""What stages of finetuned models write, and digests of what they read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.ground.predictions import Predictions, save_predictions
from weak2strong.protocol.task_run import Write

if TYPE_CHECKING:
    from weak2strong.training.fit import Fit

FILE = "predictions.parquet"

STATES = "activations.safetensors"

CHECKPOINT = "checkpoint.safetensors"

TRACE = "trace.json"

CURVE = "curve.parquet"

LEFT_OUT = "left_out.json"
"""Ids of the examples of ``strong_train`` that a student did not learn."""


def writer(answers: Mapping[str, Predictions], file: str = FILE) -> Write:
    """Writes predictions by split, in the form that `load_predictions` reads."""
    return lambda folder: save_predictions(folder / file, dict(answers))


def write_fit(fit: Fit, folder: Path) -> None:
    """Write the evaluations as JSON, and the steps as a table with a row each."""
    import polars as pl

    about = asdict(fit)
    curve = about.pop("curve")
    (folder / TRACE).write_text(json.dumps(about, indent=1))
    columns = {"loss": curve["losses"], "gradient_norm": curve["norms"], "rates": curve["rates"]}
    schema = {"loss": pl.Float64, "gradient_norm": pl.Float64, "rates": pl.List(pl.Float64)}
    pl.DataFrame(columns, schema=schema).write_parquet(folder / CURVE)


def labels_digest(p: Predictions) -> str:
    """SHA-256 of ids, in their order, and labels."""
    sha = hashlib.sha256(json.dumps([p.kind, p.ids]).encode())
    sha.update(array_digest(p.values).encode())
    return sha.hexdigest()


def array_digest(values: np.ndarray) -> str:
    """SHA-256 of shape and float64 values, or of texts."""
    if values.dtype == object:
        return hashlib.sha256(json.dumps(values.tolist()).encode()).hexdigest()
    values = np.ascontiguousarray(values, dtype=np.float64)
    return hashlib.sha256(str(values.shape).encode() + values.tobytes()).hexdigest()
