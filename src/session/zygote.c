/*
 * One session for each connection that the supervisor passes: descriptors,
 * libssh's session, sandbox, serve().  Session zygote.
 *
 * It reads no byte of a client.
 */
#include "zygote.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"
#include "session.h"
#include "ui_screen.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static const struct config *config;
static const struct texts *said;

/* The broker is told of a shutdown, and leads; FSIZE must be an error, not a death. */
static void
ignore_signals(void)
{
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGXFSZ };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
}

/* Errors do not matter: the connection may be gone, and then reading says so. */
static void
client_options(int fd)
{
	int on = 1;

	set_nonblock(fd, true);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static void
session(const struct zygote_conn *c)
{
	int client = c->fd[0], pair = c->fd[1];
	ssh_session ssh;

	prctl(PR_SET_NAME, "jb-session"); /* for ps: the zygote keeps the program's name */
	ignore_signals();
	client_options(client);
	if ((ssh = host_keys_accept(client)) == NULL)
		fatal(JB_INTERNAL, "libssh: no memory");
	ui_screen_prepare();
	sandbox_enter(config);
	link_init(pair);
	serve(config, said, ssh, client);
}

void
zygote(const struct config *cfg, const struct texts *texts)
{
	static const struct zygote_role role = { .child = session };

	config = cfg;
	said = texts;
	zygote_run(&role);
}
