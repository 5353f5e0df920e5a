"""A first source file from one address: fetch politely, recognise the page, ask where it is unsure, propose how it is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from crawlers.extractors import Link, extract
from crawlers.propose_details import best_of, fitted_listing, has_answers, one_further, telling_links
from crawlers.propose_draft import Bench, Trial, guess_kind
from crawlers.propose_page import Reading
from crawlers.propose_talk import TO_FILL, Ask, Choice, Person, filled, say_nothing, search_in, take_best
from crawlers.propose_visit import ProposeError, Visitor
from crawlers.requests import keywords, starts, with_page
from vocwatch.clock import business_date
from vocwatch.exits import Exit
from vocwatch.lang import tr
from vocwatch.models import MentionRecord, Page
from vocwatch.settings import ConfigError, Settings, Source

__all__ = ["Person", "Proposal", "ProposeError", "SavedPage", "propose", "signed", "source_path", "write_source"]

FEED_SUMMARY = 120  # a feed whose texts are shorter holds summaries
LONGER = 1.2


@dataclass(frozen=True)
class SavedPage:
    """A page that the proposal was made from, the step that reads it, and what the listing told of it."""

    step: str
    page: Page
    records: list[MentionRecord]
    carried: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """What one page turned out to be, and the source file that reads it.

    `coverage` maps a field to (filled, records); `notes` are remarks for whoever checks the file.
    """

    source: Source
    kind: str
    robots: str
    records: list[MentionRecord] = field(default_factory=list)
    coverage: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    pages: tuple[SavedPage, ...] = ()


def propose(
    settings: Settings, name: str, url: str, *, title: str = "", owner: str = "", basis: str = "",
    ask: Ask = take_best, tell: Callable[[str], None] = say_nothing, keyword: bool | None = None,
) -> Proposal:
    """Look at `url`, and at one to three pages behind it where it is a list, and propose a source.

    `ask` is put the questions that the pages leave open, `tell` hears what is found on the way. `keyword` says
    whether the word of a search address becomes {keyword}; None asks. Raises ProposeError.
    """
    url = url.strip().replace("${", "$%7B")  # the loader would fill it from the environment
    _check_address(url)
    path = source_path(settings, name)
    if path.exists():
        raise ProposeError(Exit.USAGE, _taken(path))
    base = {
        "name": name,
        "start": [url],
        "enabled": False,
        "access": {"robots": TO_FILL, "date": business_date(settings.clock.now(), settings.app.zone)},
    }
    conversation = _Conversation(settings, base, ask, tell)
    conversation.sign(Person(title or (urlsplit(url).hostname or name), owner, basis))
    if "{keyword}" in url:
        conversation.base["keywords"] = "watches"
    elif keyword is not False:
        conversation.offer_keyword(url, sure=keyword is True)
    return conversation.run()


def signed(proposal: Proposal, person: Person) -> Proposal:
    """Return the proposal with the answers of a person in it. Raises ProposeError for one that cannot be used."""
    plain = proposal.source.model_dump(mode="python", exclude_unset=True)
    return dataclasses.replace(proposal, source=_validated({**plain, **_answers(person, plain["access"])}))


def write_source(settings: Settings, proposal: Proposal) -> Path:
    """Write config/sources/NAME.yaml (switched off), the pages and what they give: all or nothing. Raises ProposeError."""
    from crawlers.propose_write import write

    try:
        return write(settings, proposal)
    except FileExistsError as error:
        raise ProposeError(Exit.USAGE, _taken(error.filename)) from error
    except ConfigError as error:
        raise ProposeError(Exit.CONFIGURATION, tr(
            f"写出的来源文件读不回来，没有保存：{error}", f"The source file can't be read back and was not kept: {error}",
        )) from error
    except OSError as error:
        raise ProposeError(Exit.STORAGE, tr(
            f"{error.filename}: 写不进去（{error.strerror}）。请检查权限和磁盘空间",
            f"{error.filename}: can't be written ({error.strerror}). Check permissions and disk space",
        )) from error


def _taken(path: object) -> str:
    return tr(
        f"{path} 已经存在，不覆盖。请换个名字，或先改名、删掉旧文件",
        f"{path} exists and is not replaced. Choose another name, or rename or remove the old file",
    )


def source_path(settings: Settings, name: str) -> Path:
    """Return where a source's file lies."""
    return settings.env.config / "sources" / f"{name}.yaml"


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not any(char.isspace() for char in url)
        )
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ProposeError(Exit.USAGE, tr(
            f"网址看不懂：{url[:200]}。要写完整的 http:// 或 https:// 地址", f"No address: {url[:200]}. Write it whole, with http:// or https://",
        ))
    if parts.username or parts.password:
        raise ProposeError(Exit.USAGE, tr(
            "网址里不能带用户名和密码：只读不登录就能看到的内容", "No user name or password in the address: only what shows without login is read",
        ))


