"""Trains the reader on examples that `data`, `news` and `mine` made.

    python -m tests.fit.reader.train EXAMPLES.pkl... --start WEIGHTS.safetensors --out FOLDER

One stage a call; a second stage starts from the weights of the first. `--resume` goes on from the last checkpoint.
A file may be followed by `*N`: its examples then count N times, or that share of them is drawn. With `--minutes` the
rate falls with the clock where that is ahead of the steps, so that a slow machine ends in time, too; then the same
seed gives the same weights only on a machine that is fast enough.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from tests.fit.reader.data import counts
from tests.fit.reader.examples import Example, Place
from tests.fit.reader.model import Reader, load, save

WARM = 0.05


def read(names: Sequence[str], seed: int) -> list[Example]:
    """The examples of some files, each as often as is said behind its name."""
    rng, found = random.Random(seed), []
    for name in names:
        path, _, times = name.partition("*")
        with Path(path).open("rb") as file:
            examples: list[Example] = pickle.load(file)
        often = float(times or 1)
        found += examples * int(often) + rng.sample(examples, int(len(examples) * (often % 1)))
    return found


def batches(examples: Sequence[Example], size: int, seed: int) -> list[list[Example]]:
    """All examples once, those of a batch about as long as one another, in random order."""
    rng = random.Random(seed)
    mixed = rng.sample(list(examples), len(examples))
    mixed.sort(key=lambda one: len(one.ids))
    cut = [mixed[at : at + size] for at in range(0, len(mixed), size)]
    rng.shuffle(cut)
    return cut


def tensors(batch: Sequence[Example]) -> tuple[Tensor, Tensor | None, Tensor, Tensor, Tensor]:
    """Ids, mask (None where nothing is filled up), types, and where the answer may start and end."""
    length = max(len(one.ids) for one in batch)
    ids, mask, types = (torch.zeros(len(batch), length, dtype=torch.long) for _ in range(3))
    starts, ends = (torch.zeros(len(batch), length, dtype=torch.bool) for _ in range(2))

    def allow(row: Tensor, places: Sequence[Place]) -> None:
        for first, last in places:
            row[first : last + 1] = True

    for at, one in enumerate(batch):
        ids[at, : len(one.ids)] = torch.tensor(one.ids)
        mask[at, : len(one.ids)] = 1
        types[at, one.asked : len(one.ids)] = 1
        allow(starts[at], one.starts)
        allow(ends[at], one.ends)
    return ids, None if bool(mask.all()) else mask, types, starts, ends


def loss_of(reader: Reader, batch: Sequence[Example]) -> Tensor:
    """The mean of two cross-entropies; where several places are right, they may share."""
    ids, mask, types, starts, ends = tensors(batch)
    start, end = reader(ids, mask, types)

    def lost(scores: Tensor, right: Tensor) -> Tensor:
        return (scores.logsumexp(1) - scores.masked_fill(~right, -1e9).logsumexp(1)).mean()

    return (lost(start, starts) + lost(end, ends)) / 2


def main() -> None:
    """Train, with a log and checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", nargs="+")
    parser.add_argument("--start", type=Path, nargs="+", required=True, help="several are averaged")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--frozen", type=int, default=0, help="how many of the lowest layers stay as they are")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--log", type=int, default=200)
    parser.add_argument("--checkpoint", type=int, default=1000)
    parser.add_argument("--resume", action="store_true")
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    torch.set_num_threads(asked.threads)
    asked.out.mkdir(parents=True, exist_ok=True)
    reader = load(*asked.start).train()
    for layer in reader.layers[: asked.frozen]:
        layer.requires_grad_(False)
    parameters = [one for one in reader.parameters() if one.requires_grad]
    adam = torch.optim.AdamW(parameters, lr=asked.rate, weight_decay=0.01)
    examples = read(asked.examples, asked.seed)
    every = [batch for epoch in range(asked.epochs) for batch in batches(examples, asked.batch, asked.seed + epoch)]
    print(f"{len(examples)} examples, {len(every)} steps: {counts(examples)}", flush=True)
    done, before, state = 0, 0.0, asked.out / "state.pt"
    if asked.resume and state.exists():
        kept = torch.load(state)
        done, before = kept["step"], kept["seconds"]
        reader.load_state_dict(kept["reader"])
        adam.load_state_dict(kept["adam"])
    began, total, seen, since = time.monotonic() - before, 0.0, 0, time.monotonic()
    for step, batch in enumerate(every[done:], done + 1):
        passed = max((step - 1) / len(every), (time.monotonic() - began) / 60 / asked.minutes)
        if passed >= 1:
            break
        rate = asked.rate * min(step / (WARM * len(every)), 1 - passed, 1)
        for group in adam.param_groups:
            group["lr"] = rate
        loss = loss_of(reader, batch)
        adam.zero_grad(set_to_none=True)
        torch.autograd.backward([loss])
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
        total, seen, done = total + loss.item() * len(batch), seen + len(batch), step
        if step % asked.log == 0:
            speed = seen / (time.monotonic() - since)
            record = {"step": step, "loss": round(total / seen, 4), "rate": f"{rate:.2e}", "a second": round(speed, 1)}
            print(json.dumps(record | {"minutes": round((time.monotonic() - began) / 60, 1)}), flush=True)
            total, seen, since = 0.0, 0, time.monotonic()
        if step % asked.checkpoint == 0:
            save(reader, asked.out / f"step-{step}.safetensors")
            torch.save(
                {
                    "step": step,
                    "seconds": time.monotonic() - began,
                    "reader": reader.state_dict(),
                    "adam": adam.state_dict(),
                },
                state,
            )
    save(reader, asked.out / "last.safetensors")
    print(f"done after {done} of {len(every)} steps, {(time.monotonic() - began) / 60:.1f} minutes", flush=True)


if __name__ == "__main__":
    main()
