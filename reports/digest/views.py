"""What one reader is shown of a digest. A view only leaves out: what it shows stands in the whole as well.

A shop's owner is shown the incidents that are theirs, with the verdict and the work that follow from these; a reader
with enhanced privacy no words of customers and no addresses of posts (titles too are made of such words).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from reports.actions import MAX_ACTIONS, risk_actions
from reports.say import Say, say
from reports.shape import Action, Facts, FollowUp, Risk
from reports.verdict import level_of, verdict_of
from vocwatch.settings import Settings

EXECUTIVE = "executive"
OWNER = "owner"
AUDIENCES = ("qa", EXECUTIVE, OWNER)
_OF_PEOPLE = "note.exposed"
_OF_RISKS = ("action.risk", "action.check")
_LOWER = frozenset({"emerging", "internal", "trend", "words", "health", "followups", "cases"})
_SHOWN = {EXECUTIVE: frozenset(), OWNER: frozenset({"shops", "emerging", "health", "followups"})}
"""The parts behind the risk cards: `internal` and the trend are the whole brand's, `shops` is what an owner has of it."""


@dataclass(frozen=True)
class Reader:
    """For whom: `owner` leaves that owner's incidents only, `privacy` leaves out words and addresses of customers."""

    lang: str = "zh"
    owner: str = ""
    privacy: bool = False


def readers(settings: Settings, audience: str, lang: str) -> dict[str, Reader]:
    """Return who gets the digest of an audience by mail, by address. `lang` is for those who name none.

    With `digest.shop_owners` the owner of each shop that has an address gets theirs.
    """
    found: dict[str, Reader] = {}
    for r in settings.app.digest.recipients:
        if r.audience == audience:
            found.setdefault(r.email, Reader(r.lang or lang, r.owner, r.privacy))
    if audience == OWNER and settings.app.digest.shop_owners:
        for shop in settings.app.shops:
            if shop.email:
                found.setdefault(shop.email, Reader(lang, shop.owner))
    return found


def audiences(settings: Settings) -> list[str]:
    """Return the audiences whose digests are written each morning: always QA's, and those with a reader."""
    named = [*AUDIENCES, *(r.audience for r in settings.app.digest.recipients)]
    return [a for a in dict.fromkeys(named) if a == "qa" or readers(settings, a, "")]


def shows(facts: Facts, part: str) -> bool:
    """Whether a part behind the risk cards is shown to the digest's audience."""
    return part in _SHOWN.get(facts.audience, _LOWER)


def view(facts: Facts, reader: Reader) -> Facts:
    """Return what `reader` is shown of `facts`."""
    if reader.owner:
        facts = of_owner(facts, reader.owner)
    return private(facts) if reader.privacy else facts


def of_owner(facts: Facts, owner: str) -> Facts:
    """Leave the incidents, red lines and work that `owner` answers for. Figures of the whole brand stay, and are said to be."""
    everything = (*facts.risks, *facts.others)
    mine = [replace(r, rank=rank) for rank, r in enumerate((r for r in everything if r.owner == owner), 1)]
    to_check = tuple(r for r in facts.to_check if r.owner == owner)
    shown, rest = mine[: len(facts.risks)], mine[len(facts.risks) :]
    ids = {r.incident for r in (*mine, *to_check)}
    other_work = [a for a in facts.actions if a.owner == owner and a.what.key not in _OF_RISKS]
    zone = facts.window[0].tzinfo
    assert zone is not None
    verdict = verdict_of([*mine, *to_check], facts.coverage)
    return replace(
        facts,
        audience=OWNER,
        level=level_of([*mine, *to_check], facts.coverage),
        verdict=tuple(_for_owner(s) for s in verdict),
        actions=(*risk_actions(mine, to_check, facts.date, zone)[: MAX_ACTIONS - len(other_work)], *other_work),
        risks=tuple(shown),
        others=tuple(rest),
        more_risks=len(rest),
        to_check=to_check,
        alerts=tuple(a for a in facts.alerts if a.incident in ids),
        emerging=tuple(e for e in facts.emerging if e.incident in ids),
        rising=tuple(r for r in facts.rising if r.incident in ids),
        phrases=(),
        shops=tuple(shop for shop in facts.shops if shop.owner == owner),
        followups=tuple(f for f in facts.followups if f.owner == owner),
        overdue=tuple(one for one in facts.overdue if one.owner == owner),
        bad_cases=(),
        good_cases=(),
        notes=(
            say("note.owner", owner=owner, others=len(everything) - len(mine)),
            *(s for s in facts.notes if s.key != _OF_PEOPLE),
        ),
    )


def _for_owner(sentence: Say) -> Say:
    """A calm brand is one thing, calm shops of one owner another."""
    return replace(sentence, key="verdict.owner_calm") if sentence.key == "verdict.calm" else sentence


def private(facts: Facts) -> Facts:
    """Leave out every word a customer wrote: quotes, sessions, new phrases, and the titles made of their words."""
    known = {r.incident: plain_title(r) for r in (*facts.risks, *facts.others, *facts.to_check)}
    first = next(iter((*facts.risks, *facts.to_check)), None)
    return replace(
        facts,
        private=True,
        verdict=tuple(_titled(s, plain_title(first) if first else "") for s in facts.verdict),
        actions=tuple(_action(a, known) for a in facts.actions),
        risks=tuple(_risk(r) for r in facts.risks),
        others=tuple(_risk(r) for r in facts.others),
        to_check=tuple(_risk(r) for r in facts.to_check),
        alerts=tuple(replace(a, title=known.get(a.incident, a.incident)) for a in facts.alerts),
        emerging=tuple(replace(e, title=known.get(e.incident, e.topic)) for e in facts.emerging),
        followups=tuple(_followup(f, known) for f in facts.followups),
        overdue=tuple(replace(one, title=known.get(one.subject, "…")) for one in facts.overdue),
        phrases=(),
        bad_cases=(),
        good_cases=(),
        notes=tuple(_titled(s, "…") for s in facts.notes if s.key != _OF_PEOPLE),
    )


def plain_title(risk: Risk) -> str:
    """Return “暖手宝·商品安全/烫伤”: what an incident is, without anybody's words."""
    return f"{risk.product_name}·{risk.topic}"


def _risk(risk: Risk) -> Risk:
    return replace(risk, title=plain_title(risk), quotes=())


def _action(action: Action, known: dict[str, str]) -> Action:
    return replace(action, what=_titled(action.what, known.get(action.incident or "", "")))


def _followup(told: FollowUp, known: dict[str, str]) -> FollowUp:
    return replace(told, title=known.get(told.incident, told.incident))


def _titled(sentence: Say, title: str) -> Say:
    return replace(sentence, values=tuple((k, title if k == "title" else v) for k, v in sentence.values))
