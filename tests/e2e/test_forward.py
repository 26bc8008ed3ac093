"""Forwarding in and out of containers through the helper, with real clients."""

import contextlib
import errno
import os
import re
import socket
import subprocess
import threading
import time

import paramiko
import pytest

from far import with_sshd
from lab import SLOW, free_port, read_all, run, wait_for


def listens(host, container, port):
    tables = host.engine.exec(container, "cat", "/proc/net/tcp", "/proc/net/tcp6")
    return re.search(f":{port:04X} 0*:0000 0A", tables) is not None


def serve(host, container, port, *argv):
    """A server on a port of the container's loopback, started from outside."""
    host.engine.cli("exec", "--detach", container, *argv)
    wait_for(lambda: listens(host, container, port), 20, "the server")


@contextlib.contextmanager
def client(host, login, *options, command=("-N",)):
    """ssh -N with forwards; ends with the block."""
    argv = host.ssh_argv(login, options=("-o", "ExitOnForwardFailure=yes", *command, *options))
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield p
    finally:
        p.kill()
        p.communicate()


def connect(port, seconds=20):
    def try_it():
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=30 * SLOW)
    return wait_for(try_it, seconds, f"port {port}")


GET = b"GET /passwd HTTP/1.0\r\n\r\n"


def ask(port, text=GET):
    """What comes; a client that was refused closes, or resets because of what it did not read."""
    with connect(port) as s:
        try:
            s.sendall(text)
            s.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: s.recv(65536), b""))
        except OSError as e:
            assert e.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN), e
            return b""


@pytest.fixture(scope="session")
def web(site):
    """A web server in the loopback of the site's `bb` and `deb` has none."""
    serve(site, "bb", 80, "httpd", "-f", "-p", "127.0.0.1:80", "-h", "/etc")
    return site


def test_local_forward_reaches_the_containers_own_loopback(web):
    port = free_port()
    with client(web, "alice+bb", "-L", f"{port}:localhost:80"):
        for _ in range(3):
            assert b"root:x:0" in ask(port)


def test_a_refused_port_is_refused_in_under_a_second(web):
    port, served = free_port(), free_port()
    with client(web, "alice+bb", "-L", f"{port}:localhost:81", "-L", f"{served}:localhost:80"):
        assert b"root:x:0" in ask(served)  # the helper is there
        began = time.monotonic()
        assert ask(port) == b""
        assert time.monotonic() - began < SLOW


def test_half_close_both_ways(web):
    serve(web, "bb", 90, "nc", "-ll", "-p", "90", "-e", "sh", "-c", "cat; echo end")
    port = free_port()
    with client(web, "alice+bb", "-L", f"{port}:127.0.0.1:90"):
        assert ask(port, b"to you") == b"to youend\n"


def test_100_parallel_requests_through_socks(web):
    port = free_port()
    with client(web, "alice+bb", "-D", str(port)):
        connect(port).close()
        curls = [subprocess.Popen(["curl", "-s", "--max-time", "60", "--socks5-hostname", f"127.0.0.1:{port}",
                                   "http://localhost/passwd"], stdout=subprocess.PIPE) for _ in range(100)]
        assert all(b"root:x:0" in p.communicate()[0] for p in curls)


def test_200_forwards_at_once_on_one_connection(web):
    perl = ("use IO::Socket::INET; $SIG{CHLD} = 'IGNORE'; $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1:94', "
            "Listen => 200) or die; "
            "while ($s = $l->accept) { fork and next; syswrite $s, $b while sysread $s, $b, 99; exit }")
    serve(web, "deb", 94, "perl", "-e", perl)
    port = free_port()
    with client(web, "alice+deb", "-L", f"{port}:localhost:94"), contextlib.ExitStack() as stack:
        many = [stack.enter_context(connect(port)) for _ in range(200)]
        for i, s in enumerate(many):
            s.sendall(b"%03d" % i)
        assert [s.recv(3, socket.MSG_WAITALL) for s in many] == [b"%03d" % i for i in range(200)]


