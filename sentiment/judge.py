"""The judgement of texts: normal form, watches, topics, red lines, polarity, voice, fingerprint."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sentiment.clauses import Clause, split
from sentiment.engines.base import Engine
from sentiment.engines.rules import Evidence, RulesEngine
from sentiment.matching import Matched, Matcher
from sentiment.normalise import Normalised, normalise
from sentiment.topics import OTHER, Findings, Taxonomy
from sentiment.voice import AD, CUSTOMER, MEDIA, MERCHANT, voice_of
from vocwatch.fingerprint import fingerprint
from vocwatch.models import Assessment, Hit, RedLine, Sentiment, Span, TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches

RULES_VERSION = "1"
"""Version of what this package decides in code; raise it when judgements change."""

_LINK = re.compile(r"https?://\S+|www\.\S+")
_LETTER = re.compile(r"[^\W_]")
_WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]|[^\W\d_]+")
_BLOB = re.compile(r"[A-Za-z0-9+/=_-]{200,}")
_PICTURE = re.compile(r"[\u2600-\u27bf\U0001f300-\U0001faff]|\[[^\[\]\s]{1,6}\]")
_ENGINE_WEIGHT = 0.55
_ENGINE_LIMIT = 3.0
_NEUTRAL_BELOW = 0.30
_RATING_LOGIT = {1: -2.2, 2: -1.6, 3: -0.5, 4: 0.5, 5: 1.4}
_MIXED_SIDE = 1.0


@dataclass(frozen=True, slots=True)
class _Draft:
    """One text judged as far as it goes without the polarity engine."""

    item: TextInput
    form: Normalised
    clauses: Sequence[Clause]
    matched: Matched
    findings: Findings
    evidence: Evidence
    voice: str
    refused: str | None


class Judge:
    """Judges texts by the configuration; with an engine, polarity is the rules' and the engine's together.

    `own_pages` are SKUs and shop names whose pages speak of the brand whatever their texts say.
    """

    def __init__(
        self, watches: Watches, topics: Topics, engine: Engine | None = None, own_pages: Collection[str] = ()
    ):
        self._matcher = Matcher(watches, own_pages)
        self._taxonomy = Taxonomy(topics)
        self._rules = RulesEngine()
        self._engine = engine if engine is not None and engine.name != self._rules.name else None
        digest = hashlib.sha256()
        for part in (watches.model_dump_json(), topics.model_dump_json(), "\n".join(sorted(own_pages))):
            digest.update(part.encode())
        engines = f"{self._engine.name}-{self._engine.version}+" if self._engine else ""
        rules = f"rules-{RULES_VERSION}.{self._rules.version}"
        self.version = f"{engines}{rules}+topics-{topics.version}+{digest.hexdigest()[:12]}"[:80]

    def match(self, text: TextInput | str) -> tuple[Hit, ...]:
        """Return only which watches a text matches."""
        item = TextInput(id="", body=text) if isinstance(text, str) else text
        return self._matcher.match(item, normalise(item.text)).hits

    def assess(self, texts: Sequence[TextInput]) -> list[Assessment]:
        """Judge each text, in order. Never raises: a text that can't be judged says why in `refused`."""
        drafts: list[_Draft | Assessment] = []
        for item in texts:
            try:
                drafts.append(self._draft(item))
            except Exception as error:  # one poison text must not take the batch with it
                drafts.append(self._poison(item, error))
        asked = [draft for draft in drafts if isinstance(draft, _Draft) and draft.refused is None]
        scores = self._ask(asked)
        return [
            draft if isinstance(draft, Assessment) else self._finish(draft, scores.get(draft.form.text))
            for draft in drafts
        ]

    def _ask(self, drafts: Sequence[_Draft]) -> dict[str, float]:
        if self._engine is None:
            return {}
        texts = list(dict.fromkeys(draft.form.text for draft in drafts))
        return dict(zip(texts, self._engine.polarity(texts), strict=True))

    def _draft(self, item: TextInput) -> _Draft:
        form = normalise(item.text)
        clauses = split(form.text)
        matched = self._matcher.match(item, form)
        refused = _refusal(form.text)
        if refused or not clauses:
            empty = Findings((), (), ())
            nothing = Evidence(0, 0, 0, ())
            refused = refused or "没有可判定的文字"
            return _Draft(item, form, clauses, matched, empty, nothing, CUSTOMER, refused)
        findings = self._taxonomy.find(form.text, clauses, matched.own, matched.others)
        evidence = self._rules.weigh(
            form.text, clauses, [complaint.clause.start for complaint in findings.complaints],
            [clause.start for clause in findings.denied], findings.dismissed,
        )
        voice = voice_of(form.text, item.kind, item.about_brand)
        return _Draft(item, form, clauses, matched, findings, evidence, voice, None)

    def _finish(self, draft: _Draft, engine: float | None) -> Assessment:
        item, form = draft.item, draft.form
        logit = _logit(draft, engine)
        score = math.tanh(logit / 2)
        sentiment, mixed = _sentiment(draft, score)
        spans = self._spans(draft, sentiment)
        alarms = () if draft.voice in (MERCHANT, AD) and not _serious(draft) else draft.findings.alarms
        red_lines = tuple(
            RedLine(alarm.line.name, alarm.rule, *(span := form.original_span(alarm.start, alarm.end)),
                    item.text[span[0]:span[1]])
            for alarm in alarms
        )
        severity = max((span.severity for span in spans), default=0)
        return Assessment(
            id=item.id, model_version=self.version, brand_match=draft.matched.brand, sentiment=sentiment,
            score=round(score, 4), confidence=round(_confidence(draft, score, sentiment), 4), mixed=mixed,
            severity=3 if red_lines else severity, topics=tuple(dict.fromkeys(span.topic for span in spans)),
            red_lines=red_lines, spans=spans, hits=draft.matched.hits, voice=draft.voice,
            fingerprint=fingerprint(item.text), refused=draft.refused, truncated=form.truncated,
        )

    def _spans(self, draft: _Draft, sentiment: Sentiment) -> tuple[Span, ...]:
        if draft.refused:
            return ()
        spans = []
        for complaint in draft.findings.complaints:
            last = max(complaint.clause.end, complaint.end)
            start, end = draft.form.original_span(complaint.clause.start, last)
            spans.append(Span(start, end, complaint.topic, Sentiment.NEGATIVE, complaint.severity))
        unexplained = not spans and sentiment is Sentiment.NEGATIVE and draft.evidence.negative > 0
        if unexplained and draft.voice == CUSTOMER:
            worst = draft.clauses[min(range(len(draft.clauses)), key=draft.evidence.by_clause.__getitem__)]
            start, end = draft.form.original_span(worst.start, worst.end)
            spans.append(Span(start, end, OTHER, Sentiment.NEGATIVE, 1))
        return tuple(sorted(spans, key=lambda span: (span.start, span.topic)))

    def _poison(self, item: TextInput, error: Exception) -> Assessment:
        return Assessment(
            id=item.id, model_version=self.version, brand_match=item.about_brand, sentiment=Sentiment.NEUTRAL,
            score=0.0, confidence=0.0, mixed=False, severity=0, topics=(), red_lines=(), spans=(), hits=(),
            voice=CUSTOMER, fingerprint=b"",
            refused=f"判定出错（{type(error).__name__}），请把原文交给维护者",
        )


