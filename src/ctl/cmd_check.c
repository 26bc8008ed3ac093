/*
 * check: is everything that jumpboxd needs as it should be?  One line for
 * each thing looked at; for what is wrong, with what to do.  jumpboxctl, as
 * the owner of the database: what the broker could not open is found here.
 */
#include "ctl.h"

#include "node_check.h"
#include "recording_check.h"

#include "jumpbox/keys.h"
#include "jumpbox/policy.h"
#include "jumpbox/privs.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct column check_columns[] = {
	{ "check", CELL_TEXT, false },
	{ "name", CELL_TEXT, false },
	{ "ok", CELL_BOOL, false },
	{ "code", CELL_NUM, false },
	{ "message", CELL_TEXT, false },
};
enum { NCHECK = sizeof check_columns / sizeof check_columns[0] };

struct check {
	struct ctl *c;
	struct list list; /* with --json */
	int first;	  /* the first problem's code */
};

/* One line. code 0: it is well. Returns code. */
static int __attribute__((format(printf, 5, 6)))
found(struct check *k, int code, const char *what, const char *name, const char *fmt, ...)
{
	char message[sizeof(struct errtext)], safe[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	if (k->first == 0)
		k->first = code;
	if (k->c->json) {
		list_row(&k->list,
		    (struct cell[NCHECK]){ C_TEXT(what), C_TEXT(name), C_NUM(code == 0),
			C_NUM(-code), C_TEXT(message) });
		return code;
	}
	/* At once: the next thing may take a while. */
	printf("%-3s  %s%s%s: %s\n", code == 0 ? "ok" : "BAD", what, name != NULL ? " " : "",
	    name != NULL ? name : "", text_safe(safe, sizeof safe, message));
	fflush(stdout);
	return code;
}

/* ---- configuration ------------------------------------------------------ */

/* As who started this: the files that it names may be closed to the database's owner. */
static int
check_prepare(struct ctl *c)
{
	return config_texts_check(&c->conf, &c->e);
}

/* It was read already, or we would not be here. */
static void
check_configuration(struct check *k)
{
	found(k, 0, "configuration", NULL, "%s", k->c->conf_path);
}

/* ---- host keys ---------------------------------------------------------- */

static void
check_host_key(struct check *k, const char *path)
{
	struct host_key *key;
	struct errtext e;
	int r;

	if (access(path, F_OK) < 0 && errno == ENOENT) {
		found(k, 0, "host key", path, "not there yet; jumpboxd makes it when it starts");
		return;
	}
	if ((r = host_key_load(path, &key, &e)) < 0) {
		found(k, r, "host key", path, "%s", e.s);
		return;
	}
	host_key_free(key);
	found(k, 0, "host key", path, "readable and sound");
}

/* ---- the database ------------------------------------------------------- */

/* Root that stayed root: the directory is root's, and no broker will be able to write there. */
static int
check_owner(struct check *k)
{
	if (geteuid() != 0 || getpwnam(SERVICE_USER) == NULL)
		return 0;
	return found(k, JB_UNAVAILABLE, "database", NULL,
	    "the directory of %.120s must belong to user %s: chown -R it", k->c->conf.database,
	    SERVICE_USER);
}

static int
check_database(struct check *k)
{
	struct ctl *c = k->c;
	struct errtext e;
	int r;

	if ((r = check_owner(k)) < 0)
		return r;
	r = store_open(c->conf.database, STORE_OPEN, &c->st, &e);
	if (r == 0)
		r = store_integrity(c->st, &e);
	if (r < 0)
		return found(k, r, "database", NULL, "%s", e.s);
	return found(k, 0, "database", NULL, "%s", c->conf.database);
}

static void
check_audit(struct check *k)
{
	struct errtext e;
	int64_t n;
	int r;

	if ((r = audit_verify(k->c->st, &n, &e)) < 0)
		found(k, r, "audit", NULL, "%s", e.s);
	else
		found(k, 0, "audit", NULL, "%lld rows, the chain is unbroken", (long long)n);
}

/* ---- users -------------------------------------------------------------- */

struct tally {
	int users, admins;
};

static int
count_user(const struct user *u, void *arg)
{
	struct tally *t = arg;

	t->users++;
	t->admins +=
	    u->standing.role == ROLE_ADMIN && standing_flaw(&u->standing, now_unix()) == NULL;
	return 0;
}

static void
check_users(struct check *k)
{
	struct tally t = { 0, 0 };
	int r = user_each(k->c->st, count_user, &t);

	if (r < 0)
		found(k, r, "users", NULL, "%s", store_error(k->c->st));
	else if (t.admins == 0)
		found(k, JB_NOT_FOUND, "users", NULL,
		    "no administrator can log in: `jumpboxctl user add NAME --admin` makes one");
	else
		found(k, 0, "users", NULL, "%d, of whom administrators: %d", t.users, t.admins);
}

/* ---- nodes -------------------------------------------------------------- */

struct nodes {
	struct node **node;
	size_t n;
};

static int
keep_node(const struct node *n, void *arg)
{
	struct nodes *all = arg;

	all->node = xreallocarray(all->node, all->n + 1, sizeof *all->node);
	all->node[all->n++] = node_dup(n);
	return 0;
}

static void
node_said(const struct node *n, int code, const char *message, void *arg)
{
	found(arg, code, "node", n->name, "%s", message);
}

static void
check_nodes(struct check *k)
{
	struct nodes all = { NULL, 0 };
	int r = node_each(k->c->st, keep_node, &all);
	size_t i;

	if (r < 0)
		found(k, r, "nodes", NULL, "%s", store_error(k->c->st));
	else if (all.n == 0)
		found(k, 0, "nodes", NULL, "none yet; `jumpboxctl node add NAME URL` adds one");
	node_check_all(all.node, all.n, node_said, k);
	for (i = 0; i < all.n; i++)
		node_free(all.node[i]);
	free(all.node);
}

/* ---- recordings --------------------------------------------------------- */

static void
check_recordings(struct check *k)
{
	struct errtext e;

	found(k, recording_check(&k->c->conf, &e), "recordings", NULL, "%s", e.s);
}

/* ---- all of it ---------------------------------------------------------- */

static int
check_exec(struct ctl *c)
{
	struct check k = { .c = c };
	unsigned i;

	if (c->json)
		list_begin(&k.list, c, check_columns, NCHECK);
	check_configuration(&k);
	for (i = 0; i < c->conf.host_key.n; i++)
		check_host_key(&k, c->conf.host_key.item[i]);
	if (check_database(&k) == 0) {
		check_audit(&k);
		check_users(&k);
		check_recordings(&k);
		check_nodes(&k);
	} else if (c->st != NULL) {
		check_audit(&k);
	}
	if (c->json)
		list_end(&k.list, 0);
	return k.first;
}

const struct ctl_cmd check_cmds[] = {
	/* clang-format off */
	{ "check", NULL, "check configuration, host keys, database, audit, users, recordings and nodes",
	  0, 0, DB_NONE, NULL, check_prepare, check_exec },
	{ .name = NULL },
	/* clang-format on */
};
