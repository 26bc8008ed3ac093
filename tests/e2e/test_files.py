"""Files of containers over SFTP, and where the helper has a place at all."""

import contextlib
import os
import signal
import socket
import subprocess

import pytest

from lab import SLOW, read_all, run, served, wait_for
from sftp_packets import INIT, REMOVE, VERSION, Raw, packet
from test_forward import ask, client, free_port, web  # noqa: F401


def sftp(host, login, batch, options=()):
    argv = host.ssh_argv(login, options=options)
    argv[0:1] = ["sftp", "-b", "-"]
    argv[argv.index("-p")] = "-P"
    return run(*argv, check=False, input=batch.encode(), timeout=60)


def scp(host, *args, options=()):
    argv = [*host.ssh_argv("x", options=options)[1:-1]]
    argv[argv.index("-p")] = "-P"
    return run("scp", *argv, *args, check=False)


def nothing_left(host, name, shell=True):
    """Of the helper: neither a file in a place that it may have had, nor a process."""
    if shell and host.engine.exec(name, "find", "/tmp", "/var/tmp", "/run", "/dev", "/home", "/srv",
                                  "-name", ".jumpbox*", check=False):
        return False
    return b".jumpbox" not in host.engine.cli("diff", name).stdout and len(host.engine.processes(name)) <= 2


@pytest.fixture(scope="session")
def payload(tmp_path_factory):
    path = tmp_path_factory.mktemp("payload") / "data"
    path.write_bytes(os.urandom(5 << 20))
    return path


@pytest.mark.parametrize("container", ("bb", "deb", "bare"))
def test_sftp_up_and_down(site, payload, tmp_path, container):
    r = sftp(site, f"alice+{container}", f"put {payload} /p\nget /p {tmp_path}/back\nrm /p\nls /etc/passwd\n")
    assert r.returncode == 0, r.stderr
    assert b"/etc/passwd" in r.stdout
    assert (tmp_path / "back").read_bytes() == payload.read_bytes()


def test_scp(host, payload, tmp_path):
    for a, b in ((payload, "alice+deb@127.0.0.1:/tmp/p"), ("alice+deb@127.0.0.1:/tmp/p", tmp_path / "back")):
        r = scp(host, "-s", a, b)  # the older mode is a command, which the image must have
        assert r.returncode == 0, r.stderr
    assert (tmp_path / "back").read_bytes() == payload.read_bytes()


def test_the_exit_status_comes_before_the_end_of_output(host):
    """OpenSSH's client closes once both ends are over: what comes after that it takes for a failure."""
    with contextlib.closing(host.transport("alice+bb")) as t:
        for _ in range(10):
            ch = t.open_session()
            ch.invoke_subsystem("sftp")
            ch.sendall(b"\0\0\0\5\1\0\0\0\3")
            assert ch.recv(9)[4] == 2  # its version
            ch.shutdown_write()
            read_all(ch)
            assert ch.exit_status_ready() and ch.recv_exit_status() == 0


def test_the_modes_of_new_files_are_the_containers(host, tmp_path):
    (tmp_path / "open").write_bytes(b"")
    (tmp_path / "open").chmod(0o664)
    assert sftp(host, "alice+bb", f"put {tmp_path}/open /tmp/open\nmkdir /tmp/opendir\n").returncode == 0
    assert host.engine.exec("bb", "stat", "-c", "%a", "/tmp/open", "/tmp/opendir").split() == ["644", "755"]
    assert sftp(host, "alice+bb", "rm /tmp/open\nrmdir /tmp/opendir\n").returncode == 0


def test_sftp_without_a_container_says_what_it_needs(host):
    r = sftp(host, "alice", "ls\n")
    assert r.returncode != 0 and b"jumpbox: file transfer needs a container in the user name" in r.stderr, r


