/*
 * The broker's list into the model: pages, marks, what is no more.
 * jumpbox-session.
 *
 * The broker has one list in hand for each connection, so that channels whose
 * lists have several pages take turns.
 */
#include "conn.h"

#include "jumpbox/log.h"
#include "jumpbox/proto.h"

bool
list_begin(struct channel *ch, uint32_t offset)
{
	struct conn *c = ch->conn;

	if (offset > 0)
		return true;
	if (c->lister != NULL && c->lister != ch)
		return false;
	c->lister = ch;
	ch->since = ch->anew ? 0 : ch->mark;
	ch->anew = false; /* what changes from here on is not in this one */
	if (ch->since == 0)
		ui_model_begin(&ch->model);
	return true;
}

void
list_end(struct channel *ch)
{
	if (ch->conn->lister != ch)
		return;
	ch->conn->lister = NULL;
	ch->anew |= ch->since == 0;
}

static void
take_row(struct channel *ch, struct msg *m)
{
	char id[65], name[256], node[65], state[64], health[32], image[1025], service[256];
	char labels[MAX_ROW_LABELS + 1], owner[65], ports[MAX_ROW_PORTS + 1], region[65];
	struct ui_entry row = { .id = id,
		.name = name,
		.node = node,
		.state = state,
		.health = health,
		.image = image,
		.service = service,
		.labels = labels,
		.owner = owner,
		.ports = ports,
		.region = region };

	row.ref = msg_get_u64(m);
	msg_get_str(m, id, sizeof(id));
	msg_get_str(m, name, sizeof(name));
	msg_get_str(m, node, sizeof(node));
	msg_get_str(m, state, sizeof(state));
	msg_get_str(m, health, sizeof(health));
	msg_get_str(m, image, sizeof(image));
	msg_get_str(m, service, sizeof(service));
	msg_get_str(m, labels, sizeof(labels));
	msg_get_str(m, owner, sizeof(owner));
	msg_get_str(m, ports, sizeof(ports));
	msg_get_str(m, region, sizeof(region));
	row.created = msg_get_u64(m);
	row.started = msg_get_u64(m);
	row.finished = msg_get_u64(m);
	row.node_seen = msg_get_u64(m);
	row.used = msg_get_u64(m);
	row.exit_code = msg_get_u32(m);
	row.perms = msg_get_u32(m); /* for what is offered: the broker enforces them */
	row.flags = msg_get_u32(m);
	if (!m->bad)
		ui_model_add(&ch->model, &row);
}

bool
list_take(struct channel *ch, struct msg *m, uint32_t *next)
{
	uint32_t total = msg_get_u32(m), offset = msg_get_u32(m), n;
	uint64_t mark = msg_get_u64(m);

	n = msg_get_u32(m);
	for (uint32_t i = 0; i < n && !m->bad; i++)
		take_row(ch, m);
	n = msg_get_u32(m);
	for (uint32_t i = 0; i < n && !m->bad; i++)
		ui_model_gone(&ch->model, msg_get_u64(m));
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's LIST answer is malformed");
	*next = total != LIST_FAILED && total > LIST_PAGE && offset < total - LIST_PAGE
	    ? offset + LIST_PAGE
	    : 0;
	if (*next != 0)
		return true;
	if (total == LIST_FAILED) {
		list_end(ch);
		return false;
	}
	ch->conn->lister = NULL;
	if (ch->since == 0)
		ui_model_end(&ch->model);
	ch->mark = mark;
	return true;
}
