/*
 * Users and groups of the container: homes, and names for numbers.
 * jumpbox-helper's SFTP process.
 */
#include "sftp_server.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- homes ------------------------------------------------------------ */

/* A user who is in no passwd file, such as one given as a number, has what the engine has set. */
const char *
sftp_home(void)
{
	struct passwd *pw = getpwuid(getuid());
	const char *home = pw != NULL ? pw->pw_dir : getenv("HOME");

	return home == NULL || *home == '\0' ? "/" : home;
}

const char *
sftp_home_of(const char *user)
{
	struct passwd *pw = getpwnam(user);

	return pw == NULL ? NULL : pw->pw_dir;
}

/* "" is the user who asks. */
int
sftp_home_directory(struct sftp *s, struct sftp_args *a)
{
	const char *home = a->path[0][0] == '\0' ? sftp_home() : sftp_home_of(a->path[0]);

	if (home == NULL)
		return -ENOENT;
	return strlen(home) >= PATH_MAX ? -ENAMETOOLONG : sftp_name(s, home);
}

/* ---- names for numbers ------------------------------------------------ */

/* Each look reads a file of the container, and a directory's entries have the same few owners. */
enum { CACHE_ROWS = 64 };
struct cached {
	bool known;
	uint32_t id;
	char name[64]; /* "" for what has none, or none that is sane */
};

static const char *
look_user(uint32_t uid)
{
	struct passwd *pw = getpwuid(uid);

	return pw == NULL ? NULL : pw->pw_name;
}

static const char *
look_group(uint32_t gid)
{
	struct group *gr = getgrgid(gid);

	return gr == NULL ? NULL : gr->gr_name;
}

static const char *
cached_name(struct cached *cache, const char *(*look)(uint32_t id), uint32_t id)
{
	struct cached *c = &cache[id % CACHE_ROWS];
	const char *name;

	if (!c->known || c->id != id) {
		name = look(id);
		if (name == NULL || strlen(name) >= sizeof c->name)
			name = "";
		c->known = true;
		c->id = id;
		memcpy(c->name, name, strlen(name) + 1);
	}
	return c->name;
}

const char *
sftp_user_name(uint32_t uid)
{
	static struct cached users[CACHE_ROWS];

	return cached_name(users, look_user, uid);
}

const char *
sftp_group_name(uint32_t gid)
{
	static struct cached groups[CACHE_ROWS];

	return cached_name(groups, look_group, gid);
}

/* ---- users-groups-by-id ----------------------------------------------- */

enum { IDS_MAX = 1000 }; /* in one request: the names fit the reply */

/* A list of names inside a string, in the order of the numbers. */
static void
put_names(struct sftp *s, struct sftp_bytes ids, const char *(*name)(uint32_t id))
{
	size_t length_at = sftp_reply_len(s);
	uint32_t id;

	sftp_put_u32(s, 0);
	while (sftp_get_u32(&ids, &id))
		sftp_put_str(s, name(id));
	sftp_patch_u32(s, length_at, (uint32_t)(sftp_reply_len(s) - length_at - 4));
}

int
sftp_users_groups(struct sftp *s, struct sftp_args *a)
{
	if (a->bytes[0].n % 4 != 0 || a->bytes[1].n % 4 != 0)
		return -EBADMSG;
	if (a->bytes[0].n > 4 * IDS_MAX || a->bytes[1].n > 4 * IDS_MAX)
		return -E2BIG;
	sftp_reply(s, FXP_EXTENDED_REPLY);
	put_names(s, a->bytes[0], sftp_user_name);
	put_names(s, a->bytes[1], sftp_group_name);
	sftp_reply_end(s);
	return REPLIED;
}