def test_what_is_changed_is_in_the_audit_as_the_containers_word(host, payload):
    assert sftp(host, "alice+bb", f"put {payload} /tmp/noted\nrm /tmp/noted\n").returncode == 0
    notes = wait_for(lambda: [r for r in host.audit("file.note") if "/tmp/noted" in r["detail"]][1:], 20, "notes")
    assert all("said: " in n["detail"] for n in notes)
    assert any(r["detail"].find("kind=helper") > 0 for r in host.audit("attach.open", helpers=True))


def test_a_client_that_cuts_its_connection_hides_nothing(host):
    """It asks for much at once and is gone before it hears of any."""
    host.engine.exec("deb", "sh", "-c", "mkdir /cut && cd /cut && seq 2000 | xargs touch")
    with contextlib.closing(host.transport("alice+deb")) as t:
        ch = t.open_session()
        ch.invoke_subsystem("sftp")
        ch.sendall(packet(INIT, Raw(b"\0\0\0\3")))
        assert ch.recv(9)[4] == VERSION
        ch.sendall(b"".join(packet(REMOVE, i, f"/cut/{i}") for i in range(1, 2001)))
        t.sock.shutdown(socket.SHUT_RDWR)

    def ended():
        return not [c for _, _, c in host.engine.processes("deb") if c.startswith("/proc/self/fd/3")]
    wait_for(ended, 20, "the helper's end")
    removed = 2000 - int(host.engine.exec("deb", "sh", "-c", "ls /cut | wc -l"))
    assert removed > 0
    wait_for(lambda: len([r for r in host.audit("file.note") if 'remove path="/cut/' in r["detail"]]) == removed, 10,
             f"{removed} notes")


def test_files_ro_writes_nothing(own_host, payload):
    host = own_host()
    host.user("bob")
    host.ctl("grant", "add", "bob", "bb", "--allow", "files:ro")
    r = sftp(host, "bob+bb", f"-put {payload} /tmp/never\nget /etc/passwd /dev/null\n")
    assert r.returncode == 0 and b"denied" in r.stderr.lower(), r.stderr
    assert "never" not in host.engine.exec("bb", "ls", "/tmp")
    asked = host.log_text().count("attach.refused")
    with contextlib.closing(host.transport("bob+bb")) as t:
        for _ in range(5):
            ch = t.open_session()
            ch.invoke_subsystem("sftp")
            ch.sendall(packet(INIT, Raw(b"\0\0\0\3")))
            assert ch.recv(9)[4] == VERSION
            ch.close()
    asked = host.log_text().count("attach.refused") - asked
    assert 1 <= asked < 5  # what the first was refused the others do not ask for, unless seconds have passed


def test_without_the_permission_there_is_none(own_host):
    host = own_host()
    host.user("bob")
    host.ctl("grant", "add", "bob", "bb", "--allow", "shell,exec")
    r = sftp(host, "bob+bb", "ls\n")
    assert r.returncode != 0 and b"may not transfer files of bb" in r.stderr, r.stderr
    port = free_port()
    with client(host, "bob+bb", "-L", f"{port}:localhost:80"):
        assert ask(port) == b""
    host.ctl("grant", "add", "bob", "bb", "--allow", "files")
    assert sftp(host, "bob+bb", "ls\n").returncode == 0


