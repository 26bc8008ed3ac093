/*
 * What the helper meets when it is fuzzed.  All of its files are real, but
 * fork() is none: one of a process of this size takes milliseconds, and what
 * its child does when is never twice the same.  A child is a struct peer here,
 * with the ends that it would have, and so is whoever is at the other end of a
 * connection; each does what the last byte that it was sent says.  So what
 * spawn.c, resolve.c and keeper.c do in a child is not run here, but by real programs in
 * tests/e2e/test_helper.py, under the same sanitizers.  Time passes when the
 * helper has nothing else to wait for.
 *
 * In the jail: port 7 and /peer echo, port 9 never takes a connection.
 */
#include "helper_world.h"

#include "fuzz.h"
#include "jail.h"

#include "../../src/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct ends;
static pid_t play_program(const struct ends *e);
struct question;
static pid_t play_resolver(int fd, const struct question *q);
static pid_t play_keeper(int fd, int sock, const char *path);

#define fork() play_program(&e)
#include "../../src/helper/spawn.c"
#undef fork
#define fork() play_resolver(pair[1], q)
#include "../../src/helper/resolve.c"
#undef fork
#define fork() play_keeper(pair[1], sock, path)
#include "../../src/helper/keeper.c"
#undef fork

enum { PEERS = 256, DESCRIPTORS = 256, FIRST_PID = 1000, ECHO_PORT = 7, FULL_PORT = 9 };

enum mood { ECHO, ASLEEP, FLOOD };

static struct peer {
	int in, out, err;
	enum mood mood;
	pid_t pid; /* 0: the other end of a connection */
	bool ended, reaped;
	int status;
	bool resolver;
	struct answer answer;
	size_t says; /* so much of it */
	bool keeper;
	struct kept kept;
	int sock; /* ASLEEP: not bound yet */
} peers[PEERS];

static struct {
	bool playing;
	bool (*turn)(void);
	size_t npeers;
	pid_t last_pid;
	int64_t now_ms;
	int echo[2], visits;
	size_t descriptors; /* before */
} world;

/* ---- peers ---------------------------------------------------------------- */

static struct peer *
peer_new(void)
{
	struct peer *p = &peers[world.npeers];

	if (world.npeers == PEERS)
		return NULL;
	world.npeers++;
	memset(p, 0, sizeof(*p));
	p->in = p->out = p->err = p->sock = -1;
	return p;
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
peer_end(struct peer *p, int status)
{
	static const struct linger at_once = { 1, 0 };

	if (p->pid == 0 && status != 0)
		setsockopt(p->in, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	shut(&p->in);
	shut(&p->out);
	shut(&p->err);
	shut(&p->sock);
	p->ended = true;
	p->status = status;
}

/* A child has its own. */
static int
keep(int fd)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own >= 0)
		fcntl(own, F_SETFL, O_NONBLOCK);
	return own;
}

static pid_t
play_program(const struct ends *e)
{
	struct peer *p = peer_new();

	if (p != NULL) {
		p->in = keep(e->child[0]);
		fcntl(p->in, F_SETPIPE_SZ, 4096);
		p->out = keep(e->child[1]);
		p->err = keep(e->child[2]);
	}
	if (p == NULL || p->in < 0 || p->out < 0 || p->err < 0) {
		if (p != NULL)
			peer_end(p, 0);
		errno = EAGAIN;
		return -1;
	}
	return p->pid = ++world.last_pid;
}

static bool
hangs(const char *path)
{
	return strncmp(path, "/s", 2) == 0;
}

