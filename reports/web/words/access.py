"""The words of logging in, of people and of the log, Chinese and English."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "login": ("登录", "Log in"),
    "login_name": ("名字", "Name"),
    "login_password": ("密码", "Password"),
    "login_wrong": ("名字或密码不对", "Name or password is wrong"),
    "login_wait": ("错的次数太多，{minutes} 分钟后再试", "Too many wrong attempts: try again in {minutes} min"),
    "login_nobody": ("还没有任何用户。请在运行 vocwatch serve 的终端里打开那条一次性链接，或运行 vocwatch user add 名字 --role admin。",
                     "There is nobody yet. Open the one-time link that vocwatch serve printed, or run vocwatch user add NAME --role admin."),
    "login_with": ("用{label}登录", "Log in with {label}"),
    "logout": ("退出", "Log out"),
    "logged_in_as": ("{name}（{role}）", "{name} ({role})"),
    "role_reader": ("读者", "reader"), "role_analyst": ("分析", "analyst"), "role_editor": ("编辑", "editor"), "role_admin": ("管理员", "admin"),
    "forbidden": ("你没有这项权限", "You may not do this"),
    "forbidden_more": ("这一步要“{role}”以上的角色，你是“{own}”。需要的话请找管理员。", "It takes the role “{role}”; yours is “{own}”. Ask an administrator."),
    "unsafe": ("没有执行：表单已过期", "Not done: the form is stale"),
    "unsafe_more": ("可能是登录已更换，或页面开得太久。请返回、刷新页面再提交。", "You may have logged in anew, or the page was open for long. Go back, reload it and send again."),
}
