"""`vocwatch train` and `evaluate`: the judgement learns from the team's own texts, and is held against them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sentiment import learn, shelf
from sentiment.evaluation import CLASSES, Answer, Report, as_json, compare, evaluate
from sentiment.learn import LearnError, Measured, TrainReport
from sentiment.shelf import ShelfError
from sentiment.training.gain import Gain
from sentiment.training.labels import Labels, LabelsError, parse
from sentiment.training.own import OwnText, distinct
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, print_rows, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.masking import mask
from vocwatch.plain import one_line

_SHOWN = 120
_CHANNEL = "cli"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("train")(train_command)
    app.command("evaluate")(evaluate_command)


def train_command(
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(help="CSV 或 JSONL：正文，加上 label（负/中/正）、stars（1–5）或 topics")] = None,
    stars: Annotated[bool, typer.Option("--stars", help="也用已采评价的星级：1–2 星当负，5 星当正，3 星权重低，4 星不用")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只训练和检验，不启用")] = False,
    show: Annotated[bool, typer.Option("--list", help="列出自训模型")] = False,
    use: Annotated[str, typer.Option(help="换用这个版本")] = "",
    reset: Annotated[bool, typer.Option("--reset", help="回到自带模型")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train on own labels, stars and feedback; list, choose and leave own models."""
    state: Context = context.obj
    if show:
        return _list(state, as_json)
    if use or reset:
        return _use(state, shelf.SHIPPED if reset else use)
    found = learn.from_store(state.store, stars=stars)
    for path in files or ():
        found.texts += _read(state, path).texts
    if not found.texts:
        raise Stop(Exit.USAGE, tr(
            "没有可学的：给出标注文件，或加 --stars 用已采评价的星级，或先用 vocwatch feedback 反馈几条",
            "Nothing to learn from: name a file of labels, add --stars, or give some vocwatch feedback first",
        ))
    for why, count in found.left_out.most_common():
        say(tr(f"未用 {count} 条：{why}", f"{count} not used: {why}"))
    try:
        report = learn.train(state.settings, found.texts, dry_run=dry_run, on_progress=_progress)
    except LearnError as error:
        raise Stop(Exit.INCOMPLETE, str(error)) from error
    except OSError as error:
        raise Stop(Exit.STORAGE, tr(f"模型存不下：{error.strerror}", f"The model cannot be saved: {error.strerror}")) from error
    if as_json:
        print_json({**report.card(), "dry_run": dry_run})
    else:
        _tell(report)
    _end(report, dry_run)
    return None


def _progress(what: str, size: int) -> None:
    words = {
        "judge": tr("先看现有判定怎么说", "Asking the shipped judgement"),
        "noise": tr("交叉检验，找出与别的文本矛盾的星级", "Cross-validating to find contradicted stars"),
        "polarity": tr("训练正负", "Training positive against negative"),
        "neutral": tr("训练中性", "Training neutral"), "measure": tr("在没训练过的文本上检验", "Measuring on texts not trained on"),
    }
    say(tr(f"{words[what]}：{size} 条", f"{words[what]}: {size} texts"))


def _tell(report: TrainReport) -> None:
    names = {"file": tr("标注", "labels"), "stars": tr("星级", "stars"), "feedback": tr("反馈", "feedback")}
    origins = "、".join(f"{names[name]} {count}" for name, count in report.origins.items())
    print_lines([
        tr(f"来源\t{origins}", f"From\t{origins}"),
        tr(f"参加训练\t负 {report.used[0]}，中 {report.used[1]}，正 {report.used[2]}；矛盾的星级去掉 {report.noisy}",
           f"Trained on\t{report.used[0]} negative, {report.used[1]} neutral, {report.used[2]} positive; {report.noisy} contradicted stars left out"),
        tr(f"主题\t{'、'.join(report.leaves) or '标注太少，未训练'}", f"Topics\t{', '.join(report.leaves) or 'too few labels'}"),
        *([_gain_line(report.gain)] if report.gain else ()),
        *(_measured_line(each, report.base) for each in report.measured),
    ])


def _gain_line(gain: Gain) -> str:
    kept = tr("" if gain.lacking() is None else "；看不出提升，褒贬仍按现有判定", "" if gain.lacking() is None else "; no gain, polarity stays as it is")
    return tr(
        f"交叉检验\t{gain.texts} 条：macro-F1 {gain.before:.3f} → {gain.after:.3f}，负面查全 {gain.recall_before:.2f} → {gain.recall_after:.2f}{kept}",
        f"Cross-validated\t{gain.texts} texts: macro-F1 {gain.before:.3f} → {gain.after:.3f}, negative recall {gain.recall_before:.2f} → {gain.recall_after:.2f}{kept}",
    )


