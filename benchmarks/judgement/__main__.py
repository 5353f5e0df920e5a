"""`python -m benchmarks.judgement TABLE …`: the measures of the judgement, with their baselines in the same run."""

from __future__ import annotations

import importlib
import sys

TABLES = ("polarity", "topics", "complaints", "matching", "posts", "hard", "learning", "speed", "examples", "card")


def main() -> int:
    """Run one table's module with the remaining arguments."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TABLES:
        print(f"python -m benchmarks.judgement {{{','.join(TABLES)}}} [--help]", file=sys.stderr)
        return 2
    status: int = importlib.import_module(f"benchmarks.judgement.{name}").main(sys.argv[2:])
    return status


if __name__ == "__main__":
    sys.exit(main())
