/*
 * Failures of an engine as one sentence for a person: what failed, on which
 * node, why, what to do.  Nothing an engine wrote is ever repeated; only
 * known words are looked for in it.  Pure; runs wherever an engine is called.
 */
#include "engine.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

struct word {
	const char *word, *meaning;
};

/* The first row whose word occurs wins; the last row has none. */
static const char *
look_up(const struct word *w, const char *text)
{
	while (w->word && !strstr(text, w->word))
		w++;
	return w->meaning;
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
error_node(const struct engine *en, const char *what, struct errtext *e)
{
	return err_set(e, JB_UNAVAILABLE, "node %s %s", en->name, what);
}

int
error_timeout(const struct engine *en, struct errtext *e)
{
	return error_node(en, "did not answer in time", e);
}

int
error_not_json(const struct engine *en, struct errtext *e)
{
	return error_node(en, "gave an answer that is no container engine's; check its address", e);
}

int
error_cut(const struct engine *en, struct errtext *e)
{
	return error_node(en, "stopped in the middle of its answer; try again", e);
}

/* ---- before HTTP -------------------------------------------------------- */

static int
error_connect(const struct engine *en, long os_errno, struct errtext *e)
{
	const char *why = "the connection failed";

	switch (os_errno) {
	case ENOENT:
		why = "its socket does not exist; is the container engine running?";
		break;
	case ECONNREFUSED:
		why = "nothing listens at its address; is the container engine running?";
		break;
	case EACCES:
	case EPERM:
		why = en->url.path[0] ? "no permission on its socket; the service user must be in "
					"the socket's group"
				      : "the connection is not permitted";
		break;
	case EHOSTUNREACH:
	case ENETUNREACH:
		why = "there is no route to it";
		break;
	}
	return err_set(e, JB_UNAVAILABLE, "node %s cannot be reached: %s", en->name, why);
}

/* The numbers are libcrypto's X509_V_ERR_*: an interface, so it is not linked for their names. */
static int
error_verify(const struct engine *en, long verify, struct errtext *e)
{
	enum { NOT_YET_VALID = 9, HAS_EXPIRED = 10, HOSTNAME_MISMATCH = 62, IP_MISMATCH = 64 };
	const char *what = "shows a certificate that its CA did not sign";

	switch (verify) {
	case NOT_YET_VALID:
		what = "shows a certificate that is not valid yet; check the clocks";
		break;
	case HAS_EXPIRED:
		what = "shows an expired certificate";
		break;
	case HOSTNAME_MISMATCH:
	case IP_MISMATCH:
		what = "shows a certificate for another host name";
		break;
	}
	return error_node(en, what, e);
}

/*
 * A node that refuses our certificate says so in a TLS alert: at the
 * handshake, or (TLS 1.3) at the first read.
 */
static const struct word tls_words[] = {
	{ "subject name", "shows a certificate for another host name" },
	{ "match target host", "shows a certificate for another host name" },
	{ "certificate has expired", "shows an expired certificate" },
	{ "alert certificate expired", "refused this host's client certificate: it has expired" },
	{ "alert unknown ca", "refused this host's client certificate: its CA is not known there" },
	{ "alert bad certificate", "refused this host's client certificate" },
	{ "alert certificate", "refused this host's client certificate" },
	{ "wrong version number", "does not speak TLS at this port" },
	{ "alert", "refused the TLS connection" },
	{ NULL, "does not complete a TLS connection" },
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
		return err_set(e, JB_UNAVAILABLE,
		    "node %s cannot be reached: its host name is not known", en->name);
	case CURLE_COULDNT_CONNECT:
		return error_connect(en, f->os_errno, e);
	case CURLE_PEER_FAILED_VERIFICATION:
		return f->verify && !strstr(text, "subject name")
		    ? error_verify(en, f->verify, e)
		    : error_node(en, look_up(tls_words, text), e);
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(e, JB_UNAVAILABLE,
		    "the CA, certificate or key stored for node %s cannot be used; "
		    "give them again with `jumpboxctl node set`",
		    en->name);
	case CURLE_SSL_CONNECT_ERROR:
		return error_node(en, look_up(tls_words, text), e);
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		if (strstr(text, "alert"))
			return error_node(en, look_up(tls_words, text), e);
		/* In TLS 1.3 a reset may overtake the alert that says so. */
		if (en->url.tls && !en->answered)
			return error_node(en,
			    "dropped the TLS connection: it probably refused this host's client "
			    "certificate",
			    e);
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
		return error_node(en, "gave an answer that is too large", e);
	default:
		return error_node(en, "could not be asked", e);
	}
}

