/*
 * Ends what brokers that died left running in containers, and closes their
 * rows.  A process of its own, forked by the broker zygote.
 *
 * A session row names host, boot, pid and start time of its broker: it is
 * dead when there is no such process any more.  Two cleaners at once do no harm.
 */
#include "attached.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 16, END_SECONDS = 25 };

struct lost_attach {
	int64_t id, node_id;
	struct exec_ref exec;
	pid_t pid; /* of the child that ends it */
	struct lost_attach *next;
};

struct lost_session {
	int64_t id;
	uint64_t conn;
	char *user, *source;
	struct lost_session *next;
};

struct cleaning {
	struct broker b; /* for held_node_get() */
	struct lost_session *sessions;
	struct lost_attach *attaches;
};

/* ---- what is lost --------------------------------------------------------------------- */

static int
take_session(const struct session *s, void *arg)
{
	struct cleaning *c = arg;
	struct lost_session *l;

	if (strcmp(s->host, host_name()) != 0 || session_alive(s))
		return 0;
	l = xcalloc(1, sizeof(*l));
	*l = (struct lost_session){ s->id, s->conn, xstrdup(s->user), xstrdup(s->source),
		c->sessions };
	c->sessions = l;
	return 0;
}

static int
take_attach(const struct attach *a, void *arg)
{
	struct cleaning *c = arg;
	struct lost_attach *l = xcalloc(1, sizeof(*l));

	l->id = a->id;
	l->node_id = a->node_id;
	str_copy(l->exec.container, sizeof(l->exec.container), a->container_id);
	str_copy(l->exec.exec_id, sizeof(l->exec.exec_id), a->exec_id != NULL ? a->exec_id : "");
	str_copy(l->exec.marker, sizeof(l->exec.marker), a->marker);
	l->exec.run_as = a->run_as != NULL ? xstrdup(a->run_as) : NULL;
	l->next = c->attaches;
	c->attaches = l;
	return 0;
}

/* ---- ending it --------------------------------------------------------------------------- */

static _Noreturn void
end_one(const struct lost_attach *l)
{
	struct exec_status s;
	struct errtext e = { "" };
	int r;

	alarm(END_SECONDS);
	r = exec_end(&l->exec, &s, &e);
	if (r < 0 && r != JB_NOT_FOUND)
		log_warn("attach.not_ended", F_NUM("attach", l->id), F_STR("reason", e.s));
	_exit(0);
}

/* In batches: an engine has only so many execs a second. The database is closed here. */
static void
end_all(struct cleaning *c)
{
	struct lost_attach *l = c->attaches;
	unsigned running = 0;

	while (l != NULL || running > 0) {
		if (l != NULL && running < AT_ONCE) {
			if (l->exec.node != NULL && (l->pid = fork()) == 0)
				end_one(l);
			running += l->pid > 0;
			l = l->next;
		} else if (wait(NULL) > 0) {
			running--;
		} else {
			break;
		}
	}
}

static void
close_rows(struct cleaning *c, const struct lost_session *s)
{
	const struct actor by = { s->user, s->source, s->conn };
	struct lost_attach *l;

	while ((l = c->attaches) != NULL) {
		c->attaches = l->next;
		attach_close(c->b.st, &by, l->id, 0, 0, -1, "lost");
		held_node_put(&c->b, l->exec.node);
		free(l->exec.run_as);
		free(l);
	}
	session_close(c->b.st, s->id, "lost");
	log_warn("session.lost", F_STR("user", s->user), F_NUM("session", s->id));
}

static void
clean_session(struct cleaning *c, const struct lost_session *s)
{
	struct lost_attach *l;

	attach_each_open(c->b.st, s->id, take_attach, c);
	for (l = c->attaches; l != NULL; l = l->next)
		held_node_get(&c->b, l->node_id, &l->exec.node);
	broker_store_close(&c->b);
	end_all(c);
	if (broker_store(&c->b) != NULL)
		close_rows(c, s);
}

void
cleaner(const struct config *cfg)
{
	struct cleaning c = { .b = { .cfg = cfg, .pair = -1, .status = -1 } };
	struct lost_session *s;

	if (broker_store(&c.b) != NULL)
		session_each(c.b.st, false, take_session, &c);
	while ((s = c.sessions) != NULL && c.b.st != NULL) {
		c.sessions = s->next;
		clean_session(&c, s);
		free(s->user);
		free(s->source);
		free(s);
	}
	broker_store_close(&c.b);
	_exit(0);
}
