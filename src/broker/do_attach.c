/*
 * REQ_ATTACH: from a listed container to a stream of a process
 * in it.  Broker.
 *
 *	child: version, inspect ──facts──► broker: policy, row and audit row
 *	child: create, start    ◄──go────┘   └──► session: on its helper's stream
 *	                        ──exec id, stream──► session
 *
 * A helper that was named is waited for, and done without if it cannot carry
 * the process: the session hears of that no more than the user.
 *
 * No audit row, no attach: what cannot be recorded is not started.
 */
#include "attached.h"
#include "job.h"
#include "listing.h"

#include "jumpbox/client.h"
#include "jumpbox/log.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPEN_LIMIT_MS = 30000,
	HELPER_LIMIT_MS = 20000, /* who waits for it has the rest of the time to do without */
	/* At once, for one connection. An engine starts some 20 processes a second, and those of one
	 * container one after the other: more would only keep other people waiting behind them. */
	OPENING_A_NODE = 32,
	OPENING_A_CONTAINER = 3,
};

static void open_message(struct broker *b, void *owner, struct msg *m);
static void open_ended(struct broker *b, void *owner, bool late);

static const struct child_kind opener_kind = { OPEN_LIMIT_MS, run_attach, open_message,
	open_ended };
static const struct child_kind helper_kind = { HELPER_LIMIT_MS, run_helper, open_message,
	open_ended };

/* What is special to each kind. */
static const struct {
	const char *name; /* for the record */
	uint32_t want;	  /* 0: it was asked for */
	const struct child_kind *opener;
} kinds[] = {
	[ATTACH_SHELL] = { "shell", PERM_SHELL, &opener_kind },
	[ATTACH_EXEC] = { "exec", PERM_EXEC, &opener_kind },
	[ATTACH_HELPER] = { "helper", 0, &helper_kind },
};

/* ---- the decision --------------------------------------------------------- */

static uint32_t
wanted(const struct attached *a)
{
	return kinds[a->kind].want != 0 ? kinds[a->kind].want : a->want;
}

static enum word
denied(uint32_t want)
{
	return want & PERM_SHELL		  ? W_MAY_NOT_SHELL
	    : want & PERM_EXEC			  ? W_MAY_NOT_EXEC
	    : want & (PERM_FILES | PERM_FILES_RO) ? W_MAY_NOT_FILES
						  : W_MAY_NOT_FORWARD;
}

int
attach_decide(const struct attached *a, const struct subject *s, int64_t now, struct verdict *v,
    struct errtext *e)
{
	const struct facts f = { a->exec.node->node->name, a->name, a->image, a->labels, a->owner };
	uint32_t want = wanted(a);

	policy_decide(s, &f, want, now, v);
	if (v->perms == 0)
		return err_words(e, JB_NOT_FOUND, W_NOT_YOURS, NULL, NULL, NULL);
	if (!policy_gives(v->perms, want))
		return err_words(e, JB_DENIED, denied(want), a->name, NULL, NULL);
	if (a->wanted_run_as != NULL && !policy_run_as_ok(s, &f, want, now, a->wanted_run_as))
		return err_words(e, JB_DENIED, W_NO_RUN_AS, a->wanted_run_as, a->name, NULL);
	if (a->wanted_run_as != NULL)
		v->run_as = a->wanted_run_as;
	return 0;
}

static char *
audit_command(const char *command)
{
	if (command == NULL)
		return NULL;
	if (strlen(command) <= COMMAND_KEPT)
		return xstrdup(command);
	return xasprintf("%.*s [cut: %zu bytes in all]", (int)text_cut(command, COMMAND_KEPT),
	    command, strlen(command));
}

static int
record(struct broker *b, struct attached *a, struct errtext *e)
{
	struct actor by = broker_actor(b);
	char *command = audit_command(a->command);
	const struct attach row = {
		.session_id = b->session_row,
		.conn = b->conn,
		.request = a->id,
		.marker = a->exec.marker,
		.node_id = a->exec.node->node->id,
		.node = a->exec.node->node->name,
		.container_id = a->exec.container,
		.container = a->name,
		.run_as = a->exec.run_as,
		.exec_id = a->carried ? a->exec.exec_id : NULL,
		.kind = kinds[a->kind].name,
		.command = command,
		.tty = a->tty,
		.recording = a->recording >= 0 ? a->recording_name : NULL,
	};
	int r = attach_open(b->st, &by, &row, &a->row);

