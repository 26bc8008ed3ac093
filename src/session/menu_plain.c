/*
 * The plain menu: a numbered list, and a line that is read.  For a terminal
 * that cannot have the full-screen one, a screen reader, a slow line; without
 * a terminal it is a list and one line.  What a line may say is one table, of
 * which the help is made.  jumpbox-session.
 */
#include "conn.h"
#include "task.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"
#include "ui_filter.h"
#include "ui_plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_LINES = 100, LINES_MOST = 8192, SAFE = 4 * UI_FILTER_MAX };

struct menu_plain {
	char filter[UI_FILTER_MAX + 1];
	enum { NOTHING, CONFIRM, USER, SHELL } asked; /* what the next line answers */
	enum power wish;
	uint64_t ref;
	char name[160]; /* safe */
};

static struct menu_plain *
of(struct channel *ch)
{
	if (ch->numbered == NULL)
		ch->numbered = xcalloc(1, sizeof(*ch->numbered));
	return ch->numbered;
}

void
menu_plain_free(struct channel *ch)
{
	free(ch->numbered);
	ch->numbered = NULL;
}

/* ---- the list ------------------------------------------------------------------ */

static void
apply_filter(struct channel *ch, const char *text)
{
	struct ui_words w;

	ui_words_init(&w, text);
	for (size_t i = 0; text[0] != '\0' && i < ch->model.n; i++)
		if (!ui_entry_matches(&ch->model.entry[i], &w))
			ch->model.entry[i].hidden = true;
}

static void
head(struct channel *ch, const char *filter)
{
	const char *server = ch->conn->cfg->server_address;
	size_t n = ui_model_visible(&ch->model);
	char count[24], safe[SAFE];

	snprintf(count, sizeof(count), "%zu", n);
	if (ch->ncandidates > 0)
		chan_words(ch, W_MENU_FILTERED, ch->notice, NULL, NULL);
	else if (filter[0] != '\0')
		chan_words(ch, W_PLAIN_FOUND, text_safe(safe, sizeof(safe), filter), count, NULL);
	else
		chan_words(ch,
		    n == 0	 ? W_MENU_NONE
			: n == 1 ? W_MENU_HEAD_ONE
				 : W_MENU_HEAD,
		    ch->conn->user, server[0] != '\0' ? server : "jumpbox", count);
}

void
menu_plain_resume(struct channel *ch)
{
	ch->state = CH_MENU;
	front_prompt(ch, ch->tty ? W_MENU_PROMPT : W_PICK_PROMPT, true);
}

void
menu_plain_show(struct channel *ch)
{
	const char *filter = of(ch)->filter;
	struct buf rows;

	if (ch->tty)
		notices_head(ch);
	ui_model_filter(&ch->model, ch->candidate, ch->ncandidates);
	apply_filter(ch, filter);
	head(ch, filter);
	buf_init(&rows, SAY_MAX);
	ui_plain_rows(&ch->model, ch->tty ? ch->cols : 0, now_unix(), &rows);
	chan_say_bytes(ch, buf_ptr(&rows), buf_len(&rows));
	buf_release(&rows);
	menu_plain_resume(ch);
}

/* ---- finding ---------------------------------------------------------------------- */

/* A number is good whatever the filter hides; a name is looked for in what is shown. */
static const struct ui_entry *
find(struct channel *ch, const char *text)
{
	const struct ui_entry *e = NULL;
	char safe[160], count[24], *end;
	unsigned long number = strtoul(text, &end, 10);
	size_t n;

	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
	    (e = ui_model_number(&ch->model, number)) != NULL)
		return e;
	if ((n = ui_model_find(&ch->model, text, &e)) == 1)
		return e;
	text_safe(safe, sizeof(safe), text);
	snprintf(count, sizeof(count), "%zu", n);
	chan_words(ch, n == 0 ? W_NO_SUCH : W_AMBIGUOUS, safe, count, NULL);
	return NULL;
}

/* ---- what can be done with one ------------------------------------------------------- */

static void
info(struct channel *ch, const struct ui_entry *e)
{
	task_details(ch, e->ref, false);
}

static void
logs(struct channel *ch, const struct ui_entry *e)
{
	task_logs(ch, e->ref, LOG_LINES, false);
}

static void
follow(struct channel *ch, const struct ui_entry *e)
{
	chan_words(ch, W_PLAIN_UNTIL, NULL, NULL, NULL);
	task_logs(ch, e->ref, LOG_LINES, true);
}

static void
top(struct channel *ch, const struct ui_entry *e)
{
	chan_words(ch, W_PLAIN_UNTIL, NULL, NULL, NULL);
	task_top_add(ch, e->ref, e->name);
	task_top(ch, false, true);
}

/* The next line is the answer. */
static void
ask(struct channel *ch, unsigned what, enum word question)
{
	struct menu_plain *p = of(ch);

	p->asked = what;
	chan_words(ch, question, p->name, NULL, NULL);
	line_init(&ch->line, ch->tty, true);
}

