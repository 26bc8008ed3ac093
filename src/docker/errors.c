/*
 * Failures of an engine as one sentence for a person: what failed, on which
 * node, why, what to do.  Nothing an engine wrote is ever repeated; only
 * known words are looked for in it.  Pure; runs wherever an engine is called.
 */
#include "engine.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

struct known {
	const char *text;
	enum word meaning;
};

/* The first row whose text occurs wins; the last row has none. */
static enum word
look_up(const struct known *k, const char *text)
{
	while (k->text && !strstr(text, k->text))
		k++;
	return k->meaning;
}

static void
lower(char *dst, size_t size, const char *src, size_t n)
{
	size_t i;

	for (i = 0; i < n && i + 1 < size; i++)
		dst[i] = src[i] ? (char)tolower((unsigned char)src[i]) : ' ';
	dst[i] = '\0';
}

static int
error_node(const struct engine *en, enum word w, struct errtext *e)
{
	return err_words(e, JB_UNAVAILABLE, w, en->name, NULL, NULL);
}

int
error_timeout(const struct engine *en, struct errtext *e)
{
	return error_node(en, W_NODE_TIMEOUT, e);
}

int
error_not_json(const struct engine *en, struct errtext *e)
{
	return error_node(en, W_NODE_NO_ENGINE, e);
}

int
error_cut(const struct engine *en, struct errtext *e)
{
	return error_node(en, W_NODE_CUT, e);
}

/* ---- before HTTP -------------------------------------------------------- */

static int
error_connect(const struct engine *en, long os_errno, struct errtext *e)
{
	switch (os_errno) {
	case ENOENT:
		return error_node(en, W_NODE_NO_SOCKET, e);
	case ECONNREFUSED:
		return error_node(en, W_NODE_REFUSED, e);
	case EACCES:
	case EPERM:
		return error_node(
		    en, en->url.path[0] ? W_NODE_SOCKET_DENIED : W_NODE_NOT_PERMITTED, e);
	case EHOSTUNREACH:
	case ENETUNREACH:
		return error_node(en, W_NODE_NO_ROUTE, e);
	default:
		return error_node(en, W_NODE_NO_CONNECTION, e);
	}
}

/* The numbers are libcrypto's X509_V_ERR_*: an interface, so it is not linked for their names. */
static int
error_verify(const struct engine *en, long verify, struct errtext *e)
{
	enum { NOT_YET_VALID = 9, HAS_EXPIRED = 10, HOSTNAME_MISMATCH = 62, IP_MISMATCH = 64 };

	switch (verify) {
	case NOT_YET_VALID:
		return error_node(en, W_NODE_CERT_EARLY, e);
	case HAS_EXPIRED:
		return error_node(en, W_NODE_CERT_EXPIRED, e);
	case HOSTNAME_MISMATCH:
	case IP_MISMATCH:
		return error_node(en, W_NODE_CERT_NAME, e);
	default:
		return error_node(en, W_NODE_CERT_CA, e);
	}
}

/*
 * A node that refuses our certificate says so in a TLS alert: at the
 * handshake, or (TLS 1.3) at the first read.
 */
static const struct known tls_words[] = {
	{ "subject name", W_NODE_CERT_NAME },
	{ "match target host", W_NODE_CERT_NAME },
	{ "certificate has expired", W_NODE_CERT_EXPIRED },
	{ "alert certificate expired", W_NODE_CLIENT_CERT_EXPIRED },
	{ "alert unknown ca", W_NODE_CLIENT_CERT_CA },
	{ "alert bad certificate", W_NODE_CLIENT_CERT },
	{ "alert certificate", W_NODE_CLIENT_CERT },
	{ "wrong version number", W_NODE_NOT_TLS },
	{ "alert", W_NODE_TLS_REFUSED },
	{ NULL, W_NODE_TLS_FAILED },
};

int
error_curl(const struct engine *en, const struct curl_failure *f, struct errtext *e)
{
	char text[CURL_ERROR_SIZE];

	lower(text, sizeof(text), f->text, strlen(f->text));
	switch (f->code) {
	case CURLE_OPERATION_TIMEDOUT:
		return error_timeout(en, e);
	case CURLE_COULDNT_RESOLVE_HOST:
		return error_node(en, W_NODE_NO_HOST, e);
	case CURLE_COULDNT_CONNECT:
		return error_connect(en, f->os_errno, e);
	case CURLE_PEER_FAILED_VERIFICATION:
		return f->verify && !strstr(text, "subject name")
		    ? error_verify(en, f->verify, e)
		    : error_node(en, look_up(tls_words, text), e);
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return error_node(en, W_NODE_MATERIAL, e);
	case CURLE_SSL_CONNECT_ERROR:
		return error_node(en, look_up(tls_words, text), e);
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		if (strstr(text, "alert"))
			return error_node(en, look_up(tls_words, text), e);
		/* In TLS 1.3 a reset may overtake the alert that says so. */
		if (en->url.tls && !en->answered)
			return error_node(en, W_NODE_TLS_DROPPED, e);
		return error_cut(en, e);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
		return error_cut(en, e);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_HTTP2:
		return error_not_json(en, e);
	case CURLE_WRITE_ERROR:
	case CURLE_OUT_OF_MEMORY: /* what curl calls a header line beyond its limit */
	case CURLE_FILESIZE_EXCEEDED:
		return error_node(en, W_NODE_TOO_LARGE, e);
	default:
		return error_node(en, W_NODE_UNASKED, e);
	}
}

