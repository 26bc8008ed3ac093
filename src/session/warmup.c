/*
 * The session zygote's self-test: it logs in to itself.  Session zygote.
 *
 * A child process plays the client, once for each kind of key, over a
 * socketpair and with keys made for the occasion.  That warms what each
 * connection needs (a forked session then opens no file and computes no
 * table), and it proves that libssh signs and verifies through sign.c, and
 * reads and writes through packets.c.
 */
#include "packets.h"
#include "session.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOGIN_MS = 10000 };

/* What the client exits with. */
enum { GOOD, NO_LOGIN, NO_HOOKS };

/* A socket that it wants to be connected to, and why it is not. */
#define SELF_PATH "/self"
#define SELF_WHY  "unconnected"

struct trial {
	const char *name;
	enum ssh_keytypes_e host, user;
	const char *kex, *cipher;
};

/* clang-format off */
static const struct trial trials[] = {
	{ "ed25519", SSH_KEYTYPE_ED25519, SSH_KEYTYPE_ED25519,    "curve25519-sha256",  "chacha20-poly1305@openssh.com" },
	{ "rsa",     SSH_KEYTYPE_RSA,     SSH_KEYTYPE_RSA,        "ecdh-sha2-nistp256", "aes256-gcm@openssh.com" },
	{ "ecdsa",   SSH_KEYTYPE_ED25519, SSH_KEYTYPE_ECDSA_P256, "curve25519-sha256",  "aes256-ctr" },
};
/* clang-format on */

/* ---- the client's side, in a child ------------------------------------- */

