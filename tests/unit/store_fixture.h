/* A database of its own for each test of the store, and a way to it that goes past the store. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "../../src/store/store_internal.h"

#include "jumpbox/util.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char dir[64];
	char path[96];
	struct store *st;
};

static const struct actor op = { "operator:root(uid 0)", "local", 0 };

static inline int
fixture_setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct errtext e;

	snprintf(f->dir, sizeof(f->dir), "/tmp/jumpbox-store-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/jumpbox.db", f->dir);
	*state = f;
	return store_open(f->path, STORE_CREATE, &f->st, &e);
}

static inline int
fixture_teardown(void **state)
{
	struct fixture *f = *state;
	DIR *d = opendir(f->dir);
	struct dirent *entry;

	store_close(f->st);
	while (d != NULL && (entry = readdir(d)) != NULL)
		unlinkat(dirfd(d), entry->d_name, 0);
	if (d != NULL)
		closedir(d);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* A login on this host, for tests in which nothing depends on how it came about. */
static inline struct session
fixture_session(const char *user)
{
	return (struct session){ .conn = 7,
		.user = user,
		.source = "10.0.0.1",
		.method = "password",
		.host = "here",
		.boot_id = "boot",
		.pid = 1,
		.pid_start = 2 };
}

/* Before a fork: a child must not hold its parent's handle. */
static inline void
fixture_close(struct fixture *f)
{
	store_close(f->st);
	f->st = NULL;
}

static inline void
fixture_open(struct fixture *f)
{
	struct errtext e;

	fixture_close(f);
	assert_int_equal(store_open(f->path, STORE_OPEN, &f->st, &e), 0);
}

/* Appends to the audit until it is killed, and says so with a byte each time (told -1: to nobody). */
static inline pid_t
writer_start(const struct fixture *f, int told)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct errtext e;
		struct store *st;
		int err;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		err = store_open(f->path, STORE_OPEN, &st, &e);
		while (
		    err == 0 && (err = audit_add(st, &op, "test.row", "someone", NULL, NULL)) == 0)
			if (told >= 0 && write(told, "x", 1) != 1)
				break;
		_exit(1);
	}
	return pid;
}

/* A handle as any other program has one. */
static inline sqlite3 *
raw_open(const struct fixture *f)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	return db;
}

static inline int
raw(const struct fixture *f, const char *sql)
{
	sqlite3 *db = raw_open(f);
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	sqlite3_close(db);
	return rc;
}

static inline int
raw_row(void *arg, int n, char **value, char **name)
{
	(void)n;
	(void)name;
	snprintf(arg, 256, "%s", value[0] != NULL ? value[0] : "NULL");
	return 0;
}

/* The one value of a query; static storage. */
static inline const char *
raw_text(const struct fixture *f, const char *sql)
{
	static char s[256];
	sqlite3 *db = raw_open(f);

	s[0] = '\0';
	assert_int_equal(sqlite3_exec(db, sql, raw_row, s, NULL), SQLITE_OK);
	sqlite3_close(db);
	return s;
}

static inline long
raw_int(const struct fixture *f, const char *sql)
{
	return atol(raw_text(f, sql));
}

static inline void
add_user(struct fixture *f, const char *name)
{
	const struct user u = { .name = name, .standing.role = ROLE_USER, .hash = "$hash" };

	assert_int_equal(user_add(f->st, &op, &u), 0);
}

static inline void
add_node(struct fixture *f, const char *name)
{
	const struct node n = { .name = name, .url = "unix:///run/x.sock", .enabled = true };

	assert_int_equal(node_add(f->st, &op, &n), 0);
}

static inline int64_t
epoch(struct fixture *f)
{
	int64_t e = -1;

	assert_int_equal(store_policy_epoch(f->st, &e), 0);
	return e;
}

/* The newest audit row as "event|actor|source|user|target|detail". */
static inline const char *
last_audit(const struct fixture *f)
{
	return raw_text(f,
	    "SELECT event || '|' || actor || '|' || source || '|' || coalesce(user_name, '-')"
	    " || '|' || coalesce(target, '-') || '|' || coalesce(detail, '-')"
	    " FROM audit ORDER BY id DESC LIMIT 1");
}

/* A callback that keeps a copy of what it was given; texts are joined by '|'. */
struct copy {
	char text[1024];
	int rows;
	int stop_after; /* 0: never */
};

static inline int
copied(struct copy *c, const char *row)
{
	size_t used = strlen(c->text);

	snprintf(c->text + used, sizeof(c->text) - used, "%s\n", row);
	c->rows++;
	return c->rows == c->stop_after ? 42 : 0;
}

static inline const char *
or_dash(const char *s)
{
	return s != NULL ? s : "-";
}

#define FIXTURE_TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

#endif
