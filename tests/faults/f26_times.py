"""A hundred invented times as sites print them: (text, the moment of reading, what it means, how exactly).

Moments are written in Shanghai time. `None` means that the text tells no day that could be relied on.
"""

MIDNIGHT = "2026-11-16 00:00"
MORNING = "2026-11-16 08:30"
NEW_YEAR = "2027-01-01 00:05"
LEAP = "2028-03-01 00:30"

Case = tuple[str, str, str | None, str]

LATE: list[Case] = [  # a post that we come across days after it was written
    ("2026-11-13 08:10", MORNING, "2026-11-13 08:10", "minute"),
    ("2026-11-13T08:10:30+08:00", MORNING, "2026-11-13 08:10:30", "second"),
    ("2026-11-13T00:10:30Z", MORNING, "2026-11-13 08:10:30", "second"),
    ("11-13 08:10", MORNING, "2026-11-13 08:10", "minute"),
    ("11月13日 08:10", MORNING, "2026-11-13 08:10", "minute"),
    ("2026年11月13日", MORNING, "2026-11-13 00:00", "day"),
    ("2026/11/13", MORNING, "2026-11-13 00:00", "day"),
    ("2026.11.13 21:05", MORNING, "2026-11-13 21:05", "minute"),
    ("3天前", MORNING, "2026-11-13 00:00", "day"),
    ("三天前", MORNING, "2026-11-13 00:00", "day"),
    ("大前天 9:05", MORNING, "2026-11-13 09:05", "minute"),
    ("3 days ago", MORNING, "2026-11-13 00:00", "day"),
    ("Nov 13, 2026", MORNING, "2026-11-13 00:00", "day"),
    ("13 November 2026 20:15", MORNING, "2026-11-13 20:15", "minute"),
    ("Fri, 13 Nov 2026 12:15:00 GMT", MORNING, "2026-11-13 20:15", "second"),
    ("1794571800", MORNING, "2026-11-13 20:10", "second"),
    ("1794571800000", MORNING, "2026-11-13 20:10", "second"),
    ("编辑于 11-13", MORNING, "2026-11-13 00:00", "day"),
    ("上周五 18:00", MORNING, "2026-11-13 18:00", "minute"),
    ("一周前", MORNING, "2026-11-09 00:00", "day"),
]

RELATIVE: list[Case] = [  # read at midnight and around it: the day before is the day before in Shanghai
    ("刚刚", MIDNIGHT, "2026-11-16 00:00", "minute"),
    ("1分钟前", MIDNIGHT, "2026-11-15 23:59", "minute"),
    ("30秒前", MIDNIGHT, "2026-11-15 23:59:30", "second"),
    ("半小时前", MIDNIGHT, "2026-11-15 23:30", "minute"),
    ("1小时前", MIDNIGHT, "2026-11-15 23:00", "hour"),
    ("3小时前", MIDNIGHT, "2026-11-15 21:00", "hour"),
    ("23小时前", MIDNIGHT, "2026-11-15 01:00", "hour"),
    ("24小时前", MIDNIGHT, "2026-11-15 00:00", "hour"),
    ("3 hours ago", MIDNIGHT, "2026-11-15 21:00", "hour"),
    ("an hour ago", MIDNIGHT, "2026-11-15 23:00", "hour"),
    ("2h", MIDNIGHT, "2026-11-15 22:00", "hour"),
    ("今天 00:00", MIDNIGHT, "2026-11-16 00:00", "minute"),
    ("昨天", MIDNIGHT, "2026-11-15 00:00", "day"),
    ("昨天 23:59", MIDNIGHT, "2026-11-15 23:59", "minute"),
    ("昨天 00:00", MIDNIGHT, "2026-11-15 00:00", "minute"),
    ("昨晚11点", MIDNIGHT, "2026-11-15 23:00", "hour"),
    ("前天 12:30", MIDNIGHT, "2026-11-14 12:30", "minute"),
    ("yesterday", MIDNIGHT, "2026-11-15 00:00", "day"),
    ("1天前", MIDNIGHT, "2026-11-15 00:00", "day"),
    ("两天前", MIDNIGHT, "2026-11-14 00:00", "day"),
    ("周日", MIDNIGHT, "2026-11-15 00:00", "day"),
    ("星期一", MIDNIGHT, "2026-11-16 00:00", "day"),
    ("23:40", MIDNIGHT, "2026-11-15 23:40", "minute"),
    ("00:00", MIDNIGHT, "2026-11-16 00:00", "minute"),
    ("11-15", MIDNIGHT, "2026-11-15 00:00", "day"),
    ("昨天 23:50", NEW_YEAR, "2026-12-31 23:50", "minute"),
    ("10分钟前", NEW_YEAR, "2026-12-31 23:55", "minute"),
    ("12-31", NEW_YEAR, "2026-12-31 00:00", "day"),
    ("12月31日 23:58", NEW_YEAR, "2026-12-31 23:58", "minute"),
    ("01-01", NEW_YEAR, "2027-01-01 00:00", "day"),
    ("去年12月30日", NEW_YEAR, "2026-12-30 00:00", "day"),
    ("Dec 31", NEW_YEAR, "2026-12-31 00:00", "day"),
    ("昨天", LEAP, "2028-02-29 00:00", "day"),
    ("1小时前", LEAP, "2028-02-29 23:30", "hour"),
    ("02-29", LEAP, "2028-02-29 00:00", "day"),
]

