/*
 * REQ_QUERY: what a user may know of himself, and an administrator of all:
 * sessions, nodes, recordings, keys, the account.  One table row a question; pages are
 * made anew each.  Broker.
 */
#include "broker.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One page on its way; rows before and behind it are only counted. */
struct page {
	struct broker *b;
	const struct subject *s;
	uint32_t offset, total, n;
	char *cell[QUERY_PAGE * QUERY_COLS];
	size_t ncells;
};

static void
put_cell(struct page *p, const char *text)
{
	if (text == NULL)
		text = "";
	p->cell[p->ncells++] = xasprintf("%.*s", (int)text_cut(text, QUERY_CELL), text);
}

static void
put_number(struct page *p, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, n);
	put_cell(p, text);
}

/* True: this row is on the page, and its cells follow. */
static bool
next_row(struct page *p)
{
	uint32_t i = p->total++;

	if (i < p->offset || i - p->offset >= QUERY_PAGE)
		return false;
	p->n++;
	return true;
}

/* ---- sessions, nodes, recordings -------------------------------------------------------- */

static int
put_session(const struct session *s, void *arg)
{
	struct page *p = arg;

	if (!next_row(p))
		return 0;
	put_number(p, s->id);
	put_cell(p, s->user);
	put_cell(p, s->source);
	put_cell(p, s->method);
	put_number(p, s->started);
	put_cell(p, s->container);
	put_cell(p, s->host);
	return 0;
}

static int
who(struct page *p)
{
	return session_each(p->b->st, false, put_session, p);
}

static int
put_node(const struct node *n, void *arg)
{
	struct page *p = arg;
	char why[256];

	if (!next_row(p))
		return 0;
	put_cell(p, n->name);
	put_cell(p, n->state);
	put_number(p, n->state_since);
	put_number(p, n->last_seen);
	put_cell(p, n->url);
	put_cell(p, n->region);
	put_cell(p, n->enabled ? "yes" : "no");
	put_cell(p,
	    n->last_error != NULL ? words_again(why, sizeof(why), n->last_error, n->name) : NULL);
	return 0;
}

static int
nodes(struct page *p)
{
	return node_each(p->b->st, put_node, p);
}

static int
put_recording(const struct recording_row *r, void *arg)
{
	struct page *p = arg;
	char where[QUERY_CELL + 1];

	if (!next_row(p))
		return 0;
	snprintf(where, sizeof(where), "%s/%s", r->node, r->container);
	put_number(p, r->session);
	put_number(p, r->n);
	put_cell(p, r->user);
	put_cell(p, where);
	put_number(p, r->opened);
	put_number(p, r->closed);
	return 0;
}

static int
recorded(struct page *p)
{
	return recording_each(p->b->st, put_recording, p);
}

/* ---- keys -------------------------------------------------------------------------- */

static int
put_key(const struct user_key *k, void *arg)
{
	struct page *p = arg;

	if (!next_row(p))
		return 0;
	put_cell(p, k->fingerprint);
	put_cell(p, k->algorithm);
	put_cell(p, k->comment);
	put_cell(p, k->from);
	put_number(p, k->until);
	put_number(p, k->created);
	return 0;
}

static int
keys(struct page *p)
{
	return key_each(p->b->st, p->b->user, put_key, p);
}

/* ---- the account --------------------------------------------------------------------- */

static void
pair(struct page *p, const char *key, const char *value)
{
	if (!next_row(p))
		return;
	put_cell(p, key);
	put_cell(p, value);
}

static void
pair_number(struct page *p, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	pair(p, key, text);
}

static int
put_user(const struct user *u, void *arg)
{
	struct page *p = arg;

	pair(p, "name", u->name);
	pair(p, "role", u->standing.role == ROLE_ADMIN ? "admin" : "user");
	pair_number(p, "created", u->created);
	pair_number(p, "last-login", u->last_login);
	pair_number(p, "expires", u->standing.expires);
	pair(p, "password", u->hash != NULL ? "yes" : "no");
	pair(p, "language", u->language);
	pair(p, "menu", u->menu);
	return 0;
}

static int
put_membership(const char *group, const char *user, void *arg)
{
	struct page *p = arg;

	if (user != NULL && strcmp(user, p->b->user) == 0)
		pair(p, "group", group);
	return 0;
}

/* The session says it; the selector comes last, as anything may be in it. */
static void
put_grant(struct page *p, const struct subject_grant *g)
{
	char *text;

	if (g->until != 0 && g->until <= now_unix())
		return;
	text = xasprintf("%" PRId64 "\n%s\n%s\n%s", g->until, g->allow,
	    g->run_as != NULL ? g->run_as : "", g->selector);
	pair(p, "grant", text);
	free(text);
}

static int
account(struct page *p)
{
	int r = user_get(p->b->st, p->b->user, put_user, p);

	if (r != 0)
		return r;
	pair_number(p, "session", p->b->session_row);
	pair(p, "source", p->b->peer);
	if ((r = group_each(p->b->st, put_membership, p)) != 0)
		return r;
	for (size_t i = 0; i < p->s->ngrants; i++)
		put_grant(p, &p->s->grants[i]);
	return 0;
}

/* ---- the request ------------------------------------------------------------------------ */

static const struct question {
	unsigned ncols;
	bool admin;
	int (*ask)(struct page *p);
} questions[] = {
	[QUERY_WHO] = { 7, true, who },
	[QUERY_NODES] = { 8, true, nodes },
	[QUERY_KEYS] = { 6, false, keys },
	[QUERY_ACCOUNT] = { 2, false, account },
	[QUERY_RECORDED] = { 6, true, recorded },
};
enum { QUESTIONS = sizeof(questions) / sizeof(questions[0]) };

static int
fill(struct page *p, const struct question *q, struct subject *s, struct errtext *e)
{
	int r = broker_subject(p->b, s, e);

	if (r != 0 || (r = broker_standing(s, q->admin, e)) != 0)
		return r;
	return q->ask(p) != 0 ? broker_no_database(e) : 0;
}

static void
answer(struct broker *b, uint32_t id, int r, const struct errtext *why, const struct question *q,
    const struct page *p)
{
	size_t ncells = r == 0 ? p->ncells : 0;
	struct msg m;

	msg_init(&m, REP_QUERY, id);
	broker_put_why(&m, r, why);
	msg_put_u32(&m, r == 0 ? p->total : 0);
	msg_put_u32(&m, p->offset);
	msg_put_u32(&m, q->ncols);
	msg_put_u32(&m, r == 0 ? p->n : 0);
	for (size_t i = 0; i < ncells; i++)
		msg_put_str(&m, p->cell[i]);
	broker_send(b, &m);
}

const char *
do_query(struct broker *b, struct msg *m)
{
	uint32_t what = msg_get_u32(m);
	struct subject s = { 0 };
	struct page p = { .b = b, .s = &s, .offset = msg_get_u32(m) };
	struct errtext e = { 0 };
	int r;

	if (!msg_end(m) || what >= QUESTIONS || questions[what].ask == NULL)
		return "malformed";
	r = fill(&p, &questions[what], &s, &e);
	answer(b, m->id, r, &e, &questions[what], &p);
	for (size_t i = 0; i < p.ncells; i++)
		free(p.cell[i]);
	subject_release(&s);
	return NULL;
}
