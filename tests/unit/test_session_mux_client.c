/*
 * A hostile container against the session: the frames that are due, those
 * that are not, and how much of either is kept.
 */
#include "../../src/session/mux_parts.h"

#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- in place of link.c and timers.c --------------------------------------- */

static uint32_t ids, asked; /* REQ_HELPERs */
static unsigned notes;
enum { LATER = 120000 }; /* ms: whatever is remembered for a while is forgotten */
static char how[64];	 /* of the last DETACH */

uint32_t
link_id(void)
{
	return ++ids;
}

void
link_send(struct msg *m)
{
	asked += m->type == REQ_HELPER;
	notes += m->type == REQ_NOTE;
	if (m->type == REQ_DETACH) {
		msg_get_u32(m);
		msg_get_u64(m);
		msg_get_u64(m);
		msg_get_str(m, how, sizeof(how));
	}
	msg_release(m);
}

void
timers_active(struct conn *c)
{
	(void)c;
}

/* ---- an owner that notes what it is told ------------------------------------- */

struct owner {
	struct mux_chan *mc;
	unsigned opened, failed, closed, eof, accepted;
	uint32_t why, code, exited;
	size_t data, errdata;
};

static void
on_opened(void *arg, uint32_t port, const char *path)
{
	(void)port;
	(void)path;
	((struct owner *)arg)->opened++;
}

static void
on_failed(void *arg, uint32_t why, uint32_t code, const char *text)
{
	struct owner *o = arg;

	(void)text;
	o->failed++;
	o->why = why;
	o->code = code;
}

static void
on_data(void *arg, const void *p, size_t n)
{
	(void)p;
	((struct owner *)arg)->data += n;
}

static void
on_eof(void *arg)
{
	((struct owner *)arg)->eof++;
}

static void
on_exited(void *arg, uint32_t signal, uint32_t code, bool core)
{
	(void)core;
	((struct owner *)arg)->exited = signal != 0 ? 128 + signal : code;
}

static void
on_closed(void *arg, uint32_t code, const char *text)
{
	struct owner *o = arg;

	(void)text;
	o->closed++;
	o->code = code;
}

static const struct mux_events events;

static struct owner taker; /* of what is accepted */

static void
on_accepted(void *arg, struct mux_chan *mc, const char *peer, uint32_t port)
{
	(void)peer;
	(void)port;
	((struct owner *)arg)->accepted++;
	mux_own(mc, &events, &taker);
}

static const struct mux_events events = { on_opened, on_failed, on_data, on_eof, on_exited,
	on_closed, on_accepted, NULL };

static void
on_errdata(void *arg, const void *p, size_t n)
{
	(void)p;
	((struct owner *)arg)->errdata += n;
}

static const struct mux_events process_events = { on_opened, on_failed, on_data, on_eof, on_exited,
	on_closed, NULL, on_errdata };

/* ---- the container --------------------------------------------------------------- */

static struct conn conn;
static struct owner tcp, listener, sftp;
static int peer;
static struct buf from_session;

static void
answer(uint32_t code, uint32_t perms)
{
	struct msg m;
	int pair[2];

	msg_init(&m, REP_HELPER, ids);
	msg_put_u32(&m, code);
	msg_put_str(&m, "");
	msg_put_u32(&m, perms);
	if (code == 0) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		msg_put_fd(&m, pair[0]);
		peer = pair[1];
		set_nonblock(peer, true);
	}
	assert_true(mux_answer(&conn, &m));
	msg_release(&m);
}

static void
work(int64_t later)
{
	struct pollfd set[MUX_STREAMS + 1];
	unsigned n = mux_poll(&conn, set, 1);

	if (n > 0)
		poll(set + 1, n, 0);
	mux_polled(&conn, set);
	while (mux_work(&conn, now_mono_ms() + later))
		;
}

/* In an engine's frame, as standard output has them. */
static void
put_bytes(const void *p, size_t n)
{
	uint8_t head[8] = { 1, 0, 0, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		(uint8_t)n };

	assert_int_equal(write(peer, head, sizeof(head)), sizeof(head));
	assert_int_equal(write(peer, p, n), n);
}

static void
send_bytes(const void *p, size_t n)
{
	put_bytes(p, n);
	work(0);
}