static void
choose(struct channel *ch, const struct ui_entry *e)
{
	struct menu_plain *p = of(ch);

	p->ref = e->ref;
	text_safe(p->name, sizeof(p->name), e->name);
}

static void
confirm(struct channel *ch, const struct ui_entry *e, enum power what, enum word question)
{
	choose(ch, e);
	of(ch)->wish = what;
	ask(ch, CONFIRM, question);
}

static void
start(struct channel *ch, const struct ui_entry *e)
{
	confirm(ch, e, POWER_START, W_CONFIRM_START);
}

static void
stop(struct channel *ch, const struct ui_entry *e)
{
	confirm(ch, e, POWER_STOP, W_CONFIRM_STOP);
}

static void
restart(struct channel *ch, const struct ui_entry *e)
{
	confirm(ch, e, POWER_RESTART, W_CONFIRM_RESTART);
}

static void
as(struct channel *ch, const struct ui_entry *e)
{
	choose(ch, e);
	ask(ch, USER, W_UI_ASK_USER);
}

static void
lines(struct channel *ch, const struct ui_entry *e)
{
	struct buf out;

	buf_init(&out, LINES_MOST);
	command_lines(ch, e, &out);
	chan_say_bytes(ch, buf_ptr(&out), buf_len(&out));
	buf_release(&out);
	menu_plain_resume(ch);
}

/* clang-format off */
static const struct action {
	const char *word;
	enum word help;
	void (*run)(struct channel *ch, const struct ui_entry *e);
} actions[] = {
	{ "i",       W_PLAIN_INFO,    info    },
	{ "l",       W_PLAIN_LOGS,    logs    },
	{ "f",       W_PLAIN_FOLLOW,  follow  },
	{ "t",       W_PLAIN_TOP,     top     },
	{ "c",       W_PLAIN_LINES,   lines   },
	{ "u",       W_PLAIN_AS,      as      },
	{ "start",   W_PLAIN_START,   start   },
	{ "stop",    W_PLAIN_STOP,    stop    },
	{ "restart", W_PLAIN_RESTART, restart },
};
/* clang-format on */
enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };

/* An action and what it is to be done with; *rest: behind the word. */
static const struct action *
action_of(const char *text, const char **rest)
{
	size_t n = strcspn(text, " ");

	*rest = text + n + strspn(text + n, " ");
	for (size_t i = 0; **rest != '\0' && i < ACTIONS; i++)
		if (strlen(actions[i].word) == n && strncmp(text, actions[i].word, n) == 0)
			return &actions[i];
	return NULL;
}

/* ---- for administrators: the broker says no to others ------------------------------------ */

static void
who(struct channel *ch, const char *rest)
{
	(void)rest;
	task_query(ch, QUERY_WHO, false);
}

static void
recordings(struct channel *ch, const char *rest)
{
	(void)rest;
	task_query(ch, QUERY_RECORDED, false);
}

static void
play(struct channel *ch, const char *text, bool watch)
{
	if (command_play(ch, text, watch))
		return;
	chan_words(ch, W_PLAIN_SESSION, NULL, NULL, NULL);
	menu_plain_resume(ch);
}

static void
watch(struct channel *ch, const char *rest)
{
	play(ch, rest, true);
}

static void
replay(struct channel *ch, const char *rest)
{
	play(ch, rest, false);
}

/* clang-format off */
static const struct query_action {
	const char *word;
	bool takes; /* more than the word */
	enum word help;
	void (*run)(struct channel *ch, const char *rest);
} queries[] = {
	{ "who",        false, W_PLAIN_WHO,        who        },
	{ "recordings", false, W_PLAIN_RECORDINGS, recordings },
	{ "watch",      true,  W_PLAIN_WATCH,      watch      },
	{ "replay",     true,  W_PLAIN_REPLAY,     replay     },
};
/* clang-format on */
enum { QUERIES = sizeof(queries) / sizeof(queries[0]) };

static const struct query_action *
query_of(const char *text, const char **rest)
{
	size_t n = strcspn(text, " ");

	*rest = text + n + strspn(text + n, " ");
	for (size_t i = 0; i < QUERIES; i++)
		if (strlen(queries[i].word) == n && strncmp(text, queries[i].word, n) == 0 &&
		    queries[i].takes == (**rest != '\0'))
			return &queries[i];
	return NULL;
}

/* ---- help ---------------------------------------------------------------------------------- */

static void
help(struct channel *ch)
{
	chan_words(ch, W_MENU_HELP, NULL, NULL, NULL);
	for (size_t i = 0; i < ACTIONS; i++)
		chan_words(ch, actions[i].help, NULL, NULL, NULL);
	for (size_t i = 0; i < QUERIES; i++)
		chan_words(ch, queries[i].help, NULL, NULL, NULL);
	chan_words(ch, W_MENU_HELP_END, NULL, NULL, NULL);
	command_hint(ch);
	menu_plain_resume(ch);
}

