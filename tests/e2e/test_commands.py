"""jumpbox's own commands over plain ssh: what they print, to where, with which status, and who may."""

import contextlib
import json
import re
import subprocess

import pytest

from fleet import Fleet, container
from lab import SLOW, ended, read_all, run, wait_for


def ok(host, login, command, **kw):
    r = host.ssh(login, command, **kw)
    assert (r.returncode, r.stderr) == (0, b""), (command, r)
    return r.stdout.decode()


def refused(host, login, command, status, **kw):
    r = host.ssh(login, command, **kw)
    assert (r.returncode, r.stdout) == (status, b""), (command, r)
    return r.stderr.decode()


NASTY = "\x1b]0;owned\x07\x9b31m\u202egnp.\u2066"


def raw_in(data):
    """What of NASTY and the like is there as it is: not escaped, in whichever encoding."""
    return [b for b in (b"\x1b", b"\xc2\x9b", b"\x07", "\u202e".encode(), "\u2066".encode(), b"\r", b"\xff", b"\0") if b in data]


# ---- a container

def test_show(site):
    site.engine.container("shown", "busybox", "--label", "team=red", "--env", "SECRET=hunter2", "--env", "PLAIN=1")
    try:
        text = ok(site, "alice", "show shown")
        assert re.search(r"^Name +shown$", text, re.M) and re.search(r"^State +running$", text, re.M), text
        assert "team=red" in text and "SECRET" in text and "PLAIN" in text
        assert "hunter2" not in text
        details = json.loads(ok(site, "alice", "show --json shown"))
        assert details["name"] == "shown" and details["node"] == "one" and details["state"] == "running"
        assert {"SECRET", "PLAIN"} <= set(details["env"]) and "hunter2" not in json.dumps(details)
        assert "team=red" in details["labels"]
        assert "sleep" in details["command"] and "busybox" in details["image"]
        assert 0 < details["created"] <= details["started"] and details["finished"] == 0
        cid = site.engine.cli("inspect", "--format", "{{.Id}}", "shown").stdout.decode().strip()
        assert details["id"] == cid and json.loads(ok(site, "alice", f"show --json {cid[:12]}")) == details
        assert json.loads(ok(site, "alice", "show --json one+shown")) == details
    finally:
        site.engine.remove("shown")


def test_of_what_does_not_run(site):
    """Each command that can be, and how the others fail."""
    site.engine.container("halted", "busybox", "--env", "SECRET=hunter2", command=("sh", "-c", "echo done; exit 3"))
    try:
        wait_for(lambda: b"exited" in site.ssh("alice", "ls halted").stdout, 20, "the inventory")
        details = json.loads(ok(site, "alice", "show --json halted"))
        assert (details["state"], details["exit_code"], details["truncated"]) == ("exited", 3, False)
        assert 0 < details["started"] <= details["finished"] and "SECRET" in details["env"]
        assert ok(site, "alice", "logs halted") == "done\n"
        for command in ("top halted", "exec halted -- true"):
            assert "not running" in refused(site, "alice", command, 69), command
    finally:
        site.engine.remove("halted")


def test_power(site):
    engine = site.engine
    engine.container("switch", "busybox", "--stop-timeout", "1")

    def state():
        return engine.cli("inspect", "--format", "{{.State.Status}}", "switch").stdout.decode().strip()
    try:
        site.user("pat")
        site.ctl("grant", "add", "pat", "switch", "--allow", "shell,power")
        assert ok(site, "pat", "stop switch") == "switch is stopped\n" and state() == "exited"
        assert ok(site, "pat", "stop switch") == "switch was not running\n"
        assert ok(site, "pat", "start switch") == "switch is started\n" and state() == "running"
        assert ok(site, "pat", "start switch") == "switch was running already\n"
        assert ok(site, "pat", "restart switch") == "switch is restarted\n"
        engine.cli("pause", "switch")
        err = refused(site, "pat", "start switch", 69)
        assert err == "jumpbox: the container is paused; unpause it first\n"
        engine.cli("unpause", "switch")
        # Alice's grant is the default one: it has no power.
        assert refused(site, "alice", "stop switch", 77) == "jumpbox: you may not start or stop switch\n"
        assert state() == "running"
        rows = [(r["event"], r["detail"]) for r in site.audit() if r["target"] == "one/switch"]
        assert ("power.stop", None) in rows and ("power.result", "stop: done") in rows, rows
        assert ("power.result", "start: was so already") in rows
        assert not [r for r in site.audit("power.stop") if r["actor"] == "alice"]
        number = [g["id"] for g in site.ctl_json("grant", "list", "--user", "pat")][0]
        site.ctl("grant", "del", str(number))
        assert "there is no container switch" in refused(site, "pat", "stop switch", 66)
    finally:
        engine.remove("switch")
        site.ctl("user", "del", "pat")


