/*
 * session replay, session watch: what was, or is, on a recorded terminal.
 * jumpboxctl, as the owner of the recordings.
 *
 * Whoever watches whom is in the audit before the first byte is shown.
 */
#include "replay.h"

#include "jumpbox/recordings.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPEED_LEAST = 10, SPEED_MOST = 10000, IDLE_MOST = 86400, IDLE_USUAL_MS = 2000 };

/* ---- what is asked for ------------------------------------------------------ */

const struct ctl_opt replay_opts[] = {
	{ "--speed", "FACTOR", "faster or slower: 2, 0.5; from 0.1 to 100", false },
	{ "--idle", "SECONDS", "no pause is longer than this (default 2); 0: as it was", false },
	{ "--cast", NULL, "print it as asciicast v2, for asciinema and others", false },
	{ "--list", NULL, "list the session's recordings", false },
	{ NULL, NULL, NULL, false },
};

static int
need_terminal(struct ctl *c, const char *otherwise)
{
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return 0;
	return ctl_fail(c, JB_USAGE, "a recording is played on a terminal%s", otherwise);
}

int
replay_prepare(struct ctl *c)
{
	if (args_opt(c, "--list") != NULL)
		return 0;
	if (args_opt(c, "--cast") == NULL)
		return need_terminal(c, "; --cast prints it as a file");
	if (isatty(STDOUT_FILENO))
		return ctl_fail(c, JB_USAGE, "--cast is for a file or a pipe, not for a terminal");
	return 0;
}

int
watch_prepare(struct ctl *c)
{
	return need_terminal(c, "");
}

/* A number with a point or without, in hundredths. */
static int
hundredths(struct ctl *c, const char *s, const char *what, long least, long most, long *n)
{
	char *end;
	double v = strtod(s, &end);

	if ((s[0] < '0' || s[0] > '9') || *end != '\0' || !(v * 100 >= (double)least) ||
	    !(v * 100 <= (double)most))
		return ctl_fail(c, JB_BAD_INPUT, "%s: \"%.60s\" is not a number from %g to %g",
		    what, s, (double)least / 100, (double)most / 100);
	*n = (long)(v * 100 + 0.5);
	return 0;
}

static int
session_number(struct ctl *c, int64_t *id, unsigned *n)
{
	int64_t number = 0;
	int r;

	if ((r = input_number(c, c->arg[0], 1, "a session's number", id)) < 0)
		return r;
	if (c->nargs > 1 &&
	    (r = input_number(c, c->arg[1], 1, "a recording's number", &number)) < 0)
		return r;
	if (number > UINT32_MAX)
		return ctl_fail(c, JB_NOT_FOUND, "there is no recording %.60s", c->arg[1]);
	*n = (unsigned)number;
	return 0;
}

struct whose {
	char user[64];
};

static int
note_user(const struct session *s, void *arg)
{
	struct whose *w = arg;

	return str_copy(w->user, sizeof(w->user), s->user);
}

/* Finds it and notes it in the audit. */
static int
open_recording(struct ctl *c, bool live, struct whose *w, struct recorded *r)
{
	const char *event = live ? "session.watch" : "session.replay";
	char detail[128];
	int64_t id;
	unsigned n;
	int rc;

	if ((rc = session_number(c, &id, &n)) < 0 ||
	    (rc = recorded_find(c->st, c->conf.database, id, n, live, r, &c->e)) < 0)
		return rc;
	c->fd = r->fd;
	snprintf(detail, sizeof(detail), "attach=%lld recording=%s", (long long)r->attach, r->name);
	rc = session_get(c->st, id, note_user, w);
	if (rc == 0)
		rc = audit_add(c->st, &c->by, event, w->user, c->arg[0], detail);
	return ctl_stored(c, rc);
}

/* ---- on the terminal --------------------------------------------------------- */

/* Of a terminal that is being recorded: what it has now, after all that it had. */
static void
size_now(int fd, unsigned *cols, unsigned *rows)
{
	struct cast_reader *reader = cast_reader_new();
	uint8_t block[CAST_FEED];
	struct cast_event e;
	enum cast_got got;
	off_t at = 0;
	ssize_t n;

	while ((got = cast_next(reader, &e)) != CAST_BAD) {
		if (got == CAST_EVENT && e.cols != 0) {
			*cols = e.cols;
			*rows = e.rows;
		} else if (got == CAST_MORE) {
			if ((n = pread(fd, block, sizeof(block), at)) <= 0)
				break;
			cast_feed(reader, block, (size_t)n);
			at += n;
		}
	}
	cast_reader_free(reader);
}

static void
say_begin(const struct player *p, const struct whose *w, const struct recorded *r)
{
	unsigned cols = 0, rows = 0, its_cols = p->cols, its_rows = p->rows;
	char when[32];

	if (p->follow)
		size_now(p->fd, &its_cols, &its_rows);
	when_format(r->opened, when);
	printf("%s in %s, %s, %ux%u; %sq leaves\n", w->user, r->where, when, its_cols, its_rows,
	    p->follow ? "" : "space pauses, ");
	if (screen_size(&cols, &rows) && (its_cols > cols || its_rows > rows))
		printf("This terminal has %ux%u: only what fits is shown.\n", cols, rows);
	fflush(stdout);
}

