/*
 * REQ_LOGS: what a container has written.  The stream goes to the session as
 * an exec's does: the socket itself, or one end of a pair whose other end the
 * child relays to TLS.  Broker.
 */
#include "action.h"

#include "jumpbox/util.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOGS_LIMIT_MS = 20000 };

/* ---- in the child ---------------------------------------------------------- */

/* CHILD_DONE   u32 framed, then CHILD_STREAM */
static void
run(int fd, const struct broker *b, const void *owner)
{
	const struct action *a = owner;
	struct engine *en = job_engine(a->node, ENGINE_CALL_MS);
	struct engine_info info;
	struct exec_stream stream;
	struct errtext e = { 0 };
	char *run_as = NULL;
	bool tty = false;
	struct msg m;
	int r;

	if ((r = job_facts(fd, b, en, a->container, &info, &tty, &e)) < 0)
		goto out;
	job_go(fd, &run_as);
	if ((r = engine_logs(en, a->container, a->tail, a->follow, &stream, &e)) < 0)
		goto out;
	msg_init(&m, CHILD_DONE, 0);
	msg_put_u32(&m, !tty);
	job_tell(fd, &m);
	job_pass(fd, en, &stream);
out:
	if (r < 0)
		job_failed(fd, r, &e);
	engine_free(en);
}

/* ---- in the broker ----------------------------------------------------------- */

static void
empty(struct msg *m)
{
	msg_put_u32(m, 0);
}

static void
pass(struct broker *b, struct action *a, int fd)
{
	struct msg m;

	if ((a->stream = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		close(fd);
		action_refuse(b, a, JB_TRY_AGAIN, W_NO_DESCRIPTORS);
		return;
	}
	action_reply(a, &m, 0, NULL);
	msg_put_u32(&m, a->what);
	msg_put_fd(&m, fd);
	broker_send(b, &m);
	action_goes_on(a);
}

static bool
heard(struct broker *b, struct action *a, struct msg *m)
{
	int fd;

	if (m->type == CHILD_DONE)
		a->what = msg_get_u32(m);
	else if (m->type == CHILD_STREAM && !a->answered && (fd = msg_take_fd(m)) >= 0)
		pass(b, a, fd);
	return true;
}

static const struct action_kind logs = {
	.reply = REP_LOGS,
	.want = PERM_LOGS,
	.denied = W_NO_LOGS,
	.child = { LOGS_LIMIT_MS, run, action_message, action_ended },
	.heard = heard,
	.empty = empty,
};

const char *
do_logs(struct broker *b, struct msg *m)
{
	uint64_t ref = msg_get_u64(m);
	struct action asked = { .tail = msg_get_u32(m) };

	asked.follow = msg_get_u32(m);
	if (!msg_end(m) || asked.tail > MAX_TAIL || asked.follow > 1)
		return "malformed";
	return action_start(b, m, &logs, ref, &asked);
}
