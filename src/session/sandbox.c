/*
 * What a session may still ask of the kernel: resource limits and a system
 * call filter.  The session zygote builds the filter once; each session takes
 * it on before the first byte of its client.
 *
 * Whatever is not in the table kills the process, and the supervisor then
 * replaces the zygote.  Calls that a library makes on the way and can do
 * without are refused with an error instead.
 */
#include "session.h"

#include "jumpbox/log.h"
#include "jumpbox/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { FILTER_MAX = 4096, MEMORY_MAX = 512 << 20, SPARE_FDS = 80 };

#define CALL(name) SCMP_SYS(name)

/* Whatever the arguments. */
static const int allowed[] = {
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(sendmsg),
	CALL(recvmsg),
	CALL(sendto),
	CALL(recvfrom),
	CALL(poll),
	CALL(ppoll),
	CALL(close),
	CALL(shutdown),
	CALL(getsockopt),
	CALL(getsockname),
	CALL(getpeername),
	CALL(fstat),
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	CALL(futex),
	CALL(sched_yield),
	CALL(clock_gettime),
	CALL(clock_nanosleep),
	CALL(nanosleep),
	CALL(gettimeofday),
	CALL(time),
	CALL(getrandom),
	CALL(getpid),
	CALL(gettid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(exit),
	CALL(exit_group),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigaltstack),
	CALL(setitimer),
	CALL(restart_syscall),
};

/* Asked for by libraries that can do without, or a plain sign of foul play: EPERM. */
static const int refused[] = {
	CALL(open),
	CALL(openat),
	CALL(openat2),
	CALL(creat),
	CALL(lseek),
	CALL(truncate),
	CALL(ftruncate),
	CALL(fallocate),
	CALL(pwrite64),
	CALL(pwritev),
	CALL(pwritev2),
	CALL(copy_file_range),
	CALL(sendfile),
	CALL(splice),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(stat),
	CALL(lstat),
	CALL(statx),
	CALL(readlink),
	CALL(readlinkat),
	CALL(getcwd),
	CALL(getdents64),
	CALL(unlink),
	CALL(unlinkat),
	CALL(rename),
	CALL(mkdir),
	CALL(chdir),
	CALL(chroot),
	CALL(chmod),
	CALL(memfd_create),
	CALL(socket),
	CALL(socketpair),
	CALL(connect),
	CALL(bind),
	CALL(listen),
	CALL(accept),
	CALL(accept4),
	CALL(execve),
	CALL(execveat),
	CALL(fork),
	CALL(vfork),
	CALL(clone),
	CALL(clone3),
	CALL(unshare),
	CALL(setns),
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(pidfd_open),
	CALL(pidfd_getfd),
	CALL(kill),
	CALL(tkill),
	CALL(tgkill),
	CALL(rt_sigqueueinfo),
	CALL(rt_tgsigqueueinfo),
	CALL(pidfd_send_signal),
	CALL(prctl),
	CALL(prlimit64),
	CALL(setrlimit),
	CALL(setuid),
	CALL(setgid),
	CALL(setresuid),
	CALL(setresgid),
	CALL(getppid),
	CALL(sysinfo),
	CALL(uname),
	CALL(sched_getaffinity),
};

/* One argument's value allows the call. */
static const struct {
	int call;
	struct scmp_arg_cmp arg;
} allowed_if[] = {
	{ CALL(mmap), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ CALL(mprotect), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ CALL(ioctl), { 1, SCMP_CMP_EQ, FIONREAD, 0 } },
	{ CALL(newfstatat), { 3, SCMP_CMP_EQ, AT_EMPTY_PATH, 0 } },
	{ CALL(fcntl), { 1, SCMP_CMP_EQ, F_GETFL, 0 } },
	{ CALL(fcntl), { 1, SCMP_CMP_EQ, F_SETFL, 0 } },
	{ CALL(fcntl), { 1, SCMP_CMP_EQ, F_GETFD, 0 } },
	{ CALL(fcntl), { 1, SCMP_CMP_EQ, F_SETFD, 0 } },
	{ CALL(fcntl), { 1, SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0 } },
	{ CALL(fcntl), { 1, SCMP_CMP_EQ, F_OFD_GETLK, 0 } },
};

/* Refused though not a sign of foul play: a look at a file by its path; ncurses' questions to a terminal. */
static const struct {
	int call;
	struct scmp_arg_cmp arg;
	int error;
} refused_if[] = {
	{ CALL(newfstatat), { 3, SCMP_CMP_NE, AT_EMPTY_PATH, 0 }, EPERM },
	{ CALL(ioctl), { 1, SCMP_CMP_EQ, TCGETS, 0 }, ENOTTY },
	{ CALL(ioctl), { 1, SCMP_CMP_EQ, TCSETSW, 0 }, ENOTTY },
	{ CALL(ioctl), { 1, SCMP_CMP_EQ, TIOCGWINSZ, 0 }, ENOTTY },
};