def test_without_a_container_in_the_login_name_the_host_is_one(web):
    ports = [free_port() for _ in range(4)]
    hosts = ("bb", "bb.one", "nosuch", "bb.two")
    forwards = [f for p, h in zip(ports, hosts) for f in ("-L", f"{p}:{h}:80")]
    with client(web, "alice", *forwards):
        assert b"root:x:0" in ask(ports[0])
        assert b"root:x:0" in ask(ports[1])
        assert ask(ports[2]) == b""
        assert ask(ports[3]) == b""


def test_many_names_before_it_is_known_that_there_is_no_container(host):
    """They all wait for the same answer, are then more names than are kept, and keep nothing else waiting."""
    wait_for(lambda: overtakes_names(host), 40, "a list before the first name was given up")


def overtakes_names(host):
    with contextlib.closing(host.transport("alice")) as t:
        refused = []
        failure = paramiko.common.MSG_CHANNEL_OPEN_FAILURE
        t._handler_table = {**t._handler_table, failure: lambda _, m: refused.append(m)}
        t.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)  # they come as one
        for i in range(100):
            m = paramiko.Message()
            m.add_byte(paramiko.common.cMSG_CHANNEL_OPEN)
            m.add_string("direct-tcpip")
            for n in (1000 + i, 1 << 20, 32768):
                m.add_int(n)
            for name in (f"nosuch{i}", "127.0.0.1"):
                m.add_string(name)
                m.add_int(80)
            t._send_message(m)
        t.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        ch = t.open_session(timeout=30 * SLOW)
        ch.exec_command("ls")
        assert b"bb" in read_all(ch) and ch.recv_exit_status() == 0
        return not refused


def test_keys_are_exchanged_anew_under_load(web):
    serve(web, "bb", 93, "nc", "-ll", "-p", "93", "-e", "cat")
    port = free_port()
    sent = os.urandom(4 << 20)
    with client(web, "alice+bb", "-o", "RekeyLimit=256K", "-L", f"{port}:localhost:93"):
        with connect(port) as s:
            def send():
                s.sendall(sent)
                s.shutdown(socket.SHUT_WR)
            threading.Thread(target=send, daemon=True).start()
            got = b"".join(iter(lambda: s.recv(65536), b""))
    assert got == sent


def test_what_a_client_sends_before_it_closes_arrives(web):
    """More than the helper has a window for, to a target that is slow to begin; the client closes at once."""
    serve(web, "bb", 92, "nc", "-l", "-p", "92", "-e", "sh", "-c", "sleep 2; wc -c >/tmp/got.92")
    size = 1200000
    with contextlib.closing(web.transport("alice+bb")) as t:
        c = t.open_channel("direct-tcpip", ("localhost", 92), ("127.0.0.1", 1), timeout=30 * SLOW)
        c.sendall(bytes(size))
        c.close()
        wait_for(lambda: web.engine.exec("bb", "cat", "/tmp/got.92", check=False).strip() == str(size), 20, "all of it")


def test_the_outside_is_refused(web):
    with socket.socket() as outside:
        outside.bind(("127.0.0.2", 0))
        outside.listen()
        port, other = free_port(), free_port()
        with client(web, "alice+bb", "-L", f"{port}:192.0.2.1:80", "-L", f"{other}:1.2.3.4:{web.port}"):
            began = time.monotonic()
            assert ask(port) == b"" and ask(other) == b""
            assert time.monotonic() - began < 5 * SLOW


def test_a_stalled_forward_beside_a_busy_one(web):
    serve(web, "bb", 91, "nc", "-ll", "-p", "91", "-e", "cat", "/dev/zero")
    port, busy = free_port(), free_port()
    with client(web, "alice+bb", "-L", f"{port}:localhost:91", "-L", f"{busy}:localhost:80"):
        with connect(port) as stalled:
            assert stalled.recv(1) == b"\0"  # and nothing more is taken
            for _ in range(20):
                assert b"root:x:0" in ask(busy)
            assert stalled.recv(1) == b"\0"


def answer_once(listener):
    s, _ = listener.accept()
    with s:
        s.sendall(s.recv(100)[::-1])


