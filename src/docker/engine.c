/*
 * One engine: the connection and one HTTP call on it, and the calls that
 * only ask.  Every call has a connect and a total time-out and a bound on its
 * answer.  Broker children, jumpboxctl.
 */
#include "engine.h"
#include "jumpbox/util.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void
curl_start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct engine *
engine_new(const struct engine_addr *a, long timeout_ms)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct engine *en = xcalloc(1, sizeof(*en));

	pthread_once(&once, curl_start);
	en->name = xstrdup(a->name ? a->name : "?");
	en->timeout_ms = timeout_ms > 0 ? timeout_ms : ENGINE_CALL_MS;
	en->bad = engine_url_parse(a, &en->url, &en->why);
	if (en->url.tls) {
		en->ca = xstrdup(a->ca);
		en->cert = xstrdup(a->cert);
		en->key = xstrdup(a->key);
	}
	buf_init(&en->early, ERROR_TEXT_MAX);
	return en;
}

void
engine_free(struct engine *en)
{
	if (!en)
		return;
	curl_easy_cleanup(en->easy);
	curl_easy_cleanup(en->stream);
	buf_release(&en->early);
	free(en->name);
	free(en->ca);
	free(en->cert);
	free_secret(en->key);
	free(en);
}

/* ---- a handle ------------------------------------------------------------ */

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	(void)arg;
	(void)purpose;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static void
set_blob(CURL *c, CURLoption option, char *pem)
{
	struct curl_blob blob = { pem, strlen(pem), CURL_BLOB_NOCOPY };

	curl_easy_setopt(c, option, &blob);
}

static void
set_tls(CURL *c, struct engine *en)
{
	set_blob(c, CURLOPT_CAINFO_BLOB, en->ca);
	set_blob(c, CURLOPT_SSLCERT_BLOB, en->cert);
	set_blob(c, CURLOPT_SSLKEY_BLOB, en->key);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL); /* that CA and no other */
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L); /* an upgrade needs HTTP/1.1 */
}

CURL *
engine_handle(struct engine *en)
{
	long connect_ms = en->timeout_ms < ENGINE_CONNECT_MS ? en->timeout_ms : ENGINE_CONNECT_MS;
	CURL *c = curl_easy_init();

	if (!c)
		return NULL;
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, en->curl_error);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, en->url.tls ? "https" : "http");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, en->timeout_ms);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	if (en->url.path[0])
		curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, en->url.path);
	if (en->url.tls)
		set_tls(c, en);
	return c;
}

int
engine_set_url(CURL *c, const struct engine *en, const char *path)
{
	char *url = en->url.path[0] ? xasprintf("http://localhost%s", path)
				    : xasprintf("%s://%s:%u%s", en->url.tls ? "https" : "http",
					  en->url.host, en->url.port, path);
	int r = curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK ? 0 : JB_INTERNAL;

	free(url);
	return r;
}

int
engine_failure(struct engine *en, CURL *c, CURLcode code, struct errtext *e)
{
	struct curl_failure f = { .code = code, .text = en->curl_error };

	curl_easy_getinfo(c, CURLINFO_OS_ERRNO, &f.os_errno);
	curl_easy_getinfo(c, CURLINFO_SSL_VERIFYRESULT, &f.verify);
	return error_curl(en, &f, e);
}

int
engine_connect(struct engine *en, CURL *c, struct errtext *e)
{
	CURLcode code;

	if (engine_set_url(c, en, "/") < 0)
		return err_set(e, JB_INTERNAL, "out of memory");
	curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	en->curl_error[0] = '\0';
	code = curl_easy_perform(c);
	return code == CURLE_OK ? 0 : engine_failure(en, c, code, e);
}

/* What a call that starts now may take; never 0, which is no limit to curl. */
static long
time_left(const struct engine *en)
{
	int64_t left = en->until - now_mono_ms();

	if (en->until == 0 || left > en->timeout_ms)
		return en->timeout_ms;
	return left > 1 ? (long)left : 1;
}

/* ---- its certificate ------------------------------------------------------ */