static void
say_end(const struct player *p, bool left)
{
	printf("\n%s",
	    left	    ? ""
		: p->follow ? "The terminal has ended.\n"
			    : "The recording ends here.\n");
	if (p->cut)
		printf(
		    "This terminal is smaller than what was shown (%ux%u at last): it was cut.\n",
		    p->cols, p->rows);
}

static int
show(struct ctl *c, struct player *p, const struct whose *w, const struct recorded *r)
{
	enum player_state state;
	bool left;

	/* It may take hours. */
	store_close(c->st);
	c->st = NULL;
	say_begin(p, w, r);
	state = screen_play(p, &left);
	say_end(p, left || state == PLAYER_BAD);
	if (state == PLAYER_BAD)
		return err_words(&c->e, JB_BAD_INPUT, W_REPLAY_DAMAGED, NULL, NULL, NULL);
	return 0;
}

static int
play(struct ctl *c, bool follow, long speed, int64_t idle_ms)
{
	struct recorded r;
	struct whose w;
	struct player p;
	int rc;

	if ((rc = open_recording(c, follow, &w, &r)) < 0)
		return rc;
	c->fd = -1; /* the player's */
	if (!player_init(&p, r.fd, follow)) {
		rc = err_words(&c->e, JB_BAD_INPUT, W_REPLAY_DAMAGED, NULL, NULL, NULL);
	} else {
		p.speed = (unsigned)speed;
		p.idle_ms = idle_ms;
		rc = show(c, &p, &w, &r);
	}
	player_release(&p);
	return rc;
}

int
watch_exec(struct ctl *c)
{
	return play(c, true, 100, 0);
}

/* ---- as asciicast ------------------------------------------------------------ */

/* Line by line: one that is not whole, at the end of a killed session's, is left out. */
static int
print_cast(struct ctl *c)
{
	struct cast_reader *reader = cast_reader_new();
	uint8_t block[CAST_FEED];
	struct cast_event e;
	enum cast_got got;
	const char *line;
	ssize_t in;
	size_t n;

	while ((got = cast_next(reader, &e)) != CAST_BAD && !ferror(stdout)) {
		if (got == CAST_EVENT) {
			line = cast_line(reader, &n);
			fwrite(line, 1, n, stdout);
			putchar('\n');
		} else if ((in = read(c->fd, block, sizeof(block))) > 0) {
			cast_feed(reader, block, (size_t)in);
		} else {
			break;
		}
	}
	cast_reader_free(reader);
	if (got == CAST_BAD)
		return err_words(&c->e, JB_BAD_INPUT, W_REPLAY_DAMAGED, NULL, NULL, NULL);
	return 0;
}

/* ---- a session's ------------------------------------------------------------- */

static const struct column recording_columns[] = {
	/* clang-format off */
	{ "number",    CELL_NUM,  false },
	{ "container", CELL_TEXT, false },
	{ "started",   CELL_TIME, false },
	{ "ended",     CELL_TIME, false },
	{ "live",      CELL_BOOL, false },
	{ "bytes",     CELL_NUM,  false },
	{ "file",      CELL_TEXT, false },
	/* clang-format on */
};
enum { NRECORDING = sizeof recording_columns / sizeof recording_columns[0] };

static int
list_recording(const struct recorded *r, void *arg)
{
	struct stat st = { 0 };

	list_row(arg,
	    (struct cell[NRECORDING]){
		C_NUM(r->n),
		C_TEXT(r->where),
		C_NUM(r->opened),
		C_NUM(r->closed),
		C_NUM(r->fd >= 0 && recording_live(r->fd)),
		C_NUM(r->fd >= 0 && fstat(r->fd, &st) == 0 ? st.st_size : 0),
		C_TEXT(r->name),
	    });
	return 0;
}

static int
list(struct ctl *c)
{
	struct whose w;
	struct list l;
	unsigned n;
	int64_t id;
	int r;

	if ((r = session_number(c, &id, &n)) < 0 ||
	    (r = ctl_stored(c, session_get(c->st, id, note_user, &w))) < 0)
		return r;
	list_begin(&l, c, recording_columns, NRECORDING);
	return ctl_stored(
	    c, list_end(&l, recorded_each(c->st, c->conf.database, id, list_recording, &l)));
}

int
replay_exec(struct ctl *c)
{
	const char *speed = args_opt(c, "--speed"), *idle = args_opt(c, "--idle");
	long factor = 100, pause = IDLE_USUAL_MS / 10;
	struct recorded r;
	struct whose w;
	int rc;

	if ((speed != NULL &&
		(rc = hundredths(c, speed, "--speed", SPEED_LEAST, SPEED_MOST, &factor)) < 0) ||
	    (idle != NULL && (rc = hundredths(c, idle, "--idle", 0, IDLE_MOST * 100L, &pause)) < 0))
		return rc;
	if (args_opt(c, "--list") != NULL)
		return list(c);
	if (args_opt(c, "--cast") == NULL)
		return play(c, false, factor, pause * 10);
	if ((rc = open_recording(c, false, &w, &r)) < 0)
		return rc;
	return print_cast(c);
}
