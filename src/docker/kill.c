/*
 * Signals for the main process of an exec, which no engine has a call for.
 * A second exec as the same user runs a few lines of `sh` in the container.
 * They find the one process that carries the marker in its environment and
 * whose parent is outside (PPid 0), so that what the user detached on purpose
 * is never touched.  With the host's process ids there is no PPid 0, but the
 * engine's Pid is valid inside; it must carry the marker too.  Broker's
 * children and the cleaner.
 */
#include "engine.h"
#include "jumpbox/util.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
	START_MS = 1000,   /* an exec that was just asked for may take this long to exist */
	SCRIPT_MS = 15000, /* with escalation it takes 4 s, on a busy node more */
};

#define LAST_WORD "jumpbox!"
enum { DONE, NOT_DONE, NOT_FOUND }; /* said before it, as a digit */
static const char *const last_words[] = { "0" LAST_WORD, "1" LAST_WORD, "2" LAST_WORD };

/*
 * sh -c SCRIPT sh MARKER SIGNAL ESCALATE PID (0: look for it)
 *
 * read drops the NULs between the variables of environ, so a digit after the
 * marker is another, longer marker.  grep only narrows the candidates down
 * and may be missing (no -F: busybox then stops at the first NUL).  A zombie's
 * environ is empty: it counts as gone.
 */
/* clang-format off */
static const char kill_script[] =
	"m=" EXEC_MARKER "=$1 sig=$2 esc=$3 pid=$4\n"
	"bye() { echo \"$1" LAST_WORD "\"; exit; }\n"
	"mine() {\n"
	" [ -r /proc/$1/environ ] || return 1\n"
	" while IFS= read -r l || [ -n \"$l\" ]; do\n"
	"  case $l in *\"$m\"[0-9]*) ;; *\"$m\"*) return 0 ;; esac\n"
	" done </proc/$1/environ\n"
	" return 1\n"
	"}\n"
	"outside() {\n"
	" while read -r k v; do\n"
	"  [ \"$k\" = PPid: ] && { [ \"$v\" = 0 ]; return; }\n"
	" done </proc/$1/status\n"
	" return 1\n"
	"}\n"
	"exec 2>/dev/null\n"
	"if [ \"$pid\" = 0 ]; then\n"
	" if command -v grep >/dev/null; then\n"
	"  all=$(grep -ls \"$m\" /proc/[0-9]*/environ)\n"
	" else\n"
	"  all=$(echo /proc/[0-9]*/environ)\n"
	" fi\n"
	" for f in $all; do\n"
	"  p=${f#/proc/} p=${p%/environ}\n"
	"  outside $p && mine $p && pid=$p && break\n"
	" done\n"
	"fi\n"
	"[ \"$pid\" != 0 ] && mine $pid || bye 2\n"
	"[ \"$esc\" = 1 ] || { kill -\"$sig\" $pid && bye 0; bye 1; }\n"
	"for sig in HUP TERM KILL; do\n"
	" kill -$sig $pid\n"
	" t=0\n"
	" while [ $t -lt 40 ]; do\n"
	"  kill -0 $pid && mine $pid || bye 0\n"
	"  sleep 0.05 || { sleep 1; t=$((t + 19)); }\n"
	"  t=$((t + 1))\n"
	" done\n"
	"done\n"
	"bye 1\n";
/* clang-format on */

static bool
word_ok(const char *s, const char *also)
{
	size_t n = s ? strlen(s) : 0;

	if (n < 1 || n > 64)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(also, *s))
			return false;
	return true;
}

static void
pause_ms(int *delay)
{
	poll(NULL, 0, *delay);
	*delay = *delay < 50 ? *delay * 2 : 100;
}

/* Whether the process has ended, waiting until it exists if it was only just asked for. */
static int
look(struct engine *en, const char *exec_id, struct exec_status *st, bool *ended, struct errtext *e)
{
	int64_t deadline = now_mono_ms() + START_MS;
	int rc, delay = 5;

	for (;;) {
		rc = engine_exec_inspect(en, exec_id, st, e);
		if (rc < 0)
			return rc;
		*ended = !st->running && (st->pid != 0 || st->exit_code > 0);
		if (*ended || (st->running && st->pid != 0))
			return 0;
		if (now_mono_ms() >= deadline) {
			*ended = !st->running;
			return 0;
		}
		pause_ms(&delay);
	}
}

/*
 * The script's last word on its stream is what counts.  Its exit status, and
 * even the end of the stream, would come later: Podman does not notice the
 * end of a detached exec for minutes, and dockerd is 2 to 4 s late for each
 * other exec of the container that ended while a child held its output open.
 */
static int
run_script(struct engine *en, const struct engine_info *info, const struct exec_spec *spec,
    int *code, struct errtext *e)
{
	struct exec_stream stream;
	bool no_program = false;
	char id[65], text[256];
	int rc;

	rc = engine_exec_create(en, spec, id, e);
	if (rc == 0)
		rc = engine_exec_start(en, info, spec, id, &stream, &no_program, e);
	if (no_program)
		return err_set(
		    e, JB_UNAVAILABLE, "a signal needs `sh` in the container, and there is none");
	if (rc < 0)
		return rc;
	exec_stream_finish(
	    en, &stream, now_mono_ms() + SCRIPT_MS, LAST_WORD "\n", text, sizeof(text));
	for (*code = DONE; *code <= NOT_FOUND; (*code)++)
		if (strstr(text, last_words[*code]))
			return 0;
	return err_set(e, JB_UNAVAILABLE, "the process could not be signalled");
}

int
engine_exec_signal(struct engine *en, const struct engine_info *info, const char *container,
    const char *user, bool pid_host, const char *exec_id, const char *marker, const char *signal,
    bool escalate, struct errtext *e)
{
	char pid[24] = "0";
	const char *argv[] = { "sh", "-c", kill_script, "sh", marker, escalate ? "HUP" : signal,
		escalate ? "1" : "0", pid, NULL };
	struct exec_spec spec = { .container = container, .user = user, .argv = argv };
	struct exec_status st = { .pid = 0 };
	bool ended = false;
	int rc = 0, code = DONE;

	if (!word_ok(marker, "._-") || !word_ok(argv[5], ""))
		return err_set(e, JB_BAD_INPUT, "there is no such signal");
	if (exec_id)
		rc = look(en, exec_id, &st, &ended, e);
	if (rc < 0 || ended)
		return rc;
	if (pid_host && st.pid == 0)
		return err_set(e, JB_UNAVAILABLE,
		    "the container shares the host's process ids and the engine names no process");
	if (pid_host)
		snprintf(pid, sizeof(pid), "%lld", (long long)st.pid);
	rc = run_script(en, info, &spec, &code, e);
	if (rc == JB_NOT_FOUND)
		return 0; /* the container is gone and all its processes with it */
	if (rc < 0 || code == DONE)
		return rc;
	if (exec_id && look(en, exec_id, &st, &ended, e) == 0 && ended)
		return 0;
	if (code == NOT_FOUND)
		return err_set(e, JB_NOT_FOUND, "the process is not there any more");
	return err_set(e, JB_UNAVAILABLE, "the process could not be signalled");
}