int
engine_certificate(struct engine *en, char **pem)
{
	static const char field[] = "Cert:";
	struct curl_certinfo *shown = NULL;
	CURL *c = en->url.tls && !en->bad ? engine_handle(en) : NULL;
	struct errtext e;

	*pem = NULL;
	if (c == NULL)
		return JB_NOT_FOUND;
	curl_easy_setopt(c, CURLOPT_CERTINFO, 1L);
	if (engine_connect(en, c, &e) == 0)
		curl_easy_getinfo(c, CURLINFO_CERTINFO, &shown);
	if (shown != NULL && shown->num_of_certs > 0)
		for (struct curl_slist *l = shown->certinfo[0]; l != NULL; l = l->next)
			if (*pem == NULL && strncmp(l->data, field, strlen(field)) == 0)
				*pem = xstrdup(l->data + strlen(field));
	curl_easy_cleanup(c);
	return *pem != NULL ? 0 : JB_NOT_FOUND;
}

/* ---- one call -------------------------------------------------------------- */

static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct reply *r = arg;

	return buf_add(&r->body, p, size * n) < 0 ? 0 : size * n;
}

/* curl bounds one line of a head; this bounds their sum. */
static size_t
take_header(char *p, size_t size, size_t n, void *arg)
{
	size_t *left = arg;

	(void)p;
	if (size * n > *left)
		return 0;
	*left -= size * n;
	return size * n;
}

void
reply_release(struct reply *r)
{
	buf_release(&r->body);
}

/* What is sent; body NULL: a GET. */
struct sent {
	const char *method, *type;
	const void *body;
	size_t size;
};

static int
call(struct engine *en, const char *path, const struct sent *what, size_t max, struct reply *r,
    struct errtext *e)
{
	size_t head_left = 4 * HEAD_MAX;
	struct curl_slist *headers;
	CURLcode code;
	CURL *c;

	r->status = 0;
	buf_init(&r->body, max);
	if (en->bad)
		return err_words(e, en->bad, W_NODE_ADDRESS, en->name, NULL, NULL);
	if (!en->easy && !(en->easy = engine_handle(en)))
		return err_set(e, JB_INTERNAL, "out of memory");
	c = en->easy;
	if (engine_set_url(c, en, path) < 0)
		return err_set(e, JB_INTERNAL, "out of memory");
	headers = curl_slist_append(NULL, what->type);
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, time_left(en));
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, what->method);
	if (what->body) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)what->size);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, what->body);
	} else {
		curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, &head_left);
	en->curl_error[0] = '\0';
	code = curl_easy_perform(c);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, NULL);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return engine_failure(en, c, code, e);
	en->answered = true;
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &r->status);
	return 0;
}

int
engine_call(struct engine *en, const char *path, const char *body, size_t max, struct reply *r,
    struct errtext *e)
{
	const struct sent what = { NULL, "Content-Type: application/json", body,
		body != NULL ? strlen(body) : 0 };

	return call(en, path, &what, max, r, e);
}

int
engine_put(struct engine *en, const char *path, const uint8_t *p, size_t n, struct reply *r,
    struct errtext *e)
{
	const struct sent what = { "PUT", "Content-Type: application/x-tar", p, n };

	return call(en, path, &what, ANSWER_MAX, r, e);
}