def _measured_line(each: Measured, base: str) -> str:
    topics = ""
    if each.topics_before is not None and each.topics_after is not None:
        topics = tr(f"；主题 micro-F1 {each.topics_before:.3f} → {each.topics_after:.3f}",
                    f"; topics micro-F1 {each.topics_before:.3f} → {each.topics_after:.3f}")
    return tr(
        f"{each.name}\t{each.texts} 条：macro-F1 {each.before:.3f}（{base}）→ {each.after:.3f}，改对 {each.mended}，改错 {each.broken}，p={each.p_value:.3f}{topics}",
        f"{each.name}\t{each.texts} texts: macro-F1 {each.before:.3f} ({base}) → {each.after:.3f}, {each.mended} mended, {each.broken} broken, p={each.p_value:.3f}{topics}",
    )


def _end(report: TrainReport, dry_run: bool) -> None:
    if report.refused:
        raise Stop(Exit.INCOMPLETE, tr(
            f"没有启用：{report.refused}。现用的仍是 {report.base}",
            f"Not adopted: {report.refused}. {report.base} stays in use",
        ))
    if dry_run:
        say(tr("试训，没有启用", "A dry run: not adopted"))
    else:
        say(tr(f"已启用 {report.version}。旧文本要重判：vocwatch analyse --rebuild；退回：vocwatch train --reset",
               f"{report.version} is in use. To judge old texts again: vocwatch analyse --rebuild; to go back: vocwatch train --reset"))


def _list(state: Context, as_json: bool) -> None:
    data = state.settings.env.data
    models, problem = shelf.in_use(data)
    rows = [{"version": shelf.SHIPPED, "in_use": models.version == shelf.SHIPPED}]
    for version in shelf.versions(data):
        card = shelf.card(data, version)
        own: dict[str, Any] = next((e for e in card.get("measured", ()) if e.get("name") == "自有检验集"), {})
        rows.append({
            "version": version, "in_use": models.version == version, "trained_at": card.get("trained_at"),
            "base": card.get("base"), "texts": sum(card.get("origins", {}).values()), "before": own.get("before"),
            "after": own.get("after"),
        })
    print_rows([{**row, "mark": "*" if row["in_use"] else ""} for row in rows], {
        "mark": "", "version": tr("版本", "Version"), "trained_at": tr("训练时间", "Trained"), "texts": tr("文本", "Texts"),
        "base": tr("之前用的", "Before it"), "before": tr("自有检验集（前）", "Own set, before"), "after": tr("（后）", "After"),
    }, as_json)
    if problem:
        say(problem)


def _use(state: Context, version: str) -> None:
    try:
        shelf.use(state.settings.env.data, version)
    except ShelfError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    except OSError as error:
        raise Stop(Exit.STORAGE, tr(f"换不了：{error.strerror}", f"Cannot switch: {error.strerror}")) from error
    say(tr(f"现在用 {version}。旧文本要重判：vocwatch analyse --rebuild", f"{version} is in use. To judge old texts again: vocwatch analyse --rebuild"))


def _read(state: Context, path: Path) -> Labels:
    names = {f"{group.name}/{leaf.name}" for group in state.settings.topics.topics for leaf in group.leaves}
    try:
        found = parse(path.read_bytes(), path.name, names)
    except OSError as error:
        raise Stop(Exit.USAGE, tr(f"读不到 {path}：{error.strerror}", f"Cannot read {path}: {error.strerror}")) from error
    except LabelsError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    say(tr(f"{path.name}：{len(found.texts)} 条可用，{found.left_out} 行没用", f"{path.name}: {len(found.texts)} usable, {found.left_out} lines left out"))
    for problem in found.problems:
        say("  " + problem)
    return found


def evaluate_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV 或 JSONL：正文和 label（或 stars、topics）")],
    against: Annotated[str, typer.Option(help="和这一版比：自训模型的版本，或 shipped（自带）")] = "",
    errors: Annotated[int, typer.Option(min=0, help="列出最严重的多少条错")] = 20,
    as_json_: JsonOption = False,
) -> None:
    """Measure the judgement on a file of labels, and compare it with another version."""
    state: Context = context.obj
    texts = distinct(_read(state, file).texts)
    labelled = [each for each in texts if each.label is not None]
    if not labelled:
        raise Stop(Exit.USAGE, tr(f"{file.name} 里没有情感标签", f"{file.name} holds no sentiment labels"))
    models, problem = shelf.in_use(state.settings.env.data)
    if problem:
        say(problem)
    found = learn.answers(learn.judge_with(state.settings, models), [each.text for each in labelled])
    truth = [each.label or 0 for each in labelled]
    known = {place: each.topics for place, each in enumerate(labelled) if each.topics is not None}
    report = evaluate(truth, found, known)
    told: dict[str, Any] = {"version": models.version, **as_json(report)}
    told["errors"] = [_line(labelled[place], found[place]) for place in report.errors[:errors]]
    if against:
        told["against"] = _against(state, against, labelled, found, report, errors)
    if as_json_:
        print_json(told)
    else:
        _show(report, told)