/* It is there, and has not been read. */
static void
have(struct mux_frame f)
{
	struct buf b;

	buf_init(&b, MUX_FRAME_MAX);
	assert_int_equal(mux_put(&b, &f), 0);
	put_bytes(buf_ptr(&b), buf_len(&b));
	buf_release(&b);
}

static void
say(struct mux_frame f)
{
	have(f);
	work(0);
}

static void
say_plain(uint32_t channel, enum mux_type type)
{
	say((struct mux_frame){ .channel = channel, .type = type });
}

static void
say_ready(void)
{
	say((struct mux_frame){ .type = MUX_READY,
	    .u.ready = { MUX_VERSION, 0, 0, mux_str("/"), mux_str(""), mux_str("root") } });
}

static void
say_opened(uint32_t channel)
{
	say((struct mux_frame){
	    .channel = channel, .type = MUX_OPENED, .u.opened = { 80, mux_str("") } });
}

static void
say_data(uint32_t channel, size_t n)
{
	static const char zero[MUX_DATA_MAX];
	size_t piece;

	for (; n > 0; n -= piece) {
		piece = n < sizeof(zero) ? n : sizeof(zero);
		say((struct mux_frame){
		    .channel = channel, .type = MUX_DATA, .u.data.bytes = { zero, piece } });
	}
}

static void
say_accept(uint32_t channel, uint32_t from)
{
	say((struct mux_frame){
	    .channel = channel, .type = MUX_ACCEPT, .u.accept = { from, mux_str("::1"), 9 } });
}

/* What the session says next, 0: nothing. */
static enum mux_type
said(struct mux_frame *f)
{
	ssize_t n;
	long used;

	work(0);
	while ((n = read(peer, buf_reserve(&from_session, 65536), 65536)) > 0)
		buf_commit(&from_session, (size_t)n);
	used = mux_get(buf_ptr(&from_session), buf_len(&from_session), MUX_SESSION, f);
	assert_true(used >= 0);
	if (used == 0)
		return 0;
	buf_consume(&from_session, (size_t)used);
	return f->type;
}

static struct mux_chan *
open_one(struct owner *o, enum mux_type type, uint32_t need, uint64_t ref)
{
	struct mux_frame f = { .type = type };

	if (type != MUX_OPEN_SFTP) {
		f.u.tcp.host = mux_str("localhost");
		f.u.tcp.port = 80;
	}
	return o->mc = mux_open(&conn, ref, need, &f, &events, o);
}

/* Three channels whose frames are out: 1 TCP, 2 a listener, 3 SFTP. */
static void
begin(void)
{
	struct mux_frame f;

	assert_non_null(open_one(&tcp, MUX_OPEN_TCP, PERM_FORWARD, 7));
	answer(0, PERM_FORWARD | PERM_FILES);
	assert_non_null(open_one(&listener, MUX_LISTEN_TCP, PERM_FORWARD, 7));
	assert_non_null(open_one(&sftp, MUX_OPEN_SFTP, PERM_FILES, 7));
	assert_int_equal(asked, 1);
	assert_int_equal(said(&f), MUX_OPEN_TCP);
	assert_int_equal(said(&f), MUX_LISTEN_TCP);
	assert_int_equal(said(&f), MUX_OPEN_SFTP);
	assert_int_equal(said(&f), 0);
}

static void
begin_open(void)
{
	begin();
	say_ready();
	say_opened(1);
	say_opened(2);
	say_opened(3);
	assert_true(tcp.opened == 1 && listener.opened == 1 && sftp.opened == 1);
}

static int
setup(void **state)
{
	(void)state;
	memset(&conn, 0, sizeof(conn));
	memset(&tcp, 0, sizeof(tcp));
	memset(&listener, 0, sizeof(listener));
	memset(&sftp, 0, sizeof(sftp));
	memset(&taker, 0, sizeof(taker));
	buf_init(&from_session, 64 << 20);
	asked = notes = 0;
	how[0] = '\0';
	peer = -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (peer >= 0)
		close(peer);
	mux_release_all(&conn, "ended");
	work(LATER);
	assert_null(conn.muxes);
	buf_release(&from_session);
	return 0;
}

/* ---- what is due -------------------------------------------------------------------- */