/* ---- a line ------------------------------------------------------------------------------ */

/* Nothing but a clear yes is one. */
static void
confirmed(struct channel *ch, const char *text)
{
	static const char *const yes[] = { "y", "Y", "yes", "Yes", "YES", "\xe6\x98\xaf" };
	struct menu_plain *p = of(ch);

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(text, yes[i]) == 0) {
			chan_words(ch, W_POWER_WAIT, NULL, NULL, NULL);
			task_power(ch, p->ref, p->wish);
			return;
		}
	}
	chan_words(ch, W_POWER_NOT, p->name, NULL, NULL);
	menu_plain_resume(ch);
}

/* Who, and which shell, the next ATTACH asks for; "": as the grant says, the login shell. */
static void
set(char **to, const char *answer)
{
	free(*to);
	*to = answer[0] != '\0' ? xstrdup(answer) : NULL;
}

static void
refuse(struct channel *ch, enum word w, const char *what)
{
	char safe[64], text[MAX_REASON + 1];

	text_safe(safe, sizeof(safe), what);
	chan_reason(ch, words(text, sizeof(text), w, safe, of(ch)->name, NULL));
	menu_plain_resume(ch);
}

static void
user_named(struct channel *ch, const char *text)
{
	if (strlen(text) > MAX_RUN_AS) {
		refuse(ch, W_NO_RUN_AS, text);
		return;
	}
	set(&ch->run_as, text);
	ask(ch, SHELL, W_UI_ASK_SHELL);
}

static void
shell_named(struct channel *ch, const char *text)
{
	const struct ui_entry *e = ui_model_get(&ch->model, of(ch)->ref);

	if (e == NULL || strlen(text) > MAX_SHELL) {
		refuse(ch, e == NULL ? W_NOT_YOURS : W_NO_SHELL_NAME, text);
		return;
	}
	set(&ch->shell, text);
	front_connect(ch, e);
}

static void (*const answers[])(struct channel *ch, const char *text) = {
	[CONFIRM] = confirmed,
	[USER] = user_named,
	[SHELL] = shell_named,
};

static void
answer(struct channel *ch, const char *text)
{
	unsigned asked = of(ch)->asked;

	of(ch)->asked = NOTHING;
	answers[asked](ch, text);
}

static void
connect_to(struct channel *ch, const struct ui_entry *e)
{
	set(&ch->run_as, "");
	set(&ch->shell, "");
	front_connect(ch, e);
}

static void
set_filter(struct channel *ch, const char *text)
{
	struct menu_plain *p = of(ch);
	size_t n;

	text += strspn(text, " ");
	n = text_cut(text, UI_FILTER_MAX);
	memcpy(p->filter, text, n);
	p->filter[n] = '\0';
	front_everything(ch);
	front_list(ch);
}

static void
with_container(struct channel *ch, const char *text)
{
	const char *rest;
	const struct action *a = action_of(text, &rest);
	const struct ui_entry *e = find(ch, a != NULL ? rest : text);

	if (e == NULL)
		menu_plain_resume(ch);
	else if (a != NULL)
		a->run(ch, e);
	else
		connect_to(ch, e);
}

static const char *
without_blanks(char *text)
{
	size_t n = strlen(text);

	while (n > 0 && text[n - 1] == ' ')
		text[--n] = '\0';
	return text + strspn(text, " ");
}

/* One line, no second try: a script may be typing. */
void
menu_plain_pick(struct channel *ch, char *line)
{
	const struct ui_entry *e;

	chan_say(ch, "\n"); /* the prompt's end: nothing is echoed */
	e = line != NULL ? find(ch, without_blanks(line)) : NULL;
	if (e != NULL) {
		front_connect(ch, e);
	} else {
		chan_words(ch, W_NOT_CHOSEN, ch->conn->user, NULL, NULL);
		chan_end(ch, -JB_USAGE);
	}
}

void
menu_plain_line(struct channel *ch, char *line)
{
	const char *text = without_blanks(line), *rest;
	const struct query_action *q;

	if (of(ch)->asked != NOTHING) {
		answer(ch, text);
	} else if (strcmp(text, "q") == 0) {
		chan_end(ch, 0);
	} else if (strcmp(text, "r") == 0) {
		front_everything(ch);
		front_list(ch);
	} else if (text[0] == '/') {
		set_filter(ch, text + 1);
	} else if (strcmp(text, "?") == 0 || strcmp(text, "h") == 0) {
		help(ch);
	} else if (text[0] == '\0') {
		menu_plain_resume(ch);
	} else if ((q = query_of(text, &rest)) != NULL) {
		q->run(ch, rest);
	} else {
		with_container(ch, text);
	}
}

/* Ctrl-C drops what was typed, and a question with it. */
void
menu_plain_interrupted(struct channel *ch)
{
	of(ch)->asked = NOTHING;
	menu_plain_resume(ch);
}
