/*
 * What the two pages say: asks the supervisor and the database anew each
 * time, so that nothing is kept, and nothing wakes up, while nobody asks.
 * jumpbox-metrics, in the process that is user jumpbox.
 */
#include "page.h"

#include "jumpbox/log.h"
#include "jumpbox/server_state.h"
#include "jumpbox/store.h"
#include "jumpbox/util.h"
#include "numbers.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SUPERVISOR_MS = 2000, DATABASE_MS = 1000 };

struct reader {
	const struct config *c;
	int supervisor, front;
	uint32_t asked; /* the number of the last question to the supervisor */
	bool over;	/* it has gone */
};

/* ---- the supervisor ------------------------------------------------------ */

/* A late answer to an earlier question is dropped. */
static bool
hear(struct reader *r, struct server_state *s)
{
	struct msg m;
	bool mine;
	int err;

	msg_init(&m, 0, 0);
	err = msg_recv(r->supervisor, &m);
	r->over = err == JB_UNAVAILABLE;
	mine = err == 0 && m.id == r->asked && server_state_get(&m, s);
	msg_release(&m);
	return mine;
}

static bool
ask_supervisor(struct reader *r, struct server_state *s)
{
	int64_t until = now_mono_ms() + SUPERVISOR_MS;
	struct pollfd p = { r->supervisor, POLLIN, 0 };
	struct msg m;
	int err;

	msg_init(&m, STATE_ASK, ++r->asked);
	err = msg_send(r->supervisor, &m);
	msg_release(&m);
	while (err == 0 && !r->over && poll(&p, 1, poll_timeout(until)) > 0)
		if (hear(r, s))
			return true;
	return false;
}

/* ---- the pages ----------------------------------------------------------- */

/* NULL: it does not answer. */
static struct store *
open_database(const struct reader *r)
{
	struct store *st;
	struct errtext e;
	int64_t epoch;

	if (store_open_busy(r->c->database, STORE_OPEN, DATABASE_MS, &st, &e) != 0)
		return NULL;
	store_turn(st); /* all of it together waits once */
	if (store_policy_epoch(st, &epoch) == 0)
		return st;
	store_close(st);
	return NULL;
}

static const char *
flaw(const struct server_state *server, const struct store *st)
{
	if (server == NULL)
		return "the supervisor does not answer";
	if (server->draining)
		return "draining";
	return st == NULL ? "the database does not answer" : NULL;
}

static unsigned
print_page(FILE *f, uint32_t page, const struct server_state *server, struct store *st,
    const char *database)
{
	const char *wrong = flaw(server, st);

	if (page == PAGE_METRICS && server != NULL) {
		numbers_print(f, server, st, database);
		return OK;
	}
	fprintf(f, "%s\n", wrong != NULL ? wrong : "ok");
	return wrong != NULL ? UNAVAILABLE : OK;
}

/* The file in memory that holds it. */
static int
make_page(struct reader *r, uint32_t page, unsigned *status)
{
	struct server_state server;
	bool known = ask_supervisor(r, &server);
	struct store *st = open_database(r);
	int fd = memfd_create("jumpbox-page", MFD_CLOEXEC), copy = fd >= 0 ? dup(fd) : -1;
	FILE *f = copy >= 0 ? fdopen(copy, "w") : NULL;

	if (f == NULL)
		fatal(JB_INTERNAL, "a file in memory: %s", strerror(errno));
	*status = print_page(f, page, known ? &server : NULL, st, r->c->database);
	fclose(f);
	store_close(st);
	return fd;
}

/* False: the front has gone. */
static bool
answer(struct reader *r)
{
	unsigned status = 0;
	uint32_t page;
	struct msg m;
	int err;

	msg_init(&m, 0, 0);
	err = msg_recv(r->front, &m);
	page = err == 0 && m.type == PAGE_ASK ? msg_get_u32(&m) : 0;
	if (err == 0 && msg_end(&m) && (page == PAGE_HEALTH || page == PAGE_METRICS)) {
		int fd = make_page(r, page, &status);

		msg_release(&m);
		msg_init(&m, PAGE_GIVE, 0);
		msg_put_u32(&m, status);
		msg_put_fd(&m, fd);
		err = msg_send(r->front, &m);
	} else if (err == 0) {
		err = JB_BAD_INPUT; /* it was taken over */
	}
	msg_release(&m);
	return err == 0;
}

void
reader_serve(const struct config *c, int supervisor, int front, int sigfd)
{
	struct reader r = { .c = c, .supervisor = supervisor, .front = front };
	struct pollfd p[] = { { supervisor, POLLIN, 0 }, { front, POLLIN, 0 },
		{ sigfd, POLLIN, 0 } };
	struct server_state late;

	while (!r.over) {
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			fatal(JB_INTERNAL, "poll: %s", strerror(errno));
		if (p[2].revents != 0)
			break;
		if (p[0].revents != 0)
			hear(&r, &late);
		else if (p[1].revents != 0 && !answer(&r))
			break;
	}
}
