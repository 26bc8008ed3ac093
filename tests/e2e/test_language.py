"""Two languages: who decides which, that a person hears nothing else, and that operators go on reading English."""

import re

import pexpect
import pytest

from lab import SLOW, ended, run, wait_for

ZH = ("-o", "SetEnv=LANG=zh_CN.UTF-8")
CJK = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def host(lab, docker):
    """One with a user of each language, beside alice who has set none."""
    host = lab.site(docker).start()
    for name, language in (("wang", "zh"), ("bob", "en")):
        host.user(name)
        host.ctl("user", "set", name, "language", language)
        host.ctl("grant", "add", name, "*")
    yield host
    host.stop()


@pytest.fixture(autouse=True)
def operators_read_english(host):
    """Whatever was said to users: the log and the audit are for scripts, too."""
    yield
    for text in (host.log_text(), host.ctl("audit", "export").stdout.decode()):
        assert text.isascii(), CJK.search(text)


def language(host, login="alice", **env):
    """Of `help`, by real ssh: env goes out as SetEnv has it, all of it with one option."""
    options = ("-o", "SetEnv=" + " ".join(f"{k}={v}" for k, v in env.items())) if env else ()
    r = host.ssh(login, "help", options=options)
    assert r.returncode == 0 and b"  whoami " in r.stdout
    return "zh" if CJK.search(r.stdout.decode()) else "en"


