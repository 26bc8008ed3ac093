/*
 * Who is given a recording, and what the audit says of it.
 */
#include "store_fixture.h"

#include "../../src/broker/broker.h"

#include "jumpbox/recordings.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct scene {
	struct fixture *f;
	struct broker b;
	struct config cfg;
	int session; /* the session's end of the pair */
	int dir, writer;
	int64_t row;
};

static int
setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));
	struct session login = fixture_session("bob");
	struct attach a = { .conn = 7,
		.request = 1,
		.marker = "7.1",
		.node_id = 1,
		.node = "one",
		.container_id = "0123456789abcdef",
		.container = "web",
		.kind = "shell",
		.tty = true,
		.recording = "20261126T041500Z-1-1.cast.gz" };
	int pair[2];

	if (fixture_setup((void **)&s->f) != 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) != 0)
		return -1;
	*state = s;
	add_user(s->f, "bob");
	add_user(s->f, "alice");
	if (user_set(s->f->st, &op, "alice", "role", "admin") != 0 ||
	    session_open(s->f->st, &login, 0, 0, &a.session_id) != 0 ||
	    attach_open(s->f->st, &op, &a, &s->row) != 0)
		return -1;
	s->row = a.session_id;
	s->cfg.database = s->f->path;
	s->dir = recordings_open_dir(s->f->path, true);
	s->writer = recording_create(s->dir, a.recording);
	s->session = pair[1];
	s->b = (struct broker){ .cfg = &s->cfg,
		.pair = pair[0],
		.status = -1,
		.state = STATE_AUTHED,
		.user_id = 2,
		.user = "alice" };
	s->b.out_tail = &s->b.out;
	s->b.attached_tail = &s->b.attached;
	return s->writer < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	unlinkat(s->dir, "20261126T041500Z-1-1.cast.gz", 0);
	unlinkat(s->dir, "../recordings", AT_REMOVEDIR);
	if (s->writer >= 0)
		close(s->writer);
	close(s->dir);
	broker_store_close(&s->b);
	close(s->b.pair);
	close(s->session);
	*state = s->f;
	free(s);
	return fixture_teardown(state);
}

/* The answer as "CODE SENTENCE|USER|WHERE", with the descriptor in *fd. */
static const char *
asked(struct scene *s, uint64_t session, uint32_t n, uint32_t watch, int *fd)
{
	static char text[512];
	char why[MAX_REASON + 1], user[64], where[160];
	struct msg m, in;
	uint32_t code;

	msg_init(&m, REQ_REPLAY, 1);
	msg_put_u64(&m, session);
	msg_put_u32(&m, n);
	msg_put_u32(&m, watch);
	msg_init(&in, 0, 0);
	assert_int_equal(msg_load(&in, m.data, m.len), 0);
	assert_null(do_replay(&s->b, &in));
	msg_release(&in);
	msg_release(&m);
	msg_init(&m, 0, 0);
	assert_int_equal(msg_recv(s->session, &m), 0);
	assert_int_equal(m.type, REP_REPLAY);
	code = msg_get_u32(&m);
	msg_get_str(&m, why, sizeof(why));
	msg_get_str(&m, user, sizeof(user));
	msg_get_str(&m, where, sizeof(where));
	msg_get_u64(&m);
	*fd = code == 0 ? msg_take_fd(&m) : -1;
	assert_true(msg_end(&m));
	msg_release(&m);
	snprintf(text, sizeof(text), "%u %s|%s|%s", code, why, user, where);
	return text;
}

static void
an_administrator_is_given_it(void **state)
{
	struct scene *s = *state;
	int fd;

	assert_string_equal(asked(s, 1, 0, 1, &fd), "0 |bob|one/web");
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_true(recording_live(fd));
	close(fd);
	assert_true(s->b.shown);
	assert_string_equal(last_audit(s->f),
	    "session.watch|alice||bob|1|attach=1 recording=20261126T041500Z-1-1.cast.gz");
	close(s->writer);
	s->writer = -1;
	assert_string_equal(
	    asked(s, 1, 0, 1, &fd), "66 nothing of session 1 is being recorded now||");
	assert_string_equal(asked(s, 1, 1, 0, &fd), "0 |bob|one/web");
	close(fd);
	assert_non_null(strstr(last_audit(s->f), "session.replay|"));
	assert_string_equal(asked(s, 1, 2, 0, &fd), "66 session 1 has no recording 2||");
	assert_string_equal(asked(s, 9, 0, 0, &fd), "66 there is no session 9||");
}

static void
nobody_else_is(void **state)
{
	struct scene *s = *state;
	int fd;

	assert_int_equal(user_set(s->f->st, &op, "alice", "role", "user"), 0);
	assert_string_equal(asked(s, 1, 0, 0, &fd), "77 that is for administrators||");
	assert_int_equal(user_set(s->f->st, &op, "alice", "role", "admin"), 0);
	assert_int_equal(user_set_locked(s->f->st, &op, "alice", true), 0);
	assert_string_equal(
	    asked(s, 1, 0, 0, &fd), "77 your account is locked: ask an administrator||");
	assert_false(s->b.shown);
	assert_int_equal(
	    raw_int(s->f, "SELECT count(*) FROM audit WHERE event = 'session.replay'"), 0);
}

static void
no_audit_row_no_recording(void **state)
{
	struct scene *s = *state;
	int fd;

	assert_int_equal(raw(s->f,
			     "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, "
			     "'full'); END"),
	    SQLITE_OK);
	assert_non_null(strstr(asked(s, 1, 0, 0, &fd), "69 the audit record could not be written"));
	assert_int_equal(fd, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_administrator_is_given_it, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_else_is, setup, teardown),
		cmocka_unit_test_setup_teardown(no_audit_row_no_recording, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
