/*
 * What the full-screen menu asks the broker for: details and figures, logs and
 * power of one container, sessions and recordings; and what it shows of its
 * own, the lines for other programs and the messages.  jumpbox-session.
 */
#include "menu_full.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"
#include "task_parts.h"
#include "ui_details.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOG_TAIL = 1000, LOG_READ = 32 * 1024, FACTS_MAX = 256 * 1024, NAME_WIDTH = 24 };

static void
cancel(uint32_t *request)
{
	if (*request != 0)
		task_cancel(*request);
	*request = 0;
}

void
menu_pages_close(struct channel *ch)
{
	struct menu_full *f = ch->full;

	cancel(&f->details);
	cancel(&f->stats);
	cancel(&f->logs);
	f->query = 0;
	table_release(&f->table);
	buf_release(&f->facts);
	if (ch->fd >= 0)
		close(ch->fd);
	ch->fd = -1;
}

void
menu_pages_forget(struct channel *ch)
{
	menu_pages_close(ch);
	cancel(&ch->full->power);
}

/* The page cannot be had, or not any more. */
static void
lost(struct channel *ch, const char *reason)
{
	menu_pages_close(ch);
	ui_menu_list(&ch->full->ui);
	ui_menu_say_text(&ch->full->ui, true, reason);
	ch->full->draw = true;
}

static uint32_t
ask(struct channel *ch, uint32_t type, struct msg *m)
{
	uint32_t id = link_id();

	msg_init(m, type, id);
	msg_put_u64(m, ch->full->ui.chosen);
	return id;
}

/* ---- details and figures -------------------------------------------------------- */

static bool
has_figures(const struct channel *ch)
{
	const struct ui_entry *e = ui_model_get(&ch->model, ch->full->ui.chosen);

	return e != NULL && (strcmp(e->state, "running") == 0 || strcmp(e->state, "paused") == 0);
}

static void
open_details(struct channel *ch)
{
	struct menu_full *f = ch->full;
	struct msg m;

	ui_menu_read(&f->ui, UI_PAGE, W_UI_DETAILS_OF, f->ui.name);
	buf_init(&f->facts, FACTS_MAX);
	f->have_figures = false;
	f->details = ask(ch, REQ_DETAILS, &m);
	link_send(&m);
	if (!has_figures(ch))
		return;
	f->stats = ask(ch, REQ_STATS, &m);
	link_send(&m);
}

/* Figures above, facts below; where it is looked at stays. */
static void
show_details(struct menu_full *f)
{
	size_t found = f->ui.page.found, width = text_width(f->ui.name);
	struct buf out;

	buf_init(&out, FACTS_MAX);
	if (f->have_figures) {
		width = width > NAME_WIDTH ? NAME_WIDTH : width;
		ui_stats_head(width, &out);
		ui_stats_line(f->ui.name, &f->figures, width, &out);
		buf_add(&out, "\n", 1);
	}
	ui_page_clear(&f->ui.page);
	ui_page_add(&f->ui.page, buf_ptr(&out), buf_len(&out));
	ui_page_add(&f->ui.page, buf_ptr(&f->facts), buf_len(&f->facts));
	f->ui.page.found = found;
	buf_release(&out);
	ui_menu_grown(&f->ui);
}

/* u32 code, str message: true if all is well. */
static bool
good(struct msg *m, char why[static MAX_REASON + 1])
{
	uint32_t code = msg_get_u32(m);

	msg_get_str(m, why, MAX_REASON + 1);
	return code == 0;
}

static void
on_details(struct channel *ch, struct msg *m)
{
	struct menu_full *f = ch->full;
	struct ui_details d = { 0 };
	char why[MAX_REASON + 1];
	bool ok = good(m, why);

	f->details = 0;
	task_take_details(m, &d);
	if (!msg_end(m))
		task_malformed(m);
	if (ok) {
		ui_details_text(&d, &f->facts);
		show_details(f);
		f->draw = true;
	} else {
		lost(ch, why);
	}
	ui_details_release(&d);
}

/* Without figures there are still details. */
static void
on_stats(struct channel *ch, struct msg *m)
{
	char why[MAX_REASON + 1], name[256];

	if (!good(m, why))
		ch->full->stats = 0;
	msg_get_str(m, name, sizeof(name)); /* the page has it */
	if (!msg_end(m))
		task_malformed(m);
}

static void
on_figures(struct channel *ch, struct msg *m)
{
	struct menu_full *f = ch->full;

	task_take_stats(m, &f->figures);
	if (!msg_end(m))
		task_malformed(m);
	f->draw |= !f->have_figures;
	f->stale = f->have_figures = true;
	show_details(f);
}

/* ---- logs ------------------------------------------------------------------------- */