@pytest.mark.parametrize("env, spoken", (
    ({}, "en"),
    ({"LANG": "zh_CN.UTF-8"}, "zh"),
    ({"LANG": "zh_CN.utf8"}, "zh"),
    ({"LANG": "zh_CN.GBK"}, "en"),
    ({"LANG": "zh_CN"}, "en"),
    ({"LANG": "de_DE.UTF-8"}, "en"),
    ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
    ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
    ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
    ({"LC_MESSAGES": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
    ({"LANG": "zh_CN.UTF-8", "LC_CTYPE": "C"}, "zh"),
    ({"LANG": "", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
    ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
))
def test_the_client_s_locale(host, env, spoken):
    assert language(host, **env) == spoken


def test_the_client_s_locale_as_it_is_sent_by_default(host):
    """As Debian's ssh_config has it."""
    r = host.ssh("alice", "help", options=("-o", "SendEnv=LANG LC_*"),
                 env={"PATH": "/usr/bin", "LANG": "zh_CN.UTF-8"})
    assert CJK.search(r.stdout.decode())


def test_the_user_s_setting_wins(host):
    assert language(host, "wang") == "zh"
    assert language(host, "wang", LANG="en_US.UTF-8") == "zh"
    assert language(host, "wang", LC_ALL="C") == "zh"
    assert language(host, "bob", LANG="zh_CN.UTF-8") == "en"
    host.ctl("user", "set", "bob", "language", "")
    assert language(host, "bob", LANG="zh_CN.UTF-8") == "zh"
    host.ctl("user", "set", "bob", "language", "en")


def test_one_language_a_connection(host):
    """The first channel with a locale decides, for the session and for the broker behind it."""
    t = host.transport("alice")

    def say(**env):
        c = t.open_session()
        for name, value in env.items():
            c.set_environment_variable(name, value)
        c.exec_command("nonsense")
        assert c.recv_exit_status() == 64
        return c.recv_stderr(1000).decode()
    try:
        assert not CJK.search(say())
        assert say(LANG="zh_CN.UTF-8") == "jumpbox：nonsense：没有这个命令；请试试 help，或以 alice+容器 登录，在容器中运行\n"
        assert CJK.search(say(LANG="en_US.UTF-8"))
    finally:
        t.close()


def test_words_in_lists_and_tables(host, docker):
    """The broker's words for states and roles are for programs: `--json` has them, a person reads the language's."""
    docker.container("still")
    docker.cli("stop", "--time", "0", "still")
    wait_for(lambda: b"exited 1" in host.ssh("alice", "ls still").stdout, 10, "the list")
    for login, command, said, words in (
            ("alice", "ls", "bb +运行中", "running"), ("alice", "ls still", r"still +已退出 1\d\d", "exited"),
            ("alice", "show bb", "状态 +运行中", "running"), ("alice", "whoami", "角色 +普通用户", "user"),
            ("alice", "whoami", r"授权 +\*：允许 shell,", "allow"), ("root1", "nodes", "one +已连接", "connected")):
        zh, json = (host.ssh(login, c, options=ZH).stdout.decode() for c in (command, command.replace(" ", " --json ", 1)
                    if " " in command else command + " --json"))
        assert re.search(said, zh) and words not in zh, zh
        assert words in json and not CJK.search(json), json
    r = Reader(host, "alice")
    r.t.expect("bb +运行中 ".encode())
    r.hears("q 退出）：")
    r.t.sendline("i bb")
    r.t.expect("状态 +运行中".encode())
    r.t.close()
    docker.remove("still")


# ---- what goes wrong, in a terminal ------------------------------------------------------


class Reader:
    """A terminal whose user reads Chinese."""

    def __init__(self, host, login, *command, options=ZH):
        self.t = host.terminal(login, *command, options=options, term="dumb")

    def hears(self, sentence):
        self.t.expect_exact(sentence.encode())

    def end(self, code):
        assert ended(self.t) == code


def refused(host, said):
    """The reason in the log, which is English; one line of it for one refusal."""
    return re.search(rf" attach\.refused .*code={said} reason=\"?([^\"\n]*)", host.log_text()[refused.mark:]).group(1)


def listed(host, docker, name):
    """A new container that the menu knows of, too."""
    docker.container(name)
    assert host.ssh(f"alice+{name}", "true").returncode == 0


@pytest.fixture
def marked(host):
    refused.mark = len(host.log_text())


@pytest.mark.parametrize("login, options", (("alice", ZH), ("wang", ())), ids=("locale", "setting"))
def test_a_container_that_does_not_run(host, docker, marked, login, options):
    for name, how, sentence, english in (
            ("asleep", ("pause",), "该容器已暂停；请先恢复运行", "the container is paused; unpause it first"),
            ("stopped", ("stop", "--time", "0"), "该容器未在运行；请先启动",
             "the container is not running; start it first")):
        docker.container(name)
        try:
            docker.cli(*how, name)
            refused.mark = len(host.log_text())
            r = Reader(host, f"{login}+{name}", options=options)
            r.hears(f"jumpbox：{sentence}\r\n")
            r.end(69)
            assert refused(host, 69) == english
        finally:
            docker.remove(name)


def test_a_container_that_is_gone(host, docker, marked):
    listed(host, docker, "fleeting")
    r = Reader(host, "alice")
    r.hears("编号或名称（? 帮助，q 退出）：")
    docker.remove("fleeting")
    r.t.sendline("fleeting")
    r.hears("正在连接 fleeting（按 Ctrl-C 放弃）……\r\n")
    r.hears("jumpbox：该容器已不存在\r\n")
    r.hears("q 退出）：")
    r.t.sendline("q")
    r.end(0)
    assert refused(host, 66) == "the container does not exist any more"


def test_a_container_that_is_removed_meanwhile(host, docker):
    listed(host, docker, "short-lived")
    r = Reader(host, "alice")
    r.hears("q 退出）：")
    r.t.sendline("short-lived")
    r.t.expect(rb"\S*[#$] ")
    docker.remove("short-lived")
    r.hears("short-lived：已结束，退出码 137\r\n")
    r.hears("q 退出）：")
    r.t.close()


def test_unknown_and_ambiguous(host, docker):
    r = Reader(host, "alice+nothing-like-it")
    r.hears("jumpbox：找不到 alice 可以进入的容器 nothing-like-it\r\n")
    r.end(66)
    for name in ("same-a", "same-b"):
        docker.container(name)
    try:
        r = Reader(host, "alice+same")
        r.hears("same 不唯一：匹配到 2 个容器；匹配的有：")
        r.hears("q 退出）：")
        r.t.sendline("q")
        r.end(0)
        said = host.ssh("alice+same", "true", options=ZH)
        assert (said.returncode, said.stdout) == (64, b"")
        assert said.stderr.decode().startswith("jumpbox：same 不唯一：匹配到 2 个容器\n  one+same-a\n")
    finally:
        for name in ("same-a", "same-b"):
            docker.remove(name)


def test_not_permitted(host, marked):
    host.user("li")
    host.ctl("grant", "add", "li", "bb", "--allow", "logs")
    r = Reader(host, "li+bb")
    r.hears("jumpbox：您无权在 bb 中打开 shell\r\n")
    r.end(77)
    assert refused(host, 77) == "you may not open a shell in bb"
    r = Reader(host, "li+bb", "id")
    r.hears("jumpbox：您无权在 bb 中运行命令\r\n")
    r.end(77)


def test_withdrawn_locked_and_killed_while_open(host, docker):
    """The last sentence of a session is in its language; the log's and the disconnect message's are English."""
    host.user("zhao")
    host.ctl("user", "set", "zhao", "language", "zh")
    grant = host.ctl_json("grant", "add", "zhao", "bb")["id"]
    r = Reader(host, "zhao+bb", options=())
    r.t.expect(rb"\S*[#$] ")
    host.ctl("grant", "del", grant)
    r.hears("jumpbox：您对 bb 的访问权限已被收回\r\n")
    r.end(77)
    host.ctl("grant", "add", "zhao", "bb")
    r = Reader(host, "zhao+bb", options=())
    r.t.expect(rb"\S*[#$] ")
    (row,) = host.live(user="zhao")
    host.ctl("session", "kill", row["id"], "--reason", "maintenance")
    r.hears("jumpbox：管理员结束了此会话：maintenance\r\n")
    r.end(77)
    r = Reader(host, "zhao+bb", options=())
    r.t.expect(rb"\S*[#$] ")
    host.live(user="zhao")
    ssh, *arguments = host.ssh_argv("zhao", options=("-N",))
    idle = pexpect.spawn(ssh, arguments, timeout=20 * SLOW, encoding=None)
    host.live(2, "zhao")
    host.ctl("user", "lock", "zhao")
    r.hears("jumpbox：您的账号已被锁定；请联系管理员\r\n")
    r.end(77)
    idle.expect_exact(b"your account is locked: ask an administrator")
    idle.close()
    for event in ("session.end", "session.refused"):
        line = re.compile(rf' {event} .*"your account is locked: ask an administrator"')
        wait_for(lambda what=line: what.search(host.log_text()), 10, event)


def test_a_new_password(host):
    host.ctl("user", "add", "chen", "--password-stdin", "--must-change", input=b"first password\n")
    host.ctl("user", "set", "chen", "language", "zh")
    t = host.terminal("chen", key=False)
    t.expect_exact(b"Password: ")  # before login: English
    t.sendline("first password")
    for prompt, typed in (("您现在必须修改密码。\r\n新密码：", "short"), ("再次输入新密码：", "short"),
                          ("密码至少需要 8 个字符\r\n新密码：", "first password"), ("再次输入新密码：", "first password"),
                          ("新密码不能与旧密码相同\r\n新密码：", "correct horse"), ("再次输入新密码：", "correct horse"),
                          ("密码已修改。\r\n", None)):
        t.expect_exact(prompt.encode())
        if typed is not None:
            t.sendline(typed)
    t.close()


# ---- nodes --------------------------------------------------------------------------------


def test_a_node_that_is_down_or_is_another(host, docker, lab, marked):
    """A node whose engine has stopped, and one that shows a certificate of another CA."""
    far = lab.engine("tls")
    far.container("remote")
    host.node(far, "far")
    door = host.dir / "down.sock"
    door.symlink_to(docker.socket)
    host.ctl("node", "add", "down", f"unix://{door}")
    for node, name in (("far", "remote"), ("down", "bb")):
        wait_for(lambda: host.ssh(f"alice+{node}+{name}", "true").returncode == 0, 20, f"node {node} to be listed")
    door.unlink()
    host.ctl("node", "set", "far", "ca", far.certs / "otherca.pem")
    try:
        for target, sentence, english in (
                ("far+remote", "节点 far 出示的证书不是由其 CA 签发的", "node far shows a certificate that its CA did not sign"),
                ("down+bb", "无法连接节点 down：其套接字不存在；容器引擎是否在运行？",
                 "node down cannot be reached: its socket does not exist; is the container engine running?")):
            refused.mark = len(host.log_text())
            r = Reader(host, f"alice+{target}")
            r.hears(f"jumpbox：{sentence}\r\n")
            r.end(69)
            assert refused(host, 69) == english
    finally:
        for node in ("far", "down"):
            host.ctl("node", "del", node)
        far.remove("remote")


def test_operators_commands_speak_english(host):
    r = run(host.prefix / "sbin/jumpboxctl", "-f", host.conf, "user", "show", "nobody", check=False,
            env={"LANG": "zh_CN.UTF-8", "LC_ALL": "zh_CN.UTF-8", "PATH": "/usr/bin"})
    assert r.returncode == 66 and r.stderr.isascii()