/* What comes of a name is said by its first letter; a socket in /s is in a file system that hangs. */
static pid_t
play_resolver(int fd, const struct question *q)
{
	static const char *const places[] = { "10.0.0.1", "::1", "127.0.0.1", "fe80::1",
		"0.0.0.0" };
	const char *host = q->host;
	struct peer *p = peer_new();

	if (p == NULL || (p->out = keep(fd)) < 0) {
		errno = EAGAIN;
		return -1;
	}
	p->resolver = true;
	if (host == NULL) {
		find_out(q, &p->answer);
		p->says = sizeof(p->answer);
		p->mood = hangs(((const struct sockaddr_un *)&q->to->sa)->sun_path) ? ASLEEP : ECHO;
		return p->pid = ++world.last_pid;
	}
	p->says = host[0] == 'e' ? 17 : host[0] == 'd' ? 0 : sizeof(p->answer);
	p->mood = host[0] == 's' ? ASLEEP : ECHO;
	if (host[0] == 'n')
		p->answer.why = MUX_WHY_NO_NAME;
	for (size_t i = host[0] == 'l' ? 2 : 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (host[0] != '0')
			add_number(&p->answer, places[i], q->port);
	return p->pid = ++world.last_pid;
}

static bool
say(int fd, const void *p, size_t n)
{
	return fd >= 0 && write(fd, p, n) > 0;
}

/* What hangs is made when all is over. */
static pid_t
play_keeper(int fd, int sock, const char *path)
{
	struct peer *p = peer_new();

	if (p == NULL || (p->in = keep(fd)) < 0 || (p->sock = keep(sock)) < 0) {
		if (p != NULL)
			peer_end(p, 0);
		errno = EAGAIN;
		return -1;
	}
	p->keeper = true;
	if (path != NULL && hangs(path) && strlen(path) < sizeof(p->kept.word.path)) {
		str_copy(p->kept.word.path, sizeof(p->kept.word.path), path);
		p->mood = ASLEEP;
	} else {
		make(&p->kept, sock, path);
		shut(&p->sock);
		p->says = sizeof(p->kept.word);
	}
	return p->pid = ++world.last_pid;
}

/* False: nothing has happened that it waits for. */
static bool
act_keeper(struct peer *p)
{
	char none;

	if (p->ended || p->mood == ASLEEP)
		return false;
	if (p->says > 0) {
		say(p->in, &p->kept.word, p->says);
		p->says = 0;
		return true;
	}
	if (read(p->in, &none, 1) < 0 && errno == EAGAIN)
		return false;
	remove_own(&p->kept);
	say(p->in, "", 1);
	peer_end(p, 0);
	return true;
}

static void
wake_keeper(struct peer *p)
{
	if (p->mood == ASLEEP)
		make(&p->kept, p->sock, p->kept.word.path);
	p->mood = ECHO;
	p->says = 0;
	check(act_keeper(p));
}

/* The last byte of what it was sent. */
static void
obey(struct peer *p, uint8_t what)
{
	switch (what) {
	case 0:
		p->mood = ASLEEP;
		break;
	case 1:
		p->mood = FLOOD;
		break;
	case 2: /* says no more */
		if (p->pid == 0)
			shutdown(p->out, SHUT_WR);
		else
			shut(&p->out);
		break;
	case 3: /* hears no more */
		if (p->pid == 0)
			shutdown(p->in, SHUT_RD);
		else
			shut(&p->in);
		break;
	case 4:
		peer_end(p, W_EXITCODE(0, SIGSEGV) | WCOREFLAG);
		break;
	case 5:
		peer_end(p, W_EXITCODE(what, 0));
		break;
	case 6: /* another one still has its output */
		if (p->pid != 0)
			p->ended = true;
		break;
	default:
		break;
	}
}

/* False: it had nothing to do. */
static bool
act(struct peer *p)
{
	static const uint8_t zeros[65536];
	uint8_t b[4096];
	bool any = false;
	ssize_t n;

	if (p->keeper)
		return act_keeper(p);
	if (p->resolver) {
		if (p->ended || p->mood == ASLEEP)
			return false;
		if (p->says > 0)
			say(p->out, &p->answer, p->says);
		peer_end(p, 0);
		return true;
	}
	if (p->mood == FLOOD) {
		any = say(p->out, zeros, sizeof(zeros));
		any |= say(p->err, zeros, 1000);
	}
	if (p->mood != ECHO || p->in < 0)
		return any;
	n = read(p->in, b, sizeof(b));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return any;
	if (n <= 0) {
		peer_end(p, p->status);
		return true;
	}
	say(b[n - 1] & 0x80 ? p->err : p->out, b, (size_t)n);
	obey(p, b[n - 1]);
	return true;
}

/* ---- sockets ---------------------------------------------------------------- */

static int
socket_at(const struct address *a, bool listens, int backlog)
{
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	const struct sockaddr *sa = (const void *)&a->sa;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (listens)
		check(bind(fd, sa, a->len) == 0 && listen(fd, backlog) == 0);
	else if (connect(fd, sa, a->len) < 0 && errno != EINPROGRESS)
		shut(&fd);
	return fd;
}

static struct address
address_of(uint32_t port, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct answer a = { .n = 0 };

	if (path[0] == '\0')
		add_number(&a, "127.0.0.1", port);
	else if (str_copy(un.sun_path, sizeof(un.sun_path), path) == 0)
		add(&a, &un, sizeof(un));
	return a.addr[0];
}

static void
peer_connected(int fd)
{
	struct peer *p = fd >= 0 ? peer_new() : NULL;

	if (p == NULL)
		shut(&fd);
	else
		p->in = p->out = fd;
}

static bool
take_clients(void)
{
	struct pollfd set[2] = { { world.echo[0], POLLIN, 0 }, { world.echo[1], POLLIN, 0 } };
	bool any = false;
	int fd;

	poll(set, 2, 0);
	for (int i = 0; i < 2; i++) {
		if (set[i].revents == 0)
			continue;
		fd = accept4(set[i].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		any |= fd >= 0;
		if (fd >= 0)
			peer_connected(fd);
	}
	return any;
}

/* Every third is gone again before it is met. */
void
world_visit(uint32_t port, const char *path)
{
	const struct address a = address_of(port, path);
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = socket_at(&a, false, 0);
		if (fd >= 0 && ++world.visits % 3 == 0)
			shut(&fd);
		peer_connected(fd);
		say(fd, "hello", 5);
	}
}

/* ---- in place of the system's ----------------------------------------------- */

int __real_kill(pid_t pid, int sig);
pid_t __real_waitpid(pid_t pid, int *status, int options);
int __real_clock_gettime(clockid_t id, struct timespec *t);
int __real_ppoll(struct pollfd *set, nfds_t n, const struct timespec *t, const sigset_t *mask);
int __wrap_kill(pid_t pid, int sig);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_ppoll(struct pollfd *set, nfds_t n, const struct timespec *t, const sigset_t *mask);

static struct peer *
find(pid_t pid)
{
	struct peer *p = peers;

	while (p < peers + world.npeers && (p->pid != pid || p->reaped))
		p++;
	return p < peers + world.npeers ? p : NULL;
}

/* Some have no group yet, some do not hear of a hang-up, and some of nothing that they can ignore. */
int
__wrap_kill(pid_t pid, int sig)
{
	struct peer *p;

	if (!world.playing)
		return __real_kill(pid, sig);
	if (pid < 0 && pid % 2 != 0) {
		errno = ESRCH;
		return -1;
	}
	p = find(pid < 0 ? -pid : pid);
	check(p != NULL); /* it has been waited for: the number may be another's */
	if (p->ended || sig == SIGCONT || (sig == SIGHUP && p->mood != ECHO) ||
	    (sig != SIGKILL && p->mood == FLOOD))
		return 0;
	peer_end(p, W_EXITCODE(0, sig));
	return 0;
}

pid_t
__wrap_waitpid(pid_t pid, int *status, int options)
{
	struct peer *p;
	bool any = false;

	if (!world.playing)
		return __real_waitpid(pid, status, options);
	check(options == WNOHANG || (pid > 0 && find(pid) != NULL && find(pid)->ended));
	for (p = peers; p < peers + world.npeers; p++) {
		if (p->pid == 0 || p->reaped || (pid > 0 && pid != p->pid))
			continue;
		any = true;
		if (!p->ended)
			continue;
		p->reaped = true;
		if (status != NULL)
			*status = p->status;
		return p->pid;
	}
	errno = ECHILD;
	return any ? 0 : -1;
}

int
__wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	if (!world.playing || id != CLOCK_MONOTONIC)
		return __real_clock_gettime(id, t);
	t->tv_sec = world.now_ms / 1000;
	t->tv_nsec = world.now_ms % 1000 * 1000000;
	return 0;
}

