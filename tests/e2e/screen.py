"""A real terminal to look at: tmux, which runs a client in a pane of a size and says what is on it."""

import os
import re
import tempfile

from lab import run, wait_for

ENV = {**os.environ, "LC_ALL": "C.UTF-8"}
ENV.pop("TMUX", None)


class Screen:
    """A command in a terminal of that size; close() it."""

    def __init__(self, argv, cols=80, rows=24, term="tmux-256color", env=()):
        self.dir = tempfile.mkdtemp(prefix="jumpbox-tmux-")
        self.socket = f"{self.dir}/s"
        config = f"{self.dir}/conf"
        with open(config, "w") as f:
            f.write("set -g status off\nset -g escape-time 0\nset -g history-limit 5000\n"
                    f"set -g default-terminal {term if term.startswith(('tmux', 'screen')) else 'tmux-256color'}\n")
        # tmux misses the end of a program now and then (3.3a): the shell around it tells, and stays.
        command = ["sh", "-c", '"$@"; echo "<ended with $?>"; exec sleep 1000000', "sh", "env", f"TERM={term}", *env, *argv]
        self._tmux("-f", config, "new-session", "-d", "-x", cols, "-y", rows, *command)

    def _tmux(self, *args, **kw):
        return run("tmux", "-u", "-S", self.socket, *args, env=ENV, **kw).stdout.decode()

    def text(self, *flags):
        """The lines on the screen, without blanks at their ends."""
        return [line.rstrip() for line in self._tmux("capture-pane", "-p", *flags).split("\n")]

    def show(self):
        return "\n".join(self.text())

    def attributes(self):
        """The screen with its SGR sequences."""
        return self._tmux("capture-pane", "-p", "-e")

    def history(self):
        """All that the normal screen holds, what has scrolled off it, too."""
        return "\n".join(self.text("-S", "-"))

    def of(self, what):
        """A format of tmux's, as {cursor_y}."""
        return self._tmux("display-message", "-p", what).strip()

    @property
    def alternate(self):
        return self.of("#{alternate_on}") == "1"

    @property
    def cursor(self):
        return tuple(int(n) for n in self.of("#{cursor_y} #{cursor_x}").split())

    def keys(self, *keys):
        """As tmux names them: Enter, Up, C-c; a text is that text."""
        self._tmux("send-keys", *keys)
        return self

    def type(self, text):
        self._tmux("send-keys", "-l", "--", text)
        return self

    def raw(self, data):
        """Bytes, as the terminal would send them."""
        self._tmux("send-keys", "-H", *(f"{b:02x}" for b in data))
        return self

    def resize(self, cols, rows):
        self._tmux("resize-window", "-x", cols, "-y", rows)
        return self

    def expect(self, pattern, seconds=10):
        """Waits until the screen holds a regular expression; the match."""
        def found():
            nonlocal last
            last = self.show()
            return re.search(pattern, last, re.M)
        last = ""
        try:
            return wait_for(found, seconds, pattern)
        except AssertionError:
            raise AssertionError(f"not on the screen: {pattern}\n{last}") from None

    def gone(self, pattern, seconds=10):
        try:
            wait_for(lambda: not re.search(pattern, self.show(), re.M), seconds, pattern)
        except AssertionError:
            raise AssertionError(f"still on the screen: {pattern}\n{self.show()}") from None
        return self

    def status(self, seconds=20):
        """The command's exit status, waited for."""
        return int(self.expect(r"<ended with (\d+)>", seconds).group(1))

    def close(self):
        run("tmux", "-S", self.socket, "kill-server", check=False, env=ENV)
        run("rm", "-rf", self.dir)
