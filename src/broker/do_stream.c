/*
 * What is asked of a stream: to give it up, its size, signals, how it ended,
 * its end.  The bytes themselves never come by here.  Broker.
 *
 * An attach that the broker gave up a moment ago may still be named by a
 * request that crossed EVT_DETACH or a refusal: that is no fault.
 */
#include "action.h"
#include "attached.h"

#include "jumpbox/client.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <string.h>

enum { RESIZE_LIMIT_MS = 5000, STATUS_LIMIT_MS = 8000, SIGNAL_LIMIT_MS = 20000 };

/* The attach that the request names; *known: it was one once. */
static struct attached *
named(struct broker *b, struct msg *m, bool *known)
{
	uint32_t id = msg_get_u32(m);

	*known = id != 0 && id <= b->last_attach;
	return attached_find(b, id);
}

/* What is wrong with the request, which names an attach, perhaps a former one. */
static const char *
fault(const struct msg *m, bool known)
{
	return !known ? "an attach that never was" : !msg_end(m) ? "malformed" : NULL;
}

/* ---- not yet open, and no longer wanted ------------------------------------- */

const char *
do_cancel(struct broker *b, struct msg *m)
{
	uint32_t id = msg_get_u32(m);
	struct attached *a = attached_find(b, id);

	if (!msg_end(m))
		return "malformed";
	if (id == 0 || (id > b->last_attach && id > b->last_action))
		return "nothing that ever was";
	if (action_cancel(b, id) || a == NULL || a->phase >= AT_OPEN)
		return NULL;
	snprintf(a->how, sizeof(a->how), "cancelled");
	attach_refuse(b, a, JB_TRY_AGAIN, W_CANCELLED, NULL);
	return NULL;
}

/* ---- size: only the latest matters ----------------------------------------- */

static void
resize_message(struct broker *b, void *owner, struct msg *m)
{
	struct attached *a = owner;

	(void)b;
	a->resized = m->type == CHILD_DONE;
}

static void
unknown_size(struct attached *a)
{
	a->set_cols = a->set_rows = 0;
}

/* What the engine did not take is told once more. */
static void
resize_ended(struct broker *b, void *owner, bool late)
{
	struct attached *a = owner;

	(void)late;
	a->resizer = NULL;
	a->resize_again = !a->resized && !a->resize_again;
	if (a->resize_again)
		unknown_size(a);
	if (a->phase == AT_OPEN)
		stream_resize(b, a);
}

static const struct child_kind resizer_kind = { RESIZE_LIMIT_MS, run_resize, resize_message,
	resize_ended };

void
stream_resize(struct broker *b, struct attached *a)
{
	if (a->resizer != NULL || (a->cols == a->set_cols && a->rows == a->set_rows))
		return;
	a->set_cols = a->cols;
	a->set_rows = a->rows;
	a->resized = false;
	a->resizer = child_start(b, &resizer_kind, a);
	if (a->resizer == NULL)
		unknown_size(a); /* the next one that is wished for is told */
}

const char *
do_resize(struct broker *b, struct msg *m)
{
	bool known;
	struct attached *a = named(b, m, &known);
	unsigned cols = client_cols(msg_get_u32(m));
	unsigned rows = client_rows(msg_get_u32(m));
	const char *wrong = fault(m, known);

	if (wrong != NULL || a == NULL || !a->tty || a->carried)
		return wrong;
	a->cols = cols;
	a->rows = rows;
	if (a->phase == AT_OPEN)
		stream_resize(b, a);
	return NULL;
}

/* ---- signals: one at a time, the latest waits -------------------------------- */

static void signal_next(struct broker *b, struct attached *a);

static void
signal_ended(struct broker *b, void *owner, bool late)
{
	struct attached *a = owner;

	(void)late;
	a->signaller = NULL;
	signal_next(b, a);
}

static const struct child_kind signaller_kind = { SIGNAL_LIMIT_MS, run_signal, NULL, signal_ended };

static void
signal_next(struct broker *b, struct attached *a)
{
	if (a->signal[0] == '\0' || a->signaller != NULL || a->phase != AT_OPEN)
		return;
	a->signaller = child_start(b, &signaller_kind, a);
	a->signal[0] = '\0'; /* the child has its copy */
}

