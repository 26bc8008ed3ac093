/*
 * Read this first: every number that is told, what it is called and where it
 * comes from.  The table is the master copy of name, type, labels and help; the
 * manual's list is checked against it.  jumpbox-metrics, in the process that
 * reads the database.
 *
 * A label's value is one of a few words of ours or a node's name, never a
 * user's, a container's or an address: the numbers stay few.
 */
#include "numbers.h"

#include "jumpbox/recordings.h"
#include "text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct metric;

/* Recordings on the disk. */
struct kept {
	int64_t n, bytes;
};

struct scrape {
	FILE *f;
	const struct server_state *server;
	struct store *st; /* NULL: no answer */
	struct kept kept;
	int err;		/* the first failure of the database */
	const struct metric *m; /* what is being printed */
	int64_t below, sum_ms;	/* of a histogram, so far */
};

struct metric {
	const char *name, *type;
	/* Keys; what stands in which column of a counter. NULL: not used. */
	const char *node, *what, *result;
	const char *help;
	int (*print)(struct scrape *s); /* 0, or the database's failure */
	const char *counter;		/* name in the counters table */
};

static void
put(const struct scrape *s, const char *suffix, const char *node, const char *what,
    const char *result, const char *value)
{
	const struct label labels[TEXT_LABELS] = { { s->m->node, node }, { s->m->what, what },
		{ s->m->result, result } };

	text_sample(s->f, s->m->name, suffix, labels, value);
}

static void
put_number(
    const struct scrape *s, const char *node, const char *what, const char *result, int64_t n)
{
	char value[TEXT_NUMBER];

	put(s, "", node, what, result, text_number(value, n));
}

/* ---- of the supervisor --------------------------------------------------- */

static int
print_accepted(struct scrape *s)
{
	put_number(s, NULL, NULL, NULL, (int64_t)s->server->accepted);
	return 0;
}

static int
print_dropped(struct scrape *s)
{
	put_number(s, NULL, NULL, NULL, (int64_t)s->server->dropped);
	return 0;
}

static int
print_connections(struct scrape *s)
{
	put_number(s, NULL, "waiting", NULL, (int64_t)s->server->waiting);
	put_number(s, NULL, "logged_in", NULL, (int64_t)s->server->logged_in);
	return 0;
}

static int
print_watcher(struct scrape *s)
{
	put_number(s, NULL, NULL, NULL, (int64_t)s->server->watcher_heard);
	return 0;
}

/* ---- of the disk --------------------------------------------------------- */

static void
count(int dir, const char *name, void *arg)
{
	struct kept *k = arg;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	k->n++;
	k->bytes += st.st_size;
}

/* A directory that is not there, or not to be read, holds none. */
static struct kept
recordings_kept(const char *database)
{
	struct kept k = { 0, 0 };
	int dir = recordings_open_dir(database, false);

	if (dir < 0)
		return k;
	recordings_each(dir, count, &k);
	close(dir);
	return k;
}

static int
print_recordings(struct scrape *s)
{
	put_number(s, NULL, NULL, NULL, s->kept.n);
	return 0;
}

static int
print_recordings_bytes(struct scrape *s)
{
	put_number(s, NULL, NULL, NULL, s->kept.bytes);
	return 0;
}

/* ---- of the database ----------------------------------------------------- */

static int
counter_row(const struct counter *c, void *arg)
{
	put_number(arg, c->node, c->what, c->result, c->value);
	return 0;
}

static int
print_counter(struct scrape *s)
{
	return counter_each(s->st, s->m->counter, counter_row, s);
}

static int
print_sessions(struct scrape *s)
{
	int64_t n = 0;
	int err = session_count(s->st, &n);

	if (err == 0)
		put_number(s, NULL, NULL, NULL, n);
	return err;
}

/* A bucket holds what is in those before it, too. */
static int
latency_row(const struct latency *l, void *arg)
{
	struct scrape *s = arg;
	char le[TEXT_NUMBER] = "+Inf", value[TEXT_NUMBER];

	s->below += l->n;
	s->sum_ms += l->sum_ms;
	if (l->le_ms != INT64_MAX)
		text_seconds(le, l->le_ms);
	put(s, "_bucket", NULL, le, NULL, text_number(value, s->below));
	return 0;
}

static int
print_latency(struct scrape *s)
{
	static const struct label none[TEXT_LABELS];
	char value[TEXT_NUMBER];
	int err;

	s->below = s->sum_ms = 0;
	err = latency_each(s->st, latency_row, s);
	if (err == 0) {
		text_sample(s->f, s->m->name, "_sum", none, text_seconds(value, s->sum_ms));
		text_sample(s->f, s->m->name, "_count", none, text_number(value, s->below));
	}
	return err;
}