bool
engine_id_ok(const char *id)
{
	size_t n = id ? strlen(id) : 0;

	if (n < 1 || n > 128 || id[0] == '.')
		return false;
	for (const char *p = id; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.-:", *p))
			return false;
	return true;
}

/* ---- asking ------------------------------------------------------------------ */

const char *
reply_text(const struct reply *r)
{
	return (const char *)buf_ptr(&r->body);
}

int
engine_ask(struct engine *en, enum situation about, const char *path, const char *body, size_t max,
    struct reply *r, struct errtext *e)
{
	int rc = engine_call(en, path, body, max, r, e);

	if (rc == 0 && r->status / 100 != 2)
		rc = error_http(en, about, r->status, reply_text(r), buf_len(&r->body), e);
	return rc;
}

int
engine_version(struct engine *en, struct engine_info *info, struct errtext *e)
{
	struct engine_info found;
	struct reply r;
	int rc = engine_ask(en, ABOUT_NODE, "/version", NULL, ANSWER_MAX, &r, e);

	if (rc == 0 && json_version(reply_text(&r), buf_len(&r.body), &found) < 0)
		rc = error_not_json(en, e);
	if (rc == 0 && found.api < API_MIN)
		rc = err_words(e, JB_UNAVAILABLE, W_NODE_OLD, en->name, NULL, NULL);
	if (rc == 0)
		*info = found;
	reply_release(&r);
	return rc;
}

/* {"id":["...",...]} as a query. */
static char *
ids_query(const char *const *ids, size_t n)
{
	char *query = xasprintf("&filters=%%7B%%22id%%22%%3A%%5B"), *longer;

	for (size_t i = 0; i < n; i++) {
		longer = xasprintf("%s%s%%22%s%%22", query, i > 0 ? "%2C" : "", ids[i]);
		free(query);
		query = longer;
	}
	longer = xasprintf("%s%%5D%%7D", query);
	free(query);
	return longer;
}

int
engine_list(struct engine *en, const char *const *ids, size_t n, struct engine_list *list,
    struct errtext *e)
{
	char *query = ids != NULL ? ids_query(ids, n) : xstrdup("");
	char *path = xasprintf("/containers/json?all=true%s", query);
	struct reply r;
	int rc = engine_ask(en, ABOUT_NODE, path, NULL, LIST_MAX, &r, e);

	if (rc == 0 && json_list(reply_text(&r), buf_len(&r.body), list) < 0)
		rc = error_not_json(en, e);
	reply_release(&r);
	free(path);
	free(query);
	return rc;
}

int
engine_ping(struct engine *en, long timeout_ms, struct errtext *e)
{
	struct reply r;
	int rc;

	en->until = now_mono_ms() + timeout_ms;
	rc = engine_ask(en, ABOUT_NODE, "/_ping", NULL, ANSWER_MAX, &r, e);
	en->until = 0;
	reply_release(&r);
	return rc;
}

int
engine_image_labels(struct engine *en, const char *image_id, char **labels, struct errtext *e)
{
	char path[192];
	struct reply r;
	int rc;

	if (!engine_id_ok(image_id))
		return err_set(e, JB_NOT_FOUND, "the image does not exist any more");
	snprintf(path, sizeof(path), "/images/%s/json", image_id);
	rc = engine_call(en, path, NULL, ANSWER_MAX, &r, e);
	if (rc == 0 && r.status == 404)
		rc = err_set(e, JB_NOT_FOUND, "the image does not exist any more");
	else if (rc == 0 &&
	    (r.status != 200 || json_image_labels(reply_text(&r), buf_len(&r.body), labels) < 0))
		rc = err_set(e, JB_NOT_FOUND, "node %s cannot say what the image is", en->name);
	reply_release(&r);
	return rc;
}

/*
 * The image of a container may be gone, or damaged.  Then nobody can say which labels are
 * the container's own, and all of them count as inherited.
 */
static int
add_image_labels(
    struct engine *en, struct engine_inspect *in, const char *image_id, struct errtext *e)
{
	int rc = engine_image_labels(en, image_id, &in->image_labels, e);

	if (rc != JB_NOT_FOUND)
		return rc;
	in->image_labels = xstrdup(in->labels);
	return 0;
}

int
engine_look(struct engine *en, const char *id, struct engine_inspect *in, char **image_id,
    struct errtext *e)
{
	char path[192];
	struct reply r;
	int rc;

	if (!engine_id_ok(id))
		return err_words(e, JB_NOT_FOUND, W_CONTAINER_UNKNOWN, NULL, NULL, NULL);
	snprintf(path, sizeof(path), "/containers/%s/json", id);
	rc = engine_ask(en, ABOUT_CONTAINER, path, NULL, ANSWER_MAX, &r, e);
	if (rc == 0 && json_inspect(reply_text(&r), buf_len(&r.body), in, image_id) < 0)
		rc = error_not_json(en, e);
	reply_release(&r);
	return rc;
}

int
engine_inspect(struct engine *en, const char *id, struct engine_inspect *in, struct errtext *e)
{
	struct engine_inspect found = { .pid_host = false };
	char *image_id = NULL;
	int rc = engine_look(en, id, &found, &image_id, e);

	if (rc == 0)
		rc = add_image_labels(en, &found, image_id, e);
	free(image_id);
	if (rc == 0)
		*in = found;
	else
		engine_inspect_release(&found);
	return rc;
}
