/*
 * key ...: users' public keys.  jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/cidr.h"
#include "jumpbox/keys.h"

#include <string.h>

enum { IN_KEY };

/* ---- add --------------------------------------------------------------- */

/* The one key of an id_*.pub file: blank lines and comments are passed over. */
static int
key_line(struct ctl *c, char *text, char **line)
{
	char *at, *save = NULL;

	*line = NULL;
	for (at = strtok_r(text, "\r\n", &save); at != NULL; at = strtok_r(NULL, "\r\n", &save)) {
		at += strspn(at, " \t");
		if (*at == '\0' || *at == '#')
			continue;
		if (strncmp(at, "-----BEGIN", 10) == 0)
			return ctl_fail(c, JB_BAD_INPUT,
			    "this is no public key in one line; give the file that ends in .pub");
		if (*line != NULL)
			return ctl_fail(
			    c, JB_BAD_INPUT, "there is more than one key; add them one by one");
		*line = at;
	}
	if (*line == NULL)
		return ctl_fail(
		    c, JB_BAD_INPUT, "there is no key in it; give the file that ends in .pub");
	return 0;
}

static int
add_prepare(struct ctl *c)
{
	const char *from = args_opt(c, "--from"), *until = args_opt(c, "--until");
	int r;

	if (from != NULL && (r = cidr_list_check(from, &c->e)) < 0)
		return r;
	if (until != NULL && (r = input_until(c, until, &c->when)) < 0)
		return r;
	return input_read(c, c->nargs > 1 ? c->arg[1] : "-", &c->input[IN_KEY]);
}

static int
add_exec(struct ctl *c)
{
	struct pubkey pk;
	struct user_key k;
	char *line;
	int r;

	if ((r = key_line(c, c->input[IN_KEY], &line)) < 0)
		return r;
	if ((r = pubkey_parse(line, &pk, &c->e)) < 0)
		return r;
	k = (struct user_key){
		.user = c->arg[0],
		.algorithm = pk.algorithm,
		.blob = pk.base64,
		.fingerprint = pk.fingerprint,
		.comment = pk.comment,
		.from = args_opt(c, "--from"),
		.until = c->when,
	};
	r = ctl_stored(c, key_add(c->st, &c->by, &k));
	if (r == 0)
		out_made(c, "fingerprint", pk.fingerprint);
	pubkey_release(&pk);
	return r;
}

/* ---- list -------------------------------------------------------------- */

static const struct column key_columns[] = {
	/* clang-format off */
	{ "fingerprint", CELL_TEXT, false },
	{ "algorithm",   CELL_TEXT, false },
	{ "from",        CELL_TEXT, false },
	{ "until",       CELL_TIME, false },
	{ "comment",     CELL_TEXT, false },
	{ "created",     CELL_TIME, true },
	{ "key",         CELL_TEXT, true },
	{ "user",        CELL_TEXT, true },
	/* clang-format on */
};
enum { NKEY = sizeof key_columns / sizeof key_columns[0] };

static int
list_key(const struct user_key *k, void *arg)
{
	list_row(arg,
	    (struct cell[NKEY]){
		C_TEXT(k->fingerprint),
		C_TEXT(k->algorithm),
		C_TEXT(k->from),
		C_NUM(k->until),
		C_TEXT(k->comment),
		C_NUM(k->created),
		C_TEXT(k->blob),
		C_TEXT(k->user),
	    });
	return 0;
}

/* Only to learn whether there is such a user. */
static int
found_user(const struct user *u, void *arg)
{
	(void)u;
	(void)arg;
	return 0;
}

static int
list_exec(struct ctl *c)
{
	struct list l;
	int r;

	if ((r = user_get(c->st, c->arg[0], found_user, NULL)) < 0)
		return ctl_stored(c, r);
	list_begin(&l, c, key_columns, NKEY);
	return ctl_stored(c, list_end(&l, key_each(c->st, c->arg[0], list_key, &l)));
}

/* ---- del --------------------------------------------------------------- */

static int
del_exec(struct ctl *c)
{
	int r;

	if ((r = user_get(c->st, c->arg[0], found_user, NULL)) < 0)
		return ctl_stored(c, r);
	return ctl_done(c, key_del(c->st, &c->by, c->arg[0], c->arg[1]));
}

static const struct ctl_opt add_opts[] = {
	{ "--from", "CIDR", "accept it only from these networks (comma between them)", false },
	{ "--until", "WHEN", "accept it only until then", false },
	{ NULL, NULL, NULL, false },
};

const struct ctl_cmd key_cmds[] = {
	/* clang-format off */
	{ "key add", "USER [FILE|-]", "add a public key from FILE or standard input",
	  1, 2, DB_OPEN, add_opts, add_prepare, add_exec },
	{ "key list", "USER", "list a user's public keys",
	  1, 1, DB_OPEN, NULL, NULL, list_exec },
	{ "key del", "USER FINGERPRINT", "delete a public key",
	  2, 2, DB_OPEN, NULL, NULL, del_exec },
	{ .name = NULL },
	/* clang-format on */
};
