/*
 * What the broker's engine children have in common, and how the broker takes
 * the facts that they tell.  Also the cleaner's.
 */
#include "job.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
job_tell(int fd, struct msg *m)
{
	if (msg_send(fd, m) < 0)
		_exit(1); /* the broker is gone, or the message was too large */
	msg_release(m);
}

void
job_failed(int fd, int code, const struct errtext *e)
{
	struct msg m;

	msg_init(&m, CHILD_FAILED, 0);
	msg_put_u32(&m, (uint32_t)-code);
	child_put_why(&m, e);
	job_tell(fd, &m);
}

struct engine *
job_engine(const struct held_node *node, long timeout_ms)
{
	struct engine_addr addr = engine_addr_of(node->node);

	return engine_new(&addr, timeout_ms);
}

/* ---- facts ------------------------------------------------------------------ */

/*
 *	CHILD_FACTS   u32 api, u32 podman, str name, str image, str state, str labels,
 *	              u32 has owner, str owner, u32 pid-host
 */
static void
tell_facts(int fd, const struct engine_info *info, const struct engine_inspect *in,
    const char *owner_label)
{
	char *owner = NULL;
	struct msg m;

	if (owner_label[0] != '\0')
		owner = engine_own_label(in->labels, in->image_labels, owner_label);
	msg_init(&m, CHILD_FACTS, 0);
	msg_put_u32(&m, info->api);
	msg_put_u32(&m, info->podman);
	msg_put_str(&m, in->name);
	msg_put_str(&m, in->image);
	msg_put_str(&m, in->state);
	msg_put_str(&m, in->labels);
	msg_put_u32(&m, owner != NULL);
	msg_put_str(&m, owner != NULL ? owner : "");
	msg_put_u32(&m, in->pid_host);
	free(owner);
	job_tell(fd, &m);
}

int
job_facts(int fd, const struct broker *b, struct engine *en, const char *container,
    struct engine_info *info, bool *tty, struct errtext *e)
{
	struct engine_inspect in;
	int r;

	if ((r = engine_version(en, info, e)) < 0 ||
	    (r = engine_inspect(en, container, &in, e)) < 0)
		return r;
	tell_facts(fd, info, &in, b->cfg->owner_label);
	if (tty != NULL)
		*tty = in.tty;
	engine_inspect_release(&in);
	return 0;
}

bool
live_take(struct msg *m, struct live *l)
{
	bool owned;

	l->info.api = msg_get_u32(m);
	l->info.podman = msg_get_u32(m) != 0;
	l->name = msg_dup_str(m, 255);
	l->image = msg_dup_str(m, 1024);
	msg_get_str(m, l->state, sizeof(l->state));
	l->labels = msg_dup_str(m, MSG_MAX);
	owned = msg_get_u32(m) != 0;
	l->owner = msg_dup_str(m, 1024);
	if (!owned) {
		free(l->owner);
		l->owner = NULL;
	}
	l->pid_host = msg_get_u32(m) != 0;
	return msg_end(m);
}

void
live_release(struct live *l)
{
	free(l->name);
	free(l->image);
	free(l->labels);
	free(l->owner);
	memset(l, 0, sizeof(*l));
}

/* ---- the decision, and what is passed ------------------------------------------ */

void
job_go(int fd, char **run_as)
{
	struct msg m;

	msg_init(&m, 0, 0);
	if (msg_recv(fd, &m) < 0 || m.type != CHILD_GO)
		_exit(0);
	*run_as = msg_dup_str(&m, 256);
	if (!msg_end(&m))
		_exit(1);
	msg_release(&m);
	if (**run_as == '\0') {
		free(*run_as);
		*run_as = NULL;
	}
}

void
job_exec(int fd, const char *exec_id)
{
	struct msg m;

	msg_init(&m, CHILD_EXEC, 0);
	msg_put_str(&m, exec_id);
	job_tell(fd, &m);
}

void
job_pass(int fd, struct engine *en, const struct exec_stream *s)
{
	struct errtext e;
	struct msg m;
	int sp[2] = { s->fd, -1 };

	if (s->tls && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sp) < 0) {
		job_failed(fd, err_words(&e, JB_TRY_AGAIN, W_NO_DESCRIPTORS, NULL, NULL, NULL), &e);
		return;
	}
	msg_init(&m, CHILD_STREAM, 0);
	msg_put_fd(&m, sp[0]);
	job_tell(fd, &m);
	if (s->tls)
		engine_stream_relay(en, sp[1]);
}