def _against(
    state: Context, version: str, texts: Sequence[OwnText], found: Sequence[Answer], report: Report, errors: int,
) -> dict[str, Any]:
    try:
        other = shelf.get(state.settings.env.data, version)
    except ShelfError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    old = learn.answers(learn.judge_with(state.settings, other), [each.text for each in texts])
    truth = [each.label or 0 for each in texts]
    change = compare(truth, old, found)
    return {
        "version": version, "macro_f1": round(evaluate(truth, old).macro_f1, 4), "changed": len(change.changed),
        "mended": change.mended, "broken": change.broken, "p_value": round(change.p_value, 4),
        "difference": round(report.macro_f1 - evaluate(truth, old).macro_f1, 4),
        "texts": [
            {**_line(texts[place], found[place]), "before": CLASSES[old[place].label].value}
            for place in change.changed[:errors]
        ],
    }


def _line(text: OwnText, found: Answer) -> dict[str, Any]:
    return {
        "label": CLASSES[text.label or 0].value, "judged": CLASSES[found.label].value,
        "confidence": round(found.confidence, 3), "text": one_line(mask(text.text), _SHOWN),
    }


def _show(report: Report, told: dict[str, Any]) -> None:
    print_lines([tr(
        f"版本 {told['version']}：{report.texts} 条，macro-F1 {report.macro_f1:.3f}，正确率 {report.accuracy:.3f}，ECE {report.ece:.3f}",
        f"Version {told['version']}: {report.texts} texts, macro-F1 {report.macro_f1:.3f}, accuracy {report.accuracy:.3f}, ECE {report.ece:.3f}",
    ), "\t".join((tr("类别", "Class"), tr("查准", "Precision"), tr("查全", "Recall"), "F1", tr("条数", "Support")))])
    print_lines(f"{e.name}\t{e.precision:.3f}\t{e.recall:.3f}\t{e.f1:.3f}\t{e.support}" for e in report.classes)
    if report.topics:
        t = report.topics
        print_lines([tr(f"投诉主题\t查准 {t.precision:.3f}\t查全 {t.recall:.3f}\tmicro-F1 {t.f1:.3f}\t{t.texts} 条",
                        f"Complaint topics\tprecision {t.precision:.3f}\trecall {t.recall:.3f}\tmicro-F1 {t.f1:.3f}\t{t.texts} texts")])
    print_lines([tr("混淆（行是标注，列是判定）", "Confusion (rows: labels, columns: judged)"), "\t".join(("", *(each.value for each in CLASSES)))])
    print_lines("\t".join((CLASSES[row].value, *map(str, counts))) for row, counts in enumerate(report.confusion))
    print_lines([tr("校准：把握\t条数\t平均把握\t实际正确", "Calibration: confidence\ttexts\tmean\tright")])
    print_lines(f"{e.low:.1f}–{e.high:.1f}\t{e.texts}\t{e.confidence:.3f}\t{e.right:.3f}" for e in report.bins)
    if told["errors"]:
        print_lines([tr("最严重的错：标注\t判定\t把握\t正文", "Worst errors: label\tjudged\tconfidence\ttext")])
        print_lines("\t".join((e["label"], e["judged"], str(e["confidence"]), e["text"])) for e in told["errors"])
    if other := told.get("against"):
        print_lines([tr(
            f"比 {other['version']}：macro-F1 {other['macro_f1']:.3f}（差 {other['difference']:+.3f}），改判 {other['changed']}，改对 {other['mended']}，改错 {other['broken']}，McNemar p={other['p_value']:.4f}",
            f"Against {other['version']}: macro-F1 {other['macro_f1']:.3f} (difference {other['difference']:+.3f}), {other['changed']} changed, {other['mended']} mended, {other['broken']} broken, McNemar p={other['p_value']:.4f}",
        )])
        print_lines("\t".join((e["label"], f"{e['before']}→{e['judged']}", e["text"])) for e in other["texts"])
