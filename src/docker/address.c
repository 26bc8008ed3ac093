/*
 * A node's address, taken apart and judged: what may be dialled at all.
 * Plain tcp is root for whoever sits on the wire, so it needs an explicit
 * word.  Pure; runs wherever an engine is called or a node is added.
 */
#include "engine.h"
#include "jumpbox/store.h"
#include "jumpbox/util.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int
parse_unix(const struct engine_addr *a, struct engine_url *u, struct errtext *e)
{
	const char *path = a->url + strlen("unix://");

	if (path[0] != '/')
		return err_set(e, JB_BAD_INPUT, "a socket's address is unix:///absolute/path");
	if (str_copy(u->path, sizeof(u->path), path) < 0)
		return err_set(e, JB_BAD_INPUT, "the socket's path is longer than 107 bytes");
	if (a->ca || a->cert || a->key)
		return err_set(e, JB_BAD_INPUT, "TLS material goes with tcp:// addresses only");
	return 0;
}

static bool
host_ok(const char *host)
{
	size_t n = strlen(host);

	if (host[0] == '[')
		return n > 3 && host[n - 1] == ']' &&
		    strspn(host + 1, "0123456789abcdefABCDEF:.") == n - 2;
	for (const char *p = host; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-_", *p))
			return false;
	return n > 0 && host[0] != '-';
}

/* "host:port" or "[v6]:port" and nothing after it. */
static int
parse_tcp(const struct engine_addr *a, struct engine_url *u, struct errtext *e)
{
	const char *colon = strrchr(a->url, ':'), *host = a->url + strlen("tcp://");
	char *end;
	long port;

	if (colon < host || !isdigit((unsigned char)colon[1]))
		return err_set(e, JB_BAD_INPUT, "a tcp address is tcp://HOST:PORT");
	port = strtol(colon + 1, &end, 10);
	if (*end || port < 1 || port > 65535)
		return err_set(e, JB_BAD_INPUT, "a tcp address ends in a port from 1 to 65535");
	if ((size_t)(colon - host) >= sizeof(u->host))
		return err_set(e, JB_BAD_INPUT, "the host name is too long");
	memcpy(u->host, host, (size_t)(colon - host));
	u->host[colon - host] = '\0';
	if (!host_ok(u->host))
		return err_set(e, JB_BAD_INPUT, "a tcp address is tcp://HOST:PORT");
	u->port = (unsigned)port;
	return 0;
}

static bool
is_pem(const char *s)
{
	return strstr(s, "-----BEGIN ") != NULL;
}

static int
check_tls(const struct engine_addr *a, struct engine_url *u, struct errtext *e)
{
	if (!a->ca && !a->cert && !a->key) {
		if (a->insecure)
			return 0;
		return err_set(e, JB_BAD_INPUT,
		    "tcp without TLS gives everyone on the network root on the node: give --ca, "
		    "--cert and --key, or say --insecure; of a node that is there set ca, cert "
		    "and key first, or insecure to yes");
	}
	if (!a->ca || !a->cert || !a->key)
		return err_set(e, JB_BAD_INPUT, "TLS needs all three of --ca, --cert and --key");
	if (!is_pem(a->ca) || !is_pem(a->cert) || !is_pem(a->key))
		return err_set(e, JB_BAD_INPUT, "CA, certificate and key must be PEM files");
	u->tls = true;
	return 0;
}

int
engine_url_parse(const struct engine_addr *a, struct engine_url *u, struct errtext *e)
{
	int r;

	memset(u, 0, sizeof(*u));
	if (!a->url)
		return err_set(e, JB_BAD_INPUT, "the node has no address");
	for (const char *p = a->url; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return err_set(e, JB_BAD_INPUT,
			    "an address has neither blanks nor control characters");
	if (strncmp(a->url, "unix://", 7) == 0)
		return parse_unix(a, u, e);
	if (strncmp(a->url, "tcp://", 6) != 0)
		return err_set(e, JB_BAD_INPUT, "an address starts with unix:// or tcp://");
	r = parse_tcp(a, u, e);
	return r < 0 ? r : check_tls(a, u, e);
}

struct engine_addr
engine_addr_of(const struct node *n)
{
	return (struct engine_addr){ n->name, n->url, n->ca, n->cert, n->key, n->insecure };
}

int
engine_addr_check(const struct engine_addr *a, struct errtext *e)
{
	struct engine_url u;

	return engine_url_parse(a, &u, e);
}