/* ---- HTTP statuses ------------------------------------------------------- */

#define PAUSED	    "the container is paused; unpause it first"
#define RESTARTING  "the container is restarting; try again in a moment"
#define NOT_RUNNING "the container is not running; start it first"
#define NO_USER	    "the user to run as does not exist in the container"
#define NO_GROUP    "the group to run as does not exist in the container"

/* Nothing but the state's own name; what is not here runs nothing either. */
static const struct word states[] = {
	{ "running", NULL },
	{ "paused", PAUSED },
	{ "restarting", RESTARTING },
	{ NULL, NOT_RUNNING },
};

static const struct word container_words[] = {
	{ "paused", PAUSED },
	{ "restarting", RESTARTING },
	{ "not running", NOT_RUNNING },
	{ "running containers", NOT_RUNNING },
	{ "improper", NOT_RUNNING },
	{ "no such container", "the container does not exist any more" },
	{ "no such exec", "the container does not exist any more" },
	{ "passwd", NO_USER },
	{ "group file", NO_GROUP },
	{ NULL, NULL },
};

const char *
engine_not_running(const char *state)
{
	const struct word *w = states;

	while (w->word && strcmp(w->word, state) != 0)
		w++;
	return w->meaning;
}

int
error_http(const struct engine *en, enum situation about, long status, const char *body, size_t n,
    struct errtext *e)
{
	char text[1024];
	const char *known;

	json_message(body, n, text, sizeof(text));
	known = about == ABOUT_NODE ? NULL : look_up(container_words, text);
	if (known)
		return err_set(e,
		    strstr(known, "not exist any more") ? JB_NOT_FOUND : JB_UNAVAILABLE, "%s",
		    known);
	if (strstr(text, "client version") && strstr(text, "too "))
		return error_node(en, "runs a container engine of a version that does not fit", e);
	if (status == 404 && about != ABOUT_NODE)
		return err_set(e, JB_NOT_FOUND, "the container does not exist any more");
	if (status == 409 && about != ABOUT_NODE)
		return err_set(e, JB_UNAVAILABLE, NOT_RUNNING);
	if (status == 400 && !en->url.tls && n < sizeof(text) && memmem(body, n, "HTTPS", 5))
		return error_node(en, "expects TLS; give it --ca, --cert and --key", e);
	if (status == 401 || status == 403)
		return error_node(en, "does not permit this; check its access settings", e);
	if (status >= 200 && status < 500)
		return error_not_json(en, e);
	return error_node(en, "reports an internal error; its own log says more", e);
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

static const struct word start_words[] = {
	/* a working directory that is missing also says "no such file": first */
	{ "chdir", "the container's working directory cannot be entered" },
	{ "no matching entries in passwd", NO_USER },
	{ "no matching entries in group", NO_GROUP },
	{ "no such file", NULL },
	{ "not found", NULL },
	{ "paused", PAUSED },
	{ "not running", NOT_RUNNING },
	{ "argument list too long", "the command is too long" },
	{ "permission denied", "the container does not permit its shell to be run" },
	{ "no space left", "the node's disk is full" },
	{ NULL, "the container engine could not start a process in the container" },
};

int
error_not_started(
    const struct exec_spec *spec, const char *text, bool *no_program, struct errtext *e)
{
	char low[ERROR_TEXT_MAX];
	const char *why;

	lower(low, sizeof(low), text, strlen(text));
	why = look_up(start_words, low);
	if (why)
		return err_set(e, JB_UNAVAILABLE, "%s", why);
	*no_program = true;
	return err_set(e, JB_UNAVAILABLE,
	    "the container has no shell: there is no `%s` in its image", spec->argv[0]);
}
