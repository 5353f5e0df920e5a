"""Complaint topics and red lines of a text, by the rules of `config/topics.yaml`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sentiment.clauses import Clause
from sentiment.rules import Match, Rule, RuleBook
from sentiment.scope import Spans, Surroundings
from vocwatch.models import OTHER_TOPIC
from vocwatch.settings.topics import RedLineClass, Topics

OTHER = OTHER_TOPIC
"""The topic of a negative text that no leaf explains."""

_MILD = re.compile(r"有点|有些|稍微|略|一点点|稍|小小|些许|轻微|不算太|偶尔")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One leaf in one clause of a text; offsets into the normal form."""

    topic: str
    severity: int
    clause: Clause
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """A red-line class that fired; offsets into the normal form; `rule` is `word` or the pattern's number."""

    line: RedLineClass
    rule: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What the taxonomy says of a text; `denied` are clauses that speak of a fault only to deny it,
    `dismissed` the spans of all words that name a fault without complaining of it.
    """

    complaints: tuple[Complaint, ...]
    alarms: tuple[Alarm, ...]
    denied: tuple[Clause, ...]
    dismissed: tuple[tuple[int, int], ...] = ()


class Taxonomy:
    """The leaves and red lines made ready to run."""

    def __init__(self, topics: Topics):
        self._leaves = [
            (f"{group.name}/{leaf.name}", leaf) for group in topics.topics for leaf in group.leaves
        ]
        self._lines = list(topics.red_lines)
        self.severities = {name: leaf.severity for name, leaf in self._leaves}
        self._book = RuleBook([
            *(Rule(leaf.words, leaf.patterns, leaf.cancel) for _, leaf in self._leaves),
            *(Rule(line.words, line.patterns, line.cancel) for line in self._lines),
        ])

    def find(self, text: str, clauses: Sequence[Clause], own: Spans = (), others: Spans = ()) -> Findings:
        """Return complaints, red lines and denied faults of a normal form.

        `own` and `others` say where the own brand and competitors are named: what is said of others is left
        out.
        """
        matches = self._book.find(text, clauses)
        if not matches or not clauses:
            return Findings((), (), ())
        around = Surroundings(text, clauses, own, others)
        complaints: dict[tuple[str, int], Complaint] = {}
        alarms: dict[str, Alarm] = {}
        denied: dict[int, Clause] = {}
        dismissed: list[tuple[int, int]] = []
        for match in matches:
            if match.rule >= len(self._leaves):
                self._red_line(match, around, alarms)
                continue
            clause = around.clause_of(match)
            name, leaf = self._leaves[match.rule]
            if (name, clause.start) in complaints:
                continue
            reason = around.dismissed(match)
            if reason is None:
                mild = leaf.severity == 2 and _MILD.search(text, clause.start, clause.end)
                found = Complaint(name, 1 if mild else leaf.severity, clause, match.start, match.end)
                complaints.setdefault((name, clause.start), found)
                continue
            dismissed.append((match.start, match.end))
            if reason == "negated":
                denied.setdefault(clause.start, clause)
        self._add_topics_of(alarms, around, complaints)
        return Findings(
            tuple(complaints.values()), tuple(alarms.values()), tuple(denied.values()), tuple(dismissed)
        )

    def _red_line(self, match: Match, around: Surroundings, alarms: dict[str, Alarm]) -> None:
        line = self._lines[match.rule - len(self._leaves)]
        if line.name in alarms or around.dismissed(match, threats=line.threats, happened=not line.threats):
            return
        alarms[line.name] = Alarm(line, match.how, match.start, match.end)

    def _add_topics_of(
        self, alarms: dict[str, Alarm], around: Surroundings, complaints: dict[tuple[str, int], Complaint]
    ) -> None:
        """A red line that belongs to a topic brings it along."""
        told = {topic for topic, _ in complaints}
        for alarm in alarms.values():
            topic = alarm.line.topic
            if topic and topic not in told:
                clause = around.clause_of(Match(0, alarm.start, alarm.end, alarm.rule))
                complaints[topic, clause.start] = Complaint(
                    topic, self.severities[topic], clause, alarm.start, alarm.end
                )