const char *
do_signal(struct broker *b, struct msg *m)
{
	bool known;
	struct attached *a = named(b, m, &known);
	const char *wrong;
	char name[32];

	msg_get_str(m, name, sizeof(name));
	if ((wrong = fault(m, known)) != NULL || a == NULL || a->carried)
		return wrong;
	if (!client_signal_ok(name)) {
		log_debug("attach.signal_ignored", F_STR("signal", name));
		return NULL;
	}
	str_copy(a->signal, sizeof(a->signal), name);
	signal_next(b, a);
	return NULL;
}

/* ---- has it ended, and how ----------------------------------------------------- */

static void
status_reply(struct broker *b, uint32_t id, enum run_state state, int code)
{
	struct msg m;

	msg_init(&m, REP_STATUS, id);
	msg_put_u32(&m, state);
	msg_put_u32(&m, (uint32_t)code);
	broker_send(b, &m);
}

static void
status_answer(struct broker *b, struct attached *a, enum run_state state)
{
	unsigned i;

	for (i = 0; i < a->nstatus; i++)
		status_reply(b, a->status_waiting[i], state, a->exited ? a->exit_code : 0);
	a->nstatus = 0;
}

static void
status_message(struct broker *b, void *owner, struct msg *m)
{
	struct attached *a = owner;
	uint32_t running = msg_get_u32(m), code = msg_get_u32(m);

	if (m->type != CHILD_STATUS || !msg_end(m))
		return;
	if (!running) {
		a->exited = true;
		a->exit_code = (int)code;
	}
	status_answer(b, a, running ? RUN_RUNNING : RUN_EXITED);
}

static void
status_ended(struct broker *b, void *owner, bool late)
{
	struct attached *a = owner;

	(void)late;
	a->inspector = NULL;
	status_answer(b, a, RUN_UNKNOWN);
	attached_settle(b, a);
}

static const struct child_kind inspector_kind = { STATUS_LIMIT_MS, run_status, status_message,
	status_ended };

const char *
do_status(struct broker *b, struct msg *m)
{
	bool known;
	struct attached *a = named(b, m, &known);
	const char *wrong = fault(m, known);

	if (wrong != NULL)
		return wrong;
	if (a == NULL || a->exec.exec_id[0] == '\0' || a->nstatus == MAX_STATUS_WAITING) {
		status_reply(b, m->id, RUN_UNKNOWN, 0);
		return NULL;
	}
	if (a->exited) {
		status_reply(b, m->id, RUN_EXITED, a->exit_code);
		return NULL;
	}
	a->status_waiting[a->nstatus++] = m->id;
	if (a->inspector == NULL)
		a->inspector = child_start(b, &inspector_kind, a);
	if (a->inspector == NULL)
		status_answer(b, a, RUN_UNKNOWN);
	return NULL;
}

/* ---- the session is done with it ------------------------------------------------ */

const char *
do_detach(struct broker *b, struct msg *m)
{
	bool known;
	struct attached *a = named(b, m, &known);
	uint64_t in = msg_get_u64(m), out = msg_get_u64(m);
	char how[MAX_HOW + 1];
	const char *wrong;
	uint32_t exit;

	msg_get_str(m, how, sizeof(how));
	exit = msg_get_u32(m);
	if ((wrong = fault(m, known)) != NULL || a == NULL || a->detached)
		return wrong;
	if (in > INT64_MAX || out > INT64_MAX || exit > 256)
		return "malformed";
	if (a->carried && exit > 0)
		a->exit_code = (int)exit - 1;
	a->detached = true;
	a->in = (int64_t)in;
	a->out = (int64_t)out;
	b->lost |= strcmp(how, HOW_LOST) == 0;
	if (how[0] == '\0')
		snprintf(how, sizeof(how), "exit");
	if (a->how[0] == '\0')
		snprintf(a->how, sizeof(a->how), "%s", how);
	if (a->phase < AT_OPEN) { /* given up while opening: the ATTACH is answered, too */
		attach_refuse(b, a, JB_TRY_AGAIN, W_CANCELLED, NULL);
		return NULL;
	}
	attached_leave(b, a, how);
	attached_settle(b, a);
	return NULL;
}