static void
test_a_channels_life(void **state)
{
	struct mux_frame f;

	(void)state;
	begin_open();
	say_data(1, 70000);
	assert_int_equal(tcp.data, 70000);
	mux_grant(tcp.mc, 70000);
	assert_int_equal(said(&f), MUX_WINDOW);
	assert_int_equal(f.u.window.more, 70000);
	assert_int_equal(mux_send(tcp.mc, "abc", 3), 3);
	mux_eof(tcp.mc);
	assert_int_equal(said(&f), MUX_DATA);
	assert_int_equal(said(&f), MUX_EOF);
	say_plain(1, MUX_EOF);
	assert_int_equal(tcp.eof, 1);
	say_plain(1, MUX_CLOSE);
	assert_int_equal(tcp.closed, 1);
	assert_int_equal(tcp.code, 0);
	assert_int_equal(said(&f), MUX_CLOSE);
	assert_int_equal(said(&f), 0);
}

static void
test_what_waited_for_the_stream_goes_in_its_order(void **state)
{
	struct mux_frame f;

	(void)state;
	assert_non_null(open_one(&listener, MUX_LISTEN_TCP, PERM_FORWARD, 7));
	assert_non_null(open_one(&tcp, MUX_OPEN_TCP, PERM_FORWARD, 7));
	answer(0, PERM_FORWARD);
	assert_int_equal(said(&f), MUX_LISTEN_TCP);
	assert_int_equal(said(&f), MUX_OPEN_TCP);
}

static void
test_what_is_sent_stays_within_the_window(void **state)
{
	static const char zero[MUX_DATA_MAX];
	size_t n, sum = 0;
	struct mux_frame f;

	(void)state;
	begin_open();
	while ((n = mux_send(tcp.mc, zero, sizeof(zero))) > 0) {
		sum += n;
		while (said(&f) != 0)
			;
	}
	assert_int_equal(sum, MUX_WINDOW_START);
	say((struct mux_frame){ .channel = 1, .type = MUX_WINDOW, .u.window.more = 5 });
	assert_int_equal(mux_send(tcp.mc, zero, sizeof(zero)), 5);
}

static void
test_connections_are_taken(void **state)
{
	struct mux_frame f;

	(void)state;
	begin_open();
	say_accept(MUX_TOP_BIT | 1, 2);
	assert_int_equal(listener.accepted, 1);
	say_data(MUX_TOP_BIT | 1, 3);
	assert_int_equal(taker.data, 3);
	mux_close(listener.mc);
	assert_int_equal(said(&f), MUX_CLOSE);
	say_accept(MUX_TOP_BIT | 2, 2); /* it was under way */
	assert_int_equal(listener.accepted, 1);
	assert_int_equal(said(&f), MUX_CLOSE);
	assert_int_equal(f.channel, MUX_TOP_BIT | 2);
	assert_int_equal(how[0], '\0');
}

static void
test_a_connection_too_many_for_the_client_is_closed(void **state)
{
	struct mux_frame f;

	(void)state;
	begin_open();
	conn.nchannels = MAX_ATTACHES;
	say_accept(MUX_TOP_BIT | 1, 2);
	assert_int_equal(listener.accepted, 0);
	assert_int_equal(said(&f), MUX_CLOSE);
}

static void
test_a_close_before_the_answer_follows_it(void **state)
{
	struct mux_frame f;

	(void)state;
	begin();
	mux_close(tcp.mc);
	assert_int_equal(said(&f), 0);
	say_ready();
	say_opened(1);
	assert_int_equal(tcp.opened, 0);
	assert_int_equal(said(&f), MUX_CLOSE);
	say_data(1, 10); /* nobody's */
	say_plain(1, MUX_CLOSE);
	assert_int_equal(said(&f), 0);
	assert_int_equal(how[0], '\0');
}

/* ---- processes -------------------------------------------------------------------------- */

static struct mux_chan *
open_process(struct owner *o, uint32_t stream)
{
	struct mux_frame f = { .type = MUX_OPEN_EXEC };

	f.u.exec.command = mux_str("");
	return o->mc = mux_open_process(&conn, stream, PERM_SHELL, &f, &process_events, o);
}