def test_logs(site):
    engine = site.engine
    engine.container("talk", "busybox", command=("sh", "-c", "i=0; while [ $i -lt 10000 ]; do echo line $i; i=$((i+1)); done; sleep 1000000"))
    try:
        wait_for(lambda: engine.cli("logs", "--tail", "1", "talk").stdout == b"line 9999\n", 30, "the lines")
        want = "".join(f"line {i}\n" for i in range(10000))
        text = ok(site, "alice", "logs talk")
        if engine.kind == "podman":  # it ends lines where it happened to read
            text, want = text.replace("\n", ""), want.replace("\n", "")
        assert text == want
        assert ok(site, "alice", "logs -n 3 talk") == "line 9997\nline 9998\nline 9999\n"
        assert "usage" in refused(site, "alice", "logs -n x talk", 64)
    finally:
        engine.remove("talk")


def test_logs_follow_and_leave(site):
    engine = site.engine
    engine.container("ticker", "busybox", command=("sh", "-c", "while :; do echo tick; sleep 0.2; done"))
    try:
        before = children(site)
        p = site.popen("alice", "logs -f -n 1 ticker", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert [p.stdout.readline() for _ in range(5)] == [b"tick\n"] * 5
        p.terminate()
        p.wait(10 * SLOW)
        wait_for(lambda: children(site) <= before, 10, "the children to go")
        p = site.popen("alice", "logs -f ticker", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        p.stdout.readline()
        p.stdout.close()
        assert p.wait(20 * SLOW) == 141  # as of a program that had a SIGPIPE
        wait_for(lambda: children(site) <= before, 10, "the children to go")
        p = site.popen("alice", "logs -f ticker", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
        p.stdout.readline()
        engine.remove("ticker")
        assert p.wait(20 * SLOW) == 0
        p.stdout.close()
    finally:
        engine.remove("ticker")


def children(host):
    """Brokers and what they have forked."""
    return len(host.serving("jumpbox-broker"))


def docker_stats(engine, name):
    """What docker's own client says of a container, of Podman's, too."""
    r = run("docker", "--host", f"unix://{engine.socket}", "stats", "--no-stream", "--format", "{{json .}}", name)
    row = json.loads(r.stdout)
    return [row[k] for k in ("MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs")]


def cpu_percent(engine, name):
    """What the engine's own client says: docker's takes Podman's first sample for all the time since the boot."""
    r = engine.cli("stats", "--no-stream", "--format", "{{.CPUPerc}}", name)
    return float(r.stdout.decode().strip().rstrip("%"))


def beside(site, look, command):
    """What look() says and what the command says, asked at the same time."""
    p = site.popen("alice", command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    theirs = look()
    return theirs, p.communicate(timeout=20 * SLOW)[0].decode()


def test_top(site):
    # Part of a processor, which it gets whatever else runs: a loop's share would be another one each second.
    site.engine.container("busy", "busybox", "--cpus", "0.4", command=("sh", "-c", "while :; do :; done"))
    site.engine.container("idle", "busybox", "--memory", "64m", command=(
        "sh", "-c", "dd if=/dev/zero of=/f bs=1M count=5 conv=fsync; cat /f >/dev/null; sleep 1000000 & exec sleep 1000000"))
    try:
        seen = ["like figures"]  # what was waited for, and what there was

        def alike():
            theirs, ours = beside(site, lambda: cpu_percent(site.engine, "busy"), "top --json one+bus")
            [row] = json.loads(ours)
            assert row["name"] == "busy"  # its own, whatever it was called by
            assert row["memory"] > 0 and row["memory_limit"] > row["memory"]
            seen[1:] = theirs, row["cpu_percent"]
            return abs(theirs - row["cpu_percent"]) < 18 and 10 < row["cpu_percent"] < 70

        # The two look at two seconds, and one of them may be a bad one of the machine's.
        wait_for(alike, 20, seen)
        names = {r["name"] for r in json.loads(ok(site, "alice", "top --json"))}
        assert {"busy", "idle", "bb", "deb"} <= names

        def same():  # of what does not change
            theirs, ours = beside(site, lambda: docker_stats(site.engine, "idle"), "top idle")
            head, line = ours.splitlines()
            assert head.split()[:2] == ["Name", "CPU"] and line.split()[0] == "idle", ours
            seen[1:] = theirs, re.split(r" {2,}", line)[2:]
            return seen[1] == seen[2]
        wait_for(same, 20, seen)
        assert seen[1][0].endswith(" / 64MiB") and int(seen[1][4]) >= 2
    finally:
        site.engine.remove("busy")
        site.engine.remove("idle")


def test_exec_is_as_with_a_container_in_the_name(site):
    blob = bytes(range(256)) * 300
    r = site.ssh("alice", "exec bb -- cat; exit 7", input=blob)
    assert (r.returncode, r.stdout, r.stderr) == (7, blob, b"")
    r = site.ssh("alice", "exec bb -- echo 'a  b' >&2")
    assert (r.returncode, r.stdout, r.stderr) == (0, b"", b"a  b\n")
    assert "usage" in refused(site, "alice", "exec bb", 64)
    assert "usage" in refused(site, "alice", "exec bb --", 64)
    assert "there is no container nil" in refused(site, "alice", "exec nil -- true", 66)
    t = site.terminal("alice", "exec bb -- stty size; exit 5", rows=33, cols=99)
    assert ended(t) == 5 and b"33 99\r\n" in t.before


# ---- lists

def test_ls_and_hosts(own_host, docker):
    host = own_host(server_address="gw.example.org")
    text = ok(host, "alice", "hosts")
    assert f"Host bb.one\n    HostName gw.example.org\n    Port {host.port}\n    User alice+one+bb\n" in text
    # A client reads it.
    config = host.dir / "hosts"
    config.write_text(text)
    said = run("ssh", "-F", config, "-G", "deb.one").stdout.decode()
    assert "user alice+one+deb" in said and f"port {host.port}" in said
    names = {r["name"] for r in json.loads(ok(host, "alice", "ls --json"))}
    assert names and set(re.findall(r"^Host (.+)$", text, re.M)) == {f"{n}.one" for n in names}
    r = run("ssh", "-F", config, "-i", host.key, "-o", "HostName=127.0.0.1", "-o", "StrictHostKeyChecking=accept-new",
            "-o", f"UserKnownHostsFile={host.dir}/known_hosts", "-o", "IdentitiesOnly=yes", "deb.one", "exit 7", check=False)
    assert r.returncode == 7, r
    assert "usage" in refused(host, "alice", "hosts now", 64)


def test_hosts_needs_an_address(host):
    assert "server-address" in refused(host, "alice", "hosts", 69)


# ---- words, usage, help

def test_usage_and_help(host):
    text = ok(host, "alice", "help")
    for name in ("help", "ls", "show", "logs", "top", "start", "stop", "restart", "exec", "hosts", "whoami", "passwd",
                 "keys", "who", "kill", "nodes"):
        assert re.search(rf"^  {name}\b", text, re.M), name
    for bad in ("show", "show a b", "show --nothing bb", "ls --json --what", "logs -n", "logs -n -1 bb", "kill",
                "keys", "keys what", "keys del", "whoami me", "show 'bb", "help help", "top a b", "logs -- bb"):
        assert "usage" in refused(host, "alice", bad, 64), bad
    for line in ("frobnicate bb", "rsync --server . /srv", "scp -t /srv"):
        said = refused(host, "alice", line, 64)
        assert "no such command" in said and "log in as alice+CONTAINER" in said, said
    assert refused(host, "alice", "totp", 64).startswith("jumpbox: one-time codes are set up in a terminal")
    assert "no such command" in refused(host, "alice", "''", 64)
    assert "State" in ok(host, "alice", "  show   'b'\"b\"  ")
    assert "there is no container" in refused(host, "alice", "show 'b b'", 66)


def test_words_that_are_longer_than_anything_has(host):
    """No more than a refusal: the connection's other channels go on."""
    t = host.transport("alice")
    try:
        stays = t.open_session()
        stays.exec_command("exec bb -- cat")
        for command, status in ((f"show {'n' * 257}", 66), (f"top {'n' * 100000}", 66), (f"exec -u {'u' * 66} bb -- true", 64),
                                (f"exec -u {'u' * 65} bb -- true", 77), (f"keys del {'k' * 129}", 64),
                                (f"keys del {'k' * 128}", 66), (f"kill {'1' * 25}", 64), (f"kill {'1' * 24}", 77),
                                (f"keys add {'k' * 100000}", 65), (f"{'c' * 100000}", 64), ("ls " + "w" * 100000, 0)):
            ch = t.open_session()
            ch.exec_command(command)
            assert ch.recv_exit_status() == status, (command[:20], status)
            ch.close()
        stays.sendall(b"still here")
        stays.shutdown_write()
        assert read_all(stays) == b"still here" and stays.recv_exit_status() == 0
    finally:
        t.close()


# ---- the account

def test_whoami(host):
    row = json.loads(ok(host, "alice", "whoami --json"))
    assert row["name"] == "alice" and row["role"] == "user" and row["password"] is True
    assert any(g.startswith("* allow ") for g in row["grants"]) and row["session"] > 0
    text = ok(host, "root1", "whoami")
    assert re.search(r"^Role +admin$", text, re.M), text
    assert all(re.match(r"[A-Z][a-z]", line) for line in text.splitlines()), text


def test_keys(host, tmp_path):
    host.user("kim")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "kim\x1b[31m key", "-f", tmp_path / "id")
    public = (tmp_path / "id.pub").read_text()
    [old] = json.loads(ok(host, "kim", "keys list --json"))
    said = ok(host, "kim", "keys add", input=public.encode())
    fingerprint = re.search(r"SHA256:\S+", said).group(0)
    text = ok(host, "kim", "keys list")
    assert fingerprint in text and old["fingerprint"] in text and "\x1b" not in text and "\\x1b" in text
    r = run(*[str(tmp_path / "id") if a == str(host.key) else a for a in host.ssh_argv("kim", "whoami")], check=False)
    assert r.returncode == 0, r
    assert "there already" in refused(host, "kim", "keys add", 73, input=public.encode())
    assert ok(host, "kim", f"keys del {fingerprint}") == "the key is removed\n"
    assert "no such key" in refused(host, "kim", f"keys del {fingerprint}", 66)
    assert "no such key" in refused(host, "alice", f"keys del {old['fingerprint'][:-1]}x", 66)
    assert ok(host, "kim", f"keys add {public.strip()}").startswith("the key SHA256:")
    said = refused(host, "kim", "keys add ssh-ed25519 nonsense", 65)
    assert "no public key" in said and "ssh-ed25519, ecdsa-sha2-nistp256/384/521" in said, said
    assert "no public key" in refused(host, "kim", "keys add", 65, input=b"x" * 100000)
    ok(host, "kim", f"keys del {fingerprint}")
    t = host.terminal("kim", "keys add")
    t.expect_exact(b"Public key: ")
    t.sendline(public.strip().encode())
    assert ended(t) == 0 and fingerprint in t.before.decode()
    for typed, status in (("\x03", 75), ("\x04", 75), ("nonsense\r", 65)):
        t = host.terminal("kim", "keys add")
        t.expect_exact(b"Public key: ")
        t.send(typed)
        assert ended(t) == status, typed
    events = [r["event"] for r in host.audit() if r["actor"] == "kim"]
    assert events.count("key.add") == 3 and events.count("key.del") == 2


def test_keys_may_be_forbidden(own_host):
    host = own_host(user_keys="no")
    assert "managed by the administrators" in refused(host, "alice", "keys del SHA256:x", 77)
    ok(host, "alice", "keys list")


def passwd(host, login, old, new, again=None):
    t = host.terminal(login, "passwd")
    t.expect(b"Old password: ")
    t.sendline(old)
    t.expect(b"New password: ")
    t.sendline(new)
    t.expect(b"again: ")
    t.sendline(again or new)
    said = b""
    status = ended(t)
    return status, t.before or said


def test_passwd(own_host):
    host = own_host(backoff_after=3)
    host.user("pia", password="first password")
    assert "terminal" in refused(host, "pia", "passwd", 64)

    def from_stdin(text, status):
        return refused(host, "pia", "passwd --password-stdin", status, input=text)
    for text in (b"", b"first password", b"x" * 100000):
        assert "usage" in from_stdin(text, 64), text
    for text in (b"x" * 1025 + b"\nanother password\n", b"first password\n" + b"x" * 100000):
        assert "too long" in from_stdin(text, 64), text
    assert "8 characters" in from_stdin(b"first password\n", 77)
    assert "the old password is wrong" in from_stdin(b"wrong password\nanother password\n", 77)
    assert host.ssh_password("pia", "first password", "whoami").returncode == 0
    r = host.ssh("pia", "passwd --password-stdin", input=b"first password\r\nsecond password\r\nmore")
    assert (r.returncode, r.stdout, r.stderr) == (0, b"", b"Your password is changed.\n"), r
    r = host.ssh("pia", "passwd --password-stdin", input=b"second password\nfirst password")
    assert r.returncode == 0, r
    t = host.terminal("pia", "passwd --password-stdin")
    assert ended(t) == 64
    assert not [p for p in ("first password", "second password") if p in host.log_text()]
    status, said = passwd(host, "pia", "first password", "second password")
    assert status == 0 and b"is changed" in said, said
    assert host.ssh_password("pia", "second password", "whoami").returncode == 0
    assert host.ssh_password("pia", "first password", "whoami").returncode == 255
    host.ctl("user", "unlock", "pia")
    host.ctl("unlock", "--source", "127.0.0.1", check=False)
    assert passwd(host, "pia", "second password", "short")[0] == 77
    status, said = passwd(host, "pia", "wrong password", "third password")
    assert status == 77 and b"old password is wrong" in said
    assert host.audit("password.fail")
    for _ in range(2):
        passwd(host, "pia", "wrong password", "third password")
    assert host.outlast("user:pia")
    status, said = passwd(host, "pia", "second password", "third password")
    assert status == 77 and b"wait" in said, said


# ---- for administrators

def test_who_kill_and_nodes(host):
    for command in ("who", "nodes", "kill 1"):
        assert "administrators" in refused(host, "alice", command, 77)
    p = host.popen("alice+bb", "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(b"x")
    p.stdin.flush()
    assert p.stdout.read(1) == b"x"
    def there():
        """What has just ended may be among them for a moment."""
        everybody = json.loads(ok(host, "root1", "who --json"))
        rows[:] = [r for r in everybody if (r["user"], r["container"]) == ("alice", "one/bb")]
        return len(rows) == 1
    rows = []
    wait_for(there, 10, "one session of alice in bb")
    [row] = rows
    assert row["source"] == "127.0.0.1" and row["method"] == "publickey" and row["started"] > 0
    assert "one/bb" in ok(host, "root1", "who")
    assert "being ended" in ok(host, "root1", f"kill {row['id']} tidy 'up  now' {NASTY}")
    assert p.wait(20 * SLOW) == 77
    said = p.stderr.read()
    assert b"an administrator ended this session: tidy up  now \\x1b]0;" in said, said
    assert not raw_in(said.partition(b"\n")[0]), said
    for f in (p.stdin, p.stdout, p.stderr):
        with contextlib.suppress(BrokenPipeError):
            f.close()
    wait_for(lambda: host.ssh("root1", f"kill {row['id']}").returncode == 66, 10, "its end")
    assert "no such live session" in refused(host, "root1", f"kill {row['id']}", 66)
    assert "number" in refused(host, "root1", "kill everybody", 64)
    [node] = json.loads(ok(host, "root1", "nodes --json"))
    assert node["name"] == "one" and node["enabled"] is True and node["address"].startswith("unix://")
    assert node["state"] == "connected" and 0 < node["state_since"] <= node["last_seen"], node
    assert "one" in ok(host, "root1", "nodes")


# ---- permissions

def test_each_needs_its_permission_at_that_moment(host, docker):
    host.user("lim")
    host.ctl("grant", "add", "lim", "bb", "--allow", "shell")
    assert "may not read the logs of bb" in refused(host, "lim", "logs bb", 77)
    assert "may not start or stop bb" in refused(host, "lim", "restart bb", 77)
    assert host.ssh("lim", "exec bb -- true").returncode == 77
    ok(host, "lim", "show bb")
    for command in ("show deb", "logs deb", "top deb", "start deb", "exec deb -- true"):
        assert "there is no container deb" in refused(host, "lim", command, 66), command
    docker.container("chat", "busybox", command=("sh", "-c", "echo hello; sleep 1000000"))
    try:
        made = host.ctl("grant", "add", "lim", "chat", "--allow", "logs").stdout.decode()
        p = host.popen("lim", "logs -f chat", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert p.stdout.readline() == b"hello\n"
        host.ctl("grant", "del", re.search(r"\d+", made).group(0))
        out, err = p.communicate(timeout=20 * SLOW)
        assert (p.returncode, out, err) == (77, b"", b"jumpbox: your access to chat was withdrawn\n")
    finally:
        docker.remove("chat")


@pytest.fixture
def scripted(lab):
    """A jump host whose user mia reaches what has the label team=red, over an engine that does as a test says."""
    engine = Fleet(lab.dir / "scripted.sock", [container(1, "web", Labels={"team": "red"})])
    host = lab.host(max_startups_per_source=100, backoff_after=0)
    host.node(engine, "one")
    host.user("mia")
    host.ctl("grant", "add", "mia", "label:team=red", "--allow", "shell,exec,logs,power")
    host.start()
    wait_for(lambda: b"web" in host.ssh("mia", "ls").stdout, 10, "the inventory")
    yield host, engine
    engine.gate.set()
    host.stop()
    engine.stop()


def done(engine):
    return [a for a in engine.asked if a != "inspect"]


def test_what_the_engine_says_at_that_moment_decides(scripted):
    """Whatever the list said. What is refused is asked of no engine, and leaves no record of having been done."""
    host, engine = scripted
    assert ok(host, "mia", "stop web") == "web is stopped\n" and done(engine) == ["stop"]
    for now, reason in (({"Config": {"Image": "nginx:1", "Labels": {"team": "blue"}}}, "not yours to reach"),
                        ({"Name": "/other"}, "has another name now")):
        engine.now = now
        for command in ("stop", "start", "restart", "logs", "top", "show"):
            assert reason in refused(host, "mia", f"{command} web", 66), command
        assert reason in refused(host, "mia", "exec web -- true", 66)
    assert done(engine) == ["stop"]
    assert [r["event"] for r in host.audit() if r["event"].startswith("power.")] == ["power.stop", "power.result"]


@pytest.mark.parametrize("left, status", (("shell", 77), (None, 66)), ids=("narrowed", "taken"))
def test_a_grant_that_changes_while_the_engine_is_asked(scripted, left, status):
    host, engine = scripted
    wait_for(lambda: engine.asked, 10, "the watcher to have looked")
    looked = engine.asked.count("inspect")
    engine.gate.clear()
    asking = [host.popen("mia", command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
              for command in ("stop web", "logs web")]
    wait_for(lambda: engine.asked.count("inspect") == looked + 2, 10, "both to be asked")
    for g in host.ctl_json("grant", "list", "--user", "mia"):
        host.ctl("grant", "del", str(g["id"]))
    if left:
        host.ctl("grant", "add", "mia", "web", "--allow", left)
    engine.gate.set()
    for p in asking:
        out, err = p.communicate(timeout=20 * SLOW)
        assert (p.returncode, out) == (status, b""), err
        assert (b"you may not" if left else b"not yours to reach") in err
    assert done(engine) == [] and not host.audit("power.stop")


def test_an_engine_that_cannot(scripted):
    """It is said so, and nothing of what it wrote is repeated."""
    host, engine = scripted
    engine.error = f"cannot {NASTY} hunter2"
    for command in ("stop web", "start web", "restart web", "logs web", "top web", "exec web -- true"):
        err = refused(host, "mia", command, 69)
        assert err.startswith("jumpbox: ") and err.count("\n") == 1, err
        assert "hunter2" not in err and not raw_in(err.encode()), err
    assert "hunter2" not in host.log_text() and not raw_in(host.log_text().encode())


def test_run_as_is_the_grants(host):
    host.user("ras")
    host.ctl("grant", "add", "ras", "bb", "--allow", "shell,exec", "--as", "1001")
    host.ctl("grant", "add", "ras", "bb", "--allow", "shell,exec", "--as", "1234")
    assert host.ssh("ras", "exec bb -- id -u").stdout == b"1001\n"
    assert host.ssh("ras", "exec -u 1234 bb -- id -u").stdout == b"1234\n"
    r = host.ssh("ras", "exec -u root bb -- id -un")
    assert (r.returncode, r.stdout) == (77, b"") and b"may not be root in bb" in r.stderr
    assert host.ssh("root1", "exec -u 1001 bb -- id -u").stdout == b"1001\n"
    assert host.ssh("root1", "exec -u 'a b' bb -- id -un").returncode == 77
    assert set(json.loads(ok(host, "ras", "show --json bb"))["run_as"]) == {"1001", "1234"}
    assert json.loads(ok(host, "root1", "show --json bb"))["run_as"] == ["*"]


# ---- foreign bytes

def test_nothing_foreign_reaches_a_terminal_raw(host, docker):
    docker.container("nasty", "busybox", "--label", f"evil{NASTY}=x\n{NASTY}", "--env", f"E{NASTY}=hunter2",
                     command=("sh", "-c", "printf '\\033[31mred\\033[0m\\tx\\r\\n\\233\\302\\233 \\342\\200\\256 \\377\\000ok\\n'; sleep 1000000"))
    try:
        wait_for(lambda: b"ok" in docker.cli("logs", "nasty").stdout, 10, "its output")
        wait_for(lambda: b"nasty" in host.ssh("alice", "ls").stdout, 10, "the inventory")
        for command in ("show nasty", "show --json nasty", "logs nasty", "ls", "ls --json", "top nasty", "top --json nasty"):
            out = host.ssh("alice", command).stdout
            assert out and not raw_in(out) and b"hunter2" not in out, (command, out)
        assert host.ssh("alice", "logs nasty").stdout.startswith(b"\\x1b[31mred\\x1b[0m\tx\n")
        t = host.terminal("alice", "logs nasty")
        t.expect(b"ok\r\n")
        assert b"\x1b[31m" not in t.before
        ended(t)
        for command in (f"show nas{NASTY}", f"nas{NASTY}", f"exec -u 'x{NASTY}' nasty -- true", f"keys add {NASTY}",
                        f"keys del {NASTY}"):
            r = host.ssh("alice", command)
            assert r.returncode in (64, 65, 66, 77) and r.stderr and not raw_in(r.stderr), (command, r)
        in_faces(host)
        assert "nasty" in host.log_text() and "hunter2" not in host.log_text()
        assert not raw_in(host.log_text().encode())
    finally:
        docker.remove("nasty")


def in_faces(host):
    """The same of the plain face and of the full one, whose own bytes are others than these."""
    bad = (b"\x1b[31mred", b"\x1b[0m\t", b"\x1b]0;", b"\xc2\x9b", b"\x9b31m", b"\x07", "\u202e".encode(), "\u2066".encode(),
           b"\xff", b"hunter2")
    keys = (("dumb", (b"i nasty\r", b"l nasty\r", b"f nasty\r", b"\x03"), (b"evil\\x1b]0;", b"ok\r\n", b"ok\r\n", b"quit"), b"q\r"),
            ("xterm", (b"/nasty\t", b"i", b"ql"), (b"nasty", b"evil\\x1b]0;", b"ok"), b"qq"))
    for term, typed, shown, leave in keys:
        t = host.terminal("alice", term=term, rows=60, cols=200)
        seen = b""
        for send, until in zip((b"", *typed), (b"quit", *shown)):
            t.send(send)
            t.expect_exact(until)
            seen += t.before + t.after
        assert not [b for b in bad if b in seen], (term, seen)
        t.send(leave)
        ended(t)
