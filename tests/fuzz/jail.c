/*
 * The thread that fuzz targets run in which do what they are told (jail.h).
 * It has its own mounts, root and network; descriptors and limits are the
 * process's.
 */
#include "jail.h"

#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
	sem_t begin, done;
	int root; /* the process's own */
	struct sigaction on_abort;
	void (*run)(const uint8_t *p, size_t n);
	const uint8_t *p;
	size_t n;
} jail;

/* ---- the end of a run ------------------------------------------------- */

void __asan_on_error(void);
void __ubsan_on_report(void);

/* Back where the input that did it can be written. */
static void
leave(void)
{
	if (fchdir(jail.root) < 0 || chroot(".") < 0)
		_exit(1);
}

void
__asan_on_error(void)
{
	leave();
}

void
__ubsan_on_report(void)
{
	leave();
}

static void
on_abort(int sig, siginfo_t *info, void *context)
{
	leave();
	jail.on_abort.sa_sigaction(sig, info, context);
}

/* ---- the thread ------------------------------------------------------- */

static void
loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	check(fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &lo) == 0);
	lo.ifr_flags |= IFF_UP;
	check(ioctl(fd, SIOCSIFFLAGS, &lo) == 0 && close(fd) == 0);
}

/* What is small for a kernel is large for a fuzzer. */
static void
small_buffers(const char *path)
{
	static const char sizes[] = "4096 4096 4096";
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	check(fd >= 0 && write(fd, sizes, sizeof(sizes) - 1) == sizeof(sizes) - 1);
	close(fd);
}

/* libFuzzer's clock is a signal. */
static void
wait_for(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		check(errno == EINTR);
}

static void *
serve(void *unused)
{
	check(unshare(CLONE_FS | CLONE_NEWNS | CLONE_NEWNET) == 0);
	small_buffers("/proc/sys/net/ipv4/tcp_rmem");
	small_buffers("/proc/sys/net/ipv4/tcp_wmem");
	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	check(mount("fuzz", "/tmp", "tmpfs", 0, "mode=755,size=64m,nr_inodes=4096") == 0);
	check(chroot("/tmp") == 0 && chdir("/") == 0);
	loopback_up();
	for (;;) {
		wait_for(&jail.begin);
		jail.run(jail.p, jail.n);
		sem_post(&jail.done);
	}
	return unused;
}

static void
begin(void)
{
	struct sigaction abort_action = { .sa_sigaction = on_abort, .sa_flags = SA_SIGINFO };
	pthread_t thread;

	if (geteuid() != 0) {
		fputs("to be run as root, which can change its root directory\n", stderr);
		exit(1);
	}
	jail.root = open("/", O_PATH | O_CLOEXEC);
	check(jail.root >= 0 && sigaction(SIGABRT, &abort_action, &jail.on_abort) == 0);
	signal(SIGXFSZ, SIG_IGN);
	sem_init(&jail.begin, 0, 0);
	sem_init(&jail.done, 0, 0);
	check(pthread_create(&thread, NULL, serve, NULL) == 0);
}

static void
limit_files(bool on)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = on ? JAIL_LONGEST : limit.rlim_max;
	check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

void
jail_run(void (*run)(const uint8_t *p, size_t n), const uint8_t *p, size_t n)
{
	if (jail.run == NULL)
		begin();
	jail.run = run;
	jail.p = p;
	jail.n = n;
	limit_files(true);
	sem_post(&jail.begin);
	wait_for(&jail.done);
	limit_files(false);
}

/* ---- files ------------------------------------------------------------ */

void
jail_walk(int dir, void (*each)(int dir, const char *name, const struct stat *st))
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), sub;
	DIR *d = fdopendir(fd);
	struct dirent *e;
	struct stat st;

	check(fd >= 0 && d != NULL);
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		check(fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0);
		if (S_ISDIR(st.st_mode)) {
			sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			check(sub >= 0);
			jail_walk(sub, each);
			close(sub);
		}
		each(fd, e->d_name, &st);
	}
	closedir(d);
}

void
jail_remove(int dir, const char *name, const struct stat *st)
{
	check(unlinkat(dir, name, S_ISDIR(st->st_mode) ? AT_REMOVEDIR : 0) == 0);
}

int
jail_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	check(fd >= 0);
	return fd;
}

size_t
jail_take(int fd, const uint8_t **p)
{
	off_t n = lseek(fd, 0, SEEK_END);

	*p = n == 0 ? NULL : mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, fd, 0);
	check(*p != MAP_FAILED);
	return (size_t)n;
}

void
jail_empty(int fd, const uint8_t *p, size_t n)
{
	if (n > 0)
		munmap((void *)(uintptr_t)p, n);
	check(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
}

size_t
jail_descriptors(void)
{
	struct pollfd set[256];
	const size_t most = sizeof(set) / sizeof(set[0]);
	size_t n = most;

	for (size_t i = 0; i < most; i++)
		set[i] = (struct pollfd){ (int)i, 0, 0 };
	check(poll(set, most, 0) >= 0);
	for (size_t i = 0; i < most; i++)
		n -= (set[i].revents & POLLNVAL) != 0;
	return n;
}

void
jail_check_notes(const uint8_t *p, size_t n)
{
	check(n == 0 || p[n - 1] == '\n' || n == JAIL_LONGEST);
	for (size_t i = 0; i < n; i++)
		check(p[i] == '\n' || (p[i] >= ' ' && p[i] != 0x7f));
}
