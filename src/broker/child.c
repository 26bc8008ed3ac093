/*
 * Children of a broker: started, heard, timed out, reaped.  Broker.
 *
 * A child that has ended is only known by the end of its channel, so that one
 * poll loop sees everything in order.  Until then its pid cannot be reused,
 * because nobody has waited for it: kill() never hits a stranger.
 */
#include "child.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_FD = 3 };

int
child_become(int fd, pid_t parent)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(0); /* it died before the line above */
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fd != CHILD_FD && dup2(fd, CHILD_FD) < 0)
		_exit(1);
	set_cloexec(CHILD_FD, true);
	if (close_range(CHILD_FD + 1, ~0U, 0) < 0)
		_exit(1);
	return CHILD_FD;
}

/* The host keys are not for a process that talks to engines. */
static _Noreturn void
child_main(struct broker *b, const struct child_kind *kind, const void *owner, int fd, pid_t parent)
{
	unsigned i;

	fd = child_become(fd, parent);
	for (i = 0; i < CONFIG_LIST_MAX; i++)
		host_key_free(b->key[i]);
	kind->run(fd, b, owner);
	_exit(0);
}

void
child_put_why(struct msg *m, const struct errtext *why)
{
	msg_put_str(m, why->s);
	msg_put_str(m, why->say);
}

void
child_get_why(struct msg *m, struct errtext *why)
{
	msg_get_str(m, why->s, sizeof(why->s));
	msg_get_str(m, why->say, sizeof(why->say));
}

struct child *
child_start(struct broker *b, const struct child_kind *kind, void *owner)
{
	struct child *c;
	pid_t pid, self = getpid();
	int sp[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sp) < 0)
		goto fail;
	if ((pid = fork()) == 0)
		child_main(b, kind, owner, sp[1], self);
	close(sp[1]);
	if (pid < 0) {
		close(sp[0]);
		goto fail;
	}
	set_nonblock(sp[0], true);
	c = xcalloc(1, sizeof(*c));
	*c = (struct child){ .kind = kind, .owner = owner, .pid = pid, .fd = sp[0] };
	if (kind->limit_ms > 0)
		c->deadline = now_mono_ms() + kind->limit_ms;
	c->next = b->children;
	b->children = c;
	return c;
fail:
	log_error("broker.no_child", F_STR("reason", strerror(errno)));
	return NULL;
}

void
child_stop(struct child *c)
{
	if (c == NULL)
		return;
	c->owner = NULL;
	c->deadline = 0;
	kill(c->pid, SIGKILL);
}

void
child_no_limit(struct child *c)
{
	c->deadline = 0;
}

int
child_tell(struct child *c, struct msg *m)
{
	return msg_send(c->fd, m);
}

void
child_forget_all(struct broker *b)
{
	struct child *c;

	while ((c = b->children) != NULL) {
		child_stop(c);
		close(c->fd);
		b->children = c->next;
		free(c);
	}
}

unsigned
child_count(const struct broker *b)
{
	const struct child *c;
	unsigned n = 0;

	for (c = b->children; c != NULL; c = c->next)
		n++;
	return n;
}

/* Its channel is closed last of all, so this wait is for a process that is exiting. */
static void
child_over(struct broker *b, struct child *c)
{
	void *owner = c->owner;

	close(c->fd);
	c->fd = -1;
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	c->owner = NULL;
	if (owner != NULL)
		c->kind->ended(b, owner, c->late);
}

void
child_readable(struct broker *b, struct child *c)
{
	struct msg m;
	int r = 0;

	msg_init(&m, 0, 0);
	while (c->fd >= 0 && (r = msg_recv(c->fd, &m)) == 0)
		if (c->owner != NULL && c->kind->message != NULL)
			c->kind->message(b, c->owner, &m);
	if (c->fd >= 0 && r != JB_TRY_AGAIN)
		child_over(b, c);
	msg_release(&m);
}

void
child_reap(struct broker *b)
{
	struct child **p = &b->children, *c;

	while ((c = *p) != NULL) {
		if (c->fd < 0) {
			*p = c->next;
			free(c);
		} else {
			p = &c->next;
		}
	}
}

int64_t
child_deadline(const struct broker *b)
{
	const struct child *c;
	int64_t first = 0;

	for (c = b->children; c != NULL; c = c->next)
		first = sooner(first, c->deadline);
	return first;
}

void
child_tick(struct broker *b, int64_t now)
{
	struct child *c;

	for (c = b->children; c != NULL; c = c->next) {
		if (due(c->deadline, now)) {
			c->deadline = 0;
			c->late = true;
			kill(c->pid, SIGKILL);
		}
	}
}
