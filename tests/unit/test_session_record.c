/*
 * The recording of a terminal: when it is written, what its end is.
 */
#include "../../src/session/record.h"

#include "jumpbox/cast.h"
#include "jumpbox/util.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static int
setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/jumpbox-record-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static struct record *
begun(const struct config *cfg, int64_t now)
{
	static const char head[] = "{\"version\":2,\"width\":80,\"height\":24}\n";
	int fd = open(path, O_WRONLY | O_APPEND);
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(cast_member(&b, head, sizeof(head) - 1), 0);
	assert_int_equal(write(fd, buf_ptr(&b), buf_len(&b)), buf_len(&b));
	buf_release(&b);
	return record_new(fd, cfg, now);
}

static off_t
size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* All events but the first line, as "KIND:TEXT@MS ". */
static const char *
events(void)
{
	static char text[1 << 20];
	struct cast_reader *r = cast_reader_new();
	uint8_t block[CAST_FEED];
	int fd = open(path, O_RDONLY);
	struct cast_event e;
	enum cast_got got;
	size_t at = 0;
	ssize_t n;

	text[0] = '\0';
	while ((got = cast_next(r, &e)) != CAST_BAD) {
		if (got == CAST_EVENT && e.kind != 0)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%c:%.*s@%lld ",
			    e.kind, (int)e.len, e.text, (long long)e.at_ms);
		if (got == CAST_EVENT)
			continue;
		if ((n = read(fd, block, sizeof(block))) <= 0)
			break;
		cast_feed(r, block, (size_t)n);
	}
	assert_int_equal(got, CAST_MORE);
	cast_reader_free(r);
	close(fd);
	return text;
}

static const struct config usual = { .recording_max_size = 1 };

static void
written_in_less_than_a_second(void **state)
{
	struct record *r = begun(&usual, 1000);
	off_t head = size();

	(void)state;
	assert_int_equal(record_deadline(r), 0); /* nobody is woken for nothing */
	record_output(r, 1100, "one", 3);
	record_size(r, 1300, 90, 30);
	record_input(r, 1400, "secret", 6); /* not asked for */
	assert_true(record_deadline(r) > 1100 && record_deadline(r) < 2100);
	assert_int_equal(record_work(r, record_deadline(r) - 1), RECORD_WELL);
	assert_int_equal(size(), head);
	assert_int_equal(record_work(r, record_deadline(r)), RECORD_WELL);
	assert_int_equal(record_deadline(r), 0);
	assert_string_equal(events(), "o:one@100 r:90x30@300 ");
	record_output(r, 9000, "two", 3);
	record_end(r);
	assert_string_equal(events(), "o:one@100 r:90x30@300 o:two@8000 ");
	record_end(NULL);
}

static void
much_does_not_wait(void **state)
{
	struct record *r = begun(&usual, 1000);
	char *much = xcalloc(1, 1 << 20);
	off_t head = size();

	(void)state;
	memset(much, 'x', 1 << 20);
	record_output(r, 1000, much, 1 << 20);
	assert_true(size() > head);
	record_end(r);
	assert_true(strlen(events()) > 1 << 20 || strlen(events()) == (1 << 20) - 1);
	free(much);
}

static void
input_where_it_is_asked_for(void **state)
{
	const struct config cfg = { .recording_max_size = 1, .recording_input = 1 };
	struct record *r = begun(&cfg, 0);

	(void)state;
	record_input(r, 1, "ls\r", 3);
	record_end(r);
	assert_string_equal(events(), "i:ls\r@1 ");
}

/* Noise that does not compress, until the limit: below it, whole, and with a note. */
static void
full(void **state)
{
	struct record *r = begun(&usual, 0);
	char noise[4096];
	int i;

	(void)state;
	srandom(1);
	for (i = 0; i < 1024 && record_work(r, i) == RECORD_WELL; i++) {
		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (char)(' ' + random() % 90);
		record_output(r, i, noise, sizeof(noise));
	}
	assert_int_equal(record_work(r, i), RECORD_FULL);
	assert_int_equal(record_deadline(r), 0);
	assert_true(size() <= 1 << 20 && size() > 700 * 1024);
	record_output(r, i, "more", 4);
	record_size(r, i, 1, 1);
	record_end(r);
	assert_non_null(strstr(events(), "the recording ends here"));
	assert_null(strstr(events(), "more@"));
}

/* The process may not write so much, as on a full disk. */
static void
failed(void **state)
{
	struct rlimit none, usually;
	struct record *r = begun(&usual, 0);

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usually), 0);
	none = usually;
	none.rlim_cur = (rlim_t)size();
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	record_output(r, 1, "x", 1);
	assert_int_equal(record_work(r, 2000), RECORD_FAILED);
	record_end(r);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &usually), 0);
	assert_string_equal(events(), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(written_in_less_than_a_second, setup, teardown),
		cmocka_unit_test_setup_teardown(much_does_not_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(input_where_it_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(full, setup, teardown),
		cmocka_unit_test_setup_teardown(failed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