static void
test_a_processs_life(void **state)
{
	uint32_t stream = mux_for_process(&conn, 7, PERM_SHELL);
	struct mux_frame f;

	(void)state;
	assert_int_equal(
	    mux_for_process(&conn, 7, PERM_EXEC), stream); /* it may do for that, too */
	assert_int_equal(asked, 1);
	answer(0, PERM_SHELL);
	assert_int_equal(mux_for_process(&conn, 7, PERM_SHELL), stream);
	assert_non_null(open_process(&tcp, stream));
	assert_int_equal(said(&f), MUX_OPEN_EXEC);
	assert_false(mux_resize(tcp.mc, 80, 24));
	assert_false(mux_signal(tcp.mc, "TERM"));
	assert_false(mux_eof(tcp.mc));
	assert_int_equal(said(&f), 0);
	say_ready();
	say_opened(1);
	assert_true(mux_resize(tcp.mc, 80, 24));
	assert_int_equal(said(&f), MUX_RESIZE);
	assert_true(mux_signal(tcp.mc, "TERM"));
	assert_int_equal(said(&f), MUX_SIGNAL);
	assert_true(mux_eof(tcp.mc));
	assert_int_equal(said(&f), MUX_EOF);
	say((struct mux_frame){
	    .channel = 1, .type = MUX_ERRDATA, .u.data.bytes = mux_str("err") });
	assert_int_equal(tcp.errdata, 3);
	assert_int_equal(tcp.data, 0);
	say((struct mux_frame){ .channel = 1, .type = MUX_EXIT, .u.exit = { 0, 7, 0 } });
	assert_int_equal(tcp.exited, 7);
	assert_int_not_equal(mux_for_process(&conn, 7, PERM_EXEC), stream); /* not in its mask */
	assert_int_equal(asked, 2);
}

static void
test_where_there_is_none_it_is_not_asked_for_again_and_again(void **state)
{
	(void)state;
	assert_int_not_equal(mux_for_process(&conn, 7, PERM_SHELL), 0);
	answer((uint32_t)-JB_UNAVAILABLE, 0);
	work(0);
	assert_int_equal(mux_for_process(&conn, 7, PERM_SHELL), 0);
	assert_int_equal(asked, 1);
	assert_int_not_equal(mux_for_process(&conn, 8, PERM_SHELL), 0); /* another container */
	assert_int_not_equal(mux_for_process(&conn, 7, PERM_EXEC), 0);	/* another user, perhaps */
	assert_int_equal(asked, 3);
	work(LATER);
	assert_int_not_equal(mux_for_process(&conn, 7, PERM_SHELL), 0);
}

static void
test_where_there_is_no_shell_there_is_no_process(void **state)
{
	uint32_t stream = mux_for_process(&conn, 7, PERM_SHELL);

	(void)state;
	answer(0, PERM_SHELL | PERM_EXEC);
	assert_non_null(open_process(&tcp, stream));
	say_ready();
	say((struct mux_frame){
	    .channel = 1, .type = MUX_FAILED, .u.failed = { MUX_WHY_NO_SHELL, mux_str("") } });
	assert_int_equal(tcp.failed, 1);
	assert_int_equal(mux_for_process(&conn, 7, PERM_SHELL), 0);
	assert_int_equal(mux_for_process(&conn, 7, PERM_EXEC), 0);
	assert_null(open_process(&tcp, stream + 1000));
}

static void
test_notes_are_of_sftp(void **state)
{
	(void)state;
	begin_open();
	say((struct mux_frame){
	    .channel = 3, .type = MUX_NOTE, .u.text.text = mux_str("close path=\"/x\"") });
	assert_int_equal(notes, 1);
	say((struct mux_frame){ .channel = 3, .type = MUX_EXIT, .u.exit = { 15, 0, 0 } });
	assert_int_equal(sftp.exited, 128 + 15);
}

/* How the connection ended is known before. */
static void
test_the_last_notes_are_heard(void **state)
{
	int64_t began;

	(void)state;
	begin_open();
	have((struct mux_frame){
	    .channel = 3, .type = MUX_NOTE, .u.text.text = mux_str("remove path=\"/x\"") });
	have((struct mux_frame){ .channel = 3, .type = MUX_CLOSE });
	began = now_mono_ms();
	mux_release_all(&conn, "lost");
	assert_int_equal(notes, 1);
	assert_string_equal(how, "lost");
	assert_true(now_mono_ms() - began < 500);
}

/* Nor is it waited for without end. */
static void
test_who_says_no_more_of_files_is_given_up(void **state)
{
	int64_t began = now_mono_ms();

	(void)state;
	begin_open();
	mux_release_all(&conn, "lost");
	assert_string_equal(how, "lost");
	assert_true(now_mono_ms() - began < 5000);
}

