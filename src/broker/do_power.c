/*
 * REQ_POWER: start, stop, restart.  Broker.
 *
 * No audit row, no action: what was asked for is recorded before the engine
 * is, and how it went afterwards.  A session that leaves meanwhile does not
 * stop the engine.
 */
#include "action.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

/* A container may be given minutes to stop. */
enum { POWER_CALL_MS = 300 * 1000, POWER_LIMIT_MS = POWER_CALL_MS + 20 * 1000 };

static const struct verb {
	const char *event, *name;
	enum word done, already;
} verbs[] = {
	[POWER_START] = { "power.start", "start", W_STARTED, W_ALREADY_STARTED },
	[POWER_STOP] = { "power.stop", "stop", W_STOPPED, W_ALREADY_STOPPED },
	[POWER_RESTART] = { "power.restart", "restart", W_RESTARTED, W_RESTARTED },
};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

/* ---- in the child ---------------------------------------------------------------- */

/* CHILD_DONE   u32 already so */
static void
run(int fd, const struct broker *b, const void *owner)
{
	const struct action *a = owner;
	struct engine *en = job_engine(a->node, ENGINE_CALL_MS), *patient;
	struct engine_info info;
	struct errtext e = { 0 };
	char *run_as = NULL;
	bool already = false;
	struct msg m;
	int r;

	if ((r = job_facts(fd, b, en, a->container, &info, NULL, &e)) < 0)
		goto out;
	job_go(fd, &run_as);
	patient = job_engine(a->node, POWER_CALL_MS);
	r = engine_power(patient, a->container, a->what, &already, &e);
	engine_free(patient);
	if (r == 0) {
		msg_init(&m, CHILD_DONE, 0);
		msg_put_u32(&m, already);
		job_tell(fd, &m);
	}
out:
	if (r < 0)
		job_failed(fd, r, &e);
	engine_free(en);
}

/* ---- in the broker ------------------------------------------------------------------ */

static int
audit(struct broker *b, const struct action *a, const char *event, const char *detail)
{
	struct actor by = broker_actor(b);
	char target[192];

	snprintf(target, sizeof(target), "%s/%.128s", a->node->node->name, a->live.name);
	if (broker_store(b) == NULL)
		return JB_UNAVAILABLE;
	return audit_add(b->st, &by, event, b->user, target, detail);
}

static int
begin(struct broker *b, struct action *a, struct errtext *e)
{
	if (audit(b, a, verbs[a->what].event, NULL) == 0)
		return 0;
	log_error("power.not_recorded", F_STR("reason", b->st != NULL ? store_error(b->st) : NULL));
	return err_words(e, JB_UNAVAILABLE, W_NOT_RECORDED, NULL, NULL, NULL);
}

static void
over(struct broker *b, struct action *a, int r, const struct errtext *why)
{
	char detail[MAX_REASON + 32];

	snprintf(detail, sizeof(detail), "%s: %s", verbs[a->what].name, r == 0 ? a->how : why->s);
	log_info("power.result", F_STR("node", a->node->node->name),
	    F_STR("container", a->live.name), F_STR("detail", detail));
	if (audit(b, a, "power.result", detail) != 0)
		log_error("power.not_recorded",
		    F_STR("reason", b->st != NULL ? store_error(b->st) : NULL));
}

static bool
heard(struct broker *b, struct action *a, struct msg *m)
{
	const struct verb *v = &verbs[a->what];
	bool already = msg_get_u32(m) != 0;
	struct errtext said;
	struct msg out;

	if (m->type != CHILD_DONE || !msg_end(m))
		return true; /* its end says the rest */
	err_words(&said, 0, already ? v->already : v->done, a->live.name, NULL, NULL);
	a->how = already ? "was so already" : "done";
	action_reply(a, &out, 0, &said);
	broker_send(b, &out);
	return false;
}

static const struct action_kind power = {
	.reply = REP_POWER,
	.want = PERM_POWER,
	.denied = W_NO_POWER,
	.child = { POWER_LIMIT_MS, run, action_message, action_ended },
	.begin = begin,
	.heard = heard,
	.over = over,
};

const char *
do_power(struct broker *b, struct msg *m)
{
	uint64_t ref = msg_get_u64(m);
	struct action asked = { .what = msg_get_u32(m) };

	if (!msg_end(m) || asked.what >= VERBS || verbs[asked.what].event == NULL)
		return "malformed";
	return action_start(b, m, &power, ref, &asked);
}
