"""A simulated world's posts through `vocwatch judge`, scored by the world's own scorer.

    python -m benchmarks.judgement.posts --kit ../shared/scenario [--world dev] [--variants-only]

Each post is given what its page shows beside the text (kind, stars, product, shop, the post above a comment), as
the crawl stores it. `--variants-only` takes the hand-written patterns out of the watches first: what is then still
found, the derived variants find.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"reviews": "review", "complaints": "complaint", "news": "article"}
TARGETS = {
    "brand_match precision": 0.98, "brand_match recall": 0.97, "sentiment macro_f1": 0.93, "topics leaf f1": 0.90,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, judge the posts, print the table and the commonest errors of matching."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kit", type=Path, default=ROOT.parent / "shared" / "scenario")
    parser.add_argument("--world", default="dev")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--config", type=Path, default=ROOT / "tests" / "scenario" / "config")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "judgement")
    parser.add_argument("--variants-only", action="store_true")
    parser.add_argument("--errors", type=int, default=10)
    options = parser.parse_args(arguments)
    world = options.work / f"world-{options.world}-{options.seed}"
    if not (world / "truth.json").exists():
        world.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [sys.executable, "build.py", "--world", options.world, "--days", "42", "--seed", str(options.seed),
             "--out", str(world.resolve())], cwd=options.kit, check=True, stdout=subprocess.DEVNULL,
        )
    with tempfile.TemporaryDirectory() as folder:
        config = _config(options.config, Path(folder), options.variants_only)
        rows, seconds = judged(world, config, options.engine, Path(folder))
        scores = _scored(options.kit, world, list(map(four_classes, rows)), Path(folder))
        three = _scored(options.kit, world, rows, Path(folder))["sentiment"]
    _print(scores, len(rows), seconds)
    print(f"the three classes as they are stored, without `mixed`: sentiment macro_f1 {three['macro_f1']:.4f}, "
          f"accuracy {three['accuracy']:.4f}")
    _print_errors(world, rows, options.errors)
    return 0


def four_classes(row: dict[str, Any]) -> dict[str, Any]:
    """Return a line of ours with its sentiment in the scorer's classes: it has a fourth one for what we store as the
    class that weighs more and the mark `mixed`.
    """
    return {**row, "sentiment": "mixed"} if row.get("mixed") else row


def _scored(kit: Path, world: Path, rows: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """What the world's scorer says of the lines."""
    predictions = folder / "posts.jsonl"
    predictions.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "score.py", "--truth", str((world / "truth.json").resolve()), "--posts", str(predictions)],
        cwd=kit, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout
    scores: dict[str, Any] = json.loads(told)["posts"]
    return scores


def judged(world: Path, config: Path, engine: str, folder: Path) -> tuple[list[dict[str, Any]], float]:
    """Run `vocwatch judge` over a world's posts and comments; returns its lines with addresses, and the seconds."""
    texts = folder / "texts.jsonl"
    texts.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _texts(world)), encoding="utf-8")
    environment = {
        **os.environ, "VOCWATCH_CONFIG": str(config), "VOCWATCH_DATA": str(folder / "data"), "VOCWATCH_SECRET": "benchmark",
    }
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", "from vocwatch.cli import main; main()", "judge", str(texts), "--engine", engine],
        cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True,
    )
    seconds = time.monotonic() - start
    return [{"url": row["id"], **row} for row in map(json.loads, done.stdout.splitlines())], seconds


def _texts(world: Path) -> Iterator[dict[str, Any]]:
    facts = json.loads((world / "world.json").read_text(encoding="utf-8"))
    names = {product["sku"]: product["name"] for product in (*facts["products"], *facts["competitor"]["products"])}
    for line in (world / "posts.jsonl").open(encoding="utf-8"):
        post = json.loads(line)
        context: list[str] = []
        if post["site"] == "reviews":
            context = [entry for entry in (post["product"], names.get(post["product"]), post["shop"]) if entry]
        elif post["site"] == "complaints" and post["shop"]:
            context = [post["shop"]]
        yield {"id": post["path"], "text": post["text"], "title": post["title"], "rating": post.get("stars"),
               "kind": KINDS.get(post["site"], "post"), "context": context}
        above = f"{post['title'] or ''}\n{post['text']}".strip()
        for comment in post["comments"]:
            yield {"id": f"{post['path']}#c-{comment['id']}", "text": comment["text"], "kind": "comment",
                   "context": context, "parent": above}


def _config(source: Path, folder: Path, variants_only: bool) -> Path:
    if not variants_only:
        return source.resolve()
    config = folder / "config"
    shutil.copytree(source, config)
    yaml = YAML()
    watches = yaml.load(config / "watches.yaml")
    for watch in watches["watches"]:
        watch.pop("patterns", None)
    yaml.dump(watches, config / "watches.yaml")
    return config


def _print(scores: dict[str, Any], rows: int, seconds: float) -> None:
    found = {
        "brand_match precision": scores["brand_match"]["precision"], "brand_match recall": scores["brand_match"]["recall"],
        "sentiment macro_f1": scores["sentiment"]["macro_f1"], "topics leaf f1": scores["topics"]["leaf"]["f1"],
    }
    print(f"{rows} texts in {seconds:.1f} s (start-up included)\n{'measure':<24}{'found':>8}{'target':>8}")
    for name, value in found.items():
        print(f"{name:<24}{value:>8.4f}{TARGETS[name]:>8.2f}  {'ok' if value >= TARGETS[name] else 'below'}")
    print("sentiment by genre:", json.dumps(scores["sentiment"]["accuracy_by_genre"], ensure_ascii=False))
    print("topics:", json.dumps(scores["topics"], ensure_ascii=False))


def _print_errors(world: Path, rows: list[dict[str, Any]], most: int) -> None:
    truth = {post["url"]: post for post in json.loads((world / "truth.json").read_text(encoding="utf-8"))["posts"]}
    texts = {row["id"]: row["text"] for row in _texts(world)}
    kinds: Counter[tuple[str, str]] = Counter()
    shown: list[str] = []
    for row in rows:
        label = truth.get(row["url"])
        if label is None or bool(label["brand_match"]) == bool(row["brand_match"]):
            continue
        kind = "missed" if label["brand_match"] else "wrong"
        kinds[kind, str(label.get("brand_text") or "-") if kind == "missed" else label["genre"]] += 1
        rules = sorted({hit["rule"] for hit in row["hits"]})
        shown.append(f"  {kind} {row['url']} {rules} {texts[row['url']][:60]!r}")
    print("matching errors:", ", ".join(f"{kind} {what}: {count}" for (kind, what), count in kinds.most_common(12)) or "none")
    print("\n".join(shown[:most]))


if __name__ == "__main__":
    sys.exit(main())
