/*
 * Between a channel of the client and one of a helper: bytes, windows, both
 * ends of input, the close.  jumpbox-session.
 *
 * What the helper may send before it is told that bytes are gone is what `raw`
 * holds; what the client sends waits in `in`, and then in its own window.
 */
#include "forward.h"

#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <stdlib.h>

enum { UNKNOWN_CODE = 255, LINGER_MS = 60000 /* of a target that takes nothing */ };

/* ---- what the helper says --------------------------------------------------- */

static void
on_opened(void *owner, uint32_t port, const char *path)
{
	(void)owner;
	(void)port;
	(void)path;
}

static void open_sftp(struct channel *ch, bool readonly);

/* Of SFTP alone: of all others a channel is made when it is open. Whoever may not write may perhaps read. */
static void
on_failed(void *owner, uint32_t why, uint32_t code, const char *text)
{
	struct channel *ch = owner;

	ch->mux = NULL;
	if (why == 0 && code == (uint32_t)-JB_DENIED && !ch->readonly) {
		open_sftp(ch, true);
		return;
	}
	chan_reason(ch, text);
	chan_end(ch, code);
}

static void
on_data(void *owner, const void *p, size_t n)
{
	struct channel *ch = owner;

	buf_add(&ch->raw, p, n);
}

static void
on_eof(void *owner)
{
	struct channel *ch = owner;

	ch->eof = true;
}

static void
on_exited(void *owner, uint32_t signal, uint32_t code, bool core)
{
	struct channel *ch = owner;

	(void)core;
	ch->code = signal != 0 ? 128 + signal : code;
	ch->have_code = true;
}

static void
on_closed(void *owner, uint32_t code, const char *text)
{
	struct channel *ch = owner;

	ch->mux = NULL;
	if (code == 0)
		return;
	if (!ch->forward)
		chan_reason(ch, text);
	ch->code = code;
	ch->have_code = true;
}

static const struct mux_events events = { on_opened, on_failed, on_data, on_eof, on_exited,
	on_closed, NULL, NULL };

/* ---- its life ------------------------------------------------------------------ */

static void
begin(struct channel *ch, bool forward)
{
	ch->carried = true;
	ch->forward = forward;
	ch->state = CH_CARRIED;
}

static void
open_sftp(struct channel *ch, bool readonly)
{
	struct mux_frame first = { .type = MUX_OPEN_SFTP, .u.sftp.readonly = readonly };
	char full[MAX_REASON + 1];

	ch->readonly = readonly;
	ch->mux =
	    mux_open(ch->conn, ch->ref, readonly ? PERM_FILES_RO : PERM_FILES, &first, &events, ch);
	if (ch->mux == NULL) {
		chan_reason(ch, words(full, sizeof(full), W_HELPER_FULL, NULL, NULL, NULL));
		chan_end(ch, -JB_TRY_AGAIN);
	}
}

void
carry_sftp(struct channel *ch, uint64_t ref)
{
	ch->ref = ref;
	begin(ch, false);
	open_sftp(ch, mux_refused(ch->conn, ref, PERM_FILES));
}

void
carry_begin(struct channel *ch, struct mux_chan *mc, struct reverse *reverse)
{
	begin(ch, true);
	ch->mux = mc;
	ch->reverse = reverse;
	mux_own(mc, &events, ch);
}

void
carry_forget(struct channel *ch)
{
	if (ch->mux != NULL)
		mux_close(ch->mux);
	ch->mux = NULL;
	reverse_free(ch->reverse);
	ch->reverse = NULL;
}

bool
carry_in(struct channel *ch)
{
	bool any = false;
	size_t n;

	while (buf_len(&ch->in) > 0 &&
	    (n = mux_send(ch->mux, buf_ptr(&ch->in), buf_len(&ch->in))) > 0) {
		if (ch->record != NULL)
			record_input(ch->record, now_mono_ms(), buf_ptr(&ch->in), n);
		buf_consume(&ch->in, n);
		ch->bytes_in += n;
		any = true;
	}
	if (ch->in_eof && !ch->held && !ch->in_shut && buf_len(&ch->in) == 0)
		ch->in_shut = mux_eof(ch->mux);
	return any;
}

void
carry_granted(struct channel *ch)
{
	if (ch->bytes_out > ch->granted)
		mux_grant(ch->mux, (size_t)(ch->bytes_out - ch->granted));
	ch->granted = ch->bytes_out;
}

bool
carry_work(struct channel *ch)
{
	bool any = false;

	if (ch->reverse != NULL)
		return reverse_work(ch);
	if (ch->mux != NULL) {
		any = carry_in(ch);
		carry_granted(ch);
	}
	if (buf_len(&ch->raw) > 0)
		return any;
	/* With both ends over OpenSSH's client closes, and would have no exit status: finish() says that first. */
	if (ch->eof && ch->forward && !ch->eof_told) {
		ssh_channel_send_eof(ch->ssh);
		ch->eof_told = true;
	}
	if (ch->mux == NULL) {
		chan_end(ch, ch->have_code ? ch->code : UNKNOWN_CODE);
		return true;
	}
	return any;
}

/*
 * A client closes as soon as both of its ends are over, right behind its last
 * bytes.  It hears of our close when the helper has all of them, as it would
 * from sshd; whatever else the container says is nobody's.
 */
bool
carry_lingers(struct channel *ch, int64_t now)
{
	if (!ch->forward || ch->mux == NULL || ch->reverse != NULL)
		return false;
	mux_grant(ch->mux, buf_len(&ch->raw));
	buf_reset(&ch->raw);
	if (carry_in(ch) || ch->linger_by == 0)
		ch->linger_by = now + LINGER_MS;
	return (ch->held || buf_len(&ch->in) > 0) && now < ch->linger_by;
}
