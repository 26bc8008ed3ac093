/*
 * Which recording of a session somebody wants to see.  Broker, jumpboxctl.
 */
#include "jumpbox/recordings.h"

#include "jumpbox/store.h"
#include "jumpbox/util.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct walk {
	int dir;
	struct recorded r;
	int (*fn)(const struct recorded *, void *);
	void *arg;
};

static int
one(const struct attach *a, void *arg)
{
	struct walk *w = arg;
	struct recorded *r = &w->r;
	int rc;

	r->n++;
	r->attach = a->id;
	r->opened = a->opened;
	r->closed = a->closed;
	snprintf(r->where, sizeof(r->where), "%.32s/%.90s", a->node, a->container);
	r->fd = -1;
	if (str_copy(r->name, sizeof(r->name), a->recording) == 0 && recording_name_ok(r->name))
		r->fd = recording_open(w->dir, r->name);
	rc = w->fn(r, w->arg);
	if (r->fd >= 0)
		close(r->fd);
	return rc;
}

int
recorded_each(struct store *st, const char *database, int64_t session,
    int (*fn)(const struct recorded *, void *), void *arg)
{
	struct walk w = { .dir = recordings_open_dir(database, false), .fn = fn, .arg = arg };
	int rc = attach_each_recorded(st, session, one, &w);

	if (w.dir >= 0)
		close(w.dir);
	return rc;
}

/* ---- the one that is meant -------------------------------------------------- */

struct search {
	unsigned n, candidates;
	bool live;
	struct recorded found;
	char list[160]; /* "1 one/web, 3 one/db" */
};

static int
consider(const struct recorded *r, void *arg)
{
	struct search *s = arg;
	size_t at = strlen(s->list);

	if (s->n != 0 ? r->n != s->n : s->live && (r->fd < 0 || !recording_live(r->fd)))
		return 0;
	snprintf(s->list + at, sizeof(s->list) - at, "%s%u %s", at > 0 ? ", " : "", r->n, r->where);
	if (s->candidates++ > 0)
		return 0;
	s->found = *r;
	s->found.fd = r->fd >= 0 ? fcntl(r->fd, F_DUPFD_CLOEXEC, 0) : -1;
	return 0;
}

static int
there(const struct session *s, void *arg)
{
	(void)s;
	(void)arg;
	return 0;
}

int
recorded_find(struct store *st, const char *database, int64_t session, unsigned n, bool live,
    struct recorded *r, struct errtext *e)
{
	struct search s = { .n = n, .live = live, .found.fd = -1 };
	char id[24], number[16];
	int rc = session_get(st, session, there, NULL);

	snprintf(id, sizeof(id), "%lld", (long long)session);
	snprintf(number, sizeof(number), "%u", n);
	if (rc == JB_NOT_FOUND)
		return err_words(e, rc, W_REPLAY_NO_SESSION, id, NULL, NULL);
	if (rc == 0)
		rc = recorded_each(st, database, session, consider, &s);
	if (rc != 0)
		rc = err_words(e, JB_UNAVAILABLE, W_NO_DATABASE, NULL, NULL, NULL);
	else if (s.candidates == 0)
		rc = err_words(e, JB_NOT_FOUND,
		    n != 0	 ? W_REPLAY_NO_SUCH
			: s.live ? W_REPLAY_NOT_LIVE
				 : W_REPLAY_NONE,
		    id, number, NULL);
	else if (s.candidates > 1)
		rc = err_words(e, JB_USAGE, W_REPLAY_WHICH, id, s.list, NULL);
	else if (s.found.fd < 0)
		rc = err_words(e, JB_UNAVAILABLE, W_REPLAY_GONE, NULL, NULL, NULL);
	else if (s.live && !recording_live(s.found.fd))
		rc = err_words(e, JB_NOT_FOUND, W_REPLAY_NOT_LIVE, id, NULL, NULL);
	if (rc != 0 && s.found.fd >= 0)
		close(s.found.fd);
	if (rc == 0)
		*r = s.found;
	return rc;
}
