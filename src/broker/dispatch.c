/*
 * Read this first: every request a session can make, and when.  Broker.
 *
 * The session is believed nothing.  What is not in this table, not allowed in
 * the present state, or not exactly as proto.h draws it ends the pair.
 */
#include "broker.h"

#include <stddef.h>

enum {
	ANY = STATE_KEX | STATE_PREAUTH | STATE_CHECKING | STATE_SECOND | STATE_MUST_CHANGE |
	    STATE_MUST_ENROL | STATE_AUTHED | STATE_ENDING,
	/* Also of a client that goes on with its keys when a code is wanted: it proves nothing more. */
	KEYS = STATE_PREAUTH | STATE_SECOND,
	/* somebody is logged in, whose new password may be in the works */
	NAMED = STATE_CHECKING | STATE_MUST_CHANGE | STATE_MUST_ENROL | STATE_AUTHED,
	MAY_ENROL = STATE_MUST_ENROL | STATE_AUTHED,
	RUNS = STATE_AUTHED | STATE_ENDING, /* streams live on until the session has closed them */
};

/* clang-format off */
static const struct request {
	uint32_t type;
	unsigned allowed;
	const char *(*handler)(struct broker *, struct msg *); /* NULL, or what is wrong */
} requests[] = {
	{ REQ_SIGN,         ANY,               do_sign         },
	{ REQ_VERIFY,       KEYS,              do_verify       },
	{ REQ_PASSWORD,     STATE_PREAUTH,     do_password     },
	{ REQ_OFFER,        STATE_PREAUTH,     do_offer        },
	{ REQ_KEY_LOGIN,    STATE_PREAUTH,     do_key_login    },
	{ REQ_NEW_PASSWORD, STATE_MUST_CHANGE, do_new_password },
	{ REQ_TARGET,       STATE_AUTHED,      do_target       },
	{ REQ_LIST,         STATE_AUTHED,      do_list         },
	{ REQ_ATTACH,       STATE_AUTHED,      do_attach       },
	{ REQ_CANCEL,       RUNS,              do_cancel       },
	{ REQ_RESIZE,       RUNS,              do_resize       },
	{ REQ_SIGNAL,       RUNS,              do_signal       },
	{ REQ_STATUS,       RUNS,              do_status       },
	{ REQ_DETACH,       RUNS,              do_detach       },
	{ REQ_LOG,          ANY,               do_log          },
	{ REQ_LANGUAGE,     NAMED,             do_language     },
	{ REQ_DETAILS,      STATE_AUTHED,      do_details      },
	{ REQ_STATS,        STATE_AUTHED,      do_stats        },
	{ REQ_LOGS,         STATE_AUTHED,      do_logs         },
	{ REQ_POWER,        STATE_AUTHED,      do_power        },
	{ REQ_QUERY,        STATE_AUTHED,      do_query        },
	{ REQ_CHANGE,       STATE_AUTHED,      do_change       },
	{ REQ_PASSWD,       STATE_AUTHED,      do_passwd       },
	{ REQ_FOLLOW,       STATE_AUTHED,      do_follow       },
	{ REQ_REPLAY,       STATE_AUTHED,      do_replay       },
	{ REQ_CODE,         STATE_SECOND,      do_code         },
	{ REQ_ENROL,        MAY_ENROL,         do_enrol        },
	{ REQ_CONFIRM,      MAY_ENROL,         do_confirm      },
	{ REQ_HELPER,       STATE_AUTHED,      do_helper       },
	{ REQ_NOTE,         RUNS,              do_note         },
};
/* clang-format on */

static const struct request *
find(uint32_t type)
{
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].type == type)
			return &requests[i];
	return NULL;
}

static const char *
handle(struct broker *b, struct msg *m)
{
	const struct request *r = find(m->type);

	if (r == NULL)
		return "an unknown request";
	if (m->nfds > 0)
		return "a descriptor";
	if (m->id <= b->last_id)
		return "a request id that was used";
	if ((r->allowed & b->state) == 0 && b->state != STATE_ENDING)
		return "not now";
	b->last_id = m->id;
	if ((r->allowed & b->state) == 0)
		return NULL; /* it crossed EVT_END on its way */
	return r->handler(b, m);
}

void
dispatch(struct broker *b, struct msg *m)
{
	const char *wrong = handle(b, m);

	if (wrong != NULL)
		broker_protocol(b, m->type, wrong);
}