static void
open_logs(struct channel *ch)
{
	struct menu_full *f = ch->full;
	struct msg m;

	ui_menu_read(&f->ui, UI_LOGS, W_UI_LOGS_OF, f->ui.name);
	f->settled = false;
	f->fresh = 0;
	f->logs = ask(ch, REQ_LOGS, &m);
	msg_put_u32(&m, LOG_TAIL);
	msg_put_u32(&m, true);
	link_send(&m);
}

static void
on_logs(struct channel *ch, struct msg *m)
{
	char why[MAX_REASON + 1];
	bool ok = good(m, why);

	log_stream_init(&ch->full->stream, msg_get_u32(m) != 0);
	if (ok)
		ch->fd = msg_take_fd(m);
	if (!msg_end(m) || (ok && ch->fd < 0))
		task_malformed(m);
	if (!ok) {
		ch->full->logs = 0;
		lost(ch, why);
		return;
	}
	set_nonblock(ch->fd, true);
	ch->readable = true;
}

static void
logs_over(struct channel *ch, bool whole)
{
	struct menu_full *f = ch->full;
	struct buf out;

	buf_init(&out, LOG_READ);
	whole &= log_stream_end(&f->stream, &out);
	ui_page_add(&f->ui.page, buf_ptr(&out), buf_len(&out));
	buf_release(&out);
	ui_menu_grown(&f->ui);
	if (whole)
		ui_menu_say(&f->ui, false, W_UI_LOG_ENDED, NULL, NULL);
	else
		menu_full_say(ch, W_STREAM_BROKEN);
	close(ch->fd);
	ch->fd = -1;
	f->draw = true;
}

/* No more than a page's worth is read before it is drawn: what nobody can see is not worth reading. */
static bool
logs_room(const struct channel *ch)
{
	return ch->fd >= 0 && ch->full->fresh < PAGE_BYTES;
}

bool
menu_pages_work(struct channel *ch)
{
	struct menu_full *f = ch->full;
	uint8_t bytes[LOG_READ];
	struct buf out;
	ssize_t n;
	bool ok;

	if (!logs_room(ch) || !ch->readable)
		return false;
	n = recv(ch->fd, bytes, sizeof(bytes), 0);
	ch->readable = n == (ssize_t)sizeof(bytes); /* else poll() will tell */
	if (!ch->readable && !f->settled)
		f->settled = f->draw = true;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		logs_over(ch, n == 0);
		return true;
	}
	timers_active(ch->conn);
	f->stale = true;
	f->fresh += (size_t)n;
	buf_init(&out, LOG_READ * LOG_TEXT_GROWTH);
	ok = log_stream_add(&f->stream, bytes, (size_t)n, &out);
	ui_page_add(&f->ui.page, buf_ptr(&out), buf_len(&out));
	buf_release(&out);
	ui_menu_grown(&f->ui);
	if (!ok)
		logs_over(ch, false);
	return true;
}

short
menu_pages_events(const struct channel *ch)
{
	return logs_room(ch) ? POLLIN : 0;
}

/* ---- power ---------------------------------------------------------------------------- */

static void
do_power(struct channel *ch)
{
	struct menu_full *f = ch->full;
	struct msg m;

	ui_menu_say(&f->ui, false, W_UI_POWER_WAIT, NULL, NULL);
	if (f->power != 0)
		return; /* one thing after the other */
	f->power = ask(ch, REQ_POWER, &m);
	msg_put_u32(&m, f->ui.power);
	link_send(&m);
}

static void
on_power(struct channel *ch, struct msg *m)
{
	char why[MAX_REASON + 1];
	bool ok = good(m, why);

	if (!msg_end(m))
		task_malformed(m);
	ch->full->power = 0;
	ui_menu_say_text(&ch->full->ui, !ok, why);
	ch->full->draw = true;
}

/* ---- sessions and recordings ------------------------------------------------------------- */

static void
ask_rows(struct menu_full *f, enum query what)
{
	table_release(&f->table);
	table_init(&f->table, table_kind_of(what));
	f->asked = what;
	f->query = task_ask_rows(what, 0);
}

static void
open_who(struct channel *ch)
{
	struct menu_full *f = ch->full;

	ui_menu_read(&f->ui, UI_WHO, W_UI_SESSIONS, NULL);
	ask_rows(f, QUERY_WHO);
}

/* One below the other: who is here, and what there is to be played. */
static void
show_rows(struct menu_full *f)
{
	char title[64];
	struct buf out;

	buf_init(&out, FACTS_MAX);
	if (f->asked == QUERY_RECORDED) {
		words(title, sizeof(title), W_UI_RECORDINGS, NULL, NULL, NULL);
		buf_add(&out, "\n", 1);
		buf_add(&out, title, strlen(title));
		buf_add(&out, "\n\n", 2);
	}
	table_text(&f->table, &out);
	ui_page_add(&f->ui.page, buf_ptr(&out), buf_len(&out));
	buf_release(&out);
	f->draw = true;
}

