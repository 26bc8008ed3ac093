/*
 * The full-screen menu on a channel: opens and closes it, feeds it the
 * client's keys and the broker's rows, and draws it.  jumpbox-session.
 *
 * A key is answered at once; what changed by itself is drawn once a second at
 * most.  Nothing is drawn while the client has not taken what was drawn
 * before: on a slow line frames are left out, not queued.
 */
#include "menu_full.h"

#include "jumpbox/util.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { REDRAW_MS = 1000 };

bool
menu_full_on(const struct channel *ch)
{
	return ch->full != NULL && ch->full->screen != NULL;
}

/* ---- opening and closing ------------------------------------------------------- */

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static void
fit(struct channel *ch)
{
	struct ui_menu *ui = &ch->full->ui;
	unsigned cols = least(ch->cols, SCREEN_COLS), rows = least(ch->rows, SCREEN_ROWS);

	if (cols == ui->cols && rows == ui->rows)
		return;
	ui_menu_resize(ui, cols, rows);
	ch->full->draw = true;
}

static bool
wants_colour(const struct channel *ch)
{
	return chan_variable(ch, "NO_COLOR") == NULL;
}

/* The broker tells of changes while there is anybody to hear of them. */
static void
follow(struct conn *c, bool on)
{
	unsigned before = c->followers;
	struct msg m;

	c->followers += on ? 1 : -1u;
	if ((before == 0) == (c->followers == 0))
		return;
	msg_init(&m, REQ_FOLLOW, link_id());
	msg_put_u32(&m, on);
	link_send(&m);
}

static void
list(struct channel *ch)
{
	ch->full->listing = true;
	ch->full->again = false;
	front_list(ch);
}

/* A sentence that is a line of its own elsewhere. */
static void
say_line(struct ui_menu *ui, bool bad, const char *text)
{
	char line[UI_STATUS];

	text += strspn(text, "\n");
	str_copy(line, sizeof(line), text);
	line[strcspn(line, "\n")] = '\0';
	ui_menu_say_text(ui, bad, line);
}

/* How it was sorted, filtered and where the cursor was stay from one opening to the next. */
bool
menu_full_open(struct channel *ch, const char *said)
{
	struct ui_screen *screen = ui_screen_open(ch->term, wants_colour(ch));
	struct menu_full *f = ch->full;
	char news[UI_STATUS];

	if (screen == NULL)
		return false;
	if (f == NULL) {
		f = ch->full = xcalloc(1, sizeof(*f));
		ui_menu_init(&f->ui, &ch->model, ch->cols, ch->rows);
	}
	f->screen = screen;
	f->input = (struct ui_input){ 0 };
	f->give_up = f->tick = 0;
	f->draw = !f->ui.loading; /* else the first rows are on their way */
	f->repaint = false;
	f->stale = true;
	f->drawn = now_mono_ms();
	ui_menu_reopen(&f->ui);
	fit(ch);
	if (said != NULL)
		say_line(&f->ui, false, said);
	else if (menu_pages_news(ch, news, sizeof(news)))
		say_line(&f->ui, false, news);
	ch->state = CH_MENU;
	follow(ch->conn, true);
	list(ch);
	return true;
}

/* Everything that is large goes; what is not complete of the list is asked for anew. */
void
menu_full_close(struct channel *ch)
{
	if (!menu_full_on(ch))
		return;
	ui_screen_close(ch->full->screen, &ch->say);
	ch->full->screen = NULL;
	menu_pages_forget(ch);
	ui_menu_release(&ch->full->ui);
	follow(ch->conn, false);
	list_end(ch);
	ch->request = ch->wish = 0;
	malloc_trim(0); /* a shell may last for days */
}

bool
menu_full_returned(struct channel *ch)
{
	bool lent = ch->full != NULL && ch->full->lent;

	if (lent)
		ch->full->lent = false;
	return lent;
}

void
menu_full_sessions(struct channel *ch)
{
	if (menu_full_on(ch))
		menu_pages_open(ch, UI_SHOW_WHO);
}

void
menu_full_free(struct channel *ch)
{
	if (ch->full == NULL)
		return;
	if (ch->full->screen != NULL) {
		ui_screen_close(ch->full->screen, NULL);
		menu_pages_forget(ch);
		follow(ch->conn, false);
	}
	ui_menu_release(&ch->full->ui);
	free(ch->full);
	ch->full = NULL;
}

/* ---- what comes by itself --------------------------------------------------------- */

void
menu_full_rows(struct channel *ch)
{
	if (!ch->full->ui.loading || ch->full->ui.list.n > 0)
		return; /* the first page is painted at once, and then all of them */
	ui_menu_update(&ch->full->ui);
	ch->full->draw = true;
}

void
menu_full_listed(struct channel *ch)
{
	struct menu_full *f = ch->full;

	if (f->ui.loading || ch->ncandidates > 0) {
		f->ui.loading = false;
		ui_model_filter(&ch->model, ch->candidate, ch->ncandidates);
		f->draw = true;
	}
	ui_menu_update(&f->ui);
	f->stale = true;
	f->listing = false;
	if (f->again)
		list(ch);
}

void
menu_full_unlisted(struct channel *ch)
{
	ch->full->listing = ch->full->ui.loading = false;
	menu_full_say(ch, W_UI_NO_LIST);
}

