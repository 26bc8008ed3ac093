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
#include "jumpbox/role.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <locale.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/*
 * What a session is to find ready.  Large blocks are mapped, so that they go
 * back to the system; one arena, as there is one thread.
 */
static void
prepare(void)
{
	struct errtext e;

	/* Which characters are how wide is in a file. */
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		log_warn("session.no_locale", F_STR("what", "C.UTF-8"));
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

/* They were there at the start. */
static void
load_texts(const struct config *c, struct texts *t)
{
	struct errtext e;
	char *motd;

	*t = (struct texts){ NULL, NULL };
	if (config_banner(c, &t->banner, &e) != 0)
		log_error("session.no_banner", F_STR("reason", e.s));
	if (config_motd(c, &motd, &e) != 0)
		log_error("session.no_motd", F_STR("reason", e.s));
	else if (motd != NULL)
		t->motd = text_safe_lines(motd);
	free(motd);
}

int
main(int argc, char **argv)
{
	struct config c = { 0 };
	struct texts texts; /* for good */

	if (argc != 2 || strcmp(argv[1], "zygote") != 0 || set_cloexec(ROLE_CONTROL_FD, true) != 0)
		fatal(JB_USAGE, "jumpbox-session is started by jumpboxd");
	role_begin("session", &c);
	load_texts(&c, &texts);
	prepare();
	role_confine(SESSION_USER, c.jail_directory);
	zygote(&c, &texts);
}