static void
test_a_refused_helper(void **state)
{
	(void)state;
	open_one(&tcp, MUX_OPEN_TCP, PERM_FORWARD, 7);
	answer((uint32_t)-JB_DENIED, 0);
	assert_int_equal(tcp.failed, 1);
	assert_int_equal(tcp.why, 0);
	assert_int_equal(tcp.code, -JB_DENIED);
	assert_int_equal(how[0], '\0'); /* the broker knows */
}

/* For a while, of that container and that permission; not what failed otherwise, and each once. */
static void
test_what_was_refused_is_remembered(void **state)
{
	(void)state;
	assert_false(mux_refused(&conn, 7, PERM_FILES));
	open_one(&sftp, MUX_OPEN_SFTP, PERM_FILES, 7);
	assert_false(mux_refused(&conn, 7, PERM_FILES));
	answer((uint32_t)-JB_DENIED, 0);
	work(0);
	assert_true(mux_refused(&conn, 7, PERM_FILES));
	assert_false(mux_refused(&conn, 7, PERM_FORWARD));
	assert_false(mux_refused(&conn, 8, PERM_FILES));
	open_one(&tcp, MUX_OPEN_TCP, PERM_FORWARD, 7);
	answer((uint32_t)-JB_UNAVAILABLE, 0);
	assert_false(mux_refused(&conn, 7, PERM_FORWARD));
	for (int i = 0; i < 3; i++) { /* whoever asks none the less is answered */
		open_one(&sftp, MUX_OPEN_SFTP, PERM_FILES, 7);
		answer((uint32_t)-JB_DENIED, 0);
		work(0);
	}
	assert_int_equal(sftp.failed, 4);
	assert_non_null(conn.muxes->next);
	assert_null(conn.muxes->next->next);
	work(LATER);
	assert_false(mux_refused(&conn, 7, PERM_FILES));
}

/* For who can do without; as long as there is none. */
static void
test_what_could_not_be_had_is_remembered(void **state)
{
	(void)state;
	open_one(&tcp, MUX_OPEN_TCP, PERM_FORWARD, 7);
	assert_false(mux_none(&conn, 7, PERM_FORWARD));
	answer((uint32_t)-JB_UNAVAILABLE, 0);
	work(0);
	assert_true(mux_none(&conn, 7, PERM_FORWARD));
	assert_false(mux_none(&conn, 7, PERM_FILES));
	assert_false(mux_none(&conn, 8, PERM_FORWARD));
	open_one(&tcp, MUX_OPEN_TCP, PERM_FORWARD, 7);
	assert_int_equal(asked, 2);
	answer(0, PERM_FORWARD);
	assert_false(mux_none(&conn, 7, PERM_FORWARD));
	close(peer);
	peer = -1;
	work(0);
	assert_true(mux_none(&conn, 7, PERM_FORWARD)); /* it said not a word */
	work(LATER);
	assert_false(mux_none(&conn, 7, PERM_FORWARD));
}

/* A stream that may not do it is not asked to. */
static void
test_each_permission_has_its_stream(void **state)
{
	(void)state;
	open_one(&tcp, MUX_OPEN_TCP, PERM_FORWARD, 7);
	answer(0, PERM_FORWARD);
	open_one(&sftp, MUX_OPEN_SFTP, PERM_FILES, 7);
	assert_int_equal(asked, 2);
	open_one(&listener, MUX_LISTEN_TCP, PERM_FORWARD, 8); /* another container */
	assert_int_equal(asked, 3);
	close(peer);
	peer = -1;
}

/* ---- time ------------------------------------------------------------------------------ */

static void
test_who_is_never_ready_is_given_up(void **state)
{
	(void)state;
	begin();
	work(9000);
	assert_int_equal(tcp.failed, 0);
	work(11000);
	assert_true(tcp.failed == 1 && listener.failed == 1 && sftp.failed == 1);
	assert_string_equal(how, "silent");
}

static void
test_who_never_answers_is_not_waited_for(void **state)
{
	struct mux_frame f;

	(void)state;
	begin();
	say_ready();
	say_opened(2);
	assert_true(mux_deadline(&conn) != 0);
	work(40000);
	assert_int_equal(tcp.failed, 0);
	work(50000);
	assert_int_equal(tcp.failed, 1);
	assert_int_equal(tcp.why, MUX_WHY_TIMED_OUT);
	assert_int_equal(sftp.failed, 1);
	assert_true(listener.failed == 0 && listener.closed == 0); /* the stream goes on */
	assert_int_equal(mux_deadline(&conn), 0);
	say_opened(1); /* late */
	assert_int_equal(tcp.opened, 0);
	assert_int_equal(said(&f), MUX_CLOSE);
	assert_int_equal(f.channel, 1);
}