static void
on_rows(struct channel *ch, struct msg *m)
{
	struct menu_full *f = ch->full;
	char why[MAX_REASON + 1];
	bool ok = good(m, why);
	uint32_t next = task_take_rows(m, &f->table);

	f->query = 0;
	if (!msg_end(m))
		task_malformed(m);
	if (!ok) {
		lost(ch, why);
	} else if (next != 0) {
		f->query = task_ask_rows(f->asked, next);
	} else {
		show_rows(f);
		if (f->asked == QUERY_WHO)
			ask_rows(f, QUERY_RECORDED);
	}
}

/* ---- what needs no broker ---------------------------------------------------------------- */

static void
open_lines(struct channel *ch)
{
	struct ui_menu *ui = &ch->full->ui;
	const struct ui_entry *e = ui_model_get(&ch->model, ui->chosen);
	struct buf out;

	ui_menu_read(ui, UI_PAGE, W_UI_LINES_OF, ui->name);
	buf_init(&out, FACTS_MAX);
	if (e != NULL)
		command_lines(ch, e, &out);
	ui_page_add(&ui->page, buf_ptr(&out), buf_len(&out));
	buf_release(&out);
}

static void
open_news(struct channel *ch)
{
	struct ui_menu *ui = &ch->full->ui;
	const char *motd = ch->conn->motd;
	char line[UI_STATUS];

	ui_menu_read(ui, UI_PAGE, W_UI_NEWS, NULL);
	if (notices_access(ch->conn, line, sizeof(line)))
		ui_page_add(&ui->page, line, strlen(line));
	if (notices_account(ch->conn, line, sizeof(line)))
		ui_page_add(&ui->page, line, strlen(line));
	if (ui_page_lines(&ui->page) == 0 && motd == NULL)
		ui_page_add(&ui->page, words(line, sizeof(line), W_UI_NO_NEWS, NULL, NULL, NULL),
		    strlen(line));
	if (motd != NULL)
		ui_page_add(&ui->page, motd, strlen(motd));
}

bool
menu_pages_news(struct channel *ch, char *dst, size_t size)
{
	const char *motd = ch->conn->motd;
	char line[UI_STATUS];
	size_t n;

	if (notices_recovery(ch->conn, dst, size) || notices_access(ch->conn, dst, size) ||
	    notices_account(ch->conn, dst, size))
		return true;
	if (motd == NULL || ch->greeted)
		return false;
	ch->greeted = true;
	n = text_cut(
	    motd, strcspn(motd, "\n") < sizeof(line) ? strcspn(motd, "\n") : sizeof(line) - 1);
	memcpy(line, motd, n);
	line[n] = '\0';
	if (motd[n] != '\0' && motd[n + 1] != '\0')
		words(dst, size, W_UI_NEWS_MORE, line, NULL, NULL);
	else
		str_copy(dst, size, line);
	return true;
}

/* ---- the table ------------------------------------------------------------------------------ */

static const struct {
	enum ui_effect effect;
	void (*open)(struct channel *ch);
} pages[] = {
	{ UI_SHOW_DETAILS, open_details },
	{ UI_SHOW_LOGS, open_logs },
	{ UI_SHOW_LINES, open_lines },
	{ UI_SHOW_NEWS, open_news },
	{ UI_SHOW_WHO, open_who },
	{ UI_DO_POWER, do_power },
	{ UI_CLOSE_PAGE, menu_pages_close },
};

void
menu_pages_open(struct channel *ch, unsigned effect)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if ((effect & pages[i].effect) != 0)
			pages[i].open(ch);
}

bool
menu_pages_answer(struct channel *ch, struct msg *m)
{
	struct menu_full *f = ch->full;

	if (!menu_full_on(ch))
		return false;
	if (m->type == EVT_STATS) {
		if (f->stats != 0 && msg_get_u32(m) == f->stats) {
			on_figures(ch, m);
			return true;
		}
		m->pos = MSG_HEADER; /* another channel's */
		return false;
	}
	if (m->type == REP_DETAILS && m->id == f->details)
		on_details(ch, m);
	else if (m->type == REP_STATS && m->id == f->stats)
		on_stats(ch, m);
	else if (m->type == REP_LOGS && m->id == f->logs)
		on_logs(ch, m);
	else if (m->type == REP_POWER && m->id == f->power)
		on_power(ch, m);
	else if (m->type == REP_QUERY && m->id == f->query)
		on_rows(ch, m);
	else
		return false;
	return true;
}

bool
menu_pages_detached(struct channel *ch, uint32_t request, uint32_t code, const char *reason)
{
	struct menu_full *f = ch->full;

	if (!menu_full_on(ch) || request == 0)
		return false;
	if (request != f->stats && request != f->logs)
		return false;
	if (request == f->logs) {
		f->logs = 0;
		lost(ch, reason);
		return true;
	}
	f->stats = 0; /* figures end with the container; its details stay */
	if (code == (uint32_t)-JB_DENIED)
		lost(ch, reason);
	return true;
}