static const struct {
	int level, option;
} socket_options[] = {
	{ SOL_SOCKET, SO_KEEPALIVE },
	{ SOL_SOCKET, SO_SNDBUF },
	{ SOL_SOCKET, SO_RCVBUF },
	{ IPPROTO_TCP, TCP_NODELAY },
	{ IPPROTO_TCP, TCP_QUICKACK },
	{ IPPROTO_TCP, TCP_KEEPIDLE },
	{ IPPROTO_TCP, TCP_KEEPINTVL },
	{ IPPROTO_TCP, TCP_KEEPCNT },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT },
	{ IPPROTO_IP, IP_TOS },
	{ IPPROTO_IPV6, IPV6_TCLASS },
};

static struct sock_filter filter[FILTER_MAX];
static struct sock_fprog program = { 0, filter };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- the filter -------------------------------------------------------- */

static int
add_rule_if(scmp_filter_ctx ctx, uint32_t action, int call, struct scmp_arg_cmp arg)
{
	return seccomp_rule_add_array(ctx, action, call, 1, &arg);
}

static int
add_socket_option(scmp_filter_ctx ctx, int level, int option)
{
	struct scmp_arg_cmp args[] = {
		{ 1, SCMP_CMP_EQ, (scmp_datum_t)level, 0 },
		{ 2, SCMP_CMP_EQ, (scmp_datum_t)option, 0 },
	};

	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, CALL(setsockopt), 2, args);
}

static int
add_rules(scmp_filter_ctx ctx)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < COUNT(allowed); i++)
		rc |= seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
	for (i = 0; i < COUNT(refused); i++)
		rc |= seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0, NULL);
	for (i = 0; i < COUNT(allowed_if); i++)
		rc |= add_rule_if(ctx, SCMP_ACT_ALLOW, allowed_if[i].call, allowed_if[i].arg);
	for (i = 0; i < COUNT(socket_options); i++)
		rc |= add_socket_option(ctx, socket_options[i].level, socket_options[i].option);
	for (i = 0; i < COUNT(refused_if); i++)
		rc |= add_rule_if(ctx, SCMP_ACT_ERRNO((unsigned)refused_if[i].error),
		    refused_if[i].call, refused_if[i].arg);
	return rc;
}

/* libseccomp writes its program to a descriptor: ours is in memory. */
static int
filter_export(scmp_filter_ctx ctx, struct errtext *e)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), rc;
	ssize_t n = -1;

	if (fd < 0)
		return err_set(e, JB_INTERNAL, "sandbox: memfd_create: %s", strerror(errno));
	rc = seccomp_export_bpf(ctx, fd);
	if (rc == 0)
		n = pread(fd, filter, sizeof(filter), 0);
	close(fd);
	if (rc != 0 || n <= 0 || (size_t)n == sizeof(filter) || (size_t)n % sizeof(filter[0]) != 0)
		return err_set(e, JB_INTERNAL, "sandbox: libseccomp gives no filter");
	program.len = (unsigned short)((size_t)n / sizeof(filter[0]));
	return 0;
}

int
sandbox_prepare(struct errtext *e)
{
	scmp_filter_ctx ctx;
	int rc;

	if (SANITIZED) {
		log_warn("session.left_out",
		    F_STR("what", "seccomp, memory and file size limits: a sanitizer needs them"));
		return 0;
	}
	ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL)
		return err_set(e, JB_INTERNAL, "sandbox: libseccomp does not start");
	/* A binary tree: the depth of a few comparisons for each call. */
	if (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0 || add_rules(ctx) != 0)
		rc = err_set(e, JB_INTERNAL, "sandbox: libseccomp refuses a rule");
	else
		rc = filter_export(ctx, e);
	seccomp_release(ctx);
	return rc;
}

/* ---- in the session ---------------------------------------------------- */

static void
limit(int resource, rlim_t max)
{
	struct rlimit r;

	if (getrlimit(resource, &r) != 0)
		fatal(JB_INTERNAL, "sandbox: getrlimit: %s", strerror(errno));
	if (r.rlim_max > max)
		r.rlim_max = max;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(resource, &r) != 0)
		fatal(JB_INTERNAL, "sandbox: setrlimit: %s", strerror(errno));
}

/*
 * A session that has been taken over could write lines of any process into
 * the log.  Last, so that a failure above is still said there; the filter
 * allows these two.
 */
static void
no_log(void)
{
	close(STDERR_FILENO);
	if (fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO) != STDERR_FILENO)
		_exit(-JB_INTERNAL);
}

void
sandbox_enter(const struct config *cfg)
{
	limit(RLIMIT_NOFILE, MAX_ATTACHES + SPARE_FDS);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_MEMLOCK, 0);
	if (SANITIZED)
		return;
	limit(RLIMIT_AS, MEMORY_MAX);
	limit(RLIMIT_FSIZE,
	    (rlim_t)cfg->recording_max_size << 20); /* of a recording; there is no other file */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		fatal(JB_INTERNAL, "sandbox: seccomp: %s", strerror(errno));
	no_log();
}
