/*
 * One SSH session channel: what was asked of it, where it stands, and the
 * bytes on their way.
 *
 *	NEW ──shell, exec──► ASKING ──► MENU ◄──────────┐
 *	                        │         │ picked      │ ended (a terminal's menu)
 *	                        └──────► CONNECTING ──► STREAM ──► ENDING ──► CLOSED
 *
 * Bytes from the client wait in `in` (and in libssh's window) until there is
 * a stream or a prompt to read them; bytes of the container wait in `raw`
 * only while the client does not take them.
 */
#ifndef SESSION_CHANNEL_H
#define SESSION_CHANNEL_H

#include "jumpbox/buf.h"
#include "jumpbox/demux.h"
#include "jumpbox/msg.h"
#include "jumpbox/proto.h"
#include "jumpbox/words.h"
#include "line.h"
#include "record.h"
#include "ui_model.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

struct conn;
struct menu_plain;
struct task;
struct invocation;
struct menu_full;
struct mux_chan;
struct reverse;

enum channel_state {
	CH_NEW,	       /* no shell or command asked for yet */
	CH_ASKING,     /* the broker is asked for the target or the list, or is about to be */
	CH_TASK,       /* a command or an action of the menu goes on (task.h) */
	CH_READING,    /* a command reads what it needs from its input */
	CH_MENU,       /* a menu or a prompt has the keyboard */
	CH_PASSWORD,   /* a line of the new password is awaited */
	CH_CODE,       /* a one-time code is awaited */
	CH_CONNECTING, /* ATTACH is asked */
	CH_STREAM,
	CH_AGENT,   /* its shell waits for the socket of the agent */
	CH_CARRIED, /* by a helper: carry.c */
	CH_ENDING,  /* what is left is flushed, then the status is sent */
	CH_CLOSED,  /* close was sent, or the client did */
};

enum {
	STREAM_READ = 128 * 1024,
	/* The bounded buffer of a drained stream, and what a helper's window may become as frames of one byte. */
	RAW_MAX = 5 * 1024 * 1024,
	DRAIN_MAX = RAW_MAX / 2,    /* half of it for one that has perhaps not ended, */
	DRAIN_CHANNELS = 64,	    /* if there are no more than this: memory has a limit */
	IN_MAX = 2 * 1024 * 1024,   /* beyond the window: the client ignores it */
	SAY_MAX = 16 * 1024 * 1024, /* a list of 10,000 containers */
	ENV_ALL = 16 * 1024,	    /* so that an ATTACH always fits into a message */
};

struct channel {
	struct channel *next;
	struct conn *conn;
	ssh_channel ssh;
	struct ssh_channel_callbacks_struct callbacks;
	enum channel_state state;

	/* what was asked for */
	bool tty, menu;		  /* menu: come back to it when the shell ends */
	bool named, looked_again; /* by the login name: worth a second look if it has just gone */
	unsigned cols, rows, told_cols, told_rows; /* the latest, and what the broker knows */
	char term[MAX_TERM + 1];
	struct env {
		char *name, *value;
	} env[MAX_ENV];
	unsigned nenv;
	size_t env_bytes;
	char *command;	      /* NULL: a shell */
	char *run_as, *shell; /* NULL: as the grant says, the login shell */
	bool sftp, agent;     /* asked for */

	/* from the client */
	struct buf in;
	bool held;   /* libssh holds more than `in` */
	bool in_eof; /* the client sends no more */
	bool unread; /* it has no use for what it gets on standard output */
	bool closed; /* the client closed the channel */
	bool in_shut;

	/* to the client: our own words, then the stream's bytes */
	struct buf say;
	size_t
	    say_out; /* so much at the front of `say` was asked for: standard output without a terminal, too */
	struct buf raw;
	struct demux demux;
	size_t slice; /* payload bytes at the front of raw; slice_kind says which stream */
	int slice_kind;

	/* the stream */
	int fd;
	uint32_t attach; /* request id; 0: none open */
	uint64_t ref;	 /* of the container that was asked for last */
	char name[160];	 /* the container's as the menu says it: safe text */
	unsigned slot;	 /* in the poll set; 0: not there */
	bool readable;	 /* there may be bytes to read */
	bool cancelled;	 /* while connecting: give it back should it come */
	bool eof;	 /* of the stream */
	uint64_t bytes_in, bytes_out;
	int64_t blocked;   /* since when the client takes nothing that waits for it; 0: it does */
	int64_t asked;	   /* when REQ_STATUS was last sent, 0: never */
	int64_t ask_again; /* how long after that, at the end of the stream */
	bool asked_at_eof; /* that was after the end of the stream: its answer is the last word */
	uint32_t status_request; /* pending REQ_STATUS, 0: none */
	bool have_code;		 /* the main process has ended: what it wrote is drained */
	bool unknown;		 /* ... and nobody knows how */
	bool suspect; /* perhaps it has: the engine does not say while the client takes nothing */
	unsigned unanswered;   /* REQ_STATUS in a row that the engine did not answer */
	uint32_t code;	       /* exit status to send */
	const char *died_of;   /* instead of it: by that signal; NULL */
	struct record *record; /* NULL: it is not recorded */

