/* What a person is told when an engine fails: one sentence of ours, and nothing of the engine's. */
#include "../../src/docker/engine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What hostile words would do on a screen or in a log; each foreign text below has it. */
#define FOREIGN "\x1b[2J<secret>"

static const struct engine unix_node = { .name = "n1", .url.path = "/run/docker.sock" };
static const struct engine tcp_node = { .name = "n1" };
static const struct engine tls_node = { .name = "n1", .url.tls = true };
static const struct engine tls_answered = { .name = "n1", .url.tls = true, .answered = true };

static void
assert_said(const struct errtext *e, const char *words)
{
	if (strstr(e->s, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e->s, words);
	assert_null(strstr(e->s, "secret"));
	assert_null(strchr(e->s, '\x1b'));
	assert_null(strchr(e->s, '\n'));
}

/* ---- before HTTP ------------------------------------------------------------------ */

static void
why_a_node_cannot_be_asked(void **state)
{
	/* X509_V_ERR_* of libcrypto */
	enum { UNTRUSTED = 20, NOT_YET = 9, EXPIRED = 10, HOST = 62, ADDRESS = 64 };
	static const struct {
		CURLcode code;
		long os_errno, verify;
		const char *text, *words;
	} rows[] = {
		{ CURLE_OPERATION_TIMEDOUT, 0, 0, "", "node n1 did not answer in time" },
		{ CURLE_COULDNT_RESOLVE_HOST, 0, 0, "", "its host name is not known" },
		{ CURLE_COULDNT_CONNECT, ENOENT, 0, "",
		    "its socket does not exist; is the container engine running?" },
		{ CURLE_COULDNT_CONNECT, ECONNREFUSED, 0, "",
		    "nothing listens at its address; is the container engine running?" },
		{ CURLE_COULDNT_CONNECT, EHOSTUNREACH, 0, "", "no route to it" },
		{ CURLE_COULDNT_CONNECT, ENETUNREACH, 0, "", "no route to it" },
		{ CURLE_COULDNT_CONNECT, 0, 0, "", "node n1 cannot be reached: the connection" },
		/* its certificate */
		{ CURLE_PEER_FAILED_VERIFICATION, 0, UNTRUSTED, "", "its CA did not sign" },
		{ CURLE_PEER_FAILED_VERIFICATION, 0, NOT_YET, "", "not valid yet" },
		{ CURLE_PEER_FAILED_VERIFICATION, 0, EXPIRED, "", "shows an expired certificate" },
		{ CURLE_PEER_FAILED_VERIFICATION, 0, HOST, "", "for another host name" },
		{ CURLE_PEER_FAILED_VERIFICATION, 0, ADDRESS, "", "for another host name" },
		{ CURLE_PEER_FAILED_VERIFICATION, 0, 0,
		    "SSL: no alternative certificate subject name matches target host name",
		    "for another host name" },
		{ CURLE_PEER_FAILED_VERIFICATION, 0, UNTRUSTED,
		    "SSL: certificate subject name 'a' does not match", "for another host name" },
		{ CURLE_PEER_FAILED_VERIFICATION, 0, 0, "certificate has expired",
		    "shows an expired certificate" },
		{ CURLE_PEER_FAILED_VERIFICATION, 0, 0, "does not match target host name",
		    "for another host name" },
		{ CURLE_PEER_FAILED_VERIFICATION, 0, 0, "", "does not complete a TLS connection" },
		/* ours */
		{ CURLE_SSL_CERTPROBLEM, 0, 0, "", "stored for node n1 cannot be used" },
		{ CURLE_SSL_CACERT_BADFILE, 0, 0, "", "give them again with" },
		{ CURLE_SSL_CONNECT_ERROR, 0, 0, "sslv3 ALERT certificate expired",
		    "refused this host's client certificate: it has expired" },
		{ CURLE_SSL_CONNECT_ERROR, 0, 0, "tlsv1 alert unknown ca",
		    "refused this host's client certificate: its CA is not known there" },
		{ CURLE_SSL_CONNECT_ERROR, 0, 0, "sslv3 alert bad certificate",
		    "node n1 refused this host's client certificate" },
		{ CURLE_RECV_ERROR, 0, 0, "tlsv13 alert certificate required",
		    "node n1 refused this host's client certificate" },
		/* neither's */
		{ CURLE_SSL_CONNECT_ERROR, 0, 0, "wrong version number", "does not speak TLS" },
		{ CURLE_SSL_CONNECT_ERROR, 0, 0, "sslv3 alert handshake failure",
		    "refused the TLS connection" },
		{ CURLE_SSL_CONNECT_ERROR, 0, 0, "", "does not complete a TLS connection" },
		/* while it answered */
		{ CURLE_RECV_ERROR, 0, 0, "", "stopped in the middle of its answer" },
		{ CURLE_SEND_ERROR, 0, 0, "", "stopped in the middle of its answer" },
		{ CURLE_PARTIAL_FILE, 0, 0, "", "stopped in the middle of its answer" },
		{ CURLE_GOT_NOTHING, 0, 0, "", "stopped in the middle of its answer" },
		{ CURLE_UNSUPPORTED_PROTOCOL, 0, 0, "",
		    "no container engine's; check its address" },
		{ CURLE_WEIRD_SERVER_REPLY, 0, 0, "", "no container engine's; check its address" },
		{ CURLE_HTTP2, 0, 0, "", "no container engine's; check its address" },
		{ CURLE_WRITE_ERROR, 0, 0, "", "gave an answer that is too large" },
		{ CURLE_OUT_OF_MEMORY, 0, 0, "", "gave an answer that is too large" },
		{ CURLE_FILESIZE_EXCEEDED, 0, 0, "", "gave an answer that is too large" },
		{ CURLE_FAILED_INIT, 0, 0, "", "node n1 could not be asked" },
	};
	char text[CURL_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct curl_failure f = { rows[i].code, rows[i].os_errno, rows[i].verify,
			text };
		struct errtext e = { 0 };

		snprintf(text, sizeof(text), "%s" FOREIGN, rows[i].text);
		assert_int_equal(error_curl(&tls_answered, &f, &e), JB_UNAVAILABLE);
		assert_said(&e, rows[i].words);
	}
}

static void
permission_is_a_matter_of_the_socket(void **state)
{
	static const long numbers[] = { EACCES, EPERM };

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		const struct curl_failure f = { CURLE_COULDNT_CONNECT, numbers[i], 0, "" };
		struct errtext e;

		error_curl(&unix_node, &f, &e);
		assert_said(&e, "no permission on its socket");
		error_curl(&tcp_node, &f, &e);
		assert_said(&e, "the connection is not permitted");
	}
}

