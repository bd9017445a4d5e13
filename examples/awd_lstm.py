"""AWD-LSTM on Penn Treebank: the published recipe of Merity et al. 2017, to be run for days.

    python examples/awd_lstm.py --data DIR --out awd/          # again with --resume after a stop

The settings are those of the authors' command for the word-level Penn Treebank: 24 million
weights, 500 epochs of plain descent whose average begins when validation stalls. DIR (or
TIDEGATE_DATA) holds ptb.train.txt.gz, ptb.valid.txt.gz and ptb.test.txt.gz; each of their lines
ends a sentence. `--epochs 5` shows the first steps of the published curve.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import tidegate

RECIPE: dict[str, Any] = {
    "level": "space",
    "num_layers": 3,
    "hidden_size": 1150,
    "embedding_size": 400,  # which the last layer has too, for its weights are tied
    "layer_options": {"weight_dropout": 0.5, "init": "torch"},
    "dropout": 0.4,
    "hidden_dropout": 0.25,
    "input_dropout": 0.4,
    "embedding_dropout": 0.1,
    "activation_penalty": 2.0,
    "temporal_penalty": 1.0,
    "bptt": 70,
    "batch_size": 20,
    "epochs": 500,
    "optimizer": "sgd",
    "learning_rate": 30.0,
    "schedule": "constant",
    "weight_decay": 1.2e-6,
    "gradient_clip": 0.25,
    "average_after": 5,
    "patience": None,
}


def main() -> None:
    """Train, measure and save."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", default=os.environ.get("TIDEGATE_DATA"), help="folder of PTB")
    options.add_argument("--out", type=Path, default=Path("awd"), help="where to save the model")
    options.add_argument("--epochs", type=int, default=RECIPE["epochs"])
    options.add_argument("--resume", action="store_true", help="go on after a stop")
    chosen = options.parse_args()
    if chosen.data is None:
        options.error("pass --data DIR or set TIDEGATE_DATA")
    train, valid, test = (
        Path(chosen.data) / f"ptb.{part}.txt.gz" for part in ("train", "valid", "test")
    )
    kept = chosen.out.with_name(f"{chosen.out.name}.checkpoint")
    model = tidegate.LanguageModel(**RECIPE | {"epochs": chosen.epochs})
    model.fit(train, validation=valid, checkpoint=kept, resume=chosen.resume)
    for part, path in (("validation", valid), ("test", test)):
        model.metrics_[part] = model.evaluate(path)
        print(f"{part} perplexity {model.metrics_[part]['perplexity']:.2f}")
    model.save(chosen.out)


if __name__ == "__main__":
    main()