/* ---- how much ----------------------------------------------------------------------------- */

static void
test_who_takes_nothing_ends_its_own_stream(void **state)
{
	static const char zero[MUX_DATA_MAX];
	struct owner many[MAX_ATTACHES] = { 0 };
	unsigned i = 0;
	size_t sum = 0, n;

	(void)state;
	begin_open();
	say((struct mux_frame){ .channel = 1, .type = MUX_WINDOW, .u.window.more = 1 << 29 });
	while ((n = mux_send(tcp.mc, zero, sizeof(zero))) > 0) {
		sum += n;
		work(0);
	}
	assert_true(sum < 1 << 20); /* what waits here and in the socket */
	while (i < MAX_ATTACHES && open_one(&many[i], MUX_OPEN_TCP, PERM_FORWARD, 7) != NULL)
		i++;
	assert_in_range(
	    i, MAX_ATTACHES - 3, MAX_ATTACHES - 3); /* channels, not memory, are the bound */
	mux_release_all(&conn, "ended");
}

static void
test_idle_streams_make_room(void **state)
{
	struct owner o[MUX_STREAMS + 2] = { 0 };
	int peers[MUX_STREAMS];
	unsigned i;

	(void)state;
	for (i = 0; i < MUX_STREAMS; i++) {
		assert_non_null(open_one(&o[i], MUX_OPEN_TCP, PERM_FORWARD, 100 + i));
		answer(0, PERM_FORWARD);
		peers[i] = peer;
	}
	work(0);
	assert_null(open_one(&o[i], MUX_OPEN_TCP, PERM_FORWARD, 999)); /* all are in use */
	peer = peers[3];
	say_ready();
	say((struct mux_frame){
	    .channel = 1, .type = MUX_FAILED, .u.failed = { MUX_WHY_REFUSED, mux_str("no") } });
	assert_int_equal(o[3].failed, 1);
	assert_non_null(open_one(&o[i], MUX_OPEN_TCP, PERM_FORWARD, 999));
	assert_string_equal(how, "idle");
	work(0);
	assert_null(open_one(&o[i + 1], MUX_OPEN_TCP, PERM_FORWARD, 998));
	for (i = 0; i < MUX_STREAMS; i++)
		close(peers[i]);
	peer = -1;
	mux_release_all(&conn, "ended");
}

static struct owner again;

static void
on_failed_again(void *arg, uint32_t why, uint32_t code, const char *text)
{
	on_failed(arg, why, code, text);
	assert_non_null(open_one(&again, MUX_OPEN_TCP, PERM_FORWARD, 7));
}

/* A shell without its helper asks for an agent's socket, a copy for its other end. */
static void
test_who_is_told_of_an_end_asks_for_another(void **state)
{
	static const struct mux_events asks_again = { .failed = on_failed_again };
	struct mux_frame f = { .type = MUX_OPEN_TCP, .u.tcp = { mux_str("localhost"), 80 } };

	(void)state;
	memset(&again, 0, sizeof(again));
	assert_non_null(mux_open(&conn, 7, PERM_FORWARD, &f, &asks_again, &tcp));
	answer(0, PERM_FORWARD);
	close(peer);
	work(0);
	assert_int_equal(tcp.failed, 1);
	assert_int_equal(asked, 2);
	answer(0, PERM_FORWARD);
	say_ready();
	say_opened(1);
	assert_int_equal(again.opened, 1);
}

/* ---- what is not due -------------------------------------------------------------------------- */

static void
test_before_ready(void **state)
{
	(void)state;
	begin();
	say_opened(1);
	assert_string_equal(how, "hostile");
	assert_int_equal(tcp.failed, 1);
	assert_true(tcp.code != 0 && tcp.opened == 0);
}

static void
test_another_version(void **state)
{
	(void)state;
	begin();
	say((struct mux_frame){ .type = MUX_READY,
	    .u.ready = { MUX_VERSION + 1, 0, 0, mux_str("/"), mux_str(""), mux_str("root") } });
	assert_string_equal(how, "hostile");
}

static void
test_early_data(void **state)
{
	(void)state;
	begin();
	say_ready();
	say_data(1, 1);
	assert_string_equal(how, "hostile");
}

