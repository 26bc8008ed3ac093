/*
 * Shells, commands, SFTP and copies as channels: started by spawn(), ended when
 * the main process has and all that it wrote is with the session.  jumpbox-helper.
 */
#include "helper.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

/*
 * What a main process wrote is in the pipe when it has ended.  Others may hold
 * the pipe's end: a `tee` that has a last line to write, or a daemon that never
 * closes it.  The first are waited for so long, for the second nobody waits.
 */
enum { OTHERS_MS = 1000 };

static void
start(struct helper *h, struct chan *c, struct spawn *s)
{
	int r;

	s->account = &h->account;
	s->marker = h->marker;
	r = spawn(s);
	if (r < 0) {
		chan_failed(h, c, MUX_WHY_RESOURCES, strerror(-r));
		return;
	}
	c->in_fd = s->in;
	c->out_fd = s->out;
	c->err_fd = s->err;
	c->proc = procs_add(h, s->pid, c);
	chan_opened(h, c, (uint32_t)s->pid, "");
}

void
exec_open(struct helper *h, const struct mux_frame *f)
{
	struct spawn s = { .what = f };
	struct chan *c;

	if (!mask_exec(&h->mask, f->u.exec.has_command)) {
		chan_refuse(h, f->channel, MUX_WHY_FORBIDDEN, "not permitted");
		return;
	}
	if (h->account.shell[0] == '\0') {
		chan_refuse(h, f->channel, MUX_WHY_NO_SHELL, "there is no shell");
		return;
	}
	if ((c = chan_new(h, f->channel, CHAN_EXEC)) == NULL)
		return;
	c->pty = f->u.exec.pty;
	start(h, c, &s);
}

static void
open_files(struct helper *h, const struct mux_frame *f, bool readonly)
{
	struct spawn s = { .what = f };
	struct chan *c;

	if (!mask_files(&h->mask, readonly)) {
		chan_refuse(h, f->channel, MUX_WHY_FORBIDDEN, "not permitted");
		return;
	}
	if ((c = chan_new(h, f->channel, CHAN_FILES)) != NULL)
		start(h, c, &s);
}

void
exec_open_sftp(struct helper *h, const struct mux_frame *f)
{
	open_files(h, f, f->u.sftp.readonly);
}

void
exec_open_copy(struct helper *h, const struct mux_frame *f)
{
	open_files(h, f, !f->u.copy.in);
}

void
exec_resize(struct chan *c, uint32_t cols, uint32_t rows)
{
	struct winsize size = { .ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows };

	if (c->pty && c->in_fd >= 0)
		ioctl(c->in_fd, TIOCSWINSZ, &size);
}

static void
say_exit(struct helper *h, struct chan *c)
{
	struct mux_frame f = { .channel = c->id, .type = MUX_EOF };
	int status = c->proc->status;

	if (!c->eof_out)
		stream_put(h, &f);
	f.type = MUX_EXIT;
	if (WIFSIGNALED(status)) {
		f.u.exit.signal = (uint32_t)WTERMSIG(status);
		f.u.exit.core = WCOREDUMP(status) ? 1 : 0;
	} else {
		f.u.exit.code = (uint32_t)WEXITSTATUS(status);
	}
	stream_put(h, &f);
}

/* Something of it is to be read still, or will be when the session has a window again. */
static bool
waits(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

int64_t
exec_finish(struct helper *h, struct chan *c, int64_t now)
{
	bool ending = c->state == CHAN_ENDING;
	int64_t at;

	if (c->out_fd >= 0 || c->err_fd >= 0) {
		at = c->proc->ended_at + OTHERS_MS;
		if (!due(at, now))
			return at;
		if (waits(c->out_fd) || waits(c->err_fd))
			return 0;
	}
	if (c->state == CHAN_OPEN)
		say_exit(h, c);
	chan_close(h, c);
	if (ending)
		chan_free(h, c);
	return 0;
}