/* ---- HTTP statuses ------------------------------------------------------- */

/* Nothing but the state's own name; what is not here runs nothing either. */
static const struct known states[] = {
	{ "running", W_NONE },
	{ "paused", W_PAUSED },
	{ "restarting", W_RESTARTING },
	{ NULL, W_NOT_RUNNING },
};

static const struct known container_words[] = {
	{ "support reading", W_LOGS_UNREADABLE },
	{ "not logging output", W_LOGS_UNREADABLE },
	{ "paused", W_PAUSED },
	{ "restarting", W_RESTARTING },
	{ "not running", W_NOT_RUNNING },
	{ "running containers", W_NOT_RUNNING },
	{ "improper", W_NOT_RUNNING },
	{ "no such container", W_CONTAINER_GONE },
	{ "no such exec", W_CONTAINER_GONE },
	{ "passwd", W_NO_USER },
	{ "group file", W_NO_GROUP },
	{ NULL, W_NONE },
};

int
engine_running_check(const char *state, struct errtext *e)
{
	const struct known *k = states;

	while (k->text && strcmp(k->text, state) != 0)
		k++;
	return k->meaning == W_NONE ? 0
				    : err_words(e, JB_UNAVAILABLE, k->meaning, NULL, NULL, NULL);
}

int
error_http(const struct engine *en, enum situation about, long status, const char *body, size_t n,
    struct errtext *e)
{
	char text[1024];
	enum word known;

	json_message(body, n, text, sizeof(text));
	known = about == ABOUT_NODE ? W_NONE : look_up(container_words, text);
	if (known == W_NONE && strstr(text, "client version") && strstr(text, "too "))
		return error_node(en, W_NODE_VERSION, e);
	if (known == W_NONE && about != ABOUT_NODE)
		known = status == 404 ? W_CONTAINER_GONE : status == 409 ? W_NOT_RUNNING : W_NONE;
	if (known != W_NONE)
		return err_words(e, known == W_CONTAINER_GONE ? JB_NOT_FOUND : JB_UNAVAILABLE,
		    known, NULL, NULL, NULL);
	if (status == 400 && !en->url.tls && n < sizeof(text) && memmem(body, n, "HTTPS", 5))
		return error_node(en, W_NODE_WANTS_TLS, e);
	if (status == 401 || status == 403)
		return error_node(en, W_NODE_DENIES, e);
	if (status >= 200 && status < 500)
		return error_not_json(en, e);
	return error_node(en, W_NODE_INTERNAL, e);
}

/* ---- a process that never started ---------------------------------------- */

/* "Error: runc: exec failed: ...: OCI runtime attempted to ...", on a line of its own. */
bool
error_is_podmans(const char *text, bool tty)
{
	enum { FRAME_HEADER = 8 };
	const char *p = tty ? text : text + strnlen(text, FRAME_HEADER);
	const char *oci = strstr(p, ": OCI ");

	return strncmp(p, "Error: ", 7) == 0 && oci && (size_t)(oci - p) < strcspn(p, "\n");
}

static const struct known start_words[] = {
	/* a working directory that is missing also says "no such file": first */
	{ "chdir", W_NO_DIRECTORY },
	{ "no matching entries in passwd", W_NO_USER },
	{ "no matching entries in group", W_NO_GROUP },
	{ "no such file", W_NO_SHELL },
	{ "not found", W_NO_SHELL },
	{ "paused", W_PAUSED },
	{ "not running", W_NOT_RUNNING },
	{ "argument list too long", W_COMMAND_TOO_LONG },
	{ "permission denied", W_SHELL_DENIED },
	{ "no space left", W_NODE_DISK_FULL },
	{ NULL, W_NOT_STARTED },
};

int
error_not_started(
    const struct exec_spec *spec, const char *text, bool *no_program, struct errtext *e)
{
	char low[ERROR_TEXT_MAX];
	enum word why;

	lower(low, sizeof(low), text, strlen(text));
	why = look_up(start_words, low);
	if (why == W_NO_SHELL)
		*no_program = true;
	return err_words(e, JB_UNAVAILABLE, why, spec->argv[0], NULL, NULL);
}
