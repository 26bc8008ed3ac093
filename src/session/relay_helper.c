/*
 * The stream of a shell or a command that a helper carries.  jumpbox-session.
 *
 * What comes is put into `raw` as an engine would have framed it, so that all
 * behind it is the same as for a stream of its own.  The helper says how it
 * ended; when the helper itself has gone, the engine is asked (relay.c).  A
 * process that did not come about is asked for once more, without.
 */
#include "forward.h"

#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { UNKNOWN_CODE = 255 };

/* ---- what the helper says ---------------------------------------------------- */

static void
on_opened(void *owner, uint32_t port, const char *path)
{
	(void)owner;
	(void)port;
	(void)path;
}

static void
without(struct channel *ch)
{
	relay_detach(ch, "no helper");
	ch->bare = true;
	relay_attach(ch, ch->ref, ch->name);
}

static void
on_failed(void *owner, uint32_t why, uint32_t code, const char *text)
{
	struct channel *ch = owner;

	(void)why;
	(void)code;
	(void)text;
	ch->mux = NULL;
	without(ch);
}

/* No more than the window comes, and there is room for that in frames of one byte each. */
static void
add(struct channel *ch, uint8_t kind, const void *p, size_t n)
{
	const uint8_t head[8] = { kind, 0, 0, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n };

	if (!ch->tty)
		buf_add(&ch->raw, head, sizeof(head));
	buf_add(&ch->raw, p, n);
	if (ch->record != NULL)
		record_output(ch->record, now_mono_ms(), p, n);
}

static void
on_data(void *owner, const void *p, size_t n)
{
	add(owner, 1, p, n);
}

static void
on_errdata(void *owner, const void *p, size_t n)
{
	add(owner, 2, p, n);
}

static void
on_eof(void *owner)
{
	struct channel *ch = owner;

	ch->eof = true;
}

static void
on_exited(void *owner, uint32_t signal, uint32_t code, bool core)
{
	struct channel *ch = owner;

	ch->signal = signal;
	ch->core = core;
	ch->code = signal != 0 ? (128 + signal) & 255 : code;
	ch->have_code = true;
}

/* Withdrawn, broken off, or closed, which it should not be before it has said how it ended. */
static void
on_closed(void *owner, uint32_t code, const char *text)
{
	struct channel *ch = owner;

	ch->mux = NULL;
	ch->eof = true;
	if (code == (uint32_t)-JB_DENIED) {
		chan_expel(ch, code, text);
	} else if (code == 0 && !ch->have_code) {
		ch->have_code = ch->unknown = true;
		ch->code = UNKNOWN_CODE;
	}
}

static const struct mux_events events = { on_opened, on_failed, on_data, on_eof, on_exited,
	on_closed, NULL, on_errdata };

/* ---- its life ------------------------------------------------------------------- */

void
relay_start(struct channel *ch, char *const *env, unsigned n)
{
	struct mux_frame f = { .type = MUX_OPEN_EXEC };
	const char *value;

	if (ch->record != NULL && (ch->cols != ch->told_cols || ch->rows != ch->told_rows))
		record_size(ch->record, now_mono_ms(), ch->cols, ch->rows);
	f.u.exec.pty = ch->tty;
	f.u.exec.cols = ch->told_cols = ch->cols;
	f.u.exec.rows = ch->told_rows = ch->rows;
	f.u.exec.login = ch->command == NULL;
	f.u.exec.has_command = ch->command != NULL;
	f.u.exec.command = mux_str(ch->command != NULL ? ch->command : "");
	for (unsigned i = 0; i < n; i++) {
		if ((value = strchr(env[i], '=')) == NULL)
			continue;
		f.u.exec.env[f.u.exec.nenv].name =
		    (struct mux_str){ env[i], (size_t)(value - env[i]) };
		f.u.exec.env[f.u.exec.nenv++].value = mux_str(value + 1);
	}
	ch->mux = mux_open_process(
	    ch->conn, ch->helper, ch->command != NULL ? PERM_EXEC : PERM_SHELL, &f, &events, ch);
	if (ch->mux == NULL)
		without(ch);
}

/* Those of RFC 4254; the numbers are Linux's, for whose processors there is a helper. */
const char *
relay_died_of(const struct channel *ch)
{
	static const struct {
		uint32_t number;
		const char *name;
	} names[] = {
		{ 1, "HUP" },
		{ 2, "INT" },
		{ 3, "QUIT" },
		{ 4, "ILL" },
		{ 6, "ABRT" },
		{ 8, "FPE" },
		{ 9, "KILL" },
		{ 10, "USR1" },
		{ 11, "SEGV" },
		{ 12, "USR2" },
		{ 13, "PIPE" },
		{ 14, "ALRM" },
		{ 15, "TERM" },
	};

	if (ch->signal == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == ch->signal)
			return names[i].name;
	return "SIG@openssh.com"; /* what its server says of others */
}
