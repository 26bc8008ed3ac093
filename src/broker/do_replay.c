/*
 * REQ_REPLAY: an administrator wants to see the recording of a session's
 * terminal, or one that is being made.  The session gets the file, read-only,
 * and plays it.  Broker.
 *
 * No audit row, no recording: whoever is watched can find out by whom.
 */
#include "broker.h"

#include "jumpbox/recordings.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <unistd.h>

struct wish {
	int64_t session;
	uint32_t n, watch;
	char user[NAME_MAX_LEN + 1]; /* whose terminal it is */
	struct recorded r;
};

static int
note_user(const struct session *s, void *arg)
{
	struct wish *w = arg;

	return str_copy(w->user, sizeof(w->user), s->user);
}

static int
may(struct broker *b, struct errtext *e)
{
	struct subject s = { 0 };
	int r = broker_subject(b, &s, e);

	if (r != 0)
		return r;
	r = broker_standing(&s, true, e);
	subject_release(&s);
	return r;
}

static int
note(struct broker *b, const struct wish *w)
{
	const struct actor by = broker_actor(b);
	char number[24], detail[128];

	snprintf(number, sizeof(number), "%lld", (long long)w->session);
	snprintf(
	    detail, sizeof(detail), "attach=%lld recording=%s", (long long)w->r.attach, w->r.name);
	return audit_add(
	    b->st, &by, w->watch ? "session.watch" : "session.replay", w->user, number, detail);
}

/* The recording is open in w->r.fd, or a sentence says why not. */
static int
find(struct broker *b, struct wish *w, struct errtext *e)
{
	int r = may(b, e);

	if (r == 0)
		r = recorded_find(
		    b->st, b->cfg->database, w->session, w->n, w->watch != 0, &w->r, e);
	if (r != 0)
		return r;
	if (session_get(b->st, w->session, note_user, w) == 0 && note(b, w) == 0)
		return 0;
	close(w->r.fd);
	return err_words(e, JB_UNAVAILABLE, W_NOT_RECORDED, NULL, NULL, NULL);
}

const char *
do_replay(struct broker *b, struct msg *m)
{
	uint64_t session = msg_get_u64(m);
	struct wish w = { .session = (int64_t)session, .n = msg_get_u32(m) };
	struct errtext e = { 0 };
	struct msg reply;
	int r;

	w.watch = msg_get_u32(m);
	if (!msg_end(m) || session > INT64_MAX || w.watch > 1)
		return "malformed";
	r = find(b, &w, &e);
	msg_init(&reply, REP_REPLAY, m->id);
	broker_put_why(&reply, r, r != 0 ? &e : NULL);
	msg_put_str(&reply, r == 0 ? w.user : "");
	msg_put_str(&reply, r == 0 ? w.r.where : "");
	msg_put_u64(&reply, r == 0 ? (uint64_t)w.r.opened : 0);
	if (r == 0) {
		msg_put_fd(&reply, w.r.fd);
		b->shown = true;
	}
	broker_send(b, &reply);
	return NULL;
}
