/*
 * Is a node as it should be: does its engine answer, as what, and until when
 * will its certificates do?  jumpboxctl.
 *
 * Each is asked in a process of its own, so that those that do not answer cost
 * their few seconds together and not one after the other.
 */
#include "node_check.h"

#include "pem.h"

#include "jumpbox/docker.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 32, SOON_S = 30 * 86400, CHILD_S = 15 };

/* ---- one node ------------------------------------------------------------ */

/* JB_UNAVAILABLE: it will be, soon. */
static int
check_expiry(const char *pem, const char *whose, const char *what_to_do, struct errtext *said)
{
	int64_t at = pem != NULL ? pem_expiry(pem) : 0;
	char when[32];

	if (at == 0 || at > now_unix() + SOON_S)
		return 0;
	when_format(at, when);
	return err_set(said, JB_UNAVAILABLE, "%s %s %s: %s", whose,
	    at > now_unix() ? "expires" : "has expired", when, what_to_do);
}

static int
check_certificates(struct engine *en, const struct node *n, struct errtext *said)
{
	char *shown = NULL, again[128];
	int r;

	engine_certificate(en, &shown);
	r = check_expiry(shown, "the engine's certificate", "renew it there", said);
	free(shown);
	if (r == 0) {
		snprintf(again, sizeof again, "`jumpboxctl node set %s cert FILE` and key another",
		    n->name);
		r = check_expiry(n->cert, "our client certificate for it", again, said);
	}
	if (r == 0) {
		snprintf(again, sizeof again, "`jumpboxctl node set %s ca FILE` another", n->name);
		r = check_expiry(n->ca, "the certificate of its authority", again, said);
	}
	return r;
}

static int
check(const struct node *n, struct errtext *said)
{
	const struct engine_addr addr = engine_addr_of(n);
	struct engine *en = engine_new(&addr, ENGINE_CONNECT_MS);
	struct engine_info info;
	int r = engine_version(en, &info, said) < 0 ? JB_UNAVAILABLE : 0;

	if (r == 0)
		r = check_certificates(en, n, said);
	if (r == 0)
		err_set(said, 0, "%s %s%s", info.podman ? "Podman" : "Docker", info.version,
		    n->insecure ? "; INSECURE: whoever reaches its port is root there; give it TLS"
				: "");
	engine_free(en);
	return r;
}

/* ---- many ---------------------------------------------------------------- */

/* What a child writes, at once and whole: it fits a pipe's atom. */
struct verdict {
	int code;
	struct errtext said;
};

struct asked {
	pid_t pid; /* 0: not asked */
	int fd;
};

static void
ask(const struct node *n, struct asked *a)
{
	struct verdict v = { 0 };
	int pipe_fd[2];

	if (!n->enabled || pipe2(pipe_fd, O_CLOEXEC) < 0)
		return;
	if ((a->pid = fork()) == 0) {
		alarm(CHILD_S);
		v.code = check(n, &v.said);
		_exit(write(pipe_fd[1], &v, sizeof v) != sizeof v);
	}
	close(pipe_fd[1]);
	a->fd = pipe_fd[0];
	if (a->pid < 0) {
		close(pipe_fd[0]);
		a->pid = 0;
	}
}

static struct verdict
hear(const struct node *n, const struct asked *a)
{
	struct verdict v = { .code = 0 };
	bool heard = a->pid != 0 && read(a->fd, &v, sizeof v) == sizeof v;

	if (!n->enabled)
		err_set(&v.said, 0, "disabled, not asked");
	else if (!heard)
		v.code = err_set(&v.said, JB_INTERNAL, "could not be asked: try again");
	if (a->pid == 0)
		return v;
	close(a->fd);
	while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
		;
	return v;
}

void
node_check_all(struct node *const *node, size_t n,
    void (*said)(const struct node *n, int code, const char *message, void *arg), void *arg)
{
	struct asked *asked = xcalloc(n + 1, sizeof *asked);
	size_t begun = 0;

	for (size_t i = 0; i < n; i++) {
		for (; begun < n && begun < i + AT_ONCE; begun++)
			ask(node[begun], &asked[begun]);

		struct verdict v = hear(node[i], &asked[i]);

		said(node[i], v.code, v.said.s, arg);
	}
	free(asked);
}