static int
state_row(const char *name, const char *state, bool enabled, int64_t last_seen, void *arg)
{
	static const char *const states[] = { "connected", "failed", "unknown", "disabled" };

	(void)last_seen;
	if (!enabled)
		state = "disabled";
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		put_number(arg, name, states[i], NULL, strcmp(state, states[i]) == 0);
	return 0;
}

static int
print_states(struct scrape *s)
{
	return node_each_state(s->st, state_row, s);
}

static int
seen_row(const char *name, const char *state, bool enabled, int64_t last_seen, void *arg)
{
	(void)state;
	if (enabled)
		put_number(arg, name, NULL, NULL, last_seen);
	return 0;
}

static int
print_seen(struct scrape *s)
{
	return node_each_state(s->st, seen_row, s);
}

static int
print_database(struct scrape *s)
{
	put_number(s, NULL, NULL, NULL, s->st != NULL && s->err == 0);
	return 0;
}

/* ---- the table ----------------------------------------------------------- */

/* clang-format off */
static const struct metric of_server[] = {
	{ "jumpbox_connections_total", "counter", NULL, NULL, NULL,
	  "Connections accepted since the server was started.", print_accepted, NULL },
	{ "jumpbox_connections_dropped_total", "counter", NULL, NULL, NULL,
	  "Connections closed for a limit before their login, since the server was started.",
	  print_dropped, NULL },
	{ "jumpbox_connections", "gauge", NULL, "state", NULL,
	  "Connections that are open: waiting for their login, or logged in.", print_connections, NULL },
	{ "jumpbox_watcher_heard_timestamp_seconds", "gauge", NULL, NULL, NULL,
	  "When the watcher of the database last gave a sign of life, which it does every 10 seconds.",
	  print_watcher, NULL },
	{ "jumpbox_recordings", "gauge", NULL, NULL, NULL,
	  "Recordings that are kept.", print_recordings, NULL },
	{ "jumpbox_recordings_bytes", "gauge", NULL, NULL, NULL,
	  "Size of the recordings that are kept.", print_recordings_bytes, NULL },
};

static const struct metric of_database[] = {
	{ "jumpbox_logins_total", "counter", NULL, "method", "result",
	  "Logins by method and result (ok, failed), as the audit has them.", print_counter, "logins" },
	{ "jumpbox_lockouts_total", "counter", NULL, "kind", NULL,
	  "Times that a user or a source was made to wait for too many failed passwords or one-time codes.",
	  print_counter, "lockouts" },
	{ "jumpbox_sessions", "gauge", NULL, NULL, NULL,
	  "Sessions of this host that are live.", print_sessions, NULL },
	{ "jumpbox_attaches_total", "counter", "node", "kind", NULL,
	  "Shells and commands that were let into a container.", print_counter, "attaches" },
	{ "jumpbox_attach_failures_total", "counter", "node", "reason", NULL,
	  "Shells and commands that were asked for and came to nothing.", print_counter, "attach_failures" },
	{ "jumpbox_attach_duration_seconds", "histogram", NULL, "le", NULL,
	  "Time from the request for a container to its stream.", print_latency, NULL },
	{ "jumpbox_stream_bytes_total", "counter", "node", "direction", NULL,
	  "Bytes into and out of containers, counted when a stream ends.", print_counter, "bytes" },
	{ "jumpbox_recordings_total", "counter", "node", NULL, NULL,
	  "Recordings of terminals that were begun.", print_counter, "recordings" },
	{ "jumpbox_node_state", "gauge", "node", "state", NULL,
	  "1 for the state that a node is in (connected, failed, unknown, disabled), 0 for the others.",
	  print_states, NULL },
	{ "jumpbox_node_seen_timestamp_seconds", "gauge", "node", NULL, NULL,
	  "When a node that is enabled last answered: how far behind its rows are.", print_seen, NULL },
};

/* After the others: it says whether they are all there. */
static const struct metric database_up = {
	"jumpbox_database_up", "gauge", NULL, NULL, NULL,
	"Whether the database answered.", print_database, NULL
};
/* clang-format on */

static void
print(struct scrape *s, const struct metric *m)
{
	int err;

	s->m = m;
	text_head(s->f, m->name, m->type, m->help);
	err = m->print(s);
	if (s->err == 0)
		s->err = err;
}

void
numbers_print(FILE *f, const struct server_state *server, struct store *st, const char *database)
{
	struct scrape s = { .f = f, .server = server, .st = st, .kept = recordings_kept(database) };

	for (size_t i = 0; i < sizeof(of_server) / sizeof(of_server[0]); i++)
		print(&s, &of_server[i]);
	for (size_t i = 0; st != NULL && i < sizeof(of_database) / sizeof(of_database[0]); i++)
		print(&s, &of_database[i]);
	print(&s, &database_up);
}