static int
client_options(ssh_session s, const struct trial *t, int fd)
{
	bool no_files = false;

	return ssh_options_set(s, SSH_OPTIONS_PROCESS_CONFIG, &no_files) |
	    ssh_options_set(s, SSH_OPTIONS_HOST, "self") |
	    ssh_options_set(s, SSH_OPTIONS_USER, "self") |
	    ssh_options_set(s, SSH_OPTIONS_KNOWNHOSTS, "/dev/null") |
	    ssh_options_set(s, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") |
	    ssh_options_set(s, SSH_OPTIONS_KEY_EXCHANGE, t->kex) |
	    ssh_options_set(s, SSH_OPTIONS_CIPHERS_C_S, t->cipher) |
	    ssh_options_set(s, SSH_OPTIONS_CIPHERS_S_C, t->cipher) |
	    ssh_options_set(s, SSH_OPTIONS_FD, &fd);
}

/* libssh's client says what the server's refusal said. */
static bool
is_refused(ssh_session s)
{
	ssh_channel c = ssh_channel_new(s);

	return c != NULL && ssh_channel_open_forward_unix(c, SELF_PATH, "self", 1) != SSH_OK &&
	    strstr(ssh_get_error(s), SELF_WHY) != NULL;
}

static _Noreturn void
play_client(const struct trial *t, int fd, ssh_key key)
{
	ssh_session s = ssh_new();
	ssh_channel c;
	char byte;

	alarm(LOGIN_MS / 1000);
	if (s == NULL || client_options(s, t, fd) != 0 || ssh_connect(s) != SSH_OK ||
	    ssh_userauth_none(s, NULL) == SSH_AUTH_ERROR ||
	    ssh_userauth_publickey(s, NULL, key) != SSH_AUTH_SUCCESS)
		_exit(NO_LOGIN);
	c = ssh_channel_new(s);
	if (c == NULL || ssh_channel_open_session(c) != SSH_OK ||
	    ssh_channel_request_exec(c, "true") != SSH_OK ||
	    ssh_channel_read(c, &byte, 1, 0) != 1 || ssh_channel_get_exit_status(c) != 0)
		_exit(NO_LOGIN);
	_exit(is_refused(s) ? GOOD : NO_HOOKS);
}

/* ---- the server's ------------------------------------------------------ */

/* One byte, the exit status, and the end. */
static void
answer_exec(ssh_message m)
{
	ssh_channel c = ssh_message_channel_request_channel(m);

	ssh_message_channel_request_reply_success(m);
	ssh_channel_write(c, "!", 1);
	ssh_channel_request_send_exit_status(c, 0);
	ssh_channel_send_eof(c);
	ssh_channel_close(c);
}

static void
answer_open(ssh_message m)
{
	const char *path;

	if (ssh_message_subtype(m) == SSH_CHANNEL_SESSION) {
		ssh_message_channel_request_open_reply_accept(m);
		return;
	}
	path = ssh_message_channel_request_open_destination(m);
	if (path != NULL && strcmp(path, SELF_PATH) == 0)
		packets_refuse(m, OPEN_CONNECT_FAILED, SELF_WHY);
	else
		ssh_message_reply_default(m);
}

static void
answer(ssh_message m)
{
	if (ssh_message_type(m) == SSH_REQUEST_SERVICE)
		ssh_message_service_reply_success(m);
	else if (ssh_message_type(m) == SSH_REQUEST_CHANNEL_OPEN)
		answer_open(m);
	else if (ssh_message_type(m) == SSH_REQUEST_CHANNEL)
		answer_exec(m);
	else if (ssh_message_subtype(m) != SSH_AUTH_METHOD_PUBLICKEY)
		ssh_message_reply_default(m);
	else if (ssh_message_auth_publickey_state(m) == SSH_PUBLICKEY_STATE_NONE)
		ssh_message_auth_reply_pk_ok_simple(m);
	else if (ssh_message_auth_publickey_state(m) == SSH_PUBLICKEY_STATE_VALID)
		ssh_message_auth_reply_success(m, 0);
	else
		ssh_message_reply_default(m);
}

/* Until the client leaves.  libssh can be put into an event only once it has begun to poll. */
static void
play_server(ssh_session s)
{
	int64_t deadline = now_mono_ms() + LOGIN_MS;
	ssh_event ev = ssh_event_new();
	ssh_message m;

	ssh_set_auth_methods(s, SSH_AUTH_METHOD_PUBLICKEY);
	if (ev != NULL && ssh_handle_key_exchange(s) != SSH_ERROR &&
	    ssh_event_add_session(ev, s) == SSH_OK)
		while (now_mono_ms() < deadline && ssh_is_connected(s) &&
		    ssh_event_dopoll(ev, LOGIN_MS) != SSH_ERROR)
			while ((m = ssh_message_get(s)) != NULL) {
				answer(m);
				ssh_message_free(m);
			}
	if (ev != NULL)
		ssh_event_free(ev);
}

/* ---- one login --------------------------------------------------------- */

static ssh_key
generate(enum ssh_keytypes_e type)
{
	ssh_key key = NULL;
	int bits = type == SSH_KEYTYPE_RSA ? 2048 : 0;

	return ssh_pki_generate(type, bits, &key) == SSH_OK ? key : NULL;
}

/* The session that serves the trial; fd is its own. */
static ssh_session
trial_session(const struct trial *t, int fd)
{
	ssh_bind b = host_keys_bind_new();
	ssh_key key = generate(t->host);
	ssh_session s = NULL;

	if (b != NULL && key != NULL &&
	    ssh_bind_options_set(b, SSH_BIND_OPTIONS_IMPORT_KEY, key) == 0)
		s = host_keys_bind_accept(b, fd);
	else
		ssh_key_free(key);
	if (b != NULL)
		ssh_bind_free(b);
	if (s == NULL)
		close(fd);
	return s;
}

/* How it went for the client. */
static int
try_login(const struct trial *t)
{
	int pair[2], status = -1;
	ssh_key user = generate(t->user);
	ssh_session s;
	pid_t pid;

	if (user == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		fatal(JB_INTERNAL, "self-test: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fatal(JB_INTERNAL, "self-test: fork: %s", strerror(errno));
	if (pid == 0) {
		close(pair[0]);
		play_client(t, pair[1], user);
	}
	close(pair[1]);
	set_nonblock(pair[0], true);
	s = trial_session(t, pair[0]);
	if (s != NULL) {
		play_server(s);
		ssh_disconnect(s);
		ssh_free(s);
	}
	ssh_key_free(user);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return s != NULL && WIFEXITED(status) ? WEXITSTATUS(status) : NO_LOGIN;
}

int
warmup(struct errtext *e)
{
	struct sign_counts before, after;
	int r;

	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		before = sign_counts();
		r = try_login(&trials[i]);
		if (r == NO_HOOKS)
			return err_set(e, JB_INTERNAL,
			    "self-test: libssh does not open channels through this program; "
			    "this libssh cannot be used");
		if (r != GOOD)
			return err_set(e, JB_INTERNAL, "self-test: a login with %s keys failed",
			    trials[i].name);
		after = sign_counts();
		if (after.sign == before.sign || after.verify == before.verify)
			return err_set(e, JB_INTERNAL,
			    "self-test: libssh does not %s through this program with %s keys; "
			    "this libssh cannot be used",
			    after.sign == before.sign ? "sign" : "verify signatures",
			    trials[i].name);
	}
	return 0;
}