	free(command);
	if (r == 0)
		return 0;
	log_error("attach.not_recorded", F_STR("reason", store_error(b->st)));
	if (r == JB_TRY_AGAIN)
		return err_words(e, r, W_ATTACH_BUSY, NULL, NULL, NULL);
	return err_words(e, JB_UNAVAILABLE, W_ATTACH_UNRECORDED, NULL, NULL, NULL);
}

/* Whatever is to be ended later is the helper's process: its own hangs on that. */
static void
choose_stream(const struct broker *b, struct attached *a)
{
	const struct attached *helper = helper_for(b, a, wanted(a));

	if (helper == NULL)
		return;
	a->carried = true;
	str_copy(a->exec.marker, sizeof(a->exec.marker), helper->exec.marker);
	str_copy(a->exec.exec_id, sizeof(a->exec.exec_id), helper->exec.exec_id);
}

static int
decide(struct broker *b, struct attached *a, struct errtext *e)
{
	struct subject s = { 0 };
	struct verdict v;
	int r = broker_subject(b, &s, e);

	if (r != 0)
		return r;
	r = attach_decide(a, &s, now_unix(), &v, e);
	if (r == 0)
		r = engine_running_check(a->state, e);
	if (r == 0 && a->kind == ATTACH_HELPER)
		r = helper_decide(a, &s, &v, e);
	if (r == 0) {
		a->exec.run_as = v.run_as != NULL ? xstrdup(v.run_as) : NULL;
		choose_stream(b, a);
		r = recording_begin(b, a, &v, e);
		if (r == 0)
			r = record(b, a, e);
		recheck_until(b, v.until);
		notice_learn(a, &s);
	}
	subject_release(&s);
	return r;
}

/* ---- what the child says --------------------------------------------------- */

static bool
take_facts(struct attached *a, struct msg *m)
{
	struct live l = { .name = NULL };
	bool good = live_take(m, &l);

	a->exec.info = l.info;
	a->exec.pid_host = l.pid_host;
	a->exec.inspected = true;
	a->name = l.name;
	a->image = l.image;
	a->labels = l.labels;
	a->owner = l.owner;
	memcpy(a->state, l.state, sizeof(l.state));
	return a->has_facts = good;
}

/* It is open, on a stream of its own or (fd -1) on its helper's. */
static void
opened(struct broker *b, struct attached *a, int fd)
{
	a->phase = AT_OPEN;
	attach_answer(b, a, 0, NULL, fd);
	attached_slim(a);
	notice_attach(b, a);
	a->recording = -1;				    /* the session's */
	if (!helper_optional(a) && broker_store(b) != NULL) /* nobody waits for this any more */
		attach_set_opened(b->st, a->row, now_mono_ms() - a->asked);
	b->queue_moves = true;
}

static void
go(struct attached *a)
{
	struct msg m;

	msg_init(&m, CHILD_GO, 0);
	msg_put_str(&m, a->exec.run_as != NULL ? a->exec.run_as : "");
	a->started = true;	   /* as far as anybody can know from here on */
	child_tell(a->opener, &m); /* if it is gone, its end says so */
	msg_release(&m);
}

/* The facts are there, and so is the helper, or it will not be. */
static void
decide_and_go(struct broker *b, struct attached *a)
{
	struct errtext e = { 0 };
	int r;

	if ((r = decide(b, a, &e)) < 0) {
		attach_fail(b, a, r, &e);
		return;
	}
	a->phase = AT_DECIDED;
	log_info("attach.open", F_NUM("attach", a->row), F_STR("node", a->exec.node->node->name),
	    F_STR("container", a->name), F_STR("kind", kinds[a->kind].name), F_NUM("tty", a->tty),
	    F_NUM("carried", a->carried));
	if (!a->carried) {
		go(a);
		return;
	}
	child_stop(a->opener); /* it has looked, and there is no more to do */
	a->opener = NULL;
	opened(b, a, -1);
}

static void
on_facts(struct broker *b, struct attached *a, struct msg *m)
{
	if (!take_facts(a, m)) {
		attach_refuse(b, a, JB_UNAVAILABLE, W_ATTACH_NONSENSE, NULL);
		return;
	}
	/* Another container may have that name by now, and be the one that was meant. */
	if (strcmp(a->name, a->known_as) != 0) {
		target_outdated(b, a->exec.container, a->known_as);
		attach_refuse(b, a, JB_NOT_FOUND, W_ATTACH_RENAMED, NULL);
		return;
	}
	if (!helper_awaited(b, a))
		decide_and_go(b, a);
}

