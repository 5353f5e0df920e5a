"""Fixed words of the digest's pages in Chinese and English. Quotes and names stay as they are."""

from __future__ import annotations

LABELS: dict[str, tuple[str, str]] = {
    "report": ("舆情日报", "VoC daily"),
    "window": ("监测窗口", "Window"),
    "generated": ("生成", "Generated"),
    "coverage": ("数据完整度", "Coverage"),
    "coverage_short": ("完整度", "coverage"),
    "actions": ("今日需处理", "To act on today"),
    "no_actions": ("无需处理", "Nothing to act on"),
    "owner": ("负责", "Owner"),
    "due": ("截止", "Due"),
    "indicators": ("四个指标", "Four figures"),
    "median": ("四周同日中位数", "Median of 4 same weekdays"),
    "share": ("占比", "share"),
    "partial": ("数据不全", "partial data"),
    "missing": ("未知", "unknown"),
    "risks": ("重点风险", "Risks"),
    "no_risks": ("今日无上榜风险", "Nothing ranked today"),
    "no_risks_blind": (
        "已读到的数据里没有上榜风险；未读到的部分未知",
        "Nothing ranked in what was read; the rest is unknown",
    ),
    "score": ("风险分", "Score"),
    "why": ("为什么上榜", "Why it is listed"),
    "sensitivity": ("敏感度", "Sensitivity"),
    "intensity": ("强度", "Intensity"),
    "evolution": ("演变", "Evolution"),
    "spread": ("传播", "Spread"),
    "attitude": ("态度", "Attitude"),
    "corroboration": ("内外印证", "Corroboration"),
    "volume": (
        "外部 {mentions} 条，独立发布者 {authors} 名；内部会话 {sessions} 个",
        "{mentions} public texts by {authors} independent authors; {sessions} service sessions",
    ),
    "first_seen": ("首发", "First seen"),
    "sources": ("平台", "Where"),
    "quotes": ("网民观点，未经核实", "Unverified opinions of internet users"),
    "evidence": ("证据", "Evidence"),
    "more_links": ("共 {count} 条，完整清单见 JSON", "{count} in all; the full list is in the JSON"),
    "advice": ("建议", "Advice"),
    "shop": ("店铺", "Shop"),
    "emerging": ("升温与新主题", "Rising topics"),
    "seen_expected": ("预期 {expected}，实际 {seen}", "expected {expected}, seen {seen}"),
    "false_alarm": ("约每 {odds} 个主题日误报一次", "about one false alarm in {odds} topic-days"),
    "more_risks": ("另有 {count} 个事件未列卡片", "{count} more incidents without a card"),
    "internal": ("差评与客服会话", "Inside customer service"),
    "paths": ("质检路径", "By path"),
    "reasons": ("原因 × 商品", "Reason × product"),
    "no_reasons": (
        "原因分散，没有两个会话同因，也没有内外同现",
        "No reason came up twice or in public as well",
    ),
    "sessions_n": ("会话 {count}", "{count} sessions"),
    "both": ("内外同现（外部 {count} 条）", "also public ({count})"),
    "safety": ("商品安全", "safety"),
    "csi": ("客户满意度", "Satisfaction"),
    "trend": ("走势与平台", "Trend and sources"),
    "trend_note": ("负面 / 总声量", "negative / all mentions"),
    "words": ("热词", "Hot words"),
    "no_words": ("无显著热词", "None stands out"),
    "words_note": ("{authors} 人", "{authors} authors"),
    "health": ("数据健康", "Data health"),
    "all_ok": ("{count} 个来源全部正常", "All {count} sources ok"),
    "others_ok": ("其余 {count} 个来源正常", "The other {count} sources are ok"),
    "since": ("自 {date}", "since {date}"),
    "read_of": ("读到 {read}，应有 {expected}", "read {read} of {expected}"),
    "followups": ("昨日事项跟踪", "Yesterday’s items"),
    "no_followups": ("昨日无上榜事项", "Nothing was listed yesterday"),
    "cases": ("典型会话", "Sessions for training"),
    "bad_case": ("差", "Poor"),
    "good_case": ("优", "Good"),
    "alerts": ("红线预警", "Red-line alerts"),
    "method": ("口径", "Method"),
    "method_text": (
        "同一文案的转载合并为一条，只计独立发布者；基线为前 28 天及四个同星期日，剔除未读到的来源日。"
        "风险分 = 25 敏感度 + 20 强度 + 20 演变 + 15 传播 + 10 态度 + 10 内外印证（权重可配置）。",
        "Copies of one text count once; only independent authors count. The baseline is the 28 days before "
        "and the four same weekdays, without source-days that were not read. Score = 25 sensitivity "
        "+ 20 intensity + 20 evolution + 15 spread + 10 attitude + 10 corroboration (configurable weights).",
    ),
    "versions": (
        "公式 {formula} · 主题表 {topics} · 阈值 {thresholds}",
        "Formula {formula} · topics {topics} · levels {thresholds}",
    ),
    "notice": (
        "等级为企业内部预警，非政府预警。引文均为网民观点，未经核实。个人信息已脱敏，仅限内部使用，请勿外传。",
        "Levels are internal warnings of the company, not of any authority. Quotes are unverified "
        "opinions. Personal data is masked; internal use only.",
    ),
    "received": (
        "你在 config/vocwatch.yaml 的日报收件人里，所以收到此信；增减收件人、改发送时间，请改该文件。",
        "You are listed in config/vocwatch.yaml as a recipient; change recipients or time there.",
    ),
    "feedback": (
        "判断不准？运行 vocwatch query incidents 查看依据，并告诉品控负责人。",
        "Wrong? Look up the grounds with vocwatch query incidents and tell the head of quality.",
    ),
    "days_lead": ("内部领先 {days} 天", "inside led by {days} days"),
    "level_of": ("等级", "Level"),
    "today_new": ("今日 +{mentions} 条，+{sessions} 会话", "today +{mentions} public, +{sessions} sessions"),
    "copies": ("转载 {copies} 条", "{copies} copies"),
    "colon": ("：", ": "),
    "comma": ("，", ", "),
    "stop": ("；", "; "),
    "list": ("、", ", "),
    "calm_word": ("平稳", "calm"),
    "to_do": ("需处理", "to act on"),
    "negative": ("负面", "negative"),
    "same_weekdays": ("较四周同日", "vs 4 weeks"),
}


def label(key: str, lang: str, **values: object) -> str:
    """Return a fixed word or sentence in "zh" or "en"."""
    text = LABELS[key][1 if lang == "en" else 0]
    return text.format(**values) if values else text
