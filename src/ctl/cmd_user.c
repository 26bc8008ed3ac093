/*
 * user ...: people, their passwords and settings.  jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/password.h"
#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <string.h>

enum { IN_PASSWORD };

/* ---- administrators that are left --------------------------------------- */

static int
count_usable_admin(const struct user *u, void *arg)
{
	if (u->standing.role == ROLE_ADMIN && standing_flaw(&u->standing, now_unix()) == NULL)
		++*(int *)arg;
	return 0;
}

/*
 * A change that may take the last administrator away: it is done, since the
 * next one can always be made here, but not in silence.
 */
static int
with_admin_warning(struct ctl *c, int (*change)(struct ctl *c))
{
	int before = 0, after = 0, r;

	if ((r = user_each(c->st, count_usable_admin, &before)) < 0)
		return ctl_stored(c, r);
	if ((r = ctl_done(c, change(c))) < 0)
		return r;
	if ((r = user_each(c->st, count_usable_admin, &after)) < 0)
		return ctl_stored(c, r);
	if (before > 0 && after == 0)
		ctl_warn("warning: no administrator is left who can log in; "
			 "`jumpboxctl user add NAME --admin` makes one");
	return 0;
}

/* ---- add, passwd ------------------------------------------------------- */

static int
add_prepare(struct ctl *c)
{
	const char *hash = args_opt(c, "--password-hash"), *expires = args_opt(c, "--expires");
	int r;

	if (hash != NULL && args_opt(c, "--password-stdin") != NULL)
		return ctl_fail(
		    c, JB_USAGE, "--password-stdin and --password-hash exclude each other");
	if ((r = input_name(c, "user", c->arg[0])) < 0)
		return r;
	if (expires != NULL && (r = input_until(c, expires, &c->when)) < 0)
		return r;
	if (hash != NULL)
		return password_hash_check(hash, &c->e);
	return input_password(c, c->arg[0], &c->input[IN_PASSWORD]);
}

static int
hash_input(struct ctl *c, char hash[static PASSWORD_HASH_MAX])
{
	return password_hash(
	    c->conf.password_hash, NULL, c->input[IN_PASSWORD], hash, PASSWORD_HASH_MAX, &c->e);
}

static int
add_exec(struct ctl *c)
{
	char hash[PASSWORD_HASH_MAX];
	const char *given = args_opt(c, "--password-hash");
	struct user u = {
		.name = c->arg[0],
		.hash = given != NULL ? given : hash,
		.standing.role = args_opt(c, "--admin") != NULL ? ROLE_ADMIN : ROLE_USER,
		.standing.expires = c->when,
		.must_change = args_opt(c, "--must-change") != NULL,
	};
	int r;

	if (given == NULL && (r = hash_input(c, hash)) < 0)
		return r;
	r = user_add(c->st, &c->by, &u);
	wipe(hash, sizeof hash);
	if (r < 0)
		return ctl_stored(c, r);
	out_made(c, "name", c->arg[0]);
	return 0;
}

static int
passwd_prepare(struct ctl *c)
{
	return input_password(c, c->arg[0], &c->input[IN_PASSWORD]);
}

static int
passwd_exec(struct ctl *c)
{
	char hash[PASSWORD_HASH_MAX];
	int r;

	if ((r = hash_input(c, hash)) < 0)
		return r;
	r = user_set_hash(c->st, &c->by, c->arg[0], hash, false);
	wipe(hash, sizeof hash);
	return ctl_done(c, r);
}

/* ---- list, show -------------------------------------------------------- */

static const struct column user_columns[] = {
	/* clang-format off */
	{ "name",         CELL_TEXT, false },
	{ "role",         CELL_TEXT, false },
	{ "state",        CELL_TEXT, false },
	{ "expires",      CELL_TIME, false },
	{ "must_change",  CELL_BOOL, false },
	{ "last_login",   CELL_TIME, false },
	{ "password",     CELL_TEXT, false },
	{ "max_sessions", CELL_NUM,  true },
	{ "language",     CELL_TEXT, true },
	{ "menu",         CELL_TEXT, true },
	{ "created",      CELL_TIME, true },
	{ "id",           CELL_NUM,  true },
	{ "totp",         CELL_TEXT, true },
	{ "recovery_codes", CELL_NUM, true },
	/* clang-format on */
};
enum { NUSER = sizeof user_columns / sizeof user_columns[0] };