static void
test_early_accept(void **state)
{
	(void)state;
	begin();
	say_ready();
	say_accept(MUX_TOP_BIT | 1, 2);
	assert_string_equal(how, "hostile");
}

static void
ready_twice(void)
{
	say_ready();
}

static void
opened_twice(void)
{
	say_opened(1);
}

static void
opened_of_nothing(void)
{
	say_opened(9);
}

static void
failed_when_open(void)
{
	say((struct mux_frame){
	    .channel = 1, .type = MUX_FAILED, .u.failed = { MUX_WHY_REFUSED, mux_str("") } });
}

static void
data_of_nothing(void)
{
	say_data(9, 1);
}

static void
data_over_the_window(void)
{
	say_data(1, MUX_WINDOW_START + 1);
}

static void
data_after_eof(void)
{
	say_plain(1, MUX_EOF);
	say_data(1, 1);
}

static void
eof_twice(void)
{
	say_plain(1, MUX_EOF);
	say_plain(1, MUX_EOF);
}

static void
data_of_a_listener(void)
{
	say_data(2, 1);
}

static void
eof_of_a_listener(void)
{
	say_plain(2, MUX_EOF);
}

static void
window_of_a_listener(void)
{
	say((struct mux_frame){ .channel = 2, .type = MUX_WINDOW, .u.window.more = 1 });
}

static void
window_too_large(void)
{
	say((struct mux_frame){
	    .channel = 1, .type = MUX_WINDOW, .u.window.more = MUX_WINDOW_MAX });
}

static void
note_of_a_connection(void)
{
	say((struct mux_frame){ .channel = 1, .type = MUX_NOTE, .u.text.text = mux_str("x") });
}

static void
exit_of_a_connection(void)
{
	say((struct mux_frame){ .channel = 1, .type = MUX_EXIT });
}

static void
exit_twice(void)
{
	say((struct mux_frame){ .channel = 3, .type = MUX_EXIT });
	say((struct mux_frame){ .channel = 3, .type = MUX_EXIT });
}

static void
accept_from_no_listener(void)
{
	say_accept(MUX_TOP_BIT | 1, 1);
}

static void
accept_from_nothing(void)
{
	say_accept(MUX_TOP_BIT | 1, 9);
}

static void
accept_of_one_that_is_there(void)
{
	say_accept(MUX_TOP_BIT | 1, 2);
	say_accept(MUX_TOP_BIT | 1, 2);
}

static void
accept_without_end(void)
{
	uint32_t i;

	conn.nchannels = MAX_ATTACHES;
	for (i = 0; i < 3 * MAX_ATTACHES && how[0] == '\0'; i++)
		say_accept(MUX_TOP_BIT | (i + 1), 2);
	assert_true(i < 2 * MAX_ATTACHES + 10);
}

static void
close_twice(void)
{
	say_plain(1, MUX_CLOSE);
	say_plain(1, MUX_CLOSE);
}

static void
close_of_nothing(void)
{
	say_plain(9, MUX_CLOSE);
}

static void
errdata_of_a_connection(void)
{
	say((struct mux_frame){ .channel = 1, .type = MUX_ERRDATA, .u.data.bytes = { "x", 1 } });
}

static void
a_frame_of_the_sessions(void)
{
	say((struct mux_frame){ .channel = 1, .type = MUX_RESIZE, .u.size = { 80, 24 } });
}

static void
a_type_of_no_name(void)
{
	send_bytes("\0\0\0\1\xff\0\0\0", 8);
}

static void
a_length_beyond_all(void)
{
	send_bytes("\0\0\0\1\x0d\xff\xff\xff", 8);
}

static void
no_frame_of_the_engines(void)
{
	assert_int_equal(write(peer, "\7\0\0\0\0\0\0\1x", 9), 9);
	work(0);
}

#define BAD(f)        \
	{             \
#f, f \
	}
static const struct {
	const char *name;
	void (*say)(void);
} bad[] = {
	BAD(ready_twice),
	BAD(opened_twice),
	BAD(opened_of_nothing),
	BAD(failed_when_open),
	BAD(data_of_nothing),
	BAD(data_over_the_window),
	BAD(data_after_eof),
	BAD(eof_twice),
	BAD(data_of_a_listener),
	BAD(eof_of_a_listener),
	BAD(window_of_a_listener),
	BAD(window_too_large),
	BAD(note_of_a_connection),
	BAD(exit_of_a_connection),
	BAD(exit_twice),
	BAD(accept_from_no_listener),
	BAD(accept_from_nothing),
	BAD(accept_of_one_that_is_there),
	BAD(accept_without_end),
	BAD(close_twice),
	BAD(close_of_nothing),
	BAD(errdata_of_a_connection),
	BAD(a_frame_of_the_sessions),
	BAD(a_type_of_no_name),
	BAD(a_length_beyond_all),
	BAD(no_frame_of_the_engines),
};

