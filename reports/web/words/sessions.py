"""The words of 会话."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "sessions_title": ("会话", "Sessions"), "session_title": ("会话 {id}", "Session {id}"), "session_gone": ("库里没有这个会话", "No such session"),
    "col_time": ("开始时间", "Started"), "col_session": ("会话", "Session"), "col_path": ("质检路径", "Path"), "col_reason": ("原因", "Reason"),
    "col_product": ("商品", "Product"), "col_shop": ("店铺", "Shop"), "col_topics": ("主题", "Topics"), "col_sku": ("SKU", "SKU"),
    "by_path_day": ("逐日会话（按质检路径）", "Sessions by day and path"), "by_reason": ("原因", "Reasons"), "by_product": ("商品", "Products"), "by_shop": ("店铺与负责人", "Shops and owners"),
    "overview_load": ("看分布", "See how they spread"), "customers_n": ("{n} 位顾客", "{n} customers"), "not_imported": ("当天没有导入，未知", "not imported that day: unknown"),
    "none_of_imported": ("这段时间导入过会话，只是没有符合条件的。去掉一个条件试试。", "Sessions of this period were imported; none match. Drop a condition."),
    "nothing_imported": ("这段时间没有导入任何会话，情况未知。请先导入客服导出：vocwatch sessions import 文件", "No session of this period was imported, so nothing is known: vocwatch sessions import FILE"),
    "turns_title": ("对话（已脱敏）", "Conversation (masked)"), "role_customer": ("顾客", "Customer"), "role_agent": ("客服", "Agent"), "role_system": ("系统", "System"),
    "keywords_found": ("命中的舆情关键词", "Keywords found"), "no_keywords": ("没有命中舆情关键词", "No keyword class found"),
    "rating_word": ("评价", "Rating"), "stars_word": ("星级", "Stars"), "resolved_word": ("是否解决", "Resolved"), "yes": ("是", "yes"), "no": ("否", "no"),
    "response_word": ("响应", "Response"), "seconds_n": ("{n} 秒", "{n} s"), "platform_word": ("平台", "Platform"), "amount_word": ("金额", "Amount"),
    "return_reason": ("退货原因", "Return reason"), "violation": ("违规", "Violation"), "review_text": ("评价内容", "Review"),
    "imported_at": ("导入", "Imported"), "no_turns": ("没有对话内容", "No turns"), "viewed_note": ("查看会话会记入审计日志", "Looking at a session is noted in the log"),
    "export_wrong": ("导不出来", "It can't be exported"), "export_what": ("能导出的有：{names}", "What can be exported: {names}"),
}
