/*
 * jumpboxd, the supervisor: accepts connections, counts and limits them, and
 * passes each to a session and a broker.  Runs as root (or the developer) and
 * never reads a client's byte.  This file: the command line, and the order in
 * which everything is started.
 */
#include "jumpbox/config.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "notify.h"
#include "pidfile.h"
#include "run.h"
#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
	const char *config_path;
	bool check, print, foreground;
};

static int
usage(FILE *to, int code)
{
	fprintf(to,
	    "usage: jumpboxd [-DTht] [-f FILE]\n"
	    "  -D       stay in the foreground\n"
	    "  -T       check the configuration and print it as it takes effect\n"
	    "  -f FILE  read FILE instead of " CONFIG_DEFAULT_PATH "\n"
	    "  -h       print this\n"
	    "  -t       check the configuration\n");
	return code;
}

/* -1: go on; otherwise the exit code. */
static int
parse_options(int argc, char *argv[], struct options *o)
{
	int c;

	*o = (struct options){ .config_path = CONFIG_DEFAULT_PATH };
	while ((c = getopt(argc, argv, "DTf:ht")) != -1) {
		switch (c) {
		case 'D':
			o->foreground = true;
			break;
		case 'T':
			o->print = true;
			break;
		case 'f':
			o->config_path = optarg;
			break;
		case 'h':
			return usage(stdout, 0);
		case 't':
			o->check = true;
			break;
		default:
			return usage(stderr, -JB_USAGE);
		}
	}
	return optind == argc ? -1 : usage(stderr, -JB_USAGE);
}

static void
standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO && set_cloexec(fd, false) == 0);
	if (fd >= 0)
		close(fd);
}

/* ---- going to the background ------------------------------------------ */

/*
 * The child returns with a pipe to its parent, who stays until a byte says
 * that connections are served, or ends with the child's exit code.
 */
static int
background(void)
{
	int pipe_fd[2], status = 0;
	pid_t pid;
	char byte;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		fatal(JB_INTERNAL, "going to the background: %s", strerror(errno));
	if (pid == 0) {
		close(pipe_fd[0]);
		setsid();
		return pipe_fd[1];
	}
	close(pipe_fd[1]);
	if (read(pipe_fd[0], &byte, 1) == 1)
		_exit(0);
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : -JB_INTERNAL);
}

/* Standard error stays: it is the log. */
static void
background_done(int parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	write_all(parent, "", 1, -1);
	close(parent);
}

/* ---- the order of things ---------------------------------------------- */

static _Noreturn void
give_up(const struct run *r, int err, const char *why)
{
	pidfile_close(r->config.run_directory, r->lock_fd);
	fatal(err, "%s", why);
}

/*
 * Everything up to the first connection; a failure ends the program with one
 * line.  What changes nothing comes before what makes files.
 */
static void
start(struct run *r, const struct listeners *inherited, int lock_fd)
{
	struct errtext e;
	int err;

	r->open_files = setup_open_files();
	if ((err = setup_directories(&r->config, &e)) < 0 ||
	    (err = pidfile_open(r->config.run_directory, lock_fd, &r->lock_fd, &e)) < 0)
		fatal(err, "%s", e.s);
	if ((err = listeners_open(&r->config, inherited, &r->listeners, &e)) < 0)
		give_up(r, err, e.s);
	r->config_fd = setup_config_fd(&r->config);
	if ((err = setup_prepare(r->config_fd, false, &r->keys_fd, &e)) < 0)
		give_up(r, err, e.s);
	notify_init();
	if ((err = run_start(r)) < 0)
		give_up(r, err, "the roles do not start: see the lines above");
}

static void
serve(struct run *r, bool foreground)
{
	struct listeners inherited;
	int lock_fd, parent = -1;
	bool again = reexec_inherited(&inherited, &lock_fd);

	run_block_signals();
	umask(022);
	if (chdir("/") < 0)
		fatal(JB_INTERNAL, "chdir /: %s", strerror(errno));
	if (!foreground && !again)
		parent = background();
	start(r, &inherited, lock_fd);
	listeners_close(&inherited);
	if (parent >= 0)
		background_done(parent);
	notify_send("READY=1");
	log_info("server.start", F_NUM("port", r->config.port), F_NUM("addresses", r->listeners.n));
	run_serve(r);
	pidfile_close(r->config.run_directory, r->lock_fd);
}

int
main(int argc, char *argv[])
{
	struct run r = { .lock_fd = -1, .config_fd = -1, .keys_fd = -1 };
	struct options o;
	struct errtext e;
	int code;

	standard_fds();
	if ((code = parse_options(argc, argv, &o)) >= 0)
		return code;
	if (config_load(o.config_path, &r.config, &e) < 0 ||
	    reexec_init(&r.reexec, argv[0], o.config_path, o.foreground, &e) < 0 ||
	    ((o.print || o.check) && config_texts_check(&r.config, &e) < 0)) {
		fprintf(stderr, "%s\n", e.s);
		return -JB_CONFIG;
	}
	if (o.print)
		config_print(&r.config, stdout);
	log_init("jumpboxd", r.config.log_level, r.config.log_format);
	if (!o.print && !o.check)
		serve(&r, o.foreground);
	reexec_release(&r.reexec);
	config_release(&r.config);
	return 0;
}