static void
test_bad_frames_end_the_stream(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setup(state);
		begin_open();
		bad[i].say();
		if (strcmp(how, "hostile") != 0)
			fail_msg("%s: \"%s\"", bad[i].name, how);
		assert_int_equal(listener.closed, 1);
		assert_true(listener.code != 0);
		work(0);
		assert_null(conn.muxes);
		close(peer);
		peer = -1;
		buf_release(&from_session);
	}
	setup(state);
}

static void
withdrawn(void)
{
	assert_true(mux_detached(&conn, conn.muxes->request, 1, "withdrawn"));
}

static void
gone(void)
{
	mux_work(&conn, now_mono_ms());
}

static void
cut(void)
{
	mux_release_all(&conn, "lost");
}

/* Also where there is something to be written, which tells of the end first. */
static void
test_what_was_said_before_the_end_is_heard(void **state)
{
	static void (*const ends[])(void) = { withdrawn, gone, cut };
	const struct mux_frame note = {
		.channel = 3, .type = MUX_NOTE, .u.text.text = mux_str("remove path=\"/x\"")
	};

	for (size_t i = 0; i < 2 * sizeof(ends) / sizeof(ends[0]); i++) {
		setup(state);
		begin_open();
		if (i % 2 != 0)
			assert_int_equal(mux_send(sftp.mc, "abc", 3), 3);
		have(note);
		shutdown(conn.muxes->fd, SHUT_RDWR);
		conn.muxes->readable = i % 2 == 0;
		mux_work(&conn, now_mono_ms());
		ends[i / 2]();
		assert_int_equal(notes, 1);
		teardown(state);
	}
	setup(state);
}

static void
test_nothing_new_goes_to_a_stream_that_has_ended(void **state)
{
	struct mux_frame first = { .type = MUX_OPEN_SFTP };
	struct owner o = { 0 }, process = { 0 };
	unsigned before;

	(void)state;
	begin_open();
	shutdown(peer, SHUT_RDWR);
	conn.muxes->readable = true;
	mux_work(&conn, now_mono_ms());
	assert_null(open_process(&process, conn.muxes->request));
	before = asked;
	o.mc = mux_open(&conn, conn.muxes->ref, PERM_FILES, &first, &events, &o);
	assert_non_null(o.mc);
	mux_work(&conn, now_mono_ms());
	assert_int_equal(asked, before + 1);
	assert_int_equal(o.failed, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_channels_life),
		TEST(test_what_waited_for_the_stream_goes_in_its_order),
		TEST(test_what_is_sent_stays_within_the_window),
		TEST(test_connections_are_taken),
		TEST(test_a_connection_too_many_for_the_client_is_closed),
		TEST(test_a_close_before_the_answer_follows_it),
		TEST(test_a_processs_life),
		TEST(test_where_there_is_none_it_is_not_asked_for_again_and_again),
		TEST(test_where_there_is_no_shell_there_is_no_process),
		TEST(test_notes_are_of_sftp),
		TEST(test_the_last_notes_are_heard),
		TEST(test_who_says_no_more_of_files_is_given_up),
		TEST(test_a_refused_helper),
		TEST(test_what_was_refused_is_remembered),
		TEST(test_what_could_not_be_had_is_remembered),
		TEST(test_each_permission_has_its_stream),
		TEST(test_who_is_never_ready_is_given_up),
		TEST(test_who_never_answers_is_not_waited_for),
		TEST(test_who_takes_nothing_ends_its_own_stream),
		TEST(test_idle_streams_make_room),
		TEST(test_who_is_told_of_an_end_asks_for_another),
		TEST(test_before_ready),
		TEST(test_another_version),
		TEST(test_early_data),
		TEST(test_early_accept),
		TEST(test_bad_frames_end_the_stream),
		TEST(test_what_was_said_before_the_end_is_heard),
		TEST(test_nothing_new_goes_to_a_stream_that_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