@pytest.mark.parametrize("container", ("bb", "deb"))
def test_remote_forward(web, container):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=answer_once, args=(listener,), daemon=True).start()
        with client(web, f"alice+{container}", "-R", f"7100:127.0.0.1:{listener.getsockname()[1]}") as c:
            script = ("exec 3<>/dev/tcp/127.0.0.1/7100; printf abc >&3; cat <&3" if container == "deb"
                      else "printf abc | nc 127.0.0.1 7100")
            shell = "bash" if container == "deb" else "sh"
            wait_for(lambda: web.engine.exec(container, shell, "-c", script, check=False) == "cba", 20, "an answer")
            assert c.poll() is None
        wait_for(lambda: not listens(web, container, 7100), 20, "the listener to go")


def test_remote_forward_of_port_0_says_which(web):
    with client(web, "alice+bb", "-o", "LogLevel=INFO", "-R", "0:127.0.0.1:1") as c:
        said = next(line.decode() for line in c.stderr if b"Allocated port" in line)
        port = int(re.search(r"Allocated port (\d+)", said).group(1))
        assert listens(web, "bb", port)


def test_remote_forward_that_cannot_bind_fails(web):
    web.ssh("alice+bb", "true", check=True)
    r = web.ssh("alice+bb", "true", options=("-o", "ExitOnForwardFailure=yes", "-R", "80:127.0.0.1:1"))
    assert r.returncode == 255


def test_remote_forward_is_cancelled(web, tmp_path):
    control = tmp_path / "c"
    with client(web, "alice+bb", "-M", "-S", str(control), "-R", "7200:127.0.0.1:1"):
        wait_for(control.exists)
        wait_for(lambda: listens(web, "bb", 7200), 20, "the listener")
        run("ssh", "-F", "none", "-S", control, "-O", "cancel", "-R", "7200:127.0.0.1:1", "x")
        wait_for(lambda: not listens(web, "bb", 7200), 20, "the listener to go")


def test_a_connection_that_the_client_refuses_ends_nothing_else(web):
    """Its channel has no number at the client, whose number 0 is the command."""
    argv = web.ssh_argv("alice+bb", "cat", options=("-o", "ExitOnForwardFailure=yes", "-R", "7300:127.0.0.1:1"))
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        wait_for(lambda: listens(web, "bb", 7300), 20, "the listener")
        for _ in range(3):
            web.engine.exec("bb", "sh", "-c", "nc 127.0.0.1 7300 </dev/null || :")
            p.stdin.write(b"still\n")
            p.stdin.flush()
            assert p.stdout.readline() == b"still\n"
        p.stdin.close()
        assert p.wait(20 * SLOW) == 0


def test_a_client_that_takes_channels_in_tiny_packets_only(web):
    """libssh would turn for ever over what does not fit one."""
    t = paramiko.Transport(("127.0.0.1", web.port), default_max_packet_size=10)
    with contextlib.closing(t):
        t.start_client(timeout=20 * SLOW)
        t.auth_publickey("alice+bb", paramiko.Ed25519Key(filename=str(web.key)))
        t.request_port_forward("127.0.0.1", 7400)
        web.engine.cli("exec", "--detach", "bb", "sh", "-c", "head -c 100000 /dev/zero | nc 127.0.0.1 7400")
        c = t.accept(20 * SLOW)
        assert len(c.makefile("rb").read()) == 100000
        s = t.open_session(max_packet_size=32768)
        s.exec_command("echo in")
        assert s.makefile("rb").read() == b"in\n"


def test_agent_forwarding(web, tmp_path):
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=subprocess.DEVNULL)
    try:
        env = {"SSH_AUTH_SOCK": str(tmp_path / "agent"), "PATH": "/usr/bin:/bin"}
        wait_for(lambda: run("ssh-add", "-l", env=env, check=False).returncode == 1, 10, "an agent without keys")
        run("ssh-add", web.key, env=env)
        ask_it = ("use IO::Socket::UNIX; $s = IO::Socket::UNIX->new($ENV{SSH_AUTH_SOCK}) or die; "
                  "print $s pack('Nc', 1, 11); $s->flush; read $s, $r, 9; print unpack('x4 c N', $r), qq(\\n)")
        r = subprocess.run(web.ssh_argv("alice+deb", f'ls -l "$SSH_AUTH_SOCK"; perl -e "{ask_it.replace("$", chr(92) + "$")}"'
                                        '; echo "$SSH_AUTH_SOCK"', options=("-A",)), env=env,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60 * SLOW)
        out = r.stdout.decode()
        assert out.startswith("srw-------"), out
        assert "\n121\n" in out, out  # an identities answer, and one of them
        path = out.split()[-1]
        wait_for(lambda: web.engine.exec("deb", "sh", "-c", f"ls {path} 2>&1 || :").count("No such"), 20, "no socket")
    finally:
        agent.kill()
        agent.wait()


