"""What takes longer than `make check` may: idle connections, files of gigabytes, thousands of files and connections.

`make soak`, or this file by its name; it is in no other run. JUMPBOX_SOAK_IDLE is in seconds, 900 if it is not set.
"""

import asyncio
import os
import pathlib
import re
import time

import pytest
import websockets

from lab import SLOW, free_port, run, wait_for
from test_clients_tools import test_rsync_both_ways_and_an_empty_second_run, there, tree  # noqa: F401
from test_editors import Workspace, alive, archive  # noqa: F401
from test_forward import ask, client, web  # noqa: F401

IDLE = int(os.environ.get("JUMPBOX_SOAK_IDLE", "900"))
pytestmark = pytest.mark.timeout(IDLE + 1800)


def sftp(far, *lines):
    batch = "\n".join((*lines, "")).encode()
    began = time.monotonic()
    run(*far.argv("sftp", "-b", "-", "far"), input=batch, timeout=900)
    print(f"{time.monotonic() - began:.1f} s: {lines}")


def digests(far, here, path):
    return [run("sha256sum", here, timeout=300).stdout.split()[0].decode(),
            far.engine.cli("exec", far.container, "sha256sum", path, timeout=300).stdout.split()[0].decode()]


@pytest.mark.parametrize("far", ("docker", "podman"), indirect=True)
def test_idle_with_and_without_channels(far, tmp_path, archive):  # noqa: F811
    """Nothing is sent by anybody, and nothing asks whether the other is there; then each is used."""
    control = tmp_path / "control"
    workspace = Workspace(far)
    master = far.popen("-N", "-M", "-S", control, "far")
    shell = far.popen("far", "cat")
    files = far.popen("-s", "far", "sftp")
    window = workspace.window(beat=10 * IDLE).bootstrap(archive)

    async def idle():
        async with websockets.connect("ws://127.0.0.1/ws", sock=window.socket(), ping_interval=None) as ws:
            for message in ("before", "after"):
                await ws.send(message)
                assert await ws.recv() == message
                if message == "before":
                    await asyncio.sleep(IDLE)
    try:
        files.stdin.write(b"\0\0\0\5\1\0\0\0\3")
        files.stdin.flush()
        wait_for(control.exists, 30, "the control socket")
        asyncio.run(idle())
        assert far.ssh("-S", control, "far", "echo there").stdout == b"there\n"
        assert shell.communicate(b"there", timeout=30)[0] == b"there"
        files.stdin.write(b"\0\0\0\x0a\x10\0\0\0\1\0\0\0\1.")  # REALPATH
        files.stdin.close()
        assert b"/root" in files.stdout.read()
        assert master.poll() is None
        alive(window)
    finally:
        for p in (master, shell, files):
            p.kill()
            p.wait(10)
        workspace.close()


def test_a_gib_up_and_down(far, there, tmp_path):  # noqa: F811
    here = tmp_path / "here"
    with open(here, "wb") as f:
        for _ in range(1024):
            f.write(os.urandom(1 << 20))
    sftp(far, f"put {here} {there}/there")
    sums = digests(far, here, f"{there}/there")
    here.unlink()
    sftp(far, f"get {there}/there {here}")
    assert {*sums, *digests(far, here, f"{there}/there")} == {sums[0]}
    here.unlink()  # pytest keeps directories


def test_a_sparse_file_of_5_gib(far, there, tmp_path):  # noqa: F811
    """Its size and what is written far behind 4 GiB, both ways; with rsync it is as sparse as it was."""
    far.exec("sh", "-c", f"cd {there} && printf begin >s && truncate -s 5G s && printf end >>s")
    here = tmp_path / "here"
    sftp(far, f"get {there}/s {here}")
    assert here.stat().st_size == (5 << 30) + 3
    sftp(far, f"put {here} {there}/back")
    far.engine.cli("exec", far.container, "cmp", f"{there}/s", f"{there}/back", timeout=300)
    here.unlink()
    run("rsync", "--sparse", "-e", far.ssh_command, f"far:{there}/s", here, timeout=900)
    assert here.stat().st_size == (5 << 30) + 3 and here.stat().st_blocks < 1000
    with open(here, "rb") as f:
        assert f.read(5) == b"begin" and f.seek(5 << 30) and f.read() == b"end"


def test_10000_forwarded_connections_do_not_add_up(web):  # noqa: F811
    """Memory and descriptors of the session, the broker and the helper in the container."""
    port = free_port()

    def helpers():
        init = web.engine.cli("inspect", "--format", "{{.State.Pid}}", "bb").stdout.decode().strip()
        group = pathlib.Path(f"/proc/{init}/cgroup").read_text()
        return [int(p.parent.name) for p in pathlib.Path("/proc").glob("[0-9]*/cgroup")
                if p.read_text() == group and ".jumpbox-" in os.readlink(p.parent / "exe")]

    def measure():
        pids = [*web.serving("jumpbox-session"), *web.serving("jumpbox-broker"), *helpers()]
        assert len(pids) >= 3
        return {pid: (int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]),
                      len(os.listdir(f"/proc/{pid}/fd"))) for pid in pids}
    with client(web, "alice+bb", "-L", f"{port}:localhost:80"):
        for _ in range(500):
            assert b"root:x:0" in ask(port)
        before = measure()
        for _ in range(9500):
            assert b"root:x:0" in ask(port)
        after = measure()
    assert before.keys() == after.keys()
    for pid, (memory, files) in before.items():
        assert after[pid][0] <= memory + 128 * SLOW and after[pid][1] <= files, (before, after)
