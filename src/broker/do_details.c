/*
 * REQ_DETAILS: what there is to know of one container.  Whoever may reach it
 * may see it; of its environment the child passes the names alone.  Broker.
 */
#include "action.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { DETAILS_LIMIT_MS = 15000 };

/* ---- in the child ----------------------------------------------------------- */

/* CHILD_DETAILS   u32 n, n x (u32 key, str value) */
static void
run(int fd, const struct broker *b, const void *owner)
{
	const struct action *a = owner;
	struct engine *en = job_engine(a->node, ENGINE_CALL_MS);
	struct engine_details d;
	struct engine_info info;
	struct errtext e = { 0 };
	char *run_as = NULL;
	struct msg m;
	int r;

	if ((r = job_facts(fd, b, en, a->container, &info, NULL, &e)) < 0)
		goto out;
	job_go(fd, &run_as);
	if ((r = engine_details(en, a->container, &d, &e)) < 0)
		goto out;
	msg_init(&m, CHILD_DETAILS, 0);
	msg_put_u32(&m, (uint32_t)d.n);
	for (size_t i = 0; i < d.n; i++) {
		msg_put_u32(&m, d.row[i].key);
		msg_put_str(&m, d.row[i].value);
	}
	job_tell(fd, &m);
	engine_details_release(&d);
out:
	if (r < 0)
		job_failed(fd, r, &e);
	engine_free(en);
}

/* ---- in the broker ------------------------------------------------------------ */

static void
empty(struct msg *m)
{
	msg_put_u32(m, 0);
}

/* As whom a shell may be had there, of what the grants say. */
static size_t
run_as_choices(struct broker *b, const struct action *a, const char **choice, struct subject *s)
{
	const struct live *l = &a->live;
	const struct facts f = { a->node->node->name, l->name, l->image, l->labels, l->owner };
	struct errtext e;

	if (broker_subject(b, s, &e) != 0)
		return 0;
	return policy_run_as(s, &f, PERM_SHELL, now_unix(), choice, RUN_AS_CHOICES);
}

static bool
heard(struct broker *b, struct action *a, struct msg *m)
{
	const char *choice[RUN_AS_CHOICES];
	uint32_t n = msg_get_u32(m), key;
	char value[DETAIL_MAX + 1];
	struct subject s = { 0 };
	struct msg out;
	size_t more = run_as_choices(b, a, choice, &s);

	action_reply(a, &out, 0, NULL);
	msg_put_u32(&out, n + 1 + (uint32_t)more);
	for (uint32_t i = 0; i < n && !m->bad; i++) {
		key = msg_get_u32(m);
		msg_get_str(m, value, sizeof(value));
		msg_put_u32(&out, key);
		msg_put_str(&out, value);
	}
	msg_put_u32(&out, DETAIL_NODE);
	msg_put_str(&out, a->node->node->name);
	for (size_t i = 0; i < more; i++) {
		msg_put_u32(&out, DETAIL_RUN_AS);
		msg_put_str(&out, choice[i]);
	}
	subject_release(&s);
	if (m->type != CHILD_DETAILS || !msg_end(m)) {
		msg_release(&out);
		return true; /* its end says the rest */
	}
	broker_send(b, &out);
	return false;
}

static const struct action_kind details = {
	.reply = REP_DETAILS,
	.want = 0,
	.denied = W_NOT_YOURS,
	.child = { DETAILS_LIMIT_MS, run, action_message, action_ended },
	.heard = heard,
	.empty = empty,
};

const char *
do_details(struct broker *b, struct msg *m)
{
	uint64_t ref = msg_get_u64(m);

	if (!msg_end(m))
		return "malformed";
	return action_start(b, m, &details, ref, &(struct action){ 0 });
}
