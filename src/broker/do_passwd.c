/*
 * REQ_PASSWD: a user who is logged in gives the password another.  Broker.
 *
 * The old one is asked for, or whoever finds a terminal unattended, or has
 * stolen a key, could lock its owner out; a wrong one counts as a failed login
 * does.  Hashes are computed in a child.
 */
#include "auth.h"

#include "child.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { PASSWD_LIMIT_MS = 30000 };

struct passwd {
	uint32_t id; /* of the request */
	struct child *hasher;
	char *old, *new; /* wiped as soon as the child has its copies */
	char *hash;	 /* of the old one */
	int result;	 /* the child's answer */
	char fresh[PASSWORD_HASH_MAX];
};

/* ---- in the child --------------------------------------------------------------- */

/* CHILD_HASH; code JB_DENIED: the old one is wrong */
static void
run(int fd, const struct broker *b, const void *owner)
{
	const struct passwd *p = owner;
	const struct config *cfg = b->cfg;
	const struct errtext none = { 0 };
	char fresh[PASSWORD_HASH_MAX] = "";
	struct msg m;
	int r = password_verify(p->hash, cfg->run_directory, p->old);

	if (r == 0)
		r = password_hash(
		    cfg->password_hash, cfg->run_directory, p->new, fresh, sizeof(fresh), NULL);
	msg_init(&m, CHILD_HASH, 0);
	msg_put_u32(&m, (uint32_t)-r);
	msg_put_str(&m, r == 0 ? fresh : "");
	child_put_why(&m, &none);
	msg_send(fd, &m);
	msg_release(&m);
}

/* ---- in the broker ----------------------------------------------------------------- */

void
passwd_release(struct broker *b)
{
	struct passwd *p = b->passwd;

	if (p == NULL)
		return;
	child_stop(p->hasher);
	free_secret(p->old);
	free_secret(p->new);
	free_secret(p->hash);
	wipe(p, sizeof(*p));
	free(p);
	b->passwd = NULL;
}

static void
answer(struct broker *b, uint32_t id, int r, const struct errtext *why)
{
	struct msg m;

	msg_init(&m, REP_NEW_PASSWORD, id);
	msg_put_u32(&m, r == 0);
	msg_put_str(&m, r == 0 ? "" : why->say);
	broker_send(b, &m);
}

static void
heard(struct broker *b, void *owner, struct msg *m)
{
	struct passwd *p = owner;
	int code = -(int)msg_get_u32(m);
	struct errtext why;

	(void)b;
	msg_get_str(m, p->fresh, sizeof(p->fresh));
	child_get_why(m, &why);
	p->result = m->type == CHILD_HASH && msg_end(m) ? code : JB_TRY_AGAIN;
}

static int
conclude(struct broker *b, const struct passwd *p, struct errtext *e)
{
	struct actor by = broker_actor(b);
	int r = p->result;

	if (broker_store(b) == NULL)
		return broker_no_database(e);
	if (r == JB_DENIED) {
		auth_count(b, BACKOFF_USER, b->user);
		audit_add(b->st, &by, "password.fail", b->user, NULL, NULL);
		return err_words(e, r, W_OLD_PASSWORD_WRONG, NULL, NULL, NULL);
	}
	if (r != 0)
		return err_words(e, r, W_PASSWORD_UNCHECKED, NULL, NULL, NULL);
	backoff_clear(b->st, BACKOFF_USER, b->user);
	r = user_change_hash(b->st, &by, b->user, p->hash, p->fresh);
	if (r == JB_NOT_FOUND)
		return err_words(e, r, W_PASSWORD_OVERTAKEN, NULL, NULL, NULL);
	return r == 0 ? 0 : broker_no_database(e);
}

static void
ended(struct broker *b, void *owner, bool late)
{
	struct passwd *p = owner;
	struct errtext e = { 0 };
	int r;

	(void)late;
	p->hasher = NULL;
	r = conclude(b, p, &e);
	answer(b, p->id, r, &e);
	passwd_release(b);
}

static const struct child_kind hasher = { PASSWD_LIMIT_MS, run, heard, ended };

static int
begin(struct broker *b, struct passwd *p, struct errtext *e)
{
	struct account account = { 0 };
	bool source;
	int r;

	if (auth_blocked(b, b->user, &source))
		return err_words(e, JB_TRY_AGAIN, W_PASSWORD_WAIT, NULL, NULL, NULL);
	if (strcmp(p->old, p->new) == 0)
		return err_words(e, JB_BAD_INPUT, W_PASSWORD_SAME, NULL, NULL, NULL);
	if ((r = password_acceptable(b->user, p->new, e)) != 0)
		return r;
	if ((r = account_load(b, b->user, &account)) != 0 || account.id != b->user_id) {
		account_release(&account);
		return broker_no_database(e);
	}
	p->hash = account.hash;
	account.hash = NULL;
	account_release(&account);
	if (p->hash == NULL)
		return err_words(e, JB_DENIED, W_PASSWORD_NONE, NULL, NULL, NULL);
	p->result = JB_TRY_AGAIN; /* a child that dies has not checked it */
	p->hasher = child_start(b, &hasher, p);
	return p->hasher != NULL ? 0 : err_words(e, JB_TRY_AGAIN, W_NO_PROCESSES, NULL, NULL, NULL);
}

const char *
do_passwd(struct broker *b, struct msg *m)
{
	struct passwd *p;
	struct errtext e = { 0 };
	int r;

	if (b->passwd != NULL)
		return "a second change of the password";
	p = b->passwd = xcalloc(1, sizeof(*p));
	p->id = m->id;
	p->old = msg_dup_str(m, MAX_PASSWORD);
	p->new = msg_dup_str(m, MAX_PASSWORD);
	if (!msg_end(m))
		return "malformed";
	r = begin(b, p, &e);
	free_secret(p->old);
	free_secret(p->new);
	p->old = p->new = NULL;
	if (r != 0) {
		answer(b, m->id, r, &e);
		passwd_release(b);
	}
	return NULL;
}