void
menu_full_changed(struct channel *ch, bool anew)
{
	ch->anew |= anew;
	if (!menu_full_on(ch))
		return;
	if (ch->full->listing)
		ch->full->again = true;
	else
		list(ch);
}

void
menu_full_say(struct channel *ch, enum word w)
{
	char text[UI_STATUS];

	say_line(&ch->full->ui, true, words(text, sizeof(text), w, NULL, NULL, NULL));
	ch->full->draw = true;
}

/* Beside what is said already. */
void
menu_full_tell(struct channel *ch, const char *line)
{
	struct ui_menu *ui = &ch->full->ui;
	char text[2 * UI_STATUS];

	str_copy(text, sizeof(text), line);
	text[strcspn(text, "\n")] = '\0';
	if (ui->status[0] != '\0')
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "  %s", ui->status);
	say_line(ui, ui->status_bad, text);
	ch->full->draw = true;
}

/* ---- keys --------------------------------------------------------------------------- */

/* An answer of the user's: NULL for an empty one. */
static void
set(char **to, const char *answer)
{
	free(*to);
	*to = answer[0] == '\0' ? NULL : xstrdup(answer);
}

static void
connect_to(struct channel *ch)
{
	const struct ui_menu *ui = &ch->full->ui;
	const struct ui_entry *e = ui_model_get(&ch->model, ui->chosen);

	set(&ch->run_as, ui->answer[ASK_USER]);
	set(&ch->shell, ui->answer[ASK_SHELL]);
	menu_full_close(ch);
	front_connect(ch, e);
}

static void
play(struct channel *ch)
{
	const struct ui_menu *ui = &ch->full->ui;

	if (!command_play(ch, ui->answer[ui->asking], ui->asking == ASK_WATCH)) {
		menu_full_say(ch, W_UI_NO_SESSION);
		return;
	}
	menu_full_close(ch);
	ch->full->lent = true;
}

static void
key(struct channel *ch, int32_t k)
{
	struct menu_full *f = ch->full;
	unsigned effect = ui_menu_key(&f->ui, k);

	f->draw |= (effect & UI_DRAW) != 0;
	f->repaint |= (effect & UI_REPAINT) != 0;
	if (effect & UI_EVERYTHING) {
		front_everything(ch);
		ui_list_refilter(&f->ui.list);
	}
	if (effect & UI_RELIST) {
		f->drawn = 0; /* what comes of it need not wait */
		menu_full_changed(ch, true);
	}
	menu_pages_open(ch, effect);
	if (effect & UI_CONNECT)
		connect_to(ch);
	if (effect & UI_PLAY)
		play(ch);
	if (effect & UI_LEAVE)
		chan_end(ch, 0);
}

/* Type-ahead waits for the whole list: the one that Enter means may be on its last page. */
static bool
keys(struct channel *ch, int64_t now)
{
	struct menu_full *f = ch->full;
	int32_t k[INPUT_KEYS];
	bool any = false;
	size_t n;

	while (menu_full_on(ch) && !f->ui.loading && buf_len(&ch->in) > 0) {
		n = ui_input_feed(&f->input, *buf_ptr(&ch->in), k);
		buf_consume(&ch->in, 1);
		for (size_t i = 0; i < n && menu_full_on(ch); i++)
			key(ch, k[i]);
		f->give_up = ui_input_wait(&f->input) == 0 ? 0 : now + ui_input_wait(&f->input);
		any = true;
	}
	if (menu_full_on(ch) && due(f->give_up, now)) {
		f->give_up = 0;
		key(ch, ui_input_give_up(&f->input));
		any = true;
	}
	return any;
}

/* ---- drawing -------------------------------------------------------------------------- */

static void
draw(struct channel *ch, int64_t now)
{
	struct menu_full *f = ch->full;
	const char *server = ch->conn->cfg->server_address;
	const struct ui_place place = { ch->conn->user, server[0] != '\0' ? server : "jumpbox" };
	int64_t next = ui_view_next(&f->ui, now_unix());

	ui_screen_draw(f->screen, &f->ui, &place, now_unix(), f->repaint, &ch->say);
	f->draw = f->repaint = f->stale = false;
	f->fresh = 0;
	f->drawn = now;
	f->tick = next == 0 ? 0 : now + next * 1000 - now_unix_ms();
}

bool
menu_full_work(struct channel *ch, int64_t now)
{
	struct menu_full *f = ch->full;
	bool any = keys(ch, now);

	if (!menu_full_on(ch))
		return any;
	if (ch->in_eof && !ch->held && buf_len(&ch->in) == 0) {
		chan_end(ch, 0);
		return true;
	}
	any |= menu_pages_work(ch);
	fit(ch);
	f->draw |= due(f->tick, now) || (f->stale && now - f->drawn >= REDRAW_MS);
	if (!f->draw || buf_len(&ch->say) > 0)
		return any;
	draw(ch, now);
	return true;
}

int64_t
menu_full_deadline(const struct channel *ch)
{
	const struct menu_full *f = ch->full;
	int64_t at;

	if (!menu_full_on(ch))
		return 0;
	at = f->give_up;
	if (!f->draw) { /* else it waits for the client */
		at = sooner(at, f->tick);
		at = sooner(at, f->stale ? f->drawn + REDRAW_MS : 0);
	}
	return at;
}
