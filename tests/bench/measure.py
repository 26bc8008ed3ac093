"""What the benchmarks measure with: terminals, and what processes cost."""

import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import socket
import statistics
import struct
import subprocess
import termios
import time


class Terminal:
    """A command on a pseudo-terminal of ours, read and written raw; without a size that is no screen."""

    def __init__(self, argv, rows=0, cols=0):
        self.start = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
            os.environ["TERM"] = "xterm"
            os.execvp(argv[0], argv)

    def until(self, pattern, seconds=30):
        data, deadline = b"", time.monotonic() + seconds
        while not re.search(pattern, data):
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {pattern!r} in {data!r}"
            data += os.read(self.fd, 65536)
        return time.perf_counter()

    def settled(self, quiet=0.03, seconds=10):
        """Reads until nothing has come for so long: when the last of it came; None if nothing came at all."""
        last, deadline = None, time.monotonic() + seconds
        while select.select([self.fd], [], [], quiet if last else max(0, deadline - time.monotonic()))[0]:
            os.read(self.fd, 65536)
            last = time.perf_counter()
        return last

    def close(self):
        os.close(self.fd)
        os.kill(self.pid, signal.SIGKILL)  # docker does not end with its terminal
        os.waitpid(self.pid, 0)


def start_ms(argv, rounds=15):
    """From ssh's start to its TCP connection."""
    times = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        argv = list(argv)
        argv[argv.index("-p") + 1] = str(listener.getsockname()[1])
        for _ in range(rounds):
            start = time.perf_counter()
            p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            c, _ = listener.accept()
            times.append((time.perf_counter() - start) * 1000)
            c.close()
            p.wait(10)
    return statistics.median(times)


def tree(pids):
    """(PSS KiB, CPU ticks, context switches) of the processes."""
    pss = ticks = switches = 0
    for pid in pids:
        try:
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        pss += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M).group(1))
        ticks += int(stat[11]) + int(stat[12])
        switches += sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", status))
    return pss, ticks, switches