	/* a process on a helper's stream */
	uint32_t helper; /* that stream; 0: it is none */
	bool bare;	 /* it did not come about: without */
	uint32_t signal; /* that ended it */
	bool core;

	/* carried by a helper */
	bool carried, forward;	 /* forward: no process of the client's is behind it */
	struct mux_chan *mux;	 /* NULL: none, or over */
	struct reverse *reverse; /* the client is asked to take it; NULL: it has */
	uint64_t granted;	 /* of bytes_out, told to the helper */
	bool eof_told;
	int64_t
	    linger_by; /* the client has closed: until then something of what it sent must be taken; 0 */
	bool readonly; /* SFTP */

	/* commands of our own, and the menu's actions */
	struct invocation *invocation; /* commands.c; NULL: no such command */
	struct task *task;	       /* task.h; NULL: none */

	/* menu and prompts */
	struct ui_model model;
	uint64_t mark, since; /* how far the model is; what the list in hand began with */
	bool anew;	      /* that mark is void: the next list is a whole one */
	struct line line;
	struct menu_full *full;	     /* NULL: the full-screen menu was never opened */
	bool plain;		     /* this terminal cannot have it */
	struct menu_plain *numbered; /* NULL: the numbered list was never shown */
	uint32_t wish, wish_offset;  /* REQ_TARGET or REQ_LIST that is to be sent, and the page */
	const char *wish_text;	     /* of the TARGET; NULL: the login name's */
	uint32_t request;	     /* the id it was sent with; 0: not sent yet */
	char *old_password;	     /* of `passwd` */
	char *first_password;
	unsigned tries;
	char **candidate; /* of an ambiguous target */
	size_t ncandidates;
	char notice[MAX_REASON + 1];
	bool greeted; /* the message of the day was shown */
};

/* ---- channel.c: life, words, end --------------------------------------- */

struct channel *chan_new(struct conn *c, ssh_channel ssh);
void chan_free(struct channel *ch);
/* A channel request of the client (takes the message). */
void chan_request(struct channel *ch, ssh_message m);
/* Says text: on a terminal as its output, with CR before LF; otherwise on standard error. */
void chan_say(struct channel *ch, const char *text);
void chan_say_bytes(struct channel *ch, const void *p, size_t n);
/* Says what was asked for. */
void chan_out(struct channel *ch, const void *p, size_t n);
/* A sentence of the broker's, made safe to show, as a line of ours. */
void chan_reason(struct channel *ch, const char *reason);
void chan_words(struct channel *ch, enum word w, const char *a1, const char *a2, const char *a3);
/* Flush, send this exit status, close. */
void chan_end(struct channel *ch, uint32_t code);
/* Says the reason and ends, whatever is running. */
void chan_expel(struct channel *ch, uint32_t code, const char *reason);
/* Everything that can be done without waiting; true: something was done. */
bool chan_work(struct channel *ch, int64_t now);
/* When chan_work wants to be called for time alone (monotonic ms), 0: not. */
int64_t chan_deadline(const struct channel *ch);
/* Gives back storage that nothing is in. */
void chan_rest(struct channel *ch);

/* ---- front.c: menu, target ---------------------------------------------- */

void front_start(struct channel *ch);		      /* shell or exec was asked for */
bool front_answer(struct channel *ch, struct msg *m); /* false: not ours */
bool front_input(struct channel *ch, int64_t now);    /* from `in`; true: something was done */
bool front_ask(struct channel *ch);   /* sends what could not be asked at once; true: sent */
void front_again(struct channel *ch); /* the login name, resolved once more */
void front_back(struct channel *ch, const char *how); /* the shell ended so: the menu again */
/* An action has ended, said so, which it had left the menu for: the menu goes on. */
void front_resume(struct channel *ch, const char *said);
void front_connect(struct channel *ch, const struct ui_entry *e);
void front_everything(struct channel *ch);	  /* no candidates: all of the list is shown */
void front_warn(struct channel *ch, enum word w); /* a line on a terminal, whatever it shows */
void front_forget(struct channel *ch);		  /* frees what the front holds */
void front_list(struct channel *ch);		  /* asks the broker for all of the list */
void front_prompt(struct channel *ch, enum word w, bool echo);
/* What that text names, or the login name for NULL, which must outlive the question. */
void front_resolve(struct channel *ch, const char *text);

/* ---- list.c: the list of containers ---------------------------------------- */

/*
 * May be asked for now: all of it, or since ch->mark what changed; false: it
 * is another channel's turn.
 */
bool list_begin(struct channel *ch, uint32_t offset);
/* REP_LIST into the model.  *next: the page to ask for, 0: it is complete; false: there is no list. */
bool list_take(struct channel *ch, struct msg *m, uint32_t *next);
void list_end(struct channel *ch); /* it is not waited for any more */

/* ---- menu_plain.c: the numbered list ---------------------------------------- */

