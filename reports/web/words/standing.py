"""The words of the page about the standing work."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "standing": ("运行状态", "Standing work"),
    "standing_none": ("没有常驻进程在运行", "No scheduler is running"),
    "standing_none_more": (
        "采集、判定、预警、日报都不会按时进行。在服务器上启动：vocwatch schedule",
        "Nothing is crawled, judged, told or sent by the clock. Start it on the server: vocwatch schedule",
    ),
    "standing_well": ("一切正常", "All is well"),
    "standing_beat": ("心跳", "Heartbeat"), "standing_no_beat": ("还没有", "none yet"),
    "standing_next": ("下一份日报", "Next digest"), "standing_outbox": ("发件箱", "Outbox"), "standing_empty": ("没有待发的", "nothing waits"),
    "standing_trouble": ("异常", "Trouble"),
    "standing_processes": ("常驻进程", "Schedulers"), "standing_process": ("进程", "Process"), "standing_seen": ("最近有动静", "Last seen"),
    "standing_since": ("启动于", "Since"), "standing_problem": ("配置问题（按上一份运行）", "Configuration problem (the last good one goes on)"),
    "standing_jobs": ("事项", "Jobs"), "standing_job": ("事项", "Job"), "standing_state": ("状态", "State"),
    "standing_due": ("下次", "Next"), "standing_ended": ("上次做完", "Last ended"), "standing_failures": ("连续失败", "Failures"),
    "standing_note": ("说明", "Note"),
    "process_running": ("在运行", "running"), "process_stopping": ("正在停", "stopping"), "process_stopped": ("已停", "stopped"),
    "process_silent": ("没有声息，可能已死", "silent, perhaps dead"),
    "job_running": ("正在做", "running"), "job_waiting": ("没做过", "not yet"), "job_done": ("做完", "done"), "job_failed": ("没做成", "failed"),
    "out_waiting": ("待发", "waiting"), "out_claimed": ("正在发", "being sent"), "out_sent": ("已发", "sent"), "out_retry": ("再试", "to be tried again"),
    "out_dead": ("发不到", "undeliverable"), "out_paused": ("已暂停", "paused"),
    "job_merged": ("并入", "merged"),
}
