"""Charts as data: an ECharts option made of plain values, and the table that says the same.

Colours are names of CSS variables and `hatch`; the page's script puts in what light or dark asks for. A value of None is
unknown: it is drawn hatched over the whole height and stands in the table as unknown, never as 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.web.desk.shown import shown

COLOURS = tuple(f"--c{number}" for number in range(1, 9))
HEATS = tuple(f"--heat{number}" for number in range(5))
_FONT = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif'
_NAME = 40


@dataclass(frozen=True)
class Cell:
    """One cell of a chart's table: what it says (None: unknown) and the address of its rows."""

    value: str | int | None
    href: str = ""


@dataclass(frozen=True)
class Line:
    """One series: a value for each step (None: unknown) and the address of the rows behind each."""

    name: str
    values: Sequence[float | None]
    hrefs: Sequence[str] = ()
    colour: str = ""
    kind: str = "bar"
    stack: str = ""
    score: bool = False
    """Drawn against 0 to 100 on the right."""


@dataclass(frozen=True)
class Chart:
    """What the macro `figure` shows."""

    name: str
    title: str
    option: dict[str, Any]
    head: list[tuple[str, str]]
    rows: list[list[Cell]] = field(default_factory=list)
    note: str = ""
    hatched: bool = False


def over_time(
    name: str, title: str, steps: Sequence[str], lines: Sequence[Line], *, first: str, unknown: str, note: str = "",
    partial: Sequence[bool] = (),
) -> Chart:
    """Return a chart of series over time. A step without any value is hatched; `partial` steps carry a star."""
    blind = [all(line.values[at] is None for line in lines) for at in range(len(steps))] if lines else []
    names = [f"{step}{'*' if partial and partial[at] else ''}" for at, step in enumerate(steps)]
    series = [_series(line, place) for place, line in enumerate(lines)]
    if any(blind):
        series.append(_blind(blind, unknown))
    option = {
        **_base(), "legend": _legend([line.name for line in lines] + ([unknown] if any(blind) else [])),
        "xAxis": [
            {"type": "category", "data": names, "axisLine": {"lineStyle": {"color": "--edge"}}, "axisTick": {"show": False},
             "axisLabel": {"color": "--mute", "hideOverlap": True}},
            {"type": "category", "data": names, "show": False},  # the hatching's own, or it would take half the bars' room
        ],
        "yAxis": [
            {"type": "value", "minInterval": 1, "axisLabel": {"color": "--mute"}, "splitLine": {"lineStyle": {"color": "--line"}}},
            {"type": "value", "show": False, "min": 0, "max": 1},
            {"type": "value", "show": any(line.score for line in lines), "min": 0, "max": 100, "splitNumber": 2, "position": "right",
             "axisLabel": {"color": "--mute"}, "splitLine": {"show": False}},
        ],
        "series": series,
    }
    rows = [
        [Cell(names[at]), *(Cell(_said(line.values[at]), line.hrefs[at] if line.hrefs else "") for line in lines)]
        for at in range(len(steps))
    ]
    return Chart(name, title, option, [(first, ""), *((shown(line.name, _NAME), "n") for line in lines)], rows, note, any(blind))


def heat(
    name: str, title: str, across: Sequence[str], down: Sequence[str], values: Sequence[Sequence[float | None]],
    hrefs: Sequence[Sequence[str]], *, first: str, note: str = "",
) -> Chart:
    """Return a heat map; `values[row][column]`, None where it is unknown."""
    most = max([1.0, *(v for row in values for v in row if v is not None)])
    points = [
        {"value": [column, row, value], "href": hrefs[row][column]}
        for row, line in enumerate(values) for column, value in enumerate(line) if value
    ]
    option = {
        **_base(), "grid": {"left": 8, "right": 12, "top": 8, "bottom": 44, "containLabel": True},
        "xAxis": {"type": "category", "data": [shown(one, 16) for one in across], "axisTick": {"show": False}, "position": "top",
                  "axisLabel": {"color": "--mute", "interval": 0, "rotate": 30 if len(across) > 6 else 0}},
        "yAxis": {"type": "category", "inverse": True, "data": [shown(one, 16) for one in down], "axisTick": {"show": False},
                  "axisLabel": {"color": "--ink"}},
        "visualMap": {"min": 0, "max": most, "calculable": False, "orient": "horizontal", "left": "center", "bottom": 0,
                      "itemHeight": 120, "textStyle": {"color": "--mute"}, "inRange": {"color": list(HEATS)}},
        "series": [{"type": "heatmap", "data": points, "label": {"show": True, "color": "--ink", "textBorderWidth": 2, "textBorderColor": "--sheet"},
                    "itemStyle": {"borderColor": "--sheet", "borderWidth": 2}}],
    }
    rows = [
        [Cell(shown(down[row], _NAME)), *(Cell(_said(value), hrefs[row][column]) for column, value in enumerate(line))]
        for row, line in enumerate(values)
    ]
    return Chart(name, title, option, [(first, ""), *((shown(one, _NAME), "n") for one in across)], rows, note)


def _series(line: Line, place: int) -> dict[str, Any]:
    colour = line.colour or COLOURS[place % len(COLOURS)]
    hrefs = line.hrefs or [""] * len(line.values)
    made: dict[str, Any] = {
        "name": shown(line.name, _NAME), "type": line.kind, "data": [
            {"value": value, "href": href} for value, href in zip(line.values, hrefs, strict=True)
        ],
        "itemStyle": {"color": colour}, "emphasis": {"focus": "series"}, "yAxisIndex": 2 if line.score else 0,
    }
    if line.kind == "line":
        made |= {"lineStyle": {"width": 2, "color": colour}, "symbolSize": 6, "connectNulls": False,
                 "symbol": ("circle", "rect", "triangle", "diamond")[place % 4]}
    else:
        made |= {"barMaxWidth": 26} | ({"stack": line.stack} if line.stack else {})
    return made


def _blind(blind: Sequence[bool], unknown: str) -> dict[str, Any]:
    return {
        "name": unknown, "type": "bar", "xAxisIndex": 1, "yAxisIndex": 1, "barWidth": "90%", "silent": True,
        "itemStyle": {"color": "hatch"}, "data": [1 if one else None for one in blind], "tooltip": {"show": False},
    }


def _base() -> dict[str, Any]:
    return {
        "animation": False, "textStyle": {"fontFamily": _FONT}, "grid": {"left": 8, "right": 12, "top": 36, "bottom": 8, "containLabel": True},
        "tooltip": {"trigger": "item", "renderMode": "richText", "confine": True, "backgroundColor": "--sheet", "borderColor": "--edge",
                    "textStyle": {"color": "--ink"}},
    }


def _legend(names: Sequence[str]) -> dict[str, Any]:
    return {"data": [shown(name, _NAME) for name in names], "top": 0, "left": 0, "type": "scroll", "itemWidth": 14, "itemHeight": 10,
            "textStyle": {"color": "--ink"}, "pageTextStyle": {"color": "--mute"}}


def _said(value: float | None) -> str | None:
    return None if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