def test_a_narrowed_grant_ends_the_stream(own_host):
    host = own_host()
    host.user("bob")
    host.ctl("grant", "add", "bob", "bb", "--allow", "files")
    number = host.ctl_json("grant", "list", "--user", "bob")[0]["id"]
    argv = host.ssh_argv("bob+bb", options=("-s",)) + ["sftp"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        p.stdin.write(b"\0\0\0\5\1\0\0\0\3")
        p.stdin.flush()
        assert p.stdout.read(9)[4] == 2  # its version
        host.ctl("grant", "add", "bob", "bb", "--allow", "files:ro")
        host.ctl("grant", "del", str(number))
        assert p.wait(10 * SLOW) != 0
        assert b"was withdrawn" in p.stderr.read()
    wait_for(lambda: [r for r in host.audit("attach.close", helpers=True) if "withdrawn" in r["detail"]], 10, "the end")


# ---- where it has a place (tests/e2e/test_containers.py: of which kinds of containers) --


# Whoever may write to a directory without the sticky bit may rename what is in it.
THIEF = """
for (my $n = 0;;) {
    for (glob "/tmp/.jumpbox-*") {
        rename($_, "/tmp/taken" . $n++) or next;
        mkdir $_;
        open(my $f, ">", "$_/helper") or next;
        print $f "#!/bin/sh\\nid -u >/tmp/ran\\n";
        chmod 0755, $f;
    }
}"""


def test_another_user_of_the_container_does_not_get_his_program_run(host, container):
    container("f-open", "debian", "--read-only", "--tmpfs", "/tmp:exec", "--tmpfs", "/run:exec")
    host.engine.exec("f-open", "chmod", "777", "/tmp")
    host.engine.cli("exec", "--detach", "--user", "app", "f-open", "perl", "-e", THIEF)
    for _ in range(5):
        r = sftp(host, "alice+f-open", "ls /etc\n")
        assert r.returncode == 0 and b"/etc/passwd" in r.stdout, r.stderr  # it has found another place
    assert host.engine.exec("f-open", "ls", "/tmp").count("taken"), "nothing was taken"
    assert "ran" not in host.engine.exec("f-open", "ls", "/tmp").split()


# One who is always quick enough: the directory that was just made leads to another that is the user's alone.
MKDIR = """#!/bin/sh
/bin/mkdir "$@" || exit
case $1 in
/tmp/.jumpbox-*) mv "$1" /tmp/taken && ln -s /alone "$1" ;;
esac
"""


def test_what_the_user_has_elsewhere_is_neither_run_nor_lost(host, container, tmp_path):
    container("f-link", "debian")
    (tmp_path / "mkdir").write_text(MKDIR)
    (tmp_path / "mkdir").chmod(0o755)
    host.engine.cli("cp", tmp_path / "mkdir", "f-link:/usr/local/bin/mkdir")
    host.engine.exec("f-link", "sh", "-c", "/bin/mkdir -m 700 /alone; echo 'echo >/tmp/ran' >/alone/helper")
    r = sftp(host, "alice+f-link", "ls /etc\n")
    assert r.returncode == 0 and b"/etc/passwd" in r.stdout, r.stderr  # it has found another place
    left = host.engine.exec("f-link", "sh", "-c", "ls /tmp; stat -c %a /alone/*")
    assert left == "taken\n644\n"


def test_a_label_says_no(host, container):
    container("f-label", "busybox", "--label", "jumpbox.helper=off")
    r = sftp(host, "alice+f-label", "ls\n")
    assert r.returncode != 0 and b"label jumpbox.helper" in r.stderr, r.stderr
    assert host.ssh("alice+f-label", "true").returncode == 0


def test_a_node_says_no_beside_what_is_open(own_host):
    """To a helper that would have to be put there: files are another user's than the shell, which goes on."""
    host = own_host()
    host.user("mixed")
    host.ctl("grant", "add", "mixed", "bb", "--as", "app", "--allow", "exec")
    host.ctl("grant", "add", "mixed", "bb", "--as", "root", "--allow", "files")
    with contextlib.closing(host.transport("mixed+bb")) as t:
        shell = t.open_session()
        shell.exec_command("echo in; exec cat")
        assert shell.recv(3) == b"in\n"
        host.ctl("node", "set", "one", "helper", "off")
        ch = t.open_session()
        ch.invoke_subsystem("sftp")
        assert b"does not allow the helper" in ch.makefile_stderr("rb").read()
        shell.sendall(b"still\n")
        assert shell.recv(6) == b"still\n"


def test_a_node_can_say_no(own_host):
    host = own_host()
    host.ctl("node", "set", "one", "helper", "off")
    r = sftp(host, "alice+bb", "ls\n")
    assert r.returncode != 0 and b"does not allow the helper" in r.stderr
    r = sftp(host, "alice+bb", "ls\n", options=("-o", "SetEnv=LC_ALL=zh_CN.UTF-8"))
    assert "辅助程序".encode() in r.stderr


# ---- what goes wrong in the middle


def test_a_full_disk_in_the_container(host, container, payload):
    """The client hears it, no more is there than fits, and the same connection goes on."""
    container("f-small", "busybox", "--tmpfs", "/small:size=1m")
    r = sftp(host, "alice+f-small", f"-put {payload} /small/p\nrm /small/p\nput /etc/passwd /small/h\nls -l /small\n")
    assert r.returncode == 0 and b'write remote "/small/p"' in r.stderr, r.stderr
    assert b"/small/h" in r.stdout


@pytest.mark.parametrize("name, options", (
    ("f-full", ("--tmpfs", "/tmp:exec,size=64k", "--tmpfs", "/run:exec")),
    ("f-dev", ())))
def test_a_read_only_root_and_one_place_with_room(host, container, name, options):
    """A directory that is full is none; /dev is one, for root."""
    container(name, "busybox", "--read-only", *options)
    r = sftp(host, f"alice+{name}", "ls /etc/passwd\n")
    assert r.returncode == 0 and b"/etc/passwd" in r.stdout, r.stderr
    wait_for(lambda: nothing_left(host, name), 20, "nothing to be left")


@pytest.fixture
def hung(container, tmp_path):
    """Makes containers with nothing but /a, which does not answer, and what is asked for; and what is in /a at last."""
    with served(tmp_path, "-o", "allow_other") as (mount, server):
        def make(name, *options):
            container(name, "busybox", "--read-only", "--user", "app", "--volume", f"{mount}:/a", *options)
            os.kill(server, signal.SIGSTOP)

        def inside():
            os.kill(server, signal.SIGCONT)
            return os.listdir(mount)
        yield make, inside


def test_a_mount_that_does_not_answer_is_not_looked_at_before_others(host, hung):
    make, inside = hung
    make("f-near", "--tmpfs", "/b:exec,mode=1777")
    r = sftp(host, "alice+f-near", "ls /etc/passwd\n")
    assert r.returncode == 0 and b"/etc/passwd" in r.stdout, r.stderr
    assert inside() == []


def test_where_nothing_answers_the_node_is_not_blamed(host, hung):
    """A shell has a stream of its own then."""
    make, _ = hung
    make("f-hung")
    r = sftp(host, "alice+f-hung", "ls\n")
    assert r.returncode != 0 and b"could not be put into that container in time" in r.stderr, r.stderr
    assert host.ssh("alice+f-hung", "echo in").stdout == b"in\n"


def test_a_grant_narrowed_to_read_only_in_the_middle_of_a_transfer(own_host, payload):
    host = own_host()
    host.user("bob")
    host.ctl("grant", "add", "bob", "bb", "--allow", "files")
    number = host.ctl_json("grant", "list", "--user", "bob")[0]["id"]
    host.engine.exec("bb", "rm", "-f", "/tmp/half")

    def there():
        return int(host.engine.exec("bb", "sh", "-c", "stat -c %s /tmp/half || echo 0"))
    argv = host.ssh_argv("bob+bb")
    argv[0:1] = ["sftp", "-l", "4000", "-b", "-"]  # half a megabyte a second
    argv[argv.index("-p")] = "-P"
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        p.stdin.write(f"put {payload} /tmp/half\n".encode())
        p.stdin.close()
        wait_for(there, 20, "the transfer to begin")
        host.ctl("grant", "add", "bob", "bb", "--allow", "files:ro")
        host.ctl("grant", "del", str(number))
        assert p.wait(5 * SLOW) != 0
        assert b"was withdrawn" in p.stderr.read()
    wait_for(lambda: host.audit("attach.close", helpers=True), 20, "the end of what writes")
    size = there()
    assert 0 < size < payload.stat().st_size
    r = sftp(host, "bob+bb", f"get /tmp/half /dev/null\n-put {payload} /tmp/half\n")
    assert r.returncode == 0 and b"denied" in r.stderr.lower(), r.stderr
    assert there() == size
