/*
 * jumpbox-helper: the lower half of an SSH server, put into a container and run
 * there as the user who is let in.  It serves the frames of mux.h on standard
 * input and output until its input ends.
 *
 *	jumpbox-helper            the stream
 *	jumpbox-helper sftp [ro]  SFTP alone, as it serves it for a channel
 *	jumpbox-helper copy out PATH, copy in PATH FROM [here]
 *	                          the ends of a copy, the same way
 *	jumpbox-helper version    the version of the frames: does it run here at all?
 *	jumpbox-helper remove     takes itself and the directory made for it away
 */
#include "copy.h"
#include "helper.h"
#include "sftp.h"

#include "jumpbox/util.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile bool stop;

static void
on_signal(int sig)
{
	stop |= sig != SIGCHLD;
}

/* Only while it waits; the loop sees what they left. */
static void
catch_signals(void)
{
	static const int caught[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t blocked;
	size_t i;

	sigemptyset(&blocked);
	for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		sigaddset(&blocked, caught[i]);
		sigaction(caught[i], &sa, NULL);
	}
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int
serve(void)
{
	struct helper h;
	bool ok;

	spawn_close_from(3); /* its own file may be open, from how it was started */
	catch_signals();
	set_nonblock(0, true);
	set_nonblock(1, true);
	helper_init(&h, 0, 1);
	h.stop = &stop;
	ok = helper_serve(&h);
	helper_release(&h);
	return ok ? 0 : -JB_BAD_INPUT;
}

/* The directory goes if nothing else is in it. */
static int
remove_self(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return 1;
	path[n] = '\0';
	if (unlink(path) < 0)
		return 1;
	slash = strrchr(path, '/');
	*slash = '\0';
	rmdir(path);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 1)
		return serve();
	if (strcmp(argv[1], "sftp") == 0)
		return sftp_main(argc - 1, argv + 1);
	if (strcmp(argv[1], "copy") == 0 && argc == 4 && strcmp(argv[2], "out") == 0)
		return copy_out(argv[3]);
	if (strcmp(argv[1], "copy") == 0 && argc >= 5 && strcmp(argv[2], "in") == 0)
		return copy_in(argv[3], argv[4], argc > 5);
	if (strcmp(argv[1], "version") == 0 && argc == 2) {
		printf("%d\n", MUX_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "remove") == 0 && argc == 2)
		return remove_self();
	fprintf(stderr,
	    "usage: jumpbox-helper [sftp [ro] | copy out PATH | copy in PATH FROM [here] | version "
	    "| remove]\n");
	return -JB_USAGE;
}
