/*
 * Starts a shell, a command, SFTP or an end of a copy as a process of its own,
 * as sshd does: a session of its own, with a terminal whose size is set before
 * the program begins, or with three pipes.  jumpbox-helper.
 */
#include "copy.h"
#include "helper.h"
#include "sftp.h"

#include "jumpbox/docker.h"
#include "jumpbox/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	PIECE = 100000, /* bytes of a command in one argument */
	ONE_ARGUMENT = 131071,
	PIECES = MUX_COMMAND_MAX / PIECE + 1,
};

/* A command that is too long for one argument is joined again by the user's shell. */
#define JOIN "_jb_c=; for _jb_a; do _jb_c=$_jb_c$_jb_a; done; set --; eval \"$_jb_c\""

/* The child's and our ends of 0, 1 and 2. */
struct ends {
	int child[3], ours[3];
	char tty[64]; /* "": no terminal */
};

static void
close_all(int fds[3])
{
	int i;

	for (i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

static int
ends_pipes(struct ends *e)
{
	int fd, pair[2];

	for (fd = 0; fd < 3; fd++) {
		if (pipe2(pair, O_CLOEXEC) < 0)
			return -errno;
		e->child[fd] = pair[fd != 0];
		e->ours[fd] = pair[fd == 0];
	}
	return 0;
}

static int
ends_pty(struct ends *e, const struct mux_frame *f)
{
	struct winsize size = { .ws_col = (unsigned short)f->u.exec.cols,
		.ws_row = (unsigned short)f->u.exec.rows };

	if ((e->ours[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
		return -errno;
	if (grantpt(e->ours[0]) < 0 || unlockpt(e->ours[0]) < 0 ||
	    ptsname_r(e->ours[0], e->tty, sizeof(e->tty)) != 0 ||
	    (e->child[0] = open(e->tty, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
	    ioctl(e->ours[0], TIOCSWINSZ, &size) < 0 ||
	    (e->ours[1] = fcntl(e->ours[0], F_DUPFD_CLOEXEC, 0)) < 0 ||
	    (e->child[1] = fcntl(e->child[0], F_DUPFD_CLOEXEC, 0)) < 0 ||
	    (e->child[2] = fcntl(e->child[0], F_DUPFD_CLOEXEC, 0)) < 0)
		return errno != 0 ? -errno : -EIO;
	return 0;
}

void
spawn_signals(void)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool
is_exec(const struct spawn *s)
{
	return s->what->type == MUX_OPEN_EXEC;
}

static void
set_environment(const struct spawn *s, const struct ends *e)
{
	const struct account *a = s->account;
	uint32_t i;

	setenv("HOME", a->home, 1);
	setenv("USER", a->user, 1);
	setenv("LOGNAME", a->user, 1);
	setenv("SHELL", a->shell, 1);
	if (s->marker[0] != '\0')
		setenv(EXEC_MARKER, s->marker, 1);
	if (e->tty[0] != '\0')
		setenv("SSH_TTY", e->tty, 1);
	for (i = 0; is_exec(s) && i < s->what->u.exec.nenv; i++)
		setenv(mux_strdup(s->what->u.exec.env[i].name),
		    mux_strdup(s->what->u.exec.env[i].value), 1);
}

static bool
at_root(void)
{
	char path[sizeof("/")]; /* no other has room */

	return getcwd(path, sizeof(path)) != NULL;
}

static void
go_home(const struct spawn *s)
{
	if (chdir(s->account->home) < 0 && chdir("/") < 0)
		_exit(1);
}

static _Noreturn void
become_shell(const struct spawn *s)
{
	const struct mux_frame *f = s->what;
	const char *shell = s->account->shell, *name = strrchr(shell, '/') + 1;
	static char c_flag[] = "-c", join[] = JOIN;
	char *argv[PIECES + 5] = { NULL }, *login = xasprintf("-%s", name);
	struct mux_str rest = f->u.exec.command, piece;
	int n = 0;

	argv[n++] = f->u.exec.login ? login : login + 1;
	if (f->u.exec.has_command) {
		argv[n++] = c_flag;
		if (rest.n > ONE_ARGUMENT) {
			argv[n++] = join;
			argv[n++] = login + 1;
			for (; rest.n > PIECE; rest.s += PIECE, rest.n -= PIECE) {
				piece = (struct mux_str){ rest.s, PIECE };
				argv[n++] = mux_strdup(piece);
			}
		}
		argv[n++] = mux_strdup(rest);
	}
	/* Where the image names no directory, begin as on any SSH host. */
	if (at_root())
		go_home(s);
	execv(shell, argv);
	n = errno;
	dprintf(2, "%s: %s\n", shell, strerror(n));
	_exit(n == ENOENT ? 127 : 126);
}

/*
 * Old kernels have no close_range, and old engines refuse it on new ones; the
 * limit of a container's descriptors may be a thousand million.
 */
void
spawn_close_from(int first)
{
	struct dirent *e;
	DIR *all;
	int fd;

	if (syscall(SYS_close_range, first, ~0u, 0) == 0)
		return;
	if ((all = opendir("/proc/self/fd")) == NULL) {
		for (fd = first; fd < 4 * CHANS_MAX; fd++)
			close(fd);
		return;
	}
	while ((e = readdir(all)) != NULL)
		if ((fd = atoi(e->d_name)) >= first && fd != dirfd(all))
			close(fd);
	closedir(all);
}

/* Those that are in this program. */
static _Noreturn void
become_ours(const struct spawn *s)
{
	static char sftp[] = "sftp", ro[] = "ro";
	const struct mux_frame *f = s->what;
	char *argv[] = { sftp, f->u.sftp.readonly ? ro : NULL, NULL };

	spawn_close_from(3);
	go_home(s);
	if (f->type == MUX_OPEN_SFTP)
		_exit(sftp_main(f->u.sftp.readonly ? 2 : 1, argv));
	if (f->u.copy.in)
		_exit(copy_in(
		    mux_strdup(f->u.copy.path), mux_strdup(f->u.copy.from), f->u.copy.here));
	_exit(copy_out(mux_strdup(f->u.copy.path)));
}

static _Noreturn void
child(const struct spawn *s, const struct ends *e)
{
	int fd;

	spawn_signals();
	prctl(PR_SET_PDEATHSIG, SIGHUP); /* a helper that is killed hangs up, too */
	setsid();
	if (e->tty[0] != '\0')
		ioctl(e->child[0], TIOCSCTTY, 0);
	/* Never below 3: 0 to 2 are taken in the parent. */
	for (fd = 0; fd < 3; fd++)
		if (dup2(e->child[fd], fd) < 0)
			_exit(126);
	set_environment(s, e);
	if (is_exec(s))
		become_shell(s);
	become_ours(s);
}

int
spawn(struct spawn *s)
{
	struct ends e = { { -1, -1, -1 }, { -1, -1, -1 }, "" };
	bool pty = is_exec(s) && s->what->u.exec.pty;
	int i, r;

	r = pty ? ends_pty(&e, s->what) : ends_pipes(&e);
	for (i = 0; i < 3 && r == 0; i++)
		if (e.ours[i] >= 0)
			r = set_nonblock(e.ours[i], true) < 0 ? -EIO : 0;
	if (r == 0 && (s->pid = fork()) < 0)
		r = -errno;
	if (r == 0 && s->pid == 0)
		child(s, &e);
	close_all(e.child);
	if (r < 0) {
		close_all(e.ours);
		return r;
	}
	s->in = e.ours[0];
	s->out = e.ours[1];
	s->err = e.ours[2];
	return 0;
}