static void
on_exec(struct broker *b, struct attached *a, struct msg *m)
{
	msg_get_str(m, a->exec.exec_id, sizeof(a->exec.exec_id));
	if (broker_store(b) != NULL)
		attach_set_exec(b->st, a->row, a->exec.exec_id);
}

static void
on_stream(struct broker *b, struct attached *a, struct msg *m)
{
	int fd = msg_take_fd(m);

	if (fd < 0)
		return; /* the child's end says the rest */
	if ((a->stream = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		close(fd);
		attach_refuse(b, a, JB_TRY_AGAIN, W_NO_DESCRIPTORS, NULL);
		return;
	}
	if (a->kind == ATTACH_HELPER && helper_hello(a) != 0) {
		close(fd);
		attach_refuse(b, a, JB_UNAVAILABLE, W_ATTACH_FAILED, NULL);
		return;
	}
	child_no_limit(a->opener); /* it may be the relay */
	opened(b, a, fd);
	if (a->cols != a->set_cols || a->rows != a->set_rows)
		stream_resize(b, a);
}

static void
open_message(struct broker *b, void *owner, struct msg *m)
{
	struct attached *a = owner;
	struct errtext why;
	int code;

	switch (m->type) {
	case CHILD_FACTS:
		if (a->phase == AT_OPENING)
			on_facts(b, a, m);
		break;
	case CHILD_EXEC:
		if (a->phase == AT_DECIDED)
			on_exec(b, a, m);
		break;
	case CHILD_STREAM:
		if (a->phase == AT_DECIDED)
			on_stream(b, a, m);
		break;
	case CHILD_FAILED:
		code = -(int)msg_get_u32(m);
		child_get_why(m, &why);
		if (a->exec.exec_id[0] == '\0')
			a->started = false; /* refused before there was an exec */
		if (code == JB_NOT_FOUND)
			target_outdated(b, a->exec.container, a->known_as);
		if (a->phase == AT_OPENING || a->phase == AT_DECIDED)
			attach_fail(b, a, code, &why);
		break;
	}
}

static void
open_ended(struct broker *b, void *owner, bool late)
{
	struct attached *a = owner;

	a->opener = NULL;
	if (a->phase != AT_OPENING && a->phase != AT_DECIDED)
		return; /* its work was done, or a relay has ended */
	if (late)
		attach_refuse(b, a, JB_TRY_AGAIN, W_ATTACH_LATE, NULL);
	else
		attach_refuse(b, a, JB_UNAVAILABLE, W_ATTACH_FAILED, NULL);
}

/* ---- the queue -------------------------------------------------------------- */

static bool
may_open(const struct broker *b, const struct attached *a)
{
	unsigned node = 0, container = 0;
	const struct attached *o;

	for (o = b->attached; o != NULL; o = o->next) {
		if (o->exec.node != a->exec.node ||
		    (o->phase != AT_OPENING && o->phase != AT_DECIDED))
			continue;
		node++;
		container += strcmp(o->exec.container, a->exec.container) == 0;
	}
	return node < OPENING_A_NODE && container < OPENING_A_CONTAINER;
}

static bool
start(struct broker *b, struct attached *a)
{
	a->phase = AT_OPENING;
	a->set_cols = a->cols;
	a->set_rows = a->rows;
	a->opener = child_start(b, kinds[a->kind].opener, a);
	return a->opener != NULL;
}

void
attach_move(struct broker *b)
{
	struct attached *a, *next;

	b->queue_moves = false;
	for (a = b->attached; a != NULL; a = next) {
		next = a->next;
		if (a->phase == AT_OPENING && a->has_facts && !helper_awaited(b, a))
			decide_and_go(b, a);
		else if (a->phase == AT_QUEUED && may_open(b, a) && !start(b, a))
			attach_refuse(b, a, JB_TRY_AGAIN, W_NO_PROCESSES, NULL);
	}
}

/* ---- the request -------------------------------------------------------------- */

static void
env_add(struct attached *a, size_t *n, const char *name, const char *value)
{
	a->env = xreallocarray(a->env, *n + 2, sizeof(*a->env));
	a->env[(*n)++] = xasprintf("%s=%s", name, value);
	a->env[*n] = NULL;
}

static void
env_ours(struct broker *b, struct attached *a, size_t *n, const char *term)
{
	char text[192];

	snprintf(text, sizeof(text), "%s %u %s %u", b->peer, b->peer_port, b->local, b->local_port);
	env_add(a, n, "SSH_CONNECTION", text);
	snprintf(text, sizeof(text), "%s %u %u", b->peer, b->peer_port, b->local_port);
	env_add(a, n, "SSH_CLIENT", text);
	env_add(a, n, EXEC_MARKER, a->exec.marker);
	if (a->tty && client_term_ok(term))
		env_add(a, n, "TERM", term); /* SSH_TTY is known only inside */
}

/* A name that is not allowed is left out: clients send what they like. */
static bool
take_env(struct msg *m, struct attached *a, size_t *n)
{
	char name[MAX_ENV_NAME + 1], value[MAX_ENV_VALUE + 1];
	uint32_t count = msg_get_u32(m);

	if (count > MAX_ENV + 1) /* the agent's */
		return false;
	while (count-- > 0 && !m->bad) {
		msg_get_str(m, name, sizeof(name));
		msg_get_str(m, value, sizeof(value));
		if (!m->bad && (client_env_ok(name, value) || client_agent_ok(name, value)))
			env_add(a, n, name, value);
	}
	return true;
}

static void
drop_empty(char **s)
{
	if ((*s)[0] != '\0')
		return;
	free(*s);
	*s = NULL;
}

static bool
take_request(struct broker *b, struct msg *m, struct attached *a, uint64_t *ref)
{
	char term[MAX_TERM + 1];
	uint32_t tty;
	size_t n = 0;

	*ref = msg_get_u64(m);
	a->kind = (enum attach_kind)msg_get_u32(m);
	tty = msg_get_u32(m);
	a->tty = tty != 0;
	a->cols = client_cols(msg_get_u32(m));
	a->rows = client_rows(msg_get_u32(m));
	msg_get_str(m, term, sizeof(term));
	if (!take_env(m, a, &n))
		return false;
	env_ours(b, a, &n, term);
	a->command = msg_dup_str(m, MAX_COMMAND);
	a->wanted_run_as = msg_dup_str(m, MAX_RUN_AS);
	a->shell = msg_dup_str(m, MAX_SHELL);
	a->carrier = msg_get_u32(m);
	if (!msg_end(m) || tty > 1 || (a->kind != ATTACH_SHELL && a->kind != ATTACH_EXEC))
		return false;
	if (a->kind == ATTACH_SHELL) {
		if (a->command[0] != '\0')
			return false;
		free(a->command);
		a->command = NULL;
	}
	drop_empty(&a->wanted_run_as);
	drop_empty(&a->shell);
	return true;
}

static struct attached *
fresh(struct broker *b, uint32_t id)
{
	struct attached *a = attached_new(b, id);

	b->last_attach = id;
	snprintf(
	    a->exec.marker, sizeof(a->exec.marker), "%llx.%u", (unsigned long long)b->conn, id);
	return a;
}

static void
locate(struct broker *b, struct attached *a, uint64_t ref)
{
	struct errtext e = { 0 };
	int r;

	if (a->shell != NULL && !client_shell_ok(a->shell))
		r = err_words(&e, JB_BAD_INPUT, W_NO_SHELL_NAME, NULL, NULL, NULL);
	else if (b->nattached > MAX_ATTACHES) /* those that are being ended count */
		r = err_words(&e, JB_TRY_AGAIN, W_ATTACH_MANY, NULL, NULL, NULL);
	else
		r = held_node_locate(b, ref, &a->exec.node, a->exec.container, &a->known_as, &e);
	if (r < 0)
		attach_fail(b, a, r, &e);
	else
		b->queue_moves = true;
}

void
attach_begin_helper(struct broker *b, uint32_t id, uint64_t ref, uint32_t want)
{
	struct attached *a = fresh(b, id);

	a->kind = ATTACH_HELPER;
	a->want = want;
	locate(b, a, ref);
}

const char *
do_attach(struct broker *b, struct msg *m)
{
	struct attached *a = fresh(b, m->id), *helper;
	uint64_t ref;

	if (!take_request(b, m, a, &ref))
		return "malformed";
	helper = attached_find(b, a->carrier);
	if (a->carrier >= a->id || (helper != NULL && helper->kind != ATTACH_HELPER))
		return "carried by no helper";
	if (!list_knows(b, ref))
		return "a container that was never listed";
	locate(b, a, ref);
	return NULL;
}