def _refusal(text: str) -> str | None:
    """Why a normal form can't be judged, or None."""
    if not text.strip():
        return "空文本"
    rest = _LINK.sub(" ", text)
    if not rest.strip():
        return "只有链接"
    if not _LETTER.search(rest) and not _PICTURE.search(rest):
        return "没有文字"
    if _BLOB.search(rest) and not _WORD.search(_BLOB.sub(" ", rest)):
        return "不是自然语言（编码数据）"
    return None


def _logit(draft: _Draft, engine: float | None) -> float:
    """Rules, engine and stars together; the more the rules know, the less the engine counts."""
    if draft.refused:
        return 0.0
    evidence = draft.evidence
    logit = evidence.logit
    if engine is not None:
        clipped = min(1 - 1e-6, max(1e-6, engine))
        raw = max(-_ENGINE_LIMIT, min(_ENGINE_LIMIT, math.log(clipped / (1 - clipped))))
        logit += _ENGINE_WEIGHT * raw / (1 + 0.35 * (evidence.positive + evidence.negative))
    rating = draft.item.rating
    if rating is not None and 1 <= rating <= 5:
        logit += _RATING_LOGIT[round(rating)]
    return logit


def _sentiment(draft: _Draft, score: float) -> tuple[Sentiment, bool]:
    if draft.refused or draft.voice == MERCHANT:
        return Sentiment.NEUTRAL, False
    evidence = draft.evidence
    told = any(complaint.severity >= 2 for complaint in draft.findings.complaints)
    mixed = evidence.positive >= _MIXED_SIDE and evidence.negative >= _MIXED_SIDE and abs(evidence.logit) < 4
    if draft.findings.alarms and draft.voice != MEDIA:
        return Sentiment.NEGATIVE, False
    if abs(score) < _NEUTRAL_BELOW and not (told and score < 0):
        return (Sentiment.NEGATIVE if told and score <= 0 else Sentiment.NEUTRAL), mixed
    return (Sentiment.POSITIVE if score > 0 else Sentiment.NEGATIVE), mixed


def _confidence(draft: _Draft, score: float, sentiment: Sentiment) -> float:
    """How far the score is from the border of another class, halved where no rule had anything to say."""
    if draft.refused:
        return 0.0
    margin = 1 - abs(score) / _NEUTRAL_BELOW if sentiment is Sentiment.NEUTRAL else abs(score)
    known = draft.evidence.positive + draft.evidence.negative + (1.0 if draft.item.rating else 0.0)
    return max(0.05, min(1.0, margin)) * (1.0 if known >= 1 else 0.5)


def _serious(draft: _Draft) -> bool:
    """Whether an advertisement or a merchant's text calls people together or tells of authorities."""
    return draft.voice == AD and any(alarm.line.threats for alarm in draft.findings.alarms)


def to_line(assessment: Assessment) -> dict[str, Any]:
    """Return an assessment as the JSON line of `vocwatch judge`."""
    return {
        "id": assessment.id, "sentiment": assessment.sentiment.value, "score": assessment.score,
        "confidence": assessment.confidence, "mixed": assessment.mixed, "brand_match": assessment.brand_match,
        "topics": list(assessment.topics), "severity": assessment.severity,
        "red_lines": [
            {"name": line.name, "rule": line.rule, "start": line.start, "end": line.end,
             "matched": line.matched}
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
        "voice": assessment.voice, "refused": assessment.refused, "truncated": assessment.truncated,
        "model_version": assessment.model_version,
    }
