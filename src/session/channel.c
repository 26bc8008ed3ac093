/*
 * The life of one channel: requests, our own words, flushing, the end.
 * jumpbox-session.
 */
#include "conn.h"
#include "packets.h"
#include "task.h"

#include "jumpbox/client.h"
#include "jumpbox/log.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <libssh/server.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TYPED_MAX = 32768 };

/* ---- what libssh calls -------------------------------------------------- */

static int
on_data(ssh_session ssh, ssh_channel sc, void *data, uint32_t len, int is_stderr, void *arg)
{
	struct channel *ch = arg;

	(void)ssh;
	(void)sc;
	if (is_stderr || ch->state >= CH_ENDING)
		return (int)len; /* nobody reads it */
	timers_active(ch->conn);
	if (len > IN_MAX) {
		ch->conn->flooded = true;
		return (int)len;
	}
	/* What is typed is seen as it comes, or a Ctrl-C behind it would not be. */
	if (ch->held || (buf_len(&ch->in) > 0 && buf_len(&ch->in) + len > TYPED_MAX)) {
		/* All or nothing: libssh keeps it, and the client's window stays shut. */
		ch->held = true;
		return 0;
	}
	buf_add(&ch->in, data, len);
	return (int)len;
}

static void
on_eof(ssh_session ssh, ssh_channel sc, void *arg)
{
	struct channel *ch = arg;

	(void)ssh;
	(void)sc;
	ch->in_eof = true;
}

static void
on_close(ssh_session ssh, ssh_channel sc, void *arg)
{
	struct channel *ch = arg;

	(void)ssh;
	(void)sc;
	ch->in_eof = ch->closed = true;
}

static void
on_signal(ssh_session ssh, ssh_channel sc, const char *name, void *arg)
{
	(void)ssh;
	(void)sc;
	if (strcmp(name, PACKETS_UNREAD) == 0)
		relay_unread(arg);
	else
		relay_signal(arg, name);
}

static void
on_agent(ssh_session ssh, ssh_channel sc, void *arg)
{
	struct channel *ch = arg;

	(void)ssh;
	(void)sc;
	ch->agent = true;
}

struct channel *
chan_new(struct conn *c, ssh_channel ssh)
{
	struct channel *ch = xcalloc(1, sizeof(*ch));

	ch->conn = c;
	ch->ssh = ssh;
	ch->fd = -1;
	ch->cols = DEFAULT_COLS;
	ch->rows = DEFAULT_ROWS;
	buf_init(&ch->in, IN_MAX);
	buf_init(&ch->say, SAY_MAX);
	buf_init(&ch->raw, RAW_MAX);
	ui_model_init(&ch->model);
	ch->callbacks.userdata = ch;
	ch->callbacks.channel_data_function = on_data;
	ch->callbacks.channel_eof_function = on_eof;
	ch->callbacks.channel_close_function = on_close;
	ch->callbacks.channel_signal_function = on_signal;
	ch->callbacks.channel_auth_agent_req_function = on_agent;
	ssh_callbacks_init(&ch->callbacks);
	ssh_set_channel_callbacks(ssh, &ch->callbacks);
	ch->next = c->channels;
	c->channels = ch;
	c->nchannels++;
	timers_active(c);
	return ch;
}

/* Everything that a channel which says and hears nothing more can do without. */
static void
slim(struct channel *ch)
{
	if (ch->conn->renewing == ch)
		ch->conn->renewing = NULL;
	if (ch->conn->enrolling == ch)
		ch->conn->enrolling = NULL;
	buf_release(&ch->in);
	buf_release(&ch->say);
	buf_release(&ch->raw);
	ch->slice = 0;
	menu_full_free(ch);
	menu_plain_free(ch);
	list_end(ch);
	ui_model_release(&ch->model);
	wipe(&ch->line, sizeof(ch->line));
	for (unsigned i = 0; i < ch->nenv; i++) {
		free(ch->env[i].name);
		free(ch->env[i].value);
	}
	ch->nenv = 0;
	free(ch->command);
	free(ch->run_as);
	free(ch->shell);
	ch->command = ch->run_as = ch->shell = NULL;
	front_forget(ch);
	command_forget(ch);
	task_free(ch);
	carry_forget(ch);
}

static void
closed(struct channel *ch)
{
	ch->state = CH_CLOSED;
	slim(ch);
}

