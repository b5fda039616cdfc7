"""Builds a ladder from the facts: tokenizer, stream, every rung, and the card.

One process on one thread pretrains a rung. So the numbers of a rung are the same on every run, and
small machines are used best. Finished parts are not made again, and an interrupted rung goes on
from its last checkpoint.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from queue import Empty

import numpy as np

from weak2strong.ground.disks import writing
from weak2strong.ground.errors import UserError
from weak2strong.ground.processes import begin_worker, starting
from weak2strong.ground.store import file_fingerprint
from weak2strong.ground.whole import write_whole
from weak2strong.subjects.atlas.facts import FACTS_FILE, seen_cities, unseen_cities
from weak2strong.subjects.atlas.ladder.card import CARD_FILE, read_card
from weak2strong.subjects.atlas.ladder.knowledge import known_countries
from weak2strong.subjects.atlas.ladder.pretrain import pretrain
from weak2strong.subjects.atlas.ladder.rungs import RUNGS, Recipe, Rung
from weak2strong.subjects.atlas.ladder.tokens import build_tokenizer, token_stream

Report = Callable[[str, int, int, float], None]


def build_ladder(
    folder: Path,
    recipe: Recipe | None = None,
    rungs: Sequence[Rung] = RUNGS,
    workers: int = 2,
    report: Report = lambda rung, step, steps, loss: None,
) -> dict:
    """Build every rung below ``folder`` and return the card; a finished ladder stays as it is.

    Args:
        folder: receives one model folder a rung and ``card.json``; ``work``
            below it holds what only the build needs and is removed at the end.
        recipe: shared settings; the default recipe if not given.
        rungs: the models to train.
        workers: processes at a time.
        report: called with rung, step, number of steps and loss.

    Raises:
        UserError: where the folder holds a ladder of another recipe, finished or
            not, or cannot be written.
    """
    recipe = recipe or Recipe()
    work = folder / "work"
    plan = {
        "facts": file_fingerprint(FACTS_FILE),
        "recipe": asdict(recipe),
        "rungs": [asdict(r) for r in rungs],
    }
    if (folder / CARD_FILE).exists():
        return _finished(folder, plan)
    _claim(folder, work, plan)
    seen = seen_cities(recipe.minimum_population)
    unseen = unseen_cities(recipe.minimum_population)
    tokenizer, stream = work / "tokenizer", work / "stream.npy"
    if not stream.exists():
        build_tokenizer(seen, recipe.seed, recipe.vocabulary, recipe.context, tokenizer)
        partial = work / "stream.partial.npy"
        np.save(partial, token_stream(seen, recipe.seed, tokenizer, recipe.tokens))
        partial.replace(stream)
    todo = [r for r in rungs if not _record(work, r).exists()]
    _run_workers(todo, recipe, folder, work, workers, report)
    records = []
    for rung in rungs:
        record = json.loads(_record(work, rung).read_text())
        for name, cities in (("seen", seen), ("unseen", unseen)):
            known = known_countries(folder / rung.name, cities)
            record[f"known_{name}"] = round(sum(known) / len(known), 4)
        records.append(record)
    card = {
        "facts": plan["facts"],
        "recipe": plan["recipe"],
        "cities": {"seen": len(seen), "unseen": len(unseen)},
        "rungs": records,
    }
    write_whole(folder / CARD_FILE, json.dumps(card, indent=2) + "\n")
    shutil.rmtree(work)
    return card


def _finished(folder: Path, plan: dict) -> dict:
    """The card of a ladder that is already built, if its plan is the same."""
    card = read_card(folder)
    settings = [f.name for f in fields(Rung)]
    built = {
        "facts": card.get("facts"),
        "recipe": card.get("recipe"),
        "rungs": [{name: rung.get(name) for name in settings} for rung in card["rungs"]],
    }
    if built != plan:
        raise UserError(
            f"{folder} holds a ladder of other facts or settings: choose another folder with --out."
        )
    return card


def _claim(folder: Path, work: Path, plan: dict) -> None:
    """Make the work folder, or check that its content belongs to this plan."""
    with writing(folder, "choose another --out"):
        work.mkdir(parents=True, exist_ok=True)
        plan_file = work / "plan.json"
        if plan_file.exists() and json.loads(plan_file.read_text()) != plan:
            raise UserError(
                f"{folder} holds an unfinished ladder with other settings: "
                "finish it with those, remove the folder, or choose another one with --out."
            )
        write_whole(plan_file, json.dumps(plan, indent=2))


def _record(work: Path, rung: Rung) -> Path:
    return work / f"{rung.name}.json"


def _run_workers(
    todo: list[Rung], recipe: Recipe, folder: Path, work: Path, workers: int, report: Report
) -> None:
    """Train the rungs, the largest first, so that the last process has the smallest rung."""
    context = starting(loaded=True)
    messages = context.Queue()
    waiting = sorted(todo, key=lambda r: -r.width * r.layers)
    running: list = []
    while waiting or running:
        while waiting and len(running) < workers:
            rung = waiting.pop(0)
            process = context.Process(
                target=_one_rung, args=(rung, recipe, folder, work, messages), daemon=True
            )
            process.start()
            running.append((rung, process))
        with suppress(Empty):
            report(*messages.get(timeout=0.5))
        for rung, process in list(running):
            if process.exitcode is None:
                continue
            running.remove((rung, process))
            if process.exitcode != 0:
                raise RuntimeError(f"pretraining {rung.name} ended with code {process.exitcode}")
    with suppress(Empty):
        while True:
            report(*messages.get(timeout=0.1))


def _one_rung(rung: Rung, recipe: Recipe, folder: Path, work: Path, messages) -> None:
    """The work of one process: train, add the tokenizer, then say that it is done."""
    begin_worker(threads=1)
    stream = np.load(work / "stream.npy", mmap_mode="r", allow_pickle=False)
    record = pretrain(
        rung,
        recipe,
        stream,
        folder / rung.name,
        lambda step, loss: messages.put((rung.name, step, recipe.steps, loss)),
    )
    for file in (work / "tokenizer").iterdir():
        shutil.copy(file, folder / rung.name / file.name)
    write_whole(_record(work, rung), json.dumps(record))
