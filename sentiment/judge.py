"""The judgement of texts: normal form, watches, topics, red lines, polarity, voice, fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import Any

from sentiment.clauses import split
from sentiment.drafts import Draft, refusal
from sentiment.engines.base import Engine
from sentiment.engines.linear import LinearEngine
from sentiment.engines.model import Model, Scorer
from sentiment.engines.reading import read
from sentiment.engines.rules import NOTHING as NOTHING_SAID
from sentiment.engines.rules import Evidence, RulesEngine
from sentiment.matching import Matcher
from sentiment.normalise import normalise
from sentiment.redlines import Alarm
from sentiment.topic_model import TopicModel
from sentiment.topics import NOTHING, Taxonomy
from sentiment.verdict import NO_CORRECTION, REVIEW_MARGIN, Judged, Odds, Pair, log_odds
from sentiment.voice import CUSTOMER, MERCHANT, SELLING, voices_of
from vocwatch.collecting import no_collecting
from vocwatch.fingerprint import fingerprints
from vocwatch.models import Assessment, Hit, RedLine, Sentiment, TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches

CHUNK, CHARACTERS = 1000, 400_000
"""Texts, and characters, that are judged together: bounds the memory, whatever the batch."""
RULES_VERSION = "3"
"""Version of what this package decides in code; raise it when judgements change."""


_NOT_JUDGED = {"watches": {"__all__": {"examples", "counter_examples", "red_line"}}}  # what no judgement depends on


class Judge:
    """Judges texts by the configuration; with an engine, polarity is the rules' and the engine's together.

    `own_pages` are SKUs and shop names whose pages speak of the brand whatever their texts say. `own` holds
    corrections that were learned from a team's own texts, `topic_model` replaces the shipped one.
    """

    def __init__(
        self, watches: Watches, topics: Topics, engine: Engine | None = None, own_pages: Collection[str] = (),
        own: Model | None = None, topic_model: TopicModel | None = None,
    ):
        self._matcher = Matcher(watches, own_pages)
        self._taxonomy = Taxonomy(topics, topic_model)
        self._own = None if own is None else Scorer(own)
        self._rules = RulesEngine()
        self._engine = engine if engine is not None and engine.name != self._rules.name else None
        digest = hashlib.sha256()
        for part in (
            watches.model_dump_json(exclude=_NOT_JUDGED), topics.model_dump_json(), "\n".join(sorted(own_pages)), self._taxonomy.version,
        ):
            digest.update(part.encode())
        if own is not None:
            digest.update(own.version.encode())
        engines = f"{self._engine.name}-{self._engine.version}+" if self._engine else ""
        engines += f"own-{own.version}+" if own is not None else ""
        rules = f"rules-{RULES_VERSION}.{self._rules.version}"
        self.version = f"{engines}{rules}+topics-{topics.version}+{digest.hexdigest()[:12]}"[:80]

    def match(self, text: TextInput | str) -> tuple[Hit, ...]:
        """Return only which watches a text matches."""
        item = TextInput(id="", body=text) if isinstance(text, str) else text
        return self._matcher.match(item, normalise(item.text)).hits

    def assess(self, texts: Sequence[TextInput]) -> list[Assessment]:
        """Judge each text, in order. Never raises: a text that can't be judged says why in `refused`."""
        with no_collecting():
            return [assessment for part in _parts(texts) for assessment in self._assess(part)]

    def _assess(self, texts: Sequence[TextInput]) -> list[Assessment]:
        drafts = self._drafts(texts)
        asked = [draft for draft in drafts if isinstance(draft, Draft) and draft.refused is None]
        weighed, odds = self._ask(asked)
        evidence, own = iter(weighed), iter(self._correct(asked))
        signatures = iter(fingerprints([draft.item.text for draft in drafts if isinstance(draft, Draft)]))
        return [
            draft if isinstance(draft, Assessment)
            else self._finish(
                Judged(draft, next(evidence), odds, next(own)) if draft.refused is None
                else Judged(draft, NOTHING_SAID, odds),
                next(signatures),
            )
            for draft in drafts
        ]

    def log_odds(self, texts: Sequence[str]) -> list[Pair]:
        """Return for each text alone (no stars, no surroundings) what it is judged by: the log-odds of positive
        against negative and of neutral against the rest. What can't be judged has zeros.
        """
        found: list[Pair] = []
        for part in _parts([TextInput("", text) for text in texts]):
            drafts = self._drafts(part)
            asked = [draft for draft in drafts if isinstance(draft, Draft) and draft.refused is None]
            weighed, odds = self._ask(asked)
            evidence, own = iter(weighed), iter(self._correct(asked))
            found += [
                Judged(draft, next(evidence), odds, next(own)).verdict().log_odds
                if isinstance(draft, Draft) and draft.refused is None else NO_CORRECTION
                for draft in drafts
            ]
        return found

    def _correct(self, drafts: Sequence[Draft]) -> list[Pair]:
        """What a team's own texts have taught about these."""
        if self._own is None or not drafts:
            return [NO_CORRECTION] * len(drafts)
        found = self._own.log_odds([draft.form.text for draft in drafts])
        return [(polar, neutral) for polar, neutral in found.tolist()]

    def _drafts(self, texts: Sequence[TextInput]) -> list[Draft | Assessment]:
        """Everything before polarity; one poison text must not take the batch with it."""
        drafts: list[Draft | Assessment] = []
        try:
            drafts.extend(self._read(texts))
        except Exception:
            drafts = [self._read_alone(item) for item in texts]
        asked = [draft for draft in drafts if isinstance(draft, Draft) and draft.refused is None]
        try:
            found = self._taxonomy.find_many([draft.passage() for draft in asked])
        except Exception:
            return [draft if isinstance(draft, Assessment) else self._alone(draft) for draft in drafts]
        for draft, findings in zip(asked, found, strict=True):
            draft.findings = findings
        return drafts

    def _alone(self, draft: Draft) -> Draft | Assessment:
        """Ask the taxonomy about one text: which of a batch is the poison?"""
        if draft.refused is not None:
            return draft
        try:
            draft.findings = self._taxonomy.find_many([draft.passage()])[0]
            return draft
        except Exception as error:
            return self._poison(draft.item, error)

    def _ask(self, drafts: Sequence[Draft]) -> tuple[list[Evidence], Odds]:
        """Ask the rules for every text, and the engine once for every text and for every clause of a text that
        has several. The default engine sees what the rules have read already.
        """
        subjects = [draft.subject() for draft in drafts]
        if self._engine is None or not drafts:
            return self._rules.weigh(subjects), {}
        texts = [draft.form.text for draft in drafts]
        known = set(texts)
        texts += [piece for piece in dict.fromkeys(chain.from_iterable(map(Draft.pieces, drafts)))
                  if piece not in known]
        if isinstance(self._engine, LinearEngine):
            reading = read(texts)
            return self._rules.weigh(subjects, reading), dict(
                zip(texts, log_odds(self._engine.polarity_of(reading)), strict=True)
            )
        texts = list(dict.fromkeys(texts))
        return self._rules.weigh(subjects), dict(zip(texts, log_odds(self._engine.polarity(texts)), strict=True))

    def _read(self, items: Sequence[TextInput]) -> list[Draft]:
        """Everything before the topics, step by step for all."""
        forms = [normalise(item.text) for item in items]
        clauses = [split(form.text) for form in forms]
        matched = self._matcher.match_many(items, forms)
        voices = voices_of([
            (form.text, item.kind, item.about_brand) for item, form in zip(items, forms, strict=True)
        ])
        drafts = []
        for item, form, cut, match, voice in zip(items, forms, clauses, matched, voices, strict=True):
            refused = refusal(form.text) or (None if cut else "没有可判定的文字")
            drafts.append(Draft(item, form, cut, match, NOTHING, CUSTOMER if refused else voice, refused))
        return drafts

    def _read_alone(self, item: TextInput) -> Draft | Assessment:
        try:
            return self._read([item])[0]
        except Exception as error:
            return self._poison(item, error)

    def _finish(self, judged: Judged, signature: bytes) -> Assessment:
        draft = judged.draft
        item, form = draft.item, draft.form
        found = judged.verdict()
        sentiment, mixed = judged.sentiment(found)
        spans = judged.spans(sentiment)
        alarms, suspected = _weighed(draft, sentiment)
        silent = not alarms or (draft.voice in (MERCHANT, *SELLING) and not _serious(draft))
        red_lines = () if silent else tuple(
            RedLine(alarm.line.name, alarm.rule, *(span := form.original_span(alarm.start, alarm.end)),
                    item.text[span[0]:span[1]], alarm.reason)
            for alarm in alarms
        )
        blamed = [span for span in spans if span.sentiment is Sentiment.NEGATIVE]
        severity = max([span.severity for span in blamed], default=0)
        return Assessment(
            id=item.id, model_version=self.version, brand_match=draft.matched.brand, sentiment=sentiment,
            score=round(found.score, 4), confidence=round(judged.confidence(found, sentiment), 4), mixed=mixed,
            severity=3 if red_lines else severity, topics=tuple(dict.fromkeys([span.topic for span in blamed])),
            red_lines=red_lines, spans=spans, hits=draft.matched.hits, voice=draft.voice,
            fingerprint=signature, refused=draft.refused, truncated=form.truncated,
            review=draft.refused is None and not red_lines and (suspected or found.margin < REVIEW_MARGIN),
        )

    def _poison(self, item: TextInput, error: Exception) -> Assessment:
        return Assessment(
            id=item.id, model_version=self.version, brand_match=item.about_brand, sentiment=Sentiment.NEUTRAL,
            score=0.0, confidence=0.0, mixed=False, severity=0, topics=(), red_lines=(), spans=(), hits=(),
            voice=CUSTOMER, fingerprint=b"",
            refused=f"判定出错（{type(error).__name__}），请把原文交给维护者",
        )