void
chan_free(struct channel *ch)
{
	struct channel **p = &ch->conn->channels;

	while (*p != ch)
		p = &(*p)->next;
	*p = ch->next;
	ch->conn->nchannels--;
	relay_detach(ch, "closed");
	ssh_remove_channel_callbacks(ch->ssh, &ch->callbacks);
	ssh_channel_free(ch->ssh);
	slim(ch);
	free(ch);
}

/* ---- requests ------------------------------------------------------------ */

static void
set_size(struct channel *ch, int cols, int rows)
{
	ch->cols = client_cols((uint32_t)cols);
	ch->rows = client_rows((uint32_t)rows);
}

static bool
want_pty(struct channel *ch, ssh_message m)
{
	const char *term = ssh_message_channel_request_pty_term(m);

	if (ch->state != CH_NEW)
		return false;
	ch->tty = true;
	if (term == NULL || str_copy(ch->term, sizeof(ch->term), term) < 0)
		ch->term[0] = '\0';
	set_size(ch, ssh_message_channel_request_pty_width(m),
	    ssh_message_channel_request_pty_height(m));
	return true;
}

static bool
want_size(struct channel *ch, ssh_message m)
{
	if (!ch->tty)
		return false;
	set_size(ch, ssh_message_channel_request_pty_width(m),
	    ssh_message_channel_request_pty_height(m));
	return true; /* the broker is told once a turn: only the latest matters */
}

static bool
want_env(struct channel *ch, ssh_message m)
{
	const char *name = ssh_message_channel_request_env_name(m);
	const char *value = ssh_message_channel_request_env_value(m);

	if (ch->state != CH_NEW || name == NULL || value == NULL || !client_env_ok(name, value) ||
	    ch->nenv == MAX_ENV || ch->env_bytes + strlen(name) + strlen(value) > ENV_ALL)
		return false;
	ch->env_bytes += strlen(name) + strlen(value);
	ch->env[ch->nenv].name = xstrdup(name);
	ch->env[ch->nenv++].value = xstrdup(value);
	return true;
}

static bool
want_shell(struct channel *ch, ssh_message m)
{
	(void)m;
	return ch->state == CH_NEW;
}

static bool
want_exec(struct channel *ch, ssh_message m)
{
	const char *command = ssh_message_channel_request_command(m);

	if (ch->state != CH_NEW || command == NULL || strlen(command) > MAX_COMMAND)
		return false;
	ch->command = xstrdup(command);
	return true;
}

static bool
want_subsystem(struct channel *ch, ssh_message m)
{
	const char *name = ssh_message_channel_request_subsystem(m);

	ch->sftp = ch->state == CH_NEW && !ch->tty && name != NULL && strcmp(name, "sftp") == 0;
	return ch->sftp;
}

static const struct request_kind {
	int subtype;
	bool (*take)(struct channel *ch, ssh_message m);
	bool starts;
} kinds[] = {
	{ SSH_CHANNEL_REQUEST_PTY, want_pty, false },
	{ SSH_CHANNEL_REQUEST_WINDOW_CHANGE, want_size, false },
	{ SSH_CHANNEL_REQUEST_ENV, want_env, false },
	{ SSH_CHANNEL_REQUEST_SHELL, want_shell, true },
	{ SSH_CHANNEL_REQUEST_EXEC, want_exec, true },
	{ SSH_CHANNEL_REQUEST_SUBSYSTEM, want_subsystem, true },
};

void
chan_request(struct channel *ch, ssh_message m)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].subtype != ssh_message_subtype(m) || !kinds[i].take(ch, m))
			continue;
		ssh_message_channel_request_reply_success(m);
		ssh_message_free(m);
		if (kinds[i].starts)
			front_start(ch);
		return;
	}
	ssh_message_reply_default(m);
	ssh_message_free(m);
}

/* ---- words ---------------------------------------------------------------- */

/* Beyond the limit of `say` words are lost: a client that never reads needs none. */
void
chan_say_bytes(struct channel *ch, const void *p, size_t n)
{
	const char *at = p, *end = at + n, *nl;

	for (; ch->tty && (nl = memchr(at, '\n', (size_t)(end - at))) != NULL; at = nl + 1) {
		buf_add(&ch->say, at, (size_t)(nl - at));
		buf_add(&ch->say, "\r\n", 2);
	}
	buf_add(&ch->say, at, (size_t)(end - at));
}

void
chan_say(struct channel *ch, const char *text)
{
	chan_say_bytes(ch, text, strlen(text));
}

/* What is said before it goes out first, wherever it goes. */
void
chan_out(struct channel *ch, const void *p, size_t n)
{
	chan_say_bytes(ch, p, n);
	if (!ch->tty)
		ch->say_out = buf_len(&ch->say);
}