def agents_path(t):
    """The socket of a new command with -A, or an empty line."""
    s = t.open_session()
    s.request_forward_agent(lambda _: None)
    s.exec_command('echo "$SSH_AUTH_SOCK"')
    return read_all(s).decode()


def test_where_no_helper_has_a_place_an_agent_is_not_asked_for_each_time(host, container):
    container("a-none", "busybox", "--read-only", "--user", "app")
    with contextlib.closing(host.transport("alice+a-none")) as t:
        assert [agents_path(t) for _ in range(5)] == ["\n"] * 5
    asked = re.findall(r" attach\.refused conn=\w+ target=a-none ", host.log_text())
    assert 1 <= len(asked) < 5  # seconds later it may be asked for again


def test_an_agents_socket_that_failed_is_tried_again(host, container):
    container("a-again", "debian", "--user", "1000")
    host.engine.exec("a-again", "chmod", "755", "/tmp", "/dev/shm", "/var/tmp", user="0")
    with contextlib.closing(host.transport("alice+a-again")) as t:
        assert agents_path(t) == "\n"
        host.engine.exec("a-again", "chmod", "1777", "/tmp", user="0")
        first = agents_path(t)
        assert first.startswith("/tmp/jumpbox-agent."), first
        assert agents_path(t) == first


def test_what_is_too_much_for_one_connection_is_said(host):
    with contextlib.closing(host.transport("alice+bb")) as t:
        for _ in range(1024):  # MAX_ATTACHES of proto.h
            t.request_port_forward("127.0.0.1", 0)
        s = t.open_session()
        s.invoke_subsystem("sftp")
        assert b"too many channels or containers" in s.makefile_stderr("rb").read()
        assert s.recv_exit_status() == 75
        with pytest.raises(paramiko.ChannelException, match="Resource shortage"):
            t.open_channel("direct-tcpip", ("localhost", 80), ("127.0.0.1", 1))


def refusal(c):
    """The next line of the client about a channel that was not opened."""
    return next(line.decode() for line in c.stderr if b"open failed" in line)


def test_why_a_connection_failed_is_said(web):
    ports = [free_port() for _ in range(3)]
    forwards = [f for p, h in zip(ports, ("localhost:81", "192.0.2.1:80", "no.such.name:80")) for f in ("-L", f"{p}:{h}")]
    with client(web, "alice+bb", "-o", "LogLevel=INFO", *forwards) as c:
        said = [(ask(port), refusal(c))[1] for port in ports]
    assert "open failed: connect failed: " in said[0], said
    assert "open failed: administratively prohibited: " in said[1], said
    assert "open failed: connect failed: " in said[2], said


def test_why_there_is_no_helper_is_said(own_host):
    host = own_host()
    host.ctl("node", "set", "one", "helper", "off")
    port = free_port()
    with client(host, "alice+bb", "-o", "LogLevel=INFO", "-L", f"{port}:localhost:80") as c:
        ask(port)
        assert "does not allow the helper" in refusal(c)


def serve_path(host, path):
    """A server on a unix socket in `deb`; it answers with what it hears, reversed."""
    perl = ("use IO::Socket::UNIX; $l = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5) or die; "
            "while ($s = $l->accept) { print $s scalar reverse scalar <$s>; close $s }")
    host.engine.cli("exec", "--detach", "deb", "perl", "-e", perl, path)
    wait_for(lambda: host.engine.exec("deb", "ls", path, check=False))


