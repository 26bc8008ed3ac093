/*
 * What a container has written, as its engine kept it.  Broker children.
 *
 * The request is one of HTTP/1.0: Docker and Podman answer that with the
 * bytes alone, no chunks, and close at the end.  So the connection can be
 * handed on as an exec's stream is, framed in the same way unless the
 * container has a terminal.  A client that ends its half has gone, for both.
 */
#include "jumpbox/util.h"
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
ask(struct link *l, const char *id, unsigned tail, bool follow, struct errtext *e)
{
	char *request =
	    xasprintf("GET /containers/%s/logs?stdout=1&stderr=1&tail=%u&follow=%d HTTP/1.0\r\n"
		      "Host: %s\r\n\r\n",
		id, tail, follow, l->en->url.path[0] ? "localhost" : l->en->url.host);
	struct http_head head;
	int rc = link_send(l, request, strlen(request), e);

	free(request);
	if (rc == 0)
		rc = link_head(l, &head, e);
	if (rc == 0 && head.status != 200)
		rc = link_refused(l, ABOUT_CONTAINER, &head, e);
	return rc;
}

int
engine_logs(struct engine *en, const char *id, unsigned tail, bool follow, struct exec_stream *s,
    struct errtext *e)
{
	struct link l = { .fd = -1 };
	int rc;

	if (!engine_id_ok(id))
		return err_words(e, JB_NOT_FOUND, W_CONTAINER_UNKNOWN, NULL, NULL, NULL);
	if (en->bad)
		return err_words(e, en->bad, W_NODE_ADDRESS, en->name, NULL, NULL);
	rc = link_open(&l, en, e);
	if (rc == 0)
		rc = ask(&l, id, tail, follow, e);
	return rc == 0 ? link_take(&l, true, s, e) : link_close(&l, rc);
}
