/*
 * The directory of recordings: names, modes, and the lock that says whether
 * one is still being written.
 */
#include "jumpbox/recordings.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char top[64], database[96];

static int
setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/jumpbox-recordings-XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	snprintf(database, sizeof(database), "%s/jumpbox.db", top);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static void
names_are_told_from_others(void **state)
{
	static const char *const others[] = { "", "x", ".cast.gz", "17-4.cast.gz",
		"20261126T041500Z-17-4.cast", "../20261126T041500Z-17-4.cast.gz",
		"20261126T041500Z-17-4.cast.gz.bak", "20261126T041500Z-a-4.cast.gz",
		"20261126T041500Z-17-44444444444444444444444444444444444444444444444444.cast.gz" };
	char name[RECORDING_NAME];

	(void)state;
	recording_name(name, 1795666500, 17, 4);
	assert_string_equal(name, "20261126T041500Z-17-4.cast.gz");
	assert_true(recording_name_ok(name));
	recording_name(name, 253402300799, INT64_MAX, UINT32_MAX);
	assert_true(recording_name_ok(name));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(recording_name_ok(others[i]));
}

static void
the_path_is_beside_the_database(void **state)
{
	char path[128];

	(void)state;
	assert_string_equal(recordings_path("/a/b/c.db", path, sizeof(path)), "/a/b/recordings");
	assert_string_equal(recordings_path("c.db", path, sizeof(path)), "recordings");
	assert_int_equal(recordings_open_dir(database, false), -1);
	assert_int_equal(errno, ENOENT);
}

static void
made_private_and_only_once(void **state)
{
	int dir = recordings_open_dir(database, true), fd;
	struct stat st;

	(void)state;
	assert_true(dir >= 0);
	assert_int_equal(fstat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	fd = recording_create(dir, "a");
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND);
	assert_int_equal(recording_create(dir, "a"), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(symlinkat("a", dir, "link"), 0);
	assert_int_equal(recording_open(dir, "link"), -1);
	close(fd);
	close(dir);
}

/* Until the last copy is closed, whoever has it and however it ends. */
static void
live_while_somebody_has_it(void **state)
{
	int dir = recordings_open_dir(database, true), fd = recording_create(dir, "a");
	int reader = recording_open(dir, "a"), other, status;
	pid_t pid;

	(void)state;
	assert_true(reader >= 0 && recording_live(reader));
	other = recording_open(dir, "a");
	close(other); /* a reader that goes takes no lock along */
	assert_true(recording_live(reader));
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	close(fd);
	assert_true(recording_live(reader));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(recording_live(reader));
	close(reader);
	close(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_told_from_others),
		cmocka_unit_test_setup_teardown(the_path_is_beside_the_database, setup, teardown),
		cmocka_unit_test_setup_teardown(made_private_and_only_once, setup, teardown),
		cmocka_unit_test_setup_teardown(live_while_somebody_has_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