/* A reset may overtake the alert, but only before the first answer, and only in TLS. */
static void
a_dropped_connection_is_perhaps_our_certificate(void **state)
{
	static const struct {
		const struct engine *en;
		CURLcode code;
		const char *text, *words;
	} rows[] = {
		{ &tls_node, CURLE_RECV_ERROR, "connection reset",
		    "dropped the TLS connection: it probably refused this host's client certif" },
		{ &tls_node, CURLE_SEND_ERROR, "broken pipe", "dropped the TLS connection" },
		{ &tls_node, CURLE_RECV_ERROR, "alert unknown CA", "its CA is not known there" },
		{ &tls_answered, CURLE_RECV_ERROR, "connection reset", "in the middle" },
		{ &tcp_node, CURLE_RECV_ERROR, "connection reset", "in the middle" },
		{ &unix_node, CURLE_SEND_ERROR, "broken pipe", "in the middle" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct curl_failure f = { rows[i].code, ECONNRESET, 0, rows[i].text };
		struct errtext e;

		assert_int_equal(error_curl(rows[i].en, &f, &e), JB_UNAVAILABLE);
		assert_said(&e, rows[i].words);
	}
}

/* ---- HTTP statuses ------------------------------------------------------------------- */

static void
what_an_answer_means(void **state)
{
#define M(text) "{\"message\":\"" text " \\u001b[2J<secret>\"}"
	static const struct {
		enum situation about;
		long status;
		const char *body;
		int code;
		const char *words;
	} rows[] = {
		/* the words go before the status, which engines choose at will */
		{ ABOUT_EXEC, 409, M("Container ab is paused, unpause it"), JB_UNAVAILABLE,
		    "the container is paused; unpause it first" },
		{ ABOUT_EXEC, 409, M("Container ab is restarting, wait"), JB_UNAVAILABLE,
		    "the container is restarting; try again in a moment" },
		{ ABOUT_EXEC, 409, M("Container ab is not running"), JB_UNAVAILABLE,
		    "the container is not running; start it first" },
		{ ABOUT_EXEC, 500, M("Container ab is not running"), JB_UNAVAILABLE,
		    "the container is not running; start it first" },
		{ ABOUT_EXEC, 500, M("can only create exec sessions on running containers"),
		    JB_UNAVAILABLE, "the container is not running" },
		{ ABOUT_EXEC, 500, M("container state improper"), JB_UNAVAILABLE,
		    "the container is not running" },
		{ ABOUT_CONTAINER, 404, M("No such container: ab"), JB_NOT_FOUND,
		    "the container does not exist any more" },
		{ ABOUT_EXEC, 500, M("no such container ab in database"), JB_NOT_FOUND,
		    "the container does not exist any more" },
		{ ABOUT_EXEC, 500, M("no such exec instance: ab"), JB_NOT_FOUND,
		    "the container does not exist any more" },
		{ ABOUT_EXEC, 400, M("unable to find user x: no matching entries in passwd file"),
		    JB_UNAVAILABLE, "the user to run as does not exist" },
		{ ABOUT_EXEC, 400, M("unable to find group x: no matching entries in group file"),
		    JB_UNAVAILABLE, "the group to run as does not exist" },
		{ ABOUT_NODE, 400, M("client version 1.24 is too old"), JB_UNAVAILABLE,
		    "node n1 runs a container engine of a version that does not fit" },
		{ ABOUT_EXEC, 400, M("client version 1.52 is too new"), JB_UNAVAILABLE,
		    "a version that does not fit" },
		{ ABOUT_NODE, 400, M("the client version is a secret"), JB_UNAVAILABLE,
		    "no container engine's" },
		{ ABOUT_NODE, 400, M("too much"), JB_UNAVAILABLE, "no container engine's" },
		/* without known words, the status */
		{ ABOUT_CONTAINER, 404, FOREIGN, JB_NOT_FOUND, "does not exist any more" },
		{ ABOUT_EXEC, 404, "", JB_NOT_FOUND, "does not exist any more" },
		{ ABOUT_NODE, 404, "", JB_UNAVAILABLE, "check its address" },
		{ ABOUT_NODE, 409, "", JB_UNAVAILABLE, "check its address" },
		{ ABOUT_EXEC, 409, M(""), JB_UNAVAILABLE, "the container is not running" },
		{ ABOUT_NODE, 401, M(""), JB_UNAVAILABLE, "n1 does not permit this" },
		{ ABOUT_EXEC, 403, M(""), JB_UNAVAILABLE, "n1 does not permit this" },
		{ ABOUT_NODE, 204, "", JB_UNAVAILABLE, "check its address" },
		{ ABOUT_NODE, 301, "<html>" FOREIGN, JB_UNAVAILABLE, "check its address" },
		{ ABOUT_EXEC, 499, M(""), JB_UNAVAILABLE, "check its address" },
		{ ABOUT_NODE, 500, M("/secret/path http://10.1.1.1"), JB_UNAVAILABLE,
		    "n1 reports an internal error" },
		{ ABOUT_EXEC, 503, "", JB_UNAVAILABLE, "n1 reports an internal error" },
		{ ABOUT_NODE, 100, "", JB_UNAVAILABLE, "n1 reports an internal error" },
		/* a node's answer is about no container, whatever its words are */
		{ ABOUT_NODE, 500, M("no such container"), JB_UNAVAILABLE, "an internal error" },
	};
#undef M

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct errtext e = { 0 };

		assert_int_equal(error_http(&tcp_node, rows[i].about, rows[i].status, rows[i].body,
				     strlen(rows[i].body), &e),
		    rows[i].code);
		assert_said(&e, rows[i].words);
		assert_null(strchr(e.s, '/'));
	}
}

