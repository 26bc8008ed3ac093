/*
 * Who may reach what: a pure decision over a user, the user's grants and the
 * facts of one container.  Administrators reach everything; no role, an
 * unknown role, a locked or expired account reach nothing.
 */
#ifndef JUMPBOX_POLICY_H
#define JUMPBOX_POLICY_H

#include "jumpbox/errors.h"
#include "jumpbox/store.h"

#include <stdbool.h>
#include <stdint.h>

enum perm {
	PERM_SHELL = 1 << 0,
	PERM_EXEC = 1 << 1,
	PERM_FILES = 1 << 2,
	PERM_FILES_RO = 1 << 3,
	PERM_FORWARD = 1 << 4, /* the container itself, from its inside; its sockets */
	PERM_LOGS = 1 << 5,
	PERM_POWER = 1 << 6,
	PERM_FORWARD_SOME = 1 << 7, /* what forward:HOST:PORT items name */
	PERM_DEFAULT = PERM_SHELL | PERM_EXEC | PERM_FILES | PERM_FORWARD | PERM_LOGS,
	PERM_ALL = PERM_DEFAULT | PERM_POWER,
};

/* A wider permission gives the narrower one of its kind. */
static inline bool
policy_gives(uint32_t perms, uint32_t want)
{
	if (perms & PERM_FILES)
		perms |= PERM_FILES_RO;
	if (perms & PERM_FORWARD)
		perms |= PERM_FORWARD_SOME;
	return (perms & want) == want;
}

enum { ALLOW_TEXT = 512 };
/*
 * "shell,exec" or "shell exec" → mask; JB_BAD_INPUT for an unknown item.  The
 * normal form goes to out, ALLOW_TEXT bytes; NULL: it is not wanted.
 */
int allow_parse(const char *s, uint32_t *mask, char *out, struct errtext *e);
/* The mask as allow_parse() takes it, but for forward:HOST:PORT: the targets are not in it. */
void allow_print(uint32_t mask, char out[static ALLOW_TEXT]);
int selector_check(const char *s, struct errtext *e);
int run_as_check(const char *s, struct errtext *e);

struct facts {
	const char *node, *name, *image, *labels; /* labels: JSON object text */
	const char *owner;			  /* of the owner label, own labels only; NULL */
};

/* A user with copies of the grants that apply: taken from the store once, then pure. */
struct subject {
	int64_t id; /* of the row: a name may come to be somebody else's */
	char name[33];
	struct standing standing;
	struct subject_grant {
		char *selector, *allow, *run_as; /* run_as NULL: the image's */
		char *record;			 /* "on" "off"; NULL: not said */
		int64_t id, until;
	} * grants;
	size_t ngrants;
};

/* Loads; JB_NOT_FOUND if the user is gone. Replaces what was there. subject_release() frees. */
int subject_load(struct store *st, const char *user, struct subject *s);
void subject_release(struct subject *s);

/* What keeps an account out: "locked", "expired", "without a role", and what its user is told. */
struct flaw {
	const char *name;
	enum word told;
};
/* NULL: nothing does. */
const struct flaw *standing_flaw(const struct standing *s, int64_t now);
/* 0, or JB_DENIED and "the account is locked" ...  Nobody is told who has not logged in. */
int standing_check(const struct standing *s, int64_t now, struct errtext *e);

struct verdict {
	uint32_t
	    perms; /* union over what applies; 0: not reachable, and not to be told from unknown */
	const char *run_as; /* of the first grant (by id) that gives `want`; NULL: the image's */
	const char
	    *record;   /* "on" if one that gives `want` says so, else "off" if one does; NULL */
	int64_t until; /* when this verdict may change by time alone; 0: never */
};
void policy_decide(
    const struct subject *s, const struct facts *f, uint32_t want, int64_t now, struct verdict *v);

/*
 * As whom it may be had other than as the verdict says: what the grants that
 * give `want` name, each once, and RUN_AS_ANY for administrators.  How many;
 * the strings are the subject's.
 */
#define RUN_AS_ANY "*"
enum { RUN_AS_CHOICES = 32 };
size_t policy_run_as(const struct subject *s, const struct facts *f, uint32_t want, int64_t now,
    const char **choice, size_t max);
/*
 * All that may be had as `run_as` (NULL: the image's user), for a stream that
 * carries more than one thing: the permissions whose verdict says that user,
 * and "HOST:PORT HOST:PORT", the targets of forward items; malloc'd.
 */
uint32_t policy_as(
    const struct subject *s, const struct facts *f, const char *run_as, int64_t now, char **items);
bool policy_run_as_ok(
    const struct subject *s, const struct facts *f, uint32_t want, int64_t now, const char *run_as);

#endif
