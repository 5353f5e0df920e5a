"""The words of what people say and do about findings: feedback, objections, cases."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "case_word": ("跟进", "Case"), "case_n": ("跟进 {id}", "Case {id}"), "case_none": ("还没有人跟进", "Nobody takes care of it yet"),
    "case_open": ("进行中", "open"), "case_closed": ("已结案：{outcome}", "closed: {outcome}"),
    "assign": ("指派", "Assign"), "assign_to": ("交给谁", "To whom"), "due_on": ("截止日", "Due"), "due_past": ("已逾期", "overdue"),
    "case_note": ("备注（电话、姓名会打码）", "Note (personal data is masked)"), "comment": ("补充说明", "Comment"),
    "close_case": ("结案", "Close"), "outcome": ("结果", "Outcome"), "outcome_review": ("改评", "review changed"), "outcome_compensated": ("补偿", "compensated"),
    "outcome_removed": ("下架", "taken down"), "outcome_clarified": ("澄清", "clarified"), "outcome_false": ("误报", "false alarm"),
    "step_opened": ("立案", "opened"), "step_assigned": ("指派给 {value}", "assigned to {value}"), "step_due": ("截止日定为 {value}", "due {value}"),
    "step_comment": ("说明", "comment"), "step_closed": ("结案：{value}", "closed: {value}"), "history": ("经过", "History"),
    "say_word": ("判断准不准", "Was it right"), "say_note": ("备注（可不填）", "Note (optional)"), "say_level": ("应该定的等级（可不填）", "The right level (optional)"),
    "not_said_level": ("不说", "not said"), "object_to": ("提异议", "Object"), "why_object": ("理由（必填）", "Why (required)"),
    "disputed_word": ("有异议：{reason}（{who}）", "contested: {reason} ({who})"), "settle_word": ("裁定", "Settle"), "settled_word": ("裁定", "ruling"),
    "contested": ("有异议，待第三人裁定；裁定前不参与学习", "Contested; somebody else settles it, until then nothing is learned"),
    "not_done": ("没有做成", "Not done"), "go_back": ("返回", "Back"),
    "person_noted": ("已记下", "Noted"), "need_owner": ("要写交给谁", "Say to whom"), "bad_date": ("日期看不懂：{value}", "Not a date: {value}"),
    "who_said": ("{who} {at}", "{who} {at}"), "analyst_only": ("分析员以上可以标记和跟进", "Analysts and above may mark and assign"),
}
