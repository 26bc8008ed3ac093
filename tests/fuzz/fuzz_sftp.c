/*
 * A client's whole conversation with the SFTP server: the first byte says
 * whether it is read-only, the rest is what is sent.  Replies are whole
 * packets, notes whole lines without control characters, and what is
 * read-only stays as it is.
 *
 * The server does what it is told, so it runs in a thread whose root is an
 * empty directory: to be run as root.
 */
#include "fuzz.h"

#include "../../src/helper/sftp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* No file gets longer: what is sparse would be copied for hours. */
enum { LONGEST = 1 << 20 };

static struct {
	char dir[32];
	sem_t begin, done;
	int in, out, notes;
	int root; /* the process's own */
	struct sigaction on_abort;
	bool readonly;
} lab = { .dir = "/tmp/fuzz_sftp.XXXXXX" };

/* ---- the directory ---------------------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	return at->level == 0 ? 0 : remove(path);
}

static void
make_tree(void)
{
	int fd = open("/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	check(fd >= 0 && write(fd, "content", 7) == 7 && close(fd) == 0);
	check(mkdir("/d", 0755) == 0 && symlink("../f", "/d/l") == 0 && link("/f", "/d/h") == 0);
}

static void
check_tree(void)
{
	struct stat st;

	check(stat("/f", &st) == 0 && st.st_size == 7 && st.st_nlink == 2 &&
	    st.st_mode == (S_IFREG | 0644));
	check(lstat("/d/l", &st) == 0 && S_ISLNK(st.st_mode));
	check(stat("/", &st) == 0 && st.st_nlink == 3);
	check(stat("/d", &st) == 0 && st.st_nlink == 2);
}

/* ---- the end of a run ------------------------------------------------- */

void __asan_on_error(void);
void __ubsan_on_report(void);

/* Back where the input that did it can be written. */
static void
leave_dir(void)
{
	if (fchdir(lab.root) < 0 || chroot(".") < 0)
		_exit(1);
}

void
__asan_on_error(void)
{
	leave_dir();
}

void
__ubsan_on_report(void)
{
	leave_dir();
}

static void
on_abort(int sig, siginfo_t *info, void *context)
{
	leave_dir();
	lab.on_abort.sa_sigaction(sig, info, context);
}

/* ---- one conversation ------------------------------------------------- */

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
	check(unshare(CLONE_FS) == 0 && chroot(lab.dir) == 0 && chdir("/") == 0);
	for (;;) {
		wait_for(&lab.begin);
		make_tree();
		sftp_serve(lab.in, lab.out, lab.notes, lab.readonly);
		if (lab.readonly)
			check_tree();
		check(nftw("/", remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
		sem_post(&lab.done);
	}
	return unused;
}

/* What was written to fd, mapped; empties it. */
static size_t
take(int fd, const uint8_t **p)
{
	off_t n = lseek(fd, 0, SEEK_END);

	*p = n == 0 ? NULL : mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, fd, 0);
	check(*p != MAP_FAILED);
	return (size_t)n;
}

static void
empty(int fd, const uint8_t *p, size_t n)
{
	if (n > 0)
		munmap((void *)(uintptr_t)p, n);
	check(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
}

static void
check_replies(const uint8_t *p, size_t n)
{
	size_t at = 0, len;

	while (n - at >= 9) {
		len = (size_t)p[at] << 24 | (size_t)p[at + 1] << 16 | (size_t)p[at + 2] << 8 |
		    p[at + 3];
		check(len >= 5 && len <= PACKET_MAX);
		check(p[at + 4] == FXP_VERSION || p[at + 4] == FXP_EXTENDED_REPLY ||
		    (p[at + 4] >= FXP_STATUS && p[at + 4] <= FXP_ATTRS));
		if (len > n - at - 4)
			break;
		at += 4 + len;
	}
	check(at == n || n == LONGEST);
}

static void
check_notes(const uint8_t *p, size_t n)
{
	check(n == 0 || p[n - 1] == '\n' || n == LONGEST);
	for (size_t i = 0; i < n; i++)
		check(p[i] == '\n' || (p[i] >= ' ' && p[i] != 0x7f));
}

static int
memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	check(fd >= 0);
	return fd;
}

static void
remove_dir(void)
{
	rmdir(lab.dir);
}

static void
begin(void)
{
	struct sigaction abort_action = { .sa_sigaction = on_abort, .sa_flags = SA_SIGINFO };
	pthread_t thread;

	if (mkdtemp(lab.dir) == NULL || geteuid() != 0) {
		fputs("fuzz_sftp: run it as root, which can change its root directory\n", stderr);
		exit(1);
	}
	atexit(remove_dir);
	lab.root = open("/", O_PATH | O_CLOEXEC);
	check(lab.root >= 0 && sigaction(SIGABRT, &abort_action, &lab.on_abort) == 0);
	signal(SIGXFSZ, SIG_IGN);
	getpwuid(0); /* loads what is found from here only */
	lab.in = memory_file("in");
	lab.out = memory_file("out");
	lab.notes = memory_file("notes");
	sem_init(&lab.begin, 0, 0);
	sem_init(&lab.done, 0, 0);
	check(pthread_create(&thread, NULL, serve, NULL) == 0);
}

static void
limit_files(bool on)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = on ? LONGEST : limit.rlim_max;
	check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	const uint8_t *p;
	size_t n;

	if (size == 0)
		return 0;
	if (!begun)
		begin();
	begun = true;
	check(pwrite(lab.in, data + 1, size - 1, 0) == (ssize_t)size - 1);
	lab.readonly = (data[0] & 1) != 0;
	limit_files(true);
	sem_post(&lab.begin);
	wait_for(&lab.done);
	limit_files(false);
	n = take(lab.out, &p);
	check_replies(p, n);
	empty(lab.out, p, n);
	n = take(lab.notes, &p);
	check_notes(p, n);
	empty(lab.notes, p, n);
	empty(lab.in, NULL, 0);
	return 0;
}
