"""The end of a stream when the client rests and the engine is silent."""

import time

from fake_engine import TAIL
from lab import SLOW, wait_for
from test_bad_input import connect, fake  # noqa: F401 the fixture


def pause(seconds):
    """Nobody acts for a while: that is what is tested."""
    until = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() > until, seconds + 1)


def test_an_engine_that_is_silent_at_the_end_loses_nothing(host, fake):  # noqa: F811
    fake("tail")
    c = connect(host, "alice+fake")
    ch = c.get_transport().open_session(window_size=32768)
    ch.exec_command("produce")
    pause(6)
    got = b""
    ch.settimeout(20 * SLOW)
    while data := ch.recv(65536):
        got += data
    assert got == TAIL
    assert ch.recv_exit_status() == 5
    c.close()


def test_an_engine_that_is_late_to_say_how_it_ended_is_asked_again(host, fake):  # noqa: F811
    fake("late")
    r = host.ssh("alice+fake", "work")
    assert (r.returncode, r.stdout, r.stderr) == (5, b"done\n", b"")