int
__wrap_ppoll(struct pollfd *set, nfds_t n, const struct timespec *t, const sigset_t *mask)
{
	static const struct timespec none;
	bool any;
	int r;

	if (!world.playing)
		return __real_ppoll(set, n, t, mask);
	any = world.turn();
	any |= take_clients();
	for (struct peer *p = peers; p < peers + world.npeers; p++)
		any |= act(p);
	r = __real_ppoll(set, n, &none, NULL);
	if (r == 0 && !any && t != NULL)
		world.now_ms += t->tv_sec * 1000 + t->tv_nsec / 1000000;
	return r;
}

/* ---- its life ----------------------------------------------------------------- */

static void
make_place(void)
{
	const struct rlimit descriptors = { DESCRIPTORS, DESCRIPTORS };
	struct address full = address_of(FULL_PORT, "");
	struct address at[2] = { address_of(ECHO_PORT, ""), address_of(0, "/peer") };
	int fd;

	check(setrlimit(RLIMIT_NOFILE, &descriptors) == 0);
	signal(SIGPIPE, SIG_IGN);
	check(mkdir("/bin", 0755) == 0 && mkdir("/tmp", 0777) == 0 && mkdir("/dev", 0755) == 0);
	fd = open("/bin/sh", O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	check(fd >= 0 && close(fd) == 0 && mkdir("/dev/pts", 0755) == 0);
	check(mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=666") == 0);
	check(symlink("pts/ptmx", "/dev/ptmx") == 0);
	for (int i = 0; i < 2; i++)
		world.echo[i] = socket_at(&at[i], true, PEERS);
	socket_at(&full, true, 0);
	socket_at(&full, false, 0);
}

void
world_begin(bool (*turn)(void))
{
	static bool made;

	if (!made)
		make_place();
	made = true;
	world.turn = turn;
	world.npeers = 0;
	world.visits = 0;
	world.last_pid = FIRST_PID;
	world.now_ms = 1000000;
	world.descriptors = jail_descriptors();
	world.playing = true;
}

static void
check_file(int dir, const char *name, const struct stat *st)
{
	(void)dir;
	check(!S_ISSOCK(st->st_mode) || strcmp(name, "peer") == 0);
	check(strncmp(name, "jumpbox-agent", 13) != 0);
}

void
world_end(void)
{
	int root;

	while (take_clients())
		;
	world.playing = false;
	for (struct peer *p = peers; p < peers + world.npeers; p++) {
		if (p->keeper && !p->ended)
			wake_keeper(p);
		check(p->pid == 0 || p->ended);
		peer_end(p, 1);
	}
	check(jail_descriptors() == world.descriptors);
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(root >= 0);
	jail_walk(root, check_file);
	close(root);
}
