/*
 * jumpbox-session: the zygote, started by the supervisor with the descriptors
 * of zygote.h:
 *
 *	0 1  /dev/null
 *	2    log
 *	3    SEQPACKET to the supervisor
 *	4    the effective configuration as text
 *	5    public halves of the host keys
 *
 * The steps are those of every role, in this order: configuration, log, what
 * needs files, self-test, privileges, work.
 */
#include "session.h"
#include "zygote.h"

#include "jumpbox/log.h"
#include "jumpbox/privs.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { BANNER_MAX = 16384 };

static void
read_config(struct config *c)
{
	struct errtext e;

	if (config_load_fd(ROLE_CONFIG_FD, "configuration", c, &e) != 0)
		fatal(JB_CONFIG, "%s", e.s);
	close(ROLE_CONFIG_FD);
}

/* The banner's text, for good; NULL: none. */
static char *
read_banner(const struct config *c)
{
	struct errtext e;
	char *text;
	size_t n;

	if (c->banner == NULL || c->banner[0] == '\0')
		return NULL;
	if (c->banner[0] != '/')
		return xasprintf("%s\n", c->banner);
	if (read_file(c->banner, BANNER_MAX, &text, &n, &e) != 0)
		fatal(JB_CONFIG, "banner %s", e.s);
	return text;
}

/*
 * What a session is to find ready.  Large blocks are mapped, so that they go
 * back to the system; one arena, as there is one thread.
 */
static void
prepare(void)
{
	struct errtext e;

	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 65536);
	mallopt(M_TRIM_THRESHOLD, 65536);
	if (ssh_init() != SSH_OK)
		fatal(JB_INTERNAL, "libssh does not start");
	if (host_keys_load(ROLE_KEYS_FD, &e) != 0 || warmup(&e) != 0 || sandbox_prepare(&e) != 0)
		fatal(JB_INTERNAL, "%s", e.s);
	close(ROLE_KEYS_FD);
	malloc_trim(0);
}

static void
drop_privileges(const struct config *c)
{
	char left_out[64];
	struct errtext e;
	int rc = privs_drop(SESSION_USER, c->jail_directory, left_out, sizeof(left_out), &e);

	if (rc != 0)
		fatal(rc, "%s", e.s);
	if (left_out[0])
		log_warn("privs.left_out", F_STR("what", left_out));
}

int
main(int argc, char **argv)
{
	struct config c = { 0 };
	char *banner;

	log_init("session", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	if (argc != 2 || strcmp(argv[1], "zygote") != 0 || set_cloexec(ROLE_CONTROL_FD, true) != 0)
		fatal(JB_USAGE, "jumpbox-session is started by jumpboxd");
	read_config(&c);
	log_init("session", c.log_level, c.log_format);
	banner = read_banner(&c);
	prepare();
	drop_privileges(&c);
	zygote(&c, banner);
}
