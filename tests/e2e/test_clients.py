"""Other people's clients: dbclient, plink, paramiko, asyncssh, and what editors and tools send."""

import asyncio
import contextlib
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import asyncssh
import pexpect
import pytest

from lab import SLOW, ended, read_all, run, wait_for

PASSWORD = "correct horse"


# ---- every client over every engine


def openssh(host, login, tty):
    return host.ssh_argv(login, options=("-tt",) if tty else ())


def dropbear(host, login, tty):
    return ["dbclient", "-y", "-y", "-t" if tty else "-T", "-p", str(host.port), "-l", login, "127.0.0.1"]


def plink(host, login, tty):
    # plink has no switch to accept a key: give it the fingerprint.
    key = run("ssh-keygen", "-lf", host.state / "ssh_host_ed25519_key").stdout.decode().split()[1]
    return ["plink", "-batch", "-t" if tty else "-T", "-P", str(host.port), "-l", login, "-pw", PASSWORD,
            "-hostkey", key, "127.0.0.1"]


def program(argv):
    """A client that is a program: (exit status, output) of a command, with that input or in a terminal of that size."""
    def client(host, login, command, data=None, size=None):
        words = [*argv(host, login, size is not None), command]
        env = {**os.environ, "DROPBEAR_PASSWORD": PASSWORD, "HOME": str(host.dir), "TERM": "xterm"}
        if not size:
            r = run(*words, check=False, env=env, input=data)
            return r.returncode, r.stdout
        t = pexpect.spawn(words[0], words[1:], env=env, dimensions=size, timeout=30 * SLOW)
        return ended(t, timeout=30), t.before  # times SLOW
    return client


def of_paramiko(host, login, command, data=None, size=None):
    with contextlib.closing(host.transport(login)) as t:
        ch = t.open_session()
        if size:
            ch.get_pty("xterm", size[1], size[0])
        ch.exec_command(command)
        if data:
            ch.sendall(data)
            ch.shutdown_write()
        out = read_all(ch)
        return ch.recv_exit_status(), out


def of_asyncssh(host, login, command, data=None, size=None):
    terminal = {"term_type": "xterm", "term_size": (size[1], size[0])} if size else {"input": data}

    async def go():
        async with asyncssh.connect("127.0.0.1", host.port, username=login, known_hosts=None,
                                    client_keys=[str(host.key)]) as c:
            r = await c.run(command, encoding=None, **terminal)
            return r.exit_status, r.stdout
    return asyncio.run(asyncio.wait_for(go(), 60 * SLOW))


CLIENTS = {"openssh": program(openssh), "dropbear": program(dropbear), "plink": program(plink),
           "paramiko": of_paramiko, "asyncssh": of_asyncssh}


@pytest.fixture(scope="module", params=("docker", "tls", "podman", "podman-tls"))
def reach(request, lab):
    engine = lab.engine(request.param)
    engine.container("many", "busybox")
    host = lab.site(engine).start()
    yield host
    host.stop()
    engine.remove("many")


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_over_every_engine(reach, name):
    client, data = CLIENTS[name], os.urandom(500_000)
    assert client(reach, "alice+many", "cat; exit 4", data) == (4, data)
    status, out = client(reach, "alice+many", "stty size; exit 6", None, (29, 91))
    assert status == 6 and b"29 91\r\n" in out


# ---- what is particular to one


def test_dropbear_terminal(host):
    t = pexpect.spawn("dbclient", ["-y", "-y", "-t", "-p", str(host.port), "-l", "alice+bb", "127.0.0.1"],
                      env={**os.environ, "DROPBEAR_PASSWORD": PASSWORD, "HOME": str(host.dir)},
                      dimensions=(29, 91), timeout=30 * SLOW)
    t.sendline("stty size; exit 6")
    t.expect(rb"29 91\r\n")
    assert ended(t) == 6


@pytest.mark.parametrize("password", (None, PASSWORD), ids=("key", "password"))
def test_paramiko(host, password):
    t = host.transport("alice+bb", password)
    ch = t.open_session()
    ch.exec_command("cat; echo err >&2; exit 11")
    ch.sendall(b"x" * 500000)
    ch.shutdown_write()
    assert read_all(ch) == b"x" * 500000 and ch.recv_stderr(100) == b"err\n"
    assert ch.recv_exit_status() == 11
    ch = t.open_session()
    ch.get_pty("xterm", 99, 44)
    ch.invoke_shell()
    ch.sendall(b"stty size; exit 5\n")
    assert b"44 99" in read_all(ch) and ch.recv_exit_status() == 5
    t.close()


def test_asyncssh(host):
    async def go():
        async with asyncssh.connect("127.0.0.1", host.port, username="alice+bb", password=PASSWORD,
                                    known_hosts=None, client_keys=None) as c:
            r = await c.run("cat; exit 12", input="through asyncssh")
            assert (r.exit_status, r.stdout) == (12, "through asyncssh")
            many = await asyncio.gather(*(c.run(f"echo {i}") for i in range(20)))
            assert [m.stdout.strip() for m in many] == [str(i) for i in range(20)]
            p = await c.create_process(term_type="xterm", term_size=(77, 33))
            p.stdin.write("stty size; exit 3\n")
            out = await p.stdout.read()
            assert "33 77" in out
            assert (await p.wait()).exit_status == 3
    asyncio.run(asyncio.wait_for(go(), 60 * SLOW))