def test_unix_sockets_of_the_container(web):
    serve_path(web, "/tmp/s.sock")
    port, none = free_port(), free_port()
    with client(web, "alice+deb", "-L", f"{port}:/tmp/s.sock", "-L", f"{none}:/tmp/none.sock"):
        assert ask(port, b"abc") == b"cba"
        assert ask(none) == b""


def test_remote_forward_of_a_unix_socket(web, tmp_path):
    path, control = "/tmp/back.sock", tmp_path / "c"
    perl = f"$s = IO::Socket::UNIX->new('{path}') or die; print $s 'abc'; shutdown $s, 1; print <$s>"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        forward = f"{path}:127.0.0.1:{listener.getsockname()[1]}"

        def there():
            return web.engine.exec("deb", "stat", "-c", "%A %U", path, check=False)
        with client(web, "alice+deb", "-M", "-S", control, "-R", forward):
            wait_for(there, 20, "the socket")
            assert there() == "srw------- root\n"
            for _ in range(3):
                threading.Thread(target=answer_once, args=(listener,), daemon=True).start()
                assert web.engine.exec("deb", "perl", "-MIO::Socket::UNIX", "-e", perl) == "cba"
            taken = web.ssh("alice+deb", "true", options=("-o", "ExitOnForwardFailure=yes", "-R", forward))
            assert taken.returncode == 255
            assert there()
            run("ssh", "-F", "none", "-S", control, "-O", "cancel", "-R", forward, "x")
            wait_for(lambda: not there(), 20, "the socket to go")
            run("ssh", "-F", "none", "-S", control, "-O", "forward", "-R", forward, "x")
            assert there()
        wait_for(lambda: not there(), 20, "the socket to go")
        nowhere = f"/nowhere/back.sock:127.0.0.1:{listener.getsockname()[1]}"
        r = web.ssh("alice+deb", "true", options=("-o", "ExitOnForwardFailure=yes", "-R", nowhere))
        assert r.returncode == 255


def test_what_is_no_path_of_a_unix_socket_is_refused(web):
    with contextlib.closing(web.transport("alice+deb")) as t:
        def answer(kind, *path):
            return t.global_request(f"{kind}@openssh.com", path, wait=True)
        for path in ((), ("",), ("localhost",), ("/tmp/" + "x" * 120,), ("/tmp/" + "x" * 300,), ("/tmp/a\0b",)):
            assert answer("streamlocal-forward", *path) is None, path
            assert answer("cancel-streamlocal-forward", *path) is None, path
        assert answer("streamlocal-forward", "/tmp/p.sock").get_remainder() == b""
        assert answer("cancel-streamlocal-forward", "/tmp/p.sock").get_remainder() == b""
        assert answer("cancel-streamlocal-forward", "/tmp/p.sock") is None


def test_through_us_to_an_sshd_in_the_container(host, tmp_path):
    """`ssh -J USER+CONTAINER@host root@localhost`: the second login is to the container's own."""
    with with_sshd(tmp_path, host.engine, host.key, "inner") as inner:
        host.wait_for_container("inner")
        config = tmp_path / "both"
        common = (f"  IdentityFile {host.key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {tmp_path}/known-%h\n"
                  "  StrictHostKeyChecking accept-new\n  LogLevel ERROR\n")
        config.write_text(f"Host gw\n  HostName 127.0.0.1\n  Port {host.port}\n  User alice+inner\n{common}"
                          f"Host inner\n  HostName localhost\n  Port 22\n  User root\n  ProxyJump gw\n{common}")
        data = os.urandom(3_000_000)
        r = run("ssh", "-F", config, "inner", "cat; echo $SSH_CONNECTION >&2; exit 42", input=data, check=False)
        assert (r.returncode, r.stdout) == (42, data), r.stderr
        assert r.stderr.split()[3] == b"22"  # its own port, not ours
        (tmp_path / "data").write_bytes(data)
        run("scp", "-F", config, tmp_path / "data", "inner:/tmp/data")
        run("scp", "-F", config, "inner:/tmp/data", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == data
        assert inner.exec("stat", "-c", "%s", "/tmp/data") == f"{len(data)}\n"
