/*
 * REQ_CHANGE: what a user may change without jumpboxctl: the own public keys,
 * if the configuration lets users; and an administrator ends a session.  Broker.
 */
#include "broker.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_USER_KEYS = 64, MAX_COMMENT = 128 };

/* For a person who waits: the database's own sentences name files. */
static int
not_stored(struct broker *b, int r, enum word missing, struct errtext *e)
{
	if (r == JB_NOT_FOUND)
		return err_words(e, r, missing, NULL, NULL, NULL);
	if (r == JB_EXISTS)
		return err_words(e, r, W_KEY_EXISTS, NULL, NULL, NULL);
	return store_failed(b->st) ? broker_no_database(e)
				   : err_words(e, r, W_NOT_STORED, NULL, NULL, NULL);
}

/* ---- keys ---------------------------------------------------------------------- */

static int
count_key(const struct user_key *k, void *arg)
{
	unsigned *n = arg;

	(void)k;
	++*n;
	return 0;
}

static int
add_key(struct broker *b, const char *line, const char *unused, struct errtext *e)
{
	struct actor by = broker_actor(b);
	struct pubkey pk;
	unsigned n = 0;
	int r;

	(void)unused;
	if (pubkey_parse(line, &pk, NULL) != 0)
		return err_words(e, JB_BAD_INPUT, W_KEY_UNUSABLE, NULL, NULL, NULL);
	if (strlen(pk.comment) > MAX_COMMENT)
		pk.comment[text_cut(pk.comment, MAX_COMMENT)] = '\0';
	if ((r = key_each(b->st, b->user, count_key, &n)) == 0 && n >= MAX_USER_KEYS)
		r = err_words(e, JB_DENIED, W_KEY_MOST, NULL, NULL, NULL);
	else if (r == 0)
		r = key_add(b->st, &by,
		    &(struct user_key){ .user = b->user,
			.algorithm = pk.algorithm,
			.blob = pk.base64,
			.fingerprint = pk.fingerprint,
			.comment = pk.comment });
	if (r != 0 && r != JB_DENIED)
		r = not_stored(b, r, W_NO_SUCH_KEY, e);
	if (r == 0)
		err_words(e, 0, W_KEY_ADDED, pk.fingerprint, NULL, NULL);
	pubkey_release(&pk);
	return r;
}

static int
del_key(struct broker *b, const char *fingerprint, const char *unused, struct errtext *e)
{
	struct actor by = broker_actor(b);
	int r = key_del(b->st, &by, b->user, fingerprint);

	(void)unused;
	return r == 0 ? err_words(e, 0, W_KEY_REMOVED, NULL, NULL, NULL)
		      : not_stored(b, r, W_NO_SUCH_KEY, e);
}

/* ---- sessions --------------------------------------------------------------------- */

static int
kill_session(struct broker *b, const char *number, const char *reason, struct errtext *e)
{
	struct actor by = broker_actor(b);
	char *end;
	long long id = strtoll(number, &end, 10);
	int r;

	if (number[0] < '0' || number[0] > '9' || *end != '\0')
		return err_words(e, JB_USAGE, W_NO_NUMBER, NULL, NULL, NULL);
	r = session_kill(b->st, &by, id, reason[0] != '\0' ? reason : NULL);
	return r == 0 ? err_words(e, 0, W_KILL_ASKED, NULL, NULL, NULL)
		      : not_stored(b, r, W_NO_SUCH_SESSION, e);
}

/* ---- the request -------------------------------------------------------------------- */

static const struct change {
	bool admin, keys;
	size_t most; /* bytes of arg */
	int (*make)(struct broker *b, const char *arg, const char *text, struct errtext *e);
} changes[] = {
	[CHANGE_KEY_ADD] = { false, true, MAX_KEY_LINE, add_key },
	[CHANGE_KEY_DEL] = { false, true, MAX_FINGERPRINT, del_key },
	[CHANGE_KILL] = { true, false, MAX_SESSION_ID, kill_session },
};
enum { CHANGES = sizeof(changes) / sizeof(changes[0]) };

static int
make(struct broker *b, const struct change *c, const char *arg, const char *text, struct errtext *e)
{
	struct subject s = { 0 };
	int r = broker_subject(b, &s, e);

	if (r != 0)
		return r;
	r = broker_standing(&s, c->admin, e);
	subject_release(&s);
	if (r != 0)
		return r;
	if (c->keys && !b->cfg->user_keys)
		return err_words(e, JB_DENIED, W_KEYS_FORBIDDEN, NULL, NULL, NULL);
	return c->make(b, arg, text, e);
}

const char *
do_change(struct broker *b, struct msg *m)
{
	uint32_t what = msg_get_u32(m);
	const struct change *c =
	    what < CHANGES && changes[what].make != NULL ? &changes[what] : NULL;
	char *arg = msg_dup_str(m, c != NULL ? c->most : 0), *text = msg_dup_str(m, MAX_REASON);
	struct errtext e = { 0 };
	struct msg out;
	int r;

	if (c == NULL || !msg_end(m)) {
		free(arg);
		free(text);
		return "malformed";
	}
	r = make(b, c, arg, text, &e);
	msg_init(&out, REP_CHANGE, m->id);
	broker_put_why(&out, r, &e);
	broker_send(b, &out);
	free(arg);
	free(text);
	return NULL;
}