void menu_plain_show(struct channel *ch);   /* the list is there */
void menu_plain_resume(struct channel *ch); /* an action has ended: the menu goes on */
void menu_plain_line(struct channel *ch, char *line);
/* Without a terminal; NULL: the input ended. */
void menu_plain_pick(struct channel *ch, char *line);
void menu_plain_interrupted(struct channel *ch);
void menu_plain_free(struct channel *ch);

/* ---- menu_full.c: the full-screen menu ------------------------------------ */

/* Whether it has the terminal. */
bool menu_full_on(const struct channel *ch);
/* Takes the terminal and asks for the list; false: its type is not known. */
bool menu_full_open(struct channel *ch, const char *said);
/* Gives the terminal back as it was. */
void menu_full_close(struct channel *ch);
/* What it has lent the terminal to has ended; false: it has not. */
bool menu_full_returned(struct channel *ch);
/* The page of sessions and recordings, if it has the terminal. */
void menu_full_sessions(struct channel *ch);
void menu_full_free(struct channel *ch);
void menu_full_rows(struct channel *ch);     /* some have come */
void menu_full_listed(struct channel *ch);   /* all have */
void menu_full_unlisted(struct channel *ch); /* there is no list */
/* Something is different from what was listed; anew: everything may be. */
void menu_full_changed(struct channel *ch, bool anew);
void menu_full_say(struct channel *ch, enum word w);
void menu_full_tell(struct channel *ch, const char *line); /* unasked */
bool menu_full_work(struct channel *ch, int64_t now);
int64_t menu_full_deadline(const struct channel *ch);

/* menu_pages.c: what it asks for; false: not ours. */
bool menu_pages_answer(struct channel *ch, struct msg *m);
bool menu_pages_detached(struct channel *ch, uint32_t request, uint32_t code, const char *reason);
short menu_pages_events(const struct channel *ch); /* poll() events wanted on ch->fd */

/* ---- commands.c: jumpbox's own ------------------------------------------ */

void command_start(struct channel *ch);
void command_listed(struct channel *ch);	       /* the list that it asked for is there */
void command_target(struct channel *ch, uint64_t ref); /* the container that it named */
bool command_input(struct channel *ch);		       /* what it reads; true: something was done */
void command_line(struct channel *ch, const char *text); /* what was typed; NULL: it was given up */
void command_forget(struct channel *ch);
void command_hint(struct channel *ch);
/* "ID" or "ID N": replays or watches that recording; false: it is not such a text. */
bool command_play(struct channel *ch, const char *text, bool watch);
/* The exact lines by which other programs reach this container. */
void command_lines(struct channel *ch, const struct ui_entry *e, struct buf *out);

/* ---- renew.c: a new password -------------------------------------------- */

void renew_start(struct channel *ch);
void renew_own(struct channel *ch); /* `passwd`: the old one first */
void renew_given(struct channel *ch, const char *old, const char *new); /* without asking */
void renew_line(struct channel *ch, const char *text);			/* a line was typed */
void renew_failed(struct channel *ch);

/* What the client sent of its environment; NULL: not this. language.c */
const char *chan_variable(const struct channel *ch, const char *name);

/* ---- enrol.c: one-time codes ------------------------------------------- */

void enrol_start(struct channel *ch);
void enrol_line(struct channel *ch, const char *text); /* a line was typed */
void enrol_failed(struct channel *ch);		       /* the dialogue is given up */

/* ---- relay.c: the stream ------------------------------------------------ */

void relay_attach(struct channel *ch, uint64_t ref, const char *name);
bool relay_answer(struct channel *ch, struct msg *m); /* REP_ATTACH, REP_STATUS; false: not ours */
void relay_signal(struct channel *ch, const char *name);
void relay_unread(struct channel *ch); /* the client reads no more of it */
/* What comes is no stream of a process: says so and ends. */
void relay_broken(struct channel *ch);
/* The attach is over for us: tells the broker, once. how: a word for the audit. */
void relay_detach(struct channel *ch, const char *how);
bool relay_work(struct channel *ch, int64_t now);
int64_t relay_deadline(const struct channel *ch);
/* poll() events wanted on ch->fd. */
short relay_events(const struct channel *ch);

/* relay_helper.c: the same, of a process that a helper carries */

enum { RELAY_ENV_MAX = MAX_ENV + 8 };
/* Starts it there, with these NAME=VALUE. */
void relay_start(struct channel *ch, char *const *env, unsigned n);
/* How it died, for the client; NULL: it did not, of a signal. */
const char *relay_died_of(const struct channel *ch);

/* carry.c: to and from a channel of a helper */
bool carry_in(struct channel *ch);	/* true: something was done */
void carry_granted(struct channel *ch); /* what the client has taken may come again */
void carry_sftp(struct channel *ch, uint64_t ref);
bool carry_work(struct channel *ch);
/* The client has closed, and what it sent is still on its way. */
bool carry_lingers(struct channel *ch, int64_t now);
void carry_forget(struct channel *ch);

/* flush.c: writes as much of `say` and `raw` as the client takes; true: something went. */
bool chan_flush(struct channel *ch, int64_t now);

#endif