def _parts(texts: Sequence[TextInput]) -> Iterator[Sequence[TextInput]]:
    """Cut a batch where CHUNK texts or CHARACTERS characters are reached."""
    start = size = 0
    for place, item in enumerate(texts):
        size += len(item.body) if isinstance(item.body, str) else 0  # what is no text is refused later
        if size >= CHARACTERS or place - start >= CHUNK - 1:
            yield texts[start:place + 1]
            start, size = place + 1, 0
    if start < len(texts):
        yield texts[start:]


def _weighed(draft: Draft, sentiment: Sentiment) -> tuple[Sequence[Alarm], bool]:
    """Return the red lines that fire, and whether a customer's text crosses one perhaps: what the model alone hears in
    praise is for a person to say.
    """
    alarms = draft.findings.alarms
    if sentiment is Sentiment.POSITIVE:
        alarms = tuple(alarm for alarm in alarms if alarm.rule != "model")
    doubtful = bool(draft.findings.suspected) or len(alarms) < len(draft.findings.alarms)
    return alarms, doubtful and draft.voice == CUSTOMER


def _serious(draft: Draft) -> bool:
    """Whether an advertisement or a merchant's text calls people together or tells of authorities."""
    return draft.voice in SELLING and any(alarm.line.threats for alarm in draft.findings.alarms)


def to_line(assessment: Assessment) -> dict[str, Any]:
    """Return an assessment as the JSON line of `vocwatch judge`."""
    return {
        "id": assessment.id, "sentiment": assessment.sentiment.value, "score": assessment.score,
        "confidence": assessment.confidence, "mixed": assessment.mixed, "brand_match": assessment.brand_match,
        "topics": list(assessment.topics), "severity": assessment.severity,
        "red_lines": [
            {"name": line.name, "rule": line.rule, "start": line.start, "end": line.end,
             "matched": line.matched, "reason": line.reason}
            for line in assessment.red_lines
        ],
        "spans": [
            {"start": span.start, "end": span.end, "topic": span.topic, "sentiment": span.sentiment.value,
             "severity": span.severity}
            for span in assessment.spans
        ],
        "watches": list(dict.fromkeys(hit.watch for hit in assessment.hits)),
        "hits": [
            {"watch": hit.watch, "kind": hit.kind, "rule": hit.rule, "start": hit.start, "end": hit.end,
             "matched": hit.matched}
            for hit in assessment.hits
        ],
        "voice": assessment.voice, "review": assessment.review, "refused": assessment.refused, "truncated": assessment.truncated,
        "model_version": assessment.model_version,
    }