FUTURE: list[Case] = [  # told as it stands; the store caps it at the moment of reading
    ("2026-11-20 10:00", MORNING, "2026-11-20 10:00", "minute"),
    ("2027-01-01", MORNING, "2027-01-01 00:00", "day"),
    ("2036-11-16T08:30:00+08:00", MORNING, "2036-11-16 08:30", "second"),
    ("2026年12月1日", MORNING, "2026-12-01 00:00", "day"),
    ("Nov 30, 2026", MORNING, "2026-11-30 00:00", "day"),
    ("2026-11-16 08:31", MORNING, "2026-11-16 08:31", "minute"),
    ("1810000000", MORNING, "2027-05-11 09:46:40", "second"),
    ("今天 23:00", MORNING, "2026-11-16 23:00", "minute"),
    ("2026/11/17 00:00", MORNING, "2026-11-17 00:00", "minute"),
    ("20991231", MORNING, "2099-12-31 00:00", "day"),
]

NONE: list[Case] = [  # no time, or none that could be relied on
    ("", MORNING, None, "none"),
    ("置顶", MORNING, None, "none"),
    ("未知时间", MORNING, None, "none"),
    ("3楼", MORNING, None, "none"),
    ("阅读 1.2万", MORNING, None, "none"),
    ("2026-13-45", MORNING, None, "none"),
    ("2026-02-30", MORNING, None, "none"),
    ("0000-00-00 00:00:00", MORNING, None, "none"),
    ("3/4/2026", MORNING, None, "none"),
    ("几天前", MORNING, None, "none"),
    ("广告", MORNING, None, "none"),
    ("v3.4.3", MORNING, None, "none"),
    ("0", MORNING, None, "none"),
    ("null", MORNING, None, "none"),
    ("NaN", MORNING, None, "none"),
]

LUNAR: list[Case] = [  # a lunar day is not the day of the same numbers; beside a solar one it says nothing new
    ("农历十月初八", MORNING, None, "none"),
    ("农历10月8日", MORNING, None, "none"),
    ("阴历9月初九", MORNING, None, "none"),
    ("正月十五", MORNING, None, "none"),
    ("腊月廿三", MORNING, None, "none"),
    ("丙午年十月初八", MORNING, None, "none"),
    ("农历二〇二六年十月初八", MORNING, None, "none"),
    ("农历八月十五中秋节", MORNING, None, "none"),
    ("2026年11月13日 农历十月初五", MORNING, "2026-11-13 00:00", "day"),
    ("2026-11-13 08:10 农历10月5日", MORNING, "2026-11-13 08:10", "minute"),
    ("11月13日（十月初五）20:30", MORNING, "2026-11-13 20:30", "minute"),
    ("农历10月5日 2026-11-13", MORNING, "2026-11-13 00:00", "day"),
]

ENGLISH: list[Case] = [
    ("Nov 14", MORNING, "2026-11-14 00:00", "day"),
    ("14 Nov 2026", MORNING, "2026-11-14 00:00", "day"),
    ("November 14th, 2026 at 9:05 PM", MORNING, "2026-11-14 21:05", "minute"),
    ("Reviewed in Japan on November 14, 2026", MORNING, "2026-11-14 00:00", "day"),
    ("posted 2 weeks ago", MORNING, "2026-11-02 00:00", "day"),
    ("a day ago", MORNING, "2026-11-15 00:00", "day"),
    ("just now", MORNING, "2026-11-16 08:30", "minute"),
    ("11/14/2026", MORNING, "2026-11-14 00:00", "day"),
]

CASES = [*LATE, *RELATIVE, *FUTURE, *NONE, *LUNAR, *ENGLISH]
