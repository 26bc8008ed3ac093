/*
 * The path of a listening socket, made and removed by a process of its own: to
 * follow a path may be to wait for a server of files, and nobody else may.  It
 * lives as long as the socket is wanted, and when that is over while it still
 * waits, it removes the path once it can.  jumpbox-helper.
 */
#include "helper.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GONE_S = 1 }; /* a path that is asked for again at once should be free */

struct kept {
	struct keeper_word word;
	char dir[64]; /* made for it; "" */
	dev_t dev;
	ino_t ino; /* 0: nothing is made */
};

/* The path may have become somebody else's. */
static void
remove_own(const struct kept *k)
{
	struct stat st;

	if (lstat(k->word.path, &st) == 0 && st.st_dev == k->dev && st.st_ino == k->ino)
		unlink(k->word.path);
	if (k->dir[0] != '\0')
		rmdir(k->dir);
}

/* 0 or an errno. */
static int
bind_path(struct kept *k, int sock, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t old;
	int r;

	if (path[0] == '\0' || str_copy(un.sun_path, sizeof(un.sun_path), path) < 0)
		return ENAMETOOLONG;
	str_copy(k->word.path, sizeof(k->word.path), path);
	old = umask(0177);
	r = bind(sock, (struct sockaddr *)&un, sizeof(un));
	umask(old);
	if (r < 0)
		return errno;
	if (lstat(path, &st) == 0) {
		k->dev = st.st_dev;
		k->ino = st.st_ino;
	}
	return listen(sock, LISTEN_BACKLOG) < 0 ? errno : 0;
}

/* In the first place where a directory can be made that nobody else looks into. */
static int
bind_agent(struct kept *k, int sock)
{
	static const char *const places[] = { "/tmp", "/dev/shm", "/run", "/var/tmp", NULL };
	char path[sizeof(k->word.path)];
	int i, r = -1;

	for (i = 0; places[i] != NULL && r != 0; i++) {
		snprintf(k->dir, sizeof(k->dir), "%s/jumpbox-agent.XXXXXX", places[i]);
		if (mkdtemp(k->dir) == NULL) {
			r = errno;
			k->dir[0] = '\0';
			continue;
		}
		snprintf(path, sizeof(path), "%s/agent.%d", k->dir, (int)getppid());
		r = bind_path(k, sock, path);
		if (r != 0)
			remove_own(k);
	}
	return r;
}

static void
make(struct kept *k, int sock, const char *path)
{
	k->word.error = path != NULL ? bind_path(k, sock, path) : bind_agent(k, sock);
}

/* 0 is the helper's other end, which is closed when the socket is wanted no more; 1 is the socket. */
static _Noreturn void
keep_until_closed(const char *path)
{
	struct kept k = { .ino = 0 };
	char none;

	make(&k, 1, path);
	close(1);
	if (write(0, &k.word, sizeof(k.word)) == sizeof(k.word))
		while (read(0, &none, 1) > 0)
			;
	remove_own(&k);
	_exit(write(0, "", 1) != 1);
}

int
keeper_start(struct keeper *k, int sock, const char *path)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if ((k->pid = fork()) < 0) {
		r = -errno;
		close(pair[0]);
		close(pair[1]);
		return r;
	}
	if (k->pid == 0) {
		/* The signals that stop the helper stay blocked: it says when this ends. */
		dup2(pair[1], 0);
		dup2(sock, 1);
		spawn_close_from(2);
		keep_until_closed(path);
	}
	close(pair[1]);
	k->fd = pair[0];
	return 0;
}

void
keeper_end(struct keeper *k)
{
	const struct timespec most = { GONE_S, 0 };
	struct pollfd p = { k->fd, POLLIN, 0 };
	struct keeper_word word; /* not read yet, perhaps */
	ssize_t n = sizeof(word);

	shutdown(k->fd, SHUT_WR);
	while (n == sizeof(word))
		n = ppoll(&p, 1, &most, NULL) > 0 ? read(k->fd, &word, sizeof(word)) : 0;
	if (n > 0) /* it is just ending, and nobody can have waited for it */
		waitpid(k->pid, NULL, 0);
	keeper_leave(k);
}

void
keeper_leave(struct keeper *k)
{
	close(k->fd);
	k->fd = -1;
}