static void
tls_is_missed_where_none_is_spoken(void **state)
{
	static const char body[] = "Client sent an HTTP request to an HTTPS server.\n";
	static const struct {
		const struct engine *en;
		long status;
		const char *words;
	} rows[] = {
		{ &tcp_node, 400, "expects TLS; give it --ca, --cert and --key" },
		{ &tcp_node, 500, "an internal error" },
		{ &tls_node, 400, "check its address" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct errtext e;

		error_http(rows[i].en, ABOUT_NODE, rows[i].status, body, strlen(body), &e);
		assert_said(&e, rows[i].words);
	}
}

/* One sentence for a state, whether it is seen beforehand or the engine says so. */
static void
a_state_and_a_refusal_say_the_same(void **state)
{
	static const char *const rows[][2] = {
		{ "paused", "{\"message\":\"Container ab is paused, unpause it\"}" },
		{ "restarting", "{\"message\":\"Container ab is restarting, wait\"}" },
		{ "exited", "{\"message\":\"Container ab is not running\"}" },
		{ "created", "{\"message\":\"can only create exec on running containers\"}" },
		{ "running away", "{\"message\":\"container state improper\"}" },
		{ "", "{\"message\":\"container state improper\"}" },
	};

	(void)state;
	assert_int_equal(engine_running_check("running", NULL), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct errtext e = { 0 }, seen = { 0 };

		error_http(&tcp_node, ABOUT_EXEC, 409, rows[i][1], strlen(rows[i][1]), &e);
		assert_int_equal(engine_running_check(rows[i][0], &seen), JB_UNAVAILABLE);
		assert_string_equal(seen.s, e.s);
		assert_non_null(strchr(e.s, ';')); /* what to do */
	}
}

/* ---- a process that never started -------------------------------------------------------- */

static void
why_a_process_did_not_start(void **state)
{
	static const struct {
		const char *text, *words;
		bool no_program;
	} rows[] = {
		{ "OCI runtime exec failed: exec: \"sh\": executable file not found in $PATH",
		    "the container has no shell: there is no `sh` in its image", true },
		{ "exec: \"/bin/sh\": stat /bin/sh: no such file or directory", "no `sh`", true },
		{ "crun: executable file `sh` Not Found in $PATH: No such file or directory",
		    "no `sh`", true },
		{ "chdir to cwd (\"/x\") set in config.json failed: no such file or directory",
		    "the container's working directory cannot be entered", false },
		{ "unable to find user x: no matching entries in passwd file",
		    "the user to run as does not exist in the container", false },
		{ "unable to find group x: no matching entries in group file",
		    "the group to run as does not exist in the container", false },
		{ "cannot exec in a paused container", "the container is paused", false },
		{ "container ab is not running", "the container is not running", false },
		{ "exec /bin/sh: argument list too long", "the command is too long", false },
		{ "exec: \"/bin/sh\": permission denied",
		    "the container does not permit its shell to be run", false },
		{ "write /tmp/x: no space left on device", "the node's disk is full", false },
		{ "what is this /secret", "could not start a process in the container", false },
		{ "", "could not start a process in the container", false },
	};
	const char *argv[] = { "sh", NULL };
	const struct exec_spec spec = { .argv = argv };
	char text[ERROR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct errtext e = { 0 };
		bool no_program = false;

		snprintf(text, sizeof(text), "%s" FOREIGN, rows[i].text);
		assert_int_equal(error_not_started(&spec, text, &no_program, &e), JB_UNAVAILABLE);
		assert_int_equal(no_program, rows[i].no_program);
		assert_said(&e, rows[i].words);
		assert_null(strchr(e.s, '/'));
	}
}

static void
podman_s_own_words_are_known(void **state)
{
	static const struct {
		const char *text;
		bool tty, is;
	} rows[] = {
		{ "Error: runc: exec failed: \"x\" not found: OCI runtime attempted\n", true,
		    true },
		{ "\2   ....Error: crun: no: OCI permission denied\n", false, true },
		{ "Error: crun: no: OCI permission denied\n", false, false },
		{ "Error: crun: no permission\n", true, false },
		{ "OCI x", true, false },
		{ "Error: x\n: OCI y", true, false },
		{ "an Error: x: OCI y", true, false },
		{ "\2", false, false },
		{ "", false, false },
		{ "", true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(error_is_podmans(rows[i].text, rows[i].tty), rows[i].is);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(why_a_node_cannot_be_asked),
		cmocka_unit_test(permission_is_a_matter_of_the_socket),
		cmocka_unit_test(a_dropped_connection_is_perhaps_our_certificate),
		cmocka_unit_test(what_an_answer_means),
		cmocka_unit_test(tls_is_missed_where_none_is_spoken),
		cmocka_unit_test(a_state_and_a_refusal_say_the_same),
		cmocka_unit_test(why_a_process_did_not_start),
		cmocka_unit_test(podman_s_own_words_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