/* A container's name may be in it, and what an administrator typed. */
void
chan_reason(struct channel *ch, const char *reason)
{
	char safe[4 * MAX_REASON];

	chan_words(ch, W_REASON, text_safe(safe, sizeof(safe), reason), NULL, NULL);
}

void
chan_words(struct channel *ch, enum word w, const char *a1, const char *a2, const char *a3)
{
	char text[2048];

	chan_say(ch, words(text, sizeof(text), w, a1, a2, a3));
}

/* ---- the end --------------------------------------------------------------- */

void
chan_end(struct channel *ch, uint32_t code)
{
	menu_full_close(ch);
	ch->code = code;
	ch->died_of = NULL;
	ch->state = CH_ENDING;
}

void
chan_expel(struct channel *ch, uint32_t code, const char *reason)
{
	if (ch->state >= CH_ENDING || ch->reverse != NULL) /* that one is not open yet */
		return;
	relay_detach(ch, "ended");
	task_free(ch);
	carry_forget(ch);
	buf_reset(&ch->raw); /* what was not taken until now is not for this client any more */
	ch->slice = 0;
	if (ch->state == CH_NEW || ch->forward) { /* no words of ours there */
		chan_end(ch, code);
		return;
	}
	menu_full_close(ch);
	if (ch->tty)
		chan_say(ch, "\n");
	chan_reason(ch, reason);
	chan_end(ch, code);
}

static bool
finish(struct channel *ch)
{
	if (buf_len(&ch->say) > 0 || buf_len(&ch->raw) > 0)
		return false;
	if (ch->died_of != NULL)
		ssh_channel_request_send_exit_signal(ch->ssh, ch->died_of, ch->core, "", "");
	else if (!ch->forward)
		ssh_channel_request_send_exit_status(ch->ssh, (int)ch->code);
	ssh_channel_send_eof(ch->ssh);
	ssh_channel_close(ch->ssh);
	closed(ch);
	return true;
}

/* What libssh held back, in one call and only when all before it is gone. */
static bool
take_held(struct channel *ch)
{
	uint8_t *room;
	int n;

	if (!ch->held || buf_len(&ch->in) > 0)
		return false;
	ch->held = false;
	n = ssh_channel_poll(ch->ssh, 0);
	if (n <= 0)
		return false;
	if ((room = buf_reserve(&ch->in, (size_t)n)) == NULL) {
		ch->closed = true; /* far beyond the window that it was given */
		return true;
	}
	n = ssh_channel_read_nonblocking(ch->ssh, room, (uint32_t)n, 0);
	if (n > 0)
		buf_commit(&ch->in, (size_t)n);
	return n > 0;
}

bool
chan_work(struct channel *ch, int64_t now)
{
	bool any = false;

	if (ch->state == CH_CLOSED)
		return false;
	any |= take_held(ch);
	if (ch->closed && carry_lingers(ch, now))
		return any;
	if (ch->closed) {
		relay_detach(ch, "closed by the client");
		/* Of a channel that was never opened libssh would close number 0. */
		if (ch->reverse == NULL)
			ssh_channel_close(ch->ssh);
		closed(ch);
		return true;
	}
	if (ch->state == CH_ASKING || ch->state == CH_MENU)
		any |= front_ask(ch);
	if (ch->state == CH_MENU || ch->state == CH_PASSWORD || ch->state == CH_CODE)
		any |= front_input(ch, now);
	if (ch->state == CH_READING)
		any |= command_input(ch);
	if (ch->state == CH_TASK)
		any |= task_work(ch, now);
	if (ch->state == CH_CONNECTING || ch->state == CH_STREAM)
		any |= relay_work(ch, now);
	if (ch->state == CH_CARRIED)
		any |= carry_work(ch);
	any |= chan_flush(ch, now);
	if (ch->state == CH_ENDING)
		any |= finish(ch);
	return any;
}

int64_t
chan_deadline(const struct channel *ch)
{
	return ch->linger_by != 0    ? ch->linger_by
	    : ch->state == CH_STREAM ? relay_deadline(ch)
	    : ch->state == CH_TASK   ? task_deadline(ch)
	    : ch->state == CH_MENU   ? menu_full_deadline(ch)
				     : 0;
}

void
chan_rest(struct channel *ch)
{
	struct buf *const all[] = { &ch->in, &ch->say, &ch->raw };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (buf_len(all[i]) == 0)
			buf_release(all[i]);
}