static const char *
hash_kind(const char *hash)
{
	static const struct {
		const char *prefix, *kind;
	} kinds[] = {
		{ "$argon2id$", "argon2id" },
		{ "$2", "bcrypt" },
		{ "$y$", "yescrypt" },
		{ "$6$", "sha512-crypt" },
	};
	size_t i;

	if (hash == NULL)
		return "none";
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strncmp(hash, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return kinds[i].kind;
	return "unknown";
}

/* What is configured for all may require more. */
static const char *
totp_state(const struct user *u)
{
	return u->totp ? "enrolled" : u->totp_required ? "required" : "off";
}

static void
user_cells(const struct user *u, struct cell cells[static NUSER])
{
	static const char *const roles[] = { "none", "user", "admin" };
	const struct flaw *flaw = standing_flaw(&u->standing, now_unix());
	struct cell row[NUSER] = {
		C_TEXT(u->name),
		C_TEXT(roles[u->standing.role]),
		C_TEXT(flaw != NULL ? flaw->name : "active"),
		C_NUM(u->standing.expires),
		C_NUM(u->must_change),
		C_NUM(u->last_login),
		C_TEXT(hash_kind(u->hash)),
		C_NUM(u->max_sessions),
		C_TEXT(u->language),
		C_TEXT(u->menu),
		C_NUM(u->created),
		C_NUM(u->id),
		C_TEXT(totp_state(u)),
		C_NUM(u->recovery_codes),
	};

	memcpy(cells, row, sizeof row);
}

static int
list_user(const struct user *u, void *arg)
{
	struct cell cells[NUSER];

	user_cells(u, cells);
	list_row(arg, cells);
	return 0;
}

static int
list_exec(struct ctl *c)
{
	struct list l;

	list_begin(&l, c, user_columns, NUSER);
	return ctl_stored(c, list_end(&l, user_each(c->st, list_user, &l)));
}

static int
show_user(const struct user *u, void *arg)
{
	struct cell cells[NUSER];

	user_cells(u, cells);
	out_object(arg, user_columns, NUSER, cells);
	return 0;
}

static int
show_exec(struct ctl *c)
{
	return ctl_stored(c, user_get(c->st, c->arg[0], show_user, c));
}

/* ---- lock, unlock, set, del -------------------------------------------- */

static int
lock_change(struct ctl *c)
{
	return user_set_locked(c->st, &c->by, c->arg[0], true);
}

static int
lock_exec(struct ctl *c)
{
	return with_admin_warning(c, lock_change);
}

static int
unlock_exec(struct ctl *c)
{
	return ctl_done(c, user_set_locked(c->st, &c->by, c->arg[0], false));
}

static int
set_change(struct ctl *c)
{
	return user_set(c->st, &c->by, c->arg[0], c->arg[1], c->arg[2]);
}

static int
set_exec(struct ctl *c)
{
	return with_admin_warning(c, set_change);
}

static int
del_change(struct ctl *c)
{
	return user_del(c->st, &c->by, c->arg[0]);
}

static int
del_exec(struct ctl *c)
{
	return with_admin_warning(c, del_change);
}

/* ---- the table --------------------------------------------------------- */

static const struct ctl_opt add_opts[] = {
	{ "--admin", NULL, "an administrator, who reaches every container", false },
	{ "--password-stdin", NULL, "the password is the first line of standard input", false },
	{ "--password-hash", "HASH", "import an argon2id, bcrypt, yescrypt or sha512-crypt hash",
	    false },
	{ "--expires", "WHEN", "the account ends then", false },
	{ "--must-change", NULL, "a new password is asked for at the next login", false },
	{ NULL, NULL, NULL, false },
};
static const struct ctl_opt passwd_opts[] = {
	{ "--password-stdin", NULL, "the password is the first line of standard input", false },
	{ NULL, NULL, NULL, false },
};

const struct ctl_cmd user_cmds[] = {
	/* clang-format off */
	{ "user add", "NAME", "add a user; the password is asked for",
	  1, 1, DB_CREATE, add_opts, add_prepare, add_exec },
	{ "user list", NULL, "list the users",
	  0, 0, DB_OPEN, NULL, NULL, list_exec },
	{ "user show", "NAME", "show one user",
	  1, 1, DB_OPEN, NULL, NULL, show_exec },
	{ "user passwd", "NAME", "set a new password; it is asked for",
	  1, 1, DB_OPEN, passwd_opts, passwd_prepare, passwd_exec },
	{ "user lock", "NAME", "refuse logins and end the user's sessions",
	  1, 1, DB_OPEN, NULL, NULL, lock_exec },
	{ "user unlock", "NAME", "allow logins again; also ends a back-off after wrong passwords",
	  1, 1, DB_OPEN, NULL, NULL, unlock_exec },
	{ "user set", "NAME KEY VALUE", "set role, language, menu, max-sessions, expires or totp",
	  3, 3, DB_OPEN, NULL, NULL, set_exec },
	{ "user del", "NAME", "delete a user with all keys, grants and memberships",
	  1, 1, DB_OPEN, NULL, NULL, del_exec },
	{ .name = NULL },
	/* clang-format on */
};