def test_200_sessions_on_one_connection(host):
    async def go():
        async with asyncssh.connect("127.0.0.1", host.port, username="alice+bb", password=PASSWORD,
                                    known_hosts=None, client_keys=None) as c:
            processes = await asyncio.gather(*(c.create_process("cat") for _ in range(200)))
            for i, p in enumerate(processes):
                p.stdin.write(f"{i}\n")
            for i, p in enumerate(processes):
                assert await p.stdout.readline() == f"{i}\n"
            for p in processes:
                p.stdin.write_eof()
            assert {(await p.wait()).exit_status for p in processes} == {0}
    asyncio.run(asyncio.wait_for(go(), 200 * SLOW))


def test_one_channel_that_nobody_reads_stops_no_other(host):
    async def go():
        async with asyncssh.connect("127.0.0.1", host.port, username="alice+bb", password=PASSWORD,
                                    known_hosts=None, client_keys=None) as c:
            deaf = await c.create_process("cat /dev/zero", encoding=None, stdout=asyncssh.PIPE)
            await deaf.stdout.read(1)
            for i in range(5):
                r = await asyncio.wait_for(c.run(f"echo {i}"), 15 * SLOW)
                assert r.stdout == f"{i}\n"
            deaf.close()
    asyncio.run(asyncio.wait_for(go(), 120 * SLOW))


@pytest.mark.parametrize("algorithm", ("ssh-ed25519", "rsa-sha2-512"))
def test_rekey_each_mib_under_load(host, algorithm):
    """12 MiB there and back on one channel, and a second that is answered all the while."""
    control, log = host.dir / f"rekey-{algorithm}", host.dir / f"rekey-{algorithm}.log"
    with open(log, "wb") as stderr:
        master = host.popen("alice+bb", stderr=stderr, stdin=subprocess.DEVNULL, options=(
            "-vv", "-N", "-M", "-S", control, "-o", "RekeyLimit=1M", "-o", f"HostKeyAlgorithms={algorithm}",
            "-o", f"UserKnownHostsFile={host.dir}/known-{algorithm}"))
    wait_for(control.exists, 20, "the control socket")
    shared = ("-S", control)
    echo = host.popen("alice+bb", "cat", options=shared, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def echoed(i):
        echo.stdin.write(b"%d\n" % i)
        echo.stdin.flush()
        return echo.stdout.readline() == b"%d\n" % i
    assert echoed(0)
    data, rounds = os.urandom(12 << 20), 0
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(host.ssh, "alice+bb", "cat", options=shared, input=data, timeout=120)
        while not load.done():
            rounds += 1
            assert echoed(rounds)
    assert (load.result().returncode, load.result().stderr) == (0, b"") and load.result().stdout == data
    assert rounds >= 10
    assert echo.communicate(timeout=20 * SLOW)[0] == b"" and echo.returncode == 0
    run("ssh", "-S", control, "-O", "exit", "x", check=False)
    master.wait(10 * SLOW)
    said = log.read_text()
    # 24 MiB went over the wire, and one exchange began it all.
    assert said.count("SSH2_MSG_NEWKEYS sent") >= 13 and said.count("SSH2_MSG_NEWKEYS received") >= 13
    assert f"kex: host key algorithm: {algorithm}" in said


@pytest.mark.parametrize("shell", ("bb", "deb"))
def test_vscode_style_script_on_stdin(host, shell):
    """`ssh -T host sh` with a script on stdin and end of file right after it."""
    script = b"echo first: running\nuname -rsv >/dev/null\necho '1a%%1%%'\nsleep 1\necho first: end\n"
    r = host.ssh(f"alice+{shell}", "sh", options=("-T",), input=script)
    assert (r.returncode, r.stdout) == (0, b"first: running\n1a%%1%%\nfirst: end\n")
    p = host.popen(f"alice+{shell}", options=("-T",), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(b"echo 'ready: 7'\n")
    p.stdin.flush()
    assert p.stdout.readline() == b"ready: 7\n"
    p.stdin.write(b"exit 8\n")
    p.stdin.flush()
    assert p.wait(20 * SLOW) == 8


def test_no_channel_at_all_stays(host):
    control = host.dir / "control"
    p = host.popen("alice+bb", options=("-N", "-M", "-S", control))
    try:
        wait_for(control.exists, 20, "the control socket")
        for i in range(3):
            r = host.ssh("alice+bb", f"echo {i}", options=("-S", control))
            assert r.stdout == f"{i}\n".encode()
        assert p.poll() is None
    finally:
        run("ssh", "-S", control, "-O", "exit", "x", check=False)
        p.wait(10 * SLOW)
