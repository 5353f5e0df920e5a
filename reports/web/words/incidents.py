"""The words of 事件."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "incidents_title": ("事件", "Incidents"), "incident_gone": ("没有这个事件", "No such incident"),
    "tab_all": ("全部", "All"), "tab_new": ("新增", "New"), "tab_worse": ("升级", "Worse"), "tab_back": ("复燃", "Back"), "tab_check": ("待核", "To check"),
    "col_level": ("等级", "Level"), "col_state": ("状态", "State"), "col_incident": ("事件", "Incident"), "col_days": ("逐日等级", "Level by day"),
    "col_outside": ("外部", "Public"), "col_inside": ("会话", "Sessions"), "col_score": ("分", "Score"), "col_owner": ("负责", "Owner"),
    "col_span": ("起止", "Span"), "col_case": ("跟进", "Case"), "not_listed": ("当天没有上榜", "not listed that day"),
    "incidents_n": ("{n} 个事件", "{n} incidents"), "on_day": ("按 {date}", "as of {date}"),
    "timeline": ("逐日新增", "Joined by day"), "series_outside": ("外部提及", "Public mentions"), "series_inside": ("客服会话", "Sessions"), "series_score": ("风险分", "Score"),
    "outside_members": ("外部提及 {n}", "Public mentions {n}"), "inside_members": ("客服会话 {n}", "Service sessions {n}"),
    "no_outside": ("外部还没有出现", "Nothing in public yet"), "no_inside": ("没有同因会话", "No session for the same reason"),
    "all_of_them": ("看全部", "See all"), "explain_title": ("分数怎么来的", "How the score comes about"),
    "explain_load": ("拆开看每一项", "Take the score apart"), "part": ("项", "Part"), "part_value": ("取值 0–1", "Value 0–1"), "part_weight": ("权重", "Weight"),
    "part_points": ("得分", "Points"), "part_inputs": ("依据", "From"), "part_rows": ("背后的行", "Rows"),
    "part_sensitivity": ("敏感度", "Sensitivity"), "part_intensity": ("强度", "Intensity"), "part_evolution": ("演变", "Evolution"),
    "part_spread": ("传播", "Spread"), "part_attitude": ("态度", "Attitude"), "part_corroboration": ("内外印证", "Corroboration"),
    "now_same": ("按现在的数据重算，结果相同", "Judged again from what is stored now: the same"),
    "now_differs": ("按现在的数据重算：{score} 分，{level}。之后补录、删除或改判过", "Judged again now: {score}, {level}; texts came, went or were judged anew since"),
    "now_gone": ("按现在的数据重算，这一天不会上榜", "Judged again now it would not be listed that day"),
    "rule_word": ("定级", "Level rule"), "recurs": ("复燃自 {id}", "came back from {id}"), "compare_fix": ("措施前后对比", "Compare before and after a measure"),
    "day_word": ("业务日", "Date"), "day_row": ("{date} {level} {state} {score} 分", "{date} {level} {state}, score {score}"),
    "more_n": ("另有 {n} 条", "{n} more"), "watched_note": ("待核：人数或把握还不够成事件", "To check: too few or too unsure"),
}
