"""Who judges when the model can't: the words alone. What it says is marked 待复核 and judged again later."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from sentiment.judge import Judge
from sentiment.llm import CONTROLS
from sentiment.ready import ENGINES, make_judge, own_pages
from vocwatch.models import Assessment, TextInput
from vocwatch.settings import Settings
from vocwatch.store.assessments import STANDBY

_VERSION_CHARS = 80


class Standby(Judge):
    """The rules without any polarity model; everything that it says is uncertain."""

    def __init__(self, settings: Settings):
        super().__init__(settings.watches, settings.topics, None, own_pages(settings))
        self.version = f"{STANDBY}{self.version}"[:_VERSION_CHARS]

    def assess(self, texts: Sequence[TextInput]) -> list[Assessment]:
        """Judge each text, in order, each marked to be checked."""
        return [replace(found, review=found.refused is None) for found in super().assess(texts)]


def dependable(settings: Settings, engine: str, on_problem: Callable[[str], None]) -> Judge:
    """Return the judge of the settings, or its stand-in where it can't be made or misreads plain sentences.

    The engine `standby` is the stand-in. Raises ValueError for an engine that there is not.
    """
    if engine == "standby":
        return standby(settings, "连续几次判定都没能跑完", on_problem)
    if engine not in ENGINES:
        return make_judge(settings, engine)  # it says which there are
    try:
        judge = make_judge(settings, engine, on_problem)
        fault = misread(judge)
    except Exception as error:
        fault = f"{type(error).__name__}: {error}"
    return judge if fault is None else standby(settings, fault, on_problem)


def standby(settings: Settings, fault: str, on_problem: Callable[[str], None]) -> Standby:
    """Return the stand-in and say why it is needed."""
    on_problem(f"判定模型用不了（{fault[:200]}）：先按词典判定，标为待复核；模型恢复后自动重判")
    return Standby(settings)


def misread(judge: Judge) -> str | None:
    """Return what is wrong with a judge that gets two plain sentences wrong; None where it reads them well."""
    found = judge.assess([TextInput(id=str(place), body=text) for place, (text, _) in enumerate(CONTROLS)])
    for (text, expected), said in zip(CONTROLS, found, strict=True):
        if not math.isfinite(said.score) or said.sentiment is not expected:
            return f"把「{text}」判成 {said.sentiment.value}（{said.score}）"
    return None
