/*
 * REQ_STATS: what a container uses, once a second for as long as somebody
 * looks.  Figures that the session has not taken yet are not followed by
 * others: only the latest matter.  Broker.
 */
#include "action.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { STATS_LIMIT_MS = 20000 }; /* until the first */

/* ---- in the child -------------------------------------------------------------- */

/* CHILD_STATS   as EVT_STATS, without the request */
static int
tell(const struct engine_stats *s, void *arg)
{
	const int *fd = arg;
	struct msg m;

	msg_init(&m, CHILD_STATS, 0);
	msg_put_u64(&m, s->cpu);
	msg_put_u64(&m, s->mem);
	msg_put_u64(&m, s->mem_limit);
	msg_put_u64(&m, s->net_rx);
	msg_put_u64(&m, s->net_tx);
	msg_put_u64(&m, s->blk_read);
	msg_put_u64(&m, s->blk_write);
	msg_put_u32(&m, s->pids);
	job_tell(*fd, &m);
	return 0;
}

static void
run(int fd, const struct broker *b, const void *owner)
{
	const struct action *a = owner;
	struct engine *en = job_engine(a->node, ENGINE_CALL_MS);
	struct engine_info info;
	struct errtext e = { 0 };
	char *run_as = NULL;
	int r;

	if ((r = job_facts(fd, b, en, a->container, &info, NULL, &e)) == 0) {
		job_go(fd, &run_as);
		r = engine_stats(en, &info, a->container, tell, &fd, &e);
	}
	if (r < 0)
		job_failed(fd, r, &e);
	engine_free(en);
}

/* ---- in the broker --------------------------------------------------------------- */

static int
begin(struct broker *b, struct action *a, struct errtext *e)
{
	(void)b;
	return strcmp(a->live.state, "paused") == 0 ? 0 : engine_running_check(a->live.state, e);
}

static void
empty(struct msg *m)
{
	msg_put_str(m, "");
}

static bool
heard(struct broker *b, struct action *a, struct msg *m)
{
	struct msg out;

	if (m->type != CHILD_STATS)
		return true;
	if (!a->answered) {
		action_reply(a, &out, 0, NULL);
		msg_put_str(&out, a->live.name);
		broker_send(b, &out);
		action_goes_on(a);
	}
	if (b->out != NULL)
		return true;
	msg_init(&out, EVT_STATS, 0);
	msg_put_u32(&out, a->id);
	for (int i = 0; i < 7; i++)
		msg_put_u64(&out, msg_get_u64(m));
	msg_put_u32(&out, msg_get_u32(m));
	broker_send(b, &out);
	return true;
}

static const struct action_kind stats = {
	.reply = REP_STATS,
	.want = 0,
	.denied = W_NOT_YOURS,
	.child = { STATS_LIMIT_MS, run, action_message, action_ended },
	.begin = begin,
	.heard = heard,
	.empty = empty,
};

const char *
do_stats(struct broker *b, struct msg *m)
{
	uint64_t ref = msg_get_u64(m);

	if (!msg_end(m))
		return "malformed";
	return action_start(b, m, &stats, ref, &(struct action){ 0 });
}