def _answers(person: Person, access: Mapping[str, Any]) -> dict[str, Any]:
    """What a person said, as keys of the source file."""
    title, owner, basis, impact, reviewer = (
        words.strip().replace("${", "$ {") for words in dataclasses.astuple(person)
    )
    return {
        "title": title,
        "owner": owner or TO_FILL,
        "access": {
            **access,
            "basis": basis or TO_FILL,
            "impact": impact or TO_FILL,
            "reviewer": reviewer or owner or TO_FILL,
        },
    }


def _validated(plain: Mapping[str, Any]) -> Source:
    try:
        return Source.model_validate(plain)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"]) or tr("来源", "source")
        message, given = str(fault["msg"]).removeprefix("Value error, "), str(fault.get("input"))[:80]
        raise ProposeError(Exit.USAGE, tr(f"{where}：{message}（现在是 {given}）", f"{where}: {message} (now {given})")) from error


class _Conversation:
    """One run of the proposer: the pages it may ask for, and what it has learnt so far."""

    def __init__(self, settings: Settings, base: dict[str, Any], ask: Ask, tell: Callable[[str], None]):
        self._settings, self._ask, self._tell = settings, ask, tell
        self._zone = settings.app.zone
        self._notes: list[str] = []
        self._visitor = Visitor(settings, base, self._notes, tell)

    @property
    def base(self) -> dict[str, Any]:
        """The source file so far, without steps."""
        return self._visitor.base

    def sign(self, person: Person) -> None:
        """Put in what is known of title, owner and basis; all of it is checked before anything is fetched."""
        self.base.update(_answers(person, self.base["access"]))
        _validated({**self.base, "listing": {"extract": "html"}})

    def offer_keyword(self, url: str, sure: bool) -> None:
        """Turn a search for one word into a search for the watched words, where that is wanted."""
        search = search_in(url)
        if search is None:
            return
        choices = [
            Choice(tr(f"换成 {{keyword}}：{search.template}", f"yes: {search.template}")),
            Choice(tr("不换，只搜这个词", "no, this word only")),
        ]
        if not sure and self._ask(tr(
            f"这是一个搜索地址，搜的是“{search.word}”。要不要换成占位符，逐个搜索监测词？",
            f"This is a search for “{search.word}”. Put a placeholder there and search for every watched word?",
        ), choices):
            return
        self.base.update(start=[search.template], keywords="watches")
        if search.word in keywords(self._settings, _validated({**self.base, "listing": {"extract": "html"}})):
            self._notes.append(tr(
                "搜索词换成了 {keyword}，逐个搜索 config/watches.yaml 里的品牌词",
                "the word searched for became {keyword}: the brands of config/watches.yaml are searched for one by one",
            ))
        else:
            self.base["keywords"] = [search.word]
            self._notes.append(tr(
                f"搜索词换成了 {{keyword}}，目前只有“{search.word}”；写 keywords: watches 就逐个搜索品牌词",
                f"the word searched for became {{keyword}}, so far only “{search.word}”; keywords: watches searches for every brand",
            ))
        self._looked_at = filled(search)

    _looked_at: str | None = None

    def run(self) -> Proposal:
        """Read the page that was named and decide."""
        draft = _validated({**self.base, "listing": {"extract": "html"}})
        start = next(starts(self._settings, draft, self._settings.clock.now()), None)
        if start is None:
            raise ProposeError(Exit.USAGE, tr(
                "网址里有 {keyword}，但 config/watches.yaml 里还没有品牌词。请先写监测词",
                "The address has {keyword}, but config/watches.yaml names no brand yet. Write the watches first",
            ))
        address = with_page(self._looked_at or start.url, 1)
        first = self._visitor.read(address)
        if (first.records is None and first.links is None) or (first.shell and not _real(first)):
            drawn = self._visitor.read_drawn(address, first)
            if drawn is not None:
                first = drawn
                self.base["transport"] = "browser"
                self._notes.append(tr("不运行脚本看不到内容，已写 transport: browser", "nothing shows until scripts have run: transport: browser is set"))
        if not _real(first) and first.feeds:
            followed = self._followed_feed(first)
            if followed is not None:
                return followed
        elif first.feeds:
            self._notes.append(tr(
                f"网站自己有订阅源：{first.feeds[0]}。若内容相同，用订阅源更稳",
                f"the site has a feed of its own: {first.feeds[0]}. It is steadier where it holds the same",
            ))
        return self._decide(first)

    def _followed_feed(self, first: Reading) -> Proposal | None:
        feed, before = first.feeds[0], dict(self.base)
        try:
            reading = self._visitor.read(feed)
            if reading.kind != "RSS/Atom" or reading.records is None:
                return None
            self._notes.append(tr(f"页面声明了订阅源 {feed}，来源改读订阅源", f"the page names a feed, {feed}, which is read instead"))
            self.base["start"] = [feed]
            self.base.pop("keywords", None)
            return self._decide(reading)
        except ProposeError as error:
            self.base.clear()
            self.base.update(before)
            self._notes.append(tr(f"页面声明的订阅源读不了：{error}", f"the feed that the page names can't be read: {error}"))
            return None

    # -- deciding -------------------------------------------------------------------------------------------------

    def _decide(self, first: Reading) -> Proposal:
        """Records of this page, or its links with what stands behind them."""
        self._tell(tr(f"页面类型：{first.kind}", f"Kind of page: {first.kind}"))
        records, links = first.records, first.links
        summary = first.kind == "RSS/Atom" and records is not None and _median(records) < FEED_SUMMARY
        if links is not None and (not _real(first) or summary):
            try:
                return self._with_details(first, links, records if summary else None)
            except ProposeError as error:
                if records is None or not any(record.published_at for record in records.found.records):
                    raise
                self._notes.append(tr(
                    f"没能从详情页读正文，先按列表上的内容建：{error}",
                    f"the texts could not be read from detail pages; the list is read as it is: {error}",
                ))
        if records is None:
            raise self._visitor.unread(first)
        records = self._chosen(records, first.rivals)
        step = self._for_browser(records.draft.complete())
        name = "detail" if records.draft.whole else "listing"
        source = self._source({name: step}, records)
        return self._proposal(source, first.kind, [(name, first.page, None)])

    def _chosen(self, best: Trial, rivals: Sequence[Trial]) -> Trial:
        """Ask which group is meant where several look alike."""
        if not rivals:
            return best
        offered = [best, *rivals]
        choices = [Choice(_place(trial), tuple(trial.found.records[:3])) for trial in offered]
        taken = self._ask(tr(
            f"我找到 {len(offered)} 组重复内容，哪一组是要收的（评论、评价、帖子）？",
            f"There are {len(offered)} groups that look alike. Which one holds the comments, reviews or posts?",
        ), choices)
        if len(rivals) and taken == 0:
            others = tr("；", "; ").join(map(_place, rivals))
            self._notes.append(tr(f"页面上还有 {len(rivals)} 组相近的内容没有收：{others}", f"{len(rivals)} more groups that look alike were left out: {others}"))
        return offered[taken]

    def _with_details(self, first: Reading, links: Trial, summaries: Trial | None) -> Proposal:
        sampled = self._sampled(telling_links(links, summaries))
        listed, sampled = self._further(links, sampled)
        benches = [Bench(reading.page, reading.page.fetched_at, self._zone, self.base) for reading, _, _ in sampled]
        found = best_of([reading for reading, _, _ in sampled], benches)
        if found is None:
            seen, link, _ = sampled[0]
            raise ProposeError(Exit.INCOMPLETE, tr(
                f"列表读得到，但详情页 {link.url} 没有认出正文。看到的是：{seen.seen}。请换成详情页的网址再试一次",
                f"The list was read, but no text was found behind {link.url}. Seen: {seen.seen}. Try the address of one post",
            ))
        detail, records = found
        link, transport = next((link, transport) for reading, link, transport in sampled if reading is detail)
        records = self._chosen(records, detail.rivals if records is detail.records else ())
        if summaries is not None and _median(records) < LONGER * _longest(summaries):
            raise ProposeError(Exit.INCOMPLETE, tr(
                f"详情页 {link.url} 的正文不比订阅源里的长", f"The text of {link.url} is no longer than that of the feed",
            ))
        listing = self._for_browser(fitted_listing(links, records, listed))
        step = records.draft.complete()
        if self.base.get("transport") == "browser" and transport == "http":
            step = {**step, "transport": "http"}
        if "next" not in step and _same_next(listing, step):
            step = {**step, "next": dict(listing["next"])}
        step = self._for_browser(step)
        source = self._source({"listing": listing, "detail": step}, records)
        kind = f"{first.kind} → {records.draft.label or detail.kind}"
        return self._proposal(source, kind, [("listing", first.page, None), ("detail", detail.page, link)])

    def _further(
        self, links: Trial, sampled: list[tuple[Reading, Link, str]]
    ) -> tuple[dict[str, Any] | None, list[tuple[Reading, Link, str]]]:
        """Where the pages behind a list say little themselves, look where they keep their reviews."""
        reading, link, _ = sampled[0]
        if reading.more is None or has_answers(reading):
            return None, sampled
        listing = one_further(links.draft.complete(), link, reading.more)
        if listing is None:
            return None, sampled
        self._tell(tr(f"评价在另一页：{reading.more}", f"The reviews stand on another page: {reading.more}"))
        further = Link(reading.more, None, link.carried)
        try:
            found, transport = self._detail(further)
        except ProposeError as error:
            self._notes.append(tr(f"评价页 {reading.more} 没有读成：{error}", f"the page of reviews {reading.more} could not be read: {error}"))
            return None, sampled
        return (listing, [(found, further, transport)]) if has_answers(found) else (None, sampled)

    def _sampled(self, links: list[Link]) -> list[tuple[Reading, Link, str]]:
        """Read one page behind the list; two more where it shows no answers. Raises ProposeError."""
        read: list[tuple[Reading, Link, str]] = []
        for link in links:
            self._tell(tr(f"跟进一个详情页：{link.url}", f"Following one detail page: {link.url}"))
            try:
                reading, transport = self._detail(link)
            except ProposeError as error:
                if not read:
                    raise
                self._notes.append(tr(f"详情页 {link.url} 没有读成：{error}", f"the detail page {link.url} could not be read: {error}"))
                break
            read.append((reading, link, transport))
            if has_answers(reading) or (reading.records is None and reading.more):
                break
        return read

    def _detail(self, link: Link) -> tuple[Reading, str]:
        reading = self._visitor.read(link.url)
        if (reading.records is None or (reading.shell and not _real(reading))) and self.base.get("transport") == "browser":
            return self._visitor.read(link.url, "browser"), "browser"
        return reading, "http"

    # -- putting together -----------------------------------------------------------------------------------------

    def _for_browser(self, step: dict[str, Any]) -> dict[str, Any]:
        """In a browser, wait for what is read and scroll until no more of it comes; a list and its pages share this."""
        transport = step.get("transport") or self.base.get("transport")
        if transport != "browser" or step["extract"] != "html":
            return step
        specs = [step["links"]] if "links" in step else step.get("records", [])
        wanted = [spec.get("items") or spec.get("fields", {}).get("text") for spec in specs]
        plain = [one for one in wanted if isinstance(one, str) and not one.startswith(("xpath:", "page:")) and "@" not in one]
        known = self.base.get("browser", {})
        waited = [*known.get("wait_for", "").split(", "), *plain[:1]]
        counted = [*known.get("scroll_until", "").split(", "), *plain]
        if plain:
            self.base["browser"] = {
                "wait_for": ", ".join(dict.fromkeys(filter(None, waited))),
                "scroll_until": ", ".join(dict.fromkeys(filter(None, counted))),
            }
        return step

    def _source(self, steps: dict[str, Any], records: Trial) -> Source:
        if records.draft.comments:
            steps["comments"] = records.draft.comments
        named = guess_kind(self.base["name"], self.base["title"], self.base["start"][0])
        for step in steps.values():
            for record in step.get("records", ()):
                record["kind"] = named if record["kind"] == "post" and named != "comment" else record["kind"]
        return _validated({**self.base, **steps})

    def _proposal(self, source: Source, kind: str, pages: list[tuple[str, Page, Link | None]]) -> Proposal:
        """Run the finished source over its pages: the records shown are those that it will store."""
        saved: list[SavedPage] = []
        coverage: Mapping[str, tuple[int, int]] = {}
        for name, page, link in pages:
            carried = dict(link.carried) if link else {}
            step = getattr(source, name)
            found = extract(page, step, source, page.fetched_at, self._zone, carried=carried)
            if source.comments is not None and name == "detail" and len(found.records) == 1:
                root = found.records[0]
                found.records += extract(page, source.comments, source, page.fetched_at, self._zone, root=root).records
            saved.append(SavedPage(name, page, found.records, carried))
            coverage = found.coverage or coverage
        records = [record for entry in saved for record in entry.records]
        if not any(record.text.strip() for record in records):
            raise ProposeError(Exit.INCOMPLETE, tr(
                f"{source.start[0]} 认得出结构（{kind}），但没有一条读得出正文。请换一个有内容的页面再试",
                f"{source.start[0]} has a known structure ({kind}), but no text in it. Try a page that holds something",
            ))
        if not any(record.published_at for record in records):
            self._notes.append(tr(
                "没有读到发布时间：日报按采集时间计，请尽量在来源文件里补上 published_at",
                "no time of publication was found: digests go by the time of the crawl; add published_at to the file if you can",
            ))
        return Proposal(source, kind, self._visitor.robots, records, coverage, tuple(self._notes), tuple(saved))


def _real(reading: Reading) -> bool:
    return reading.records is not None and reading.records.real


def _median(trial: Trial) -> float:
    lengths = sorted(len(record.text) for record in trial.found.records)
    return float(lengths[len(lengths) // 2]) if lengths else 0.0


def _longest(trial: Trial) -> int:
    return max((len(record.text) for record in trial.found.records), default=0)


def _place(trial: Trial) -> str:
    """Where a group of records stands, and how many they are."""
    spec = trial.draft.step.get("records", [{}])[0]
    where = spec.get("items") or spec.get("jsonld") or trial.draft.label
    return tr(f"{where}（{len(trial.found.records)} 条）", f"{where} ({len(trial.found.records)} records)")


def _same_next(listing: Mapping[str, Any], step: Mapping[str, Any]) -> bool:
    """Whether the pages behind the list are turned as the list is: both are web pages, and the detail repeats."""
    repeats = any(record.get("items") or record.get("jsonld") for record in step.get("records", ()))
    return bool(listing.get("next", {}).get("link")) and repeats and step["extract"] == listing["extract"] == "html"
