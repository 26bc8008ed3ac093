/*
 * How REQ_ATTACH and REQ_HELPER are answered, and what an attach that failed
 * leaves behind: a line in the log, a number.  Broker.
 */
#include "attached.h"

#include "jumpbox/log.h"

/* What OPEN_EXEC says of the environment is ours, not the session's. */
static void
put_carried(struct msg *m, const struct attached *a, bool carried)
{
	uint32_t n = 0;

	while (carried && a->env != NULL && a->env[n] != NULL)
		n++;
	msg_put_u32(m, carried);
	msg_put_u32(m, n);
	for (uint32_t i = 0; i < n; i++)
		msg_put_str(m, a->env[i]);
}

void
attach_answer(
    struct broker *b, const struct attached *a, int code, const struct errtext *why, int fd)
{
	bool helper = a->kind == ATTACH_HELPER, recorded = code == 0 && a->recording >= 0;
	struct msg m;

	msg_init(&m, helper ? REP_HELPER : REP_ATTACH, a->id);
	broker_put_why(&m, code, why);
	msg_put_u32(&m, helper ? a->perms : recorded);
	if (!helper)
		put_carried(&m, a, code == 0 && a->carried);
	if (fd >= 0)
		msg_put_fd(&m, fd);
	if (recorded)
		msg_put_fd(&m, a->recording);
	broker_send(b, &m);
}

/* Where a node does not answer or nothing is granted there is no row to count. */
static void
count_failure(struct broker *b, const struct attached *a, int code)
{
	static const struct {
		int code;
		const char *word;
	} reasons[] = {
		{ JB_NOT_FOUND, "not_found" },
		{ JB_UNAVAILABLE, "unavailable" },
		{ JB_TRY_AGAIN, "try_again" },
		{ JB_DENIED, "denied" },
	};
	const char *word = "other";

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			word = reasons[i].word;
	/* A database that does not take it has been complained of. */
	if (broker_store(b) != NULL)
		counter_attach_failed(
		    b->st, a->exec.node != NULL ? a->exec.node->node->name : "", word);
}

void
attach_fail(struct broker *b, struct attached *a, int code, const struct errtext *why)
{
	log_info(helper_optional(a) ? "helper.refused" : "attach.refused",
	    F_STR("target", a->name != NULL ? a->name : a->exec.container), F_NUM("code", -code),
	    F_STR("reason", why->s));
	attach_answer(b, a, code, why, -1);
	if (!helper_optional(a))
		count_failure(b, a, code);
	a->detached = true;
	attached_leave(b, a, "failed");
	attached_settle(b, a);
	b->queue_moves = true;
}

void
attach_refuse(struct broker *b, struct attached *a, int code, enum word w, const char *a1)
{
	struct errtext e;

	attach_fail(b, a, err_words(&e, code, w, a1, NULL, NULL), &e);
}
