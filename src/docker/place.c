/*
 * Starting a program of ours in a container that does not have it.  Broker
 * children.
 *
 *	stream    sh ◄── the program's bytes on the exec's own input; sh becomes it
 *	archive   PUT /.jumpbox-MARKER/helper, an exec of that path, another that removes it
 *
 * The first needs a `sh` and a directory that the user may write to and run
 * from; the second a writable root filesystem.  Either way the file is made
 * for this one process and is gone when it runs.  On the stream's road
 * nobody but the user himself and the container's root can touch it: the
 * directory is made by mkdir with mode 0700, and what is looked at and what
 * is run is one open descriptor.  On the archive's it is root's.
 */
#include "jumpbox/demux.h"
#include "jumpbox/util.h"
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Arguments: the marker, the size, the hash.  What is wrong with a place is found by running it there.
 * The room for the file is taken before its bytes are: they come once, and a full disk would cut them.
 * Where nothing else is writable a mount may be, such as a volume.  One whose server is elsewhere is the
 * last to be tried: it may not answer, and all waits for it.
 * Where others may rename what is ours, only a directory is believed in that we are in, that is ours
 * and nobody else's: nothing of what is written, run or opened is found by its path.  Such a one may
 * be another of the user's, to which a link leads: what it has by that name is let alone.
 */
#define PLACED	 "jumpbox: placed\n"
#define NO_PLACE "jumpbox: no place\n"
static const char script[] =
    "_u=$(umask)\n"
    "umask 077\n"
    "set -Cf\n"
    "_o=$PWD _m=$1 _n=$2 _w= _x= _near= _far=\n"
    "_mounts() {\n"
    " while read -r _ _d _t _f _; do\n"
    "  case $_t,$_f, in\n"
    "  *,ro,*|*,noexec,*) ;;\n"
    "  nfs*|cifs,*|smb*|9p,*|ceph,*|lustre,*|fuse*|virtiofs,*) _far=\"$_far $_d\" ;;\n"
    "  *) _near=\"$_near $_d\" ;;\n"
    "  esac\n"
    " done </proc/mounts\n"
    "}\n"
    "_in() {\n"
    " for _d; do\n"
    "  _x=$_d/.jumpbox-$_m\n"
    "  mkdir \"$_x\" && cd \"$_x\" && [ -O . ] &&\n"
    "   case $(ls -ld .) in drwx--[-S]---*) ;; *) false ;; esac && true >helper ||\n"
    "   { rmdir \"$_x\"; _x=; continue; }\n"
    "  if head -c \"$_n\" /dev/zero >>helper; then\n"
    "   if [ -z \"$_w\" ]; then head -c \"$_n\"; else cat /proc/self/fd/4; fi 1<>helper\n"
    "   chmod 700 helper && { ./helper </dev/null; [ $? -lt 126 ]; } && return\n"
    "   [ -z \"$_w\" ] && [ -r helper ] && exec 4<helper && _w=1\n"
    "  fi\n"
    "  rm -f helper; rmdir \"$_x\"\n"
    "  _x=\n"
    " done\n"
    " false\n"
    "}\n"
    "{ _in /tmp /var/tmp \"$HOME\" /run /dev/shm / || { _mounts; _in $_near $_far; }\n"
    "} >/dev/null 2>&1\n"
    "exec 4<&-\n"
    "[ -z \"$_x\" ] || { exec 3<helper; rm helper; rmdir \"$_x\"; } 2>/dev/null\n"
    "cd \"$_o\" 2>/dev/null || cd /\n"
    "[ -n \"$_x\" ] || { echo 'jumpbox: no place'; exit 1; }\n"
    "case $(sha256sum <&3 2>/dev/null) in \"$3\"*|'') ;; *) echo 'jumpbox: no place'; exit 1 ;; "
    "esac\n"
    "echo 'jumpbox: placed'\n"
    "umask \"$_u\"\n"
    "exec /proc/self/fd/3\n";

enum { WORD_MAX = 64, TAR_BLOCK = 512 };

/* ---- the stream's two directions, before anybody else has it --------------- */

static int
put_all(struct link *l, bool tls, const uint8_t *p, size_t n, struct errtext *e)
{
	ssize_t sent;

	if (tls)
		return link_send(l, (const char *)p, n, e);
	while (n > 0) {
		sent = send(l->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
		} else if (errno != EAGAIN && errno != EINTR) {
			return error_cut(l->en, e);
		} else if (link_wait(l, POLLOUT) < 0) {
			return error_timeout(l->en, e);
		}
	}
	return 0;
}

/* One byte of the process's output at a time: nothing behind the word may be taken. */
static int
get_word(struct link *l, bool tls, char word[static WORD_MAX], struct errtext *e)
{
	struct demux d;
	const uint8_t *slice;
	uint8_t byte;
	size_t have = 0, n;
	int kind;

	demux_init(&d);
	while (have == 0 || word[have - 1] != '\n') {
		if (have + 1 == WORD_MAX || exec_stream_some(l, tls, (char *)&byte, 1) == 0)
			return error_cut(l->en, e);
		if (demux_next(&d, &byte, 1, &slice, &n, &kind) < 0)
			return error_cut(l->en, e);
		if (n == 1 && kind == 1)
			word[have++] = (char)byte;
	}
	word[have] = '\0';
	return demux_at_boundary(&d) ? 0 : error_cut(l->en, e);
}

static void
drop_stream(struct engine *en, struct exec_stream *s)
{
	char rest[WORD_MAX];

	exec_stream_finish(en, s, now_mono_ms(), "", rest, sizeof(rest));
}

static int
feed(struct engine *en, const struct engine_program *p, struct exec_stream *s, struct errtext *e)
{
	struct link l = { .en = en, .c = en->stream, .fd = s->fd };
	curl_socket_t fd = CURL_SOCKET_BAD;
	char word[WORD_MAX];
	int rc;

	l.deadline = now_mono_ms() + en->timeout_ms;
	if (s->tls && curl_easy_getinfo(en->stream, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK)
		l.fd = fd;
	rc = put_all(&l, s->tls, p->data, p->size, e);
	if (rc == 0)
		rc = get_word(&l, s->tls, word, e);
	if (rc == 0 && strcmp(word, PLACED) != 0)
		rc = strcmp(word, NO_PLACE) == 0 ? JB_NOT_FOUND : error_cut(en, e);
	/* The node has started the script: it is not what is late. */
	if (rc != 0 && rc != JB_NOT_FOUND && now_mono_ms() >= l.deadline)
		rc = err_words(e, JB_UNAVAILABLE, W_HELPER_LATE, NULL, NULL, NULL);
	if (rc != 0)
		drop_stream(en, s);
	return rc;
}

/* ---- the two roads ----------------------------------------------------------- */

static int
run(struct engine *en, const struct engine_info *info, const struct exec_spec *spec,
    const struct engine_placing *pl, struct exec_stream *s, bool *no_program, struct errtext *e)
{
	char exec_id[65];
	int rc = engine_exec_create(en, spec, exec_id, e);

	*no_program = false;
	if (rc < 0)
		return rc;
	pl->made(exec_id, pl->arg);
	return engine_exec_start(en, info, spec, exec_id, s, no_program, e);
}

/* JB_NOT_FOUND: not on this road; *shell: there is one. */
static int
by_stream(struct engine *en, const struct engine_info *info, struct exec_spec spec,
    const struct engine_placing *pl, bool *shell, struct exec_stream *s, struct errtext *e)
{
	char size[24];
	const char *argv[] = { "sh", "-c", script, "sh", pl->marker, size, pl->program->sha256,
		NULL };
	bool no_program;
	int rc;

	snprintf(size, sizeof(size), "%zu", pl->program->size);
	spec.argv = argv;
	rc = run(en, info, &spec, pl, s, &no_program, e);
	*shell = !no_program;
	if (rc != 0)
		return no_program ? JB_NOT_FOUND : rc;
	return feed(en, pl->program, s, e);
}

static void
tar_entry(uint8_t *head, const char *name, char type, unsigned mode, size_t size)
{
	unsigned sum = 0;

	memset(head, 0, TAR_BLOCK);
	snprintf((char *)head, 100, "%s", name);
	snprintf((char *)head + 100, 8, "%07o", mode);
	snprintf((char *)head + 108, 8, "%07o", 0U);
	snprintf((char *)head + 116, 8, "%07o", 0U);
	snprintf((char *)head + 124, 12, "%011zo", size);
	snprintf((char *)head + 136, 12, "%011o", 0U);
	memset(head + 148, ' ', 8);
	head[156] = (uint8_t)type;
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += head[i];
	snprintf((char *)head + 148, 8, "%06o", sum);
}

static int
put_archive(struct engine *en, const struct exec_spec *spec, const struct engine_placing *pl,
    struct errtext *e)
{
	size_t body = (pl->program->size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	size_t size = 2 * TAR_BLOCK + body + 2 * TAR_BLOCK;
	uint8_t *tar = xcalloc(1, size);
	char path[192], name[80];
	struct reply r;
	int rc;

	snprintf(name, sizeof(name), ".jumpbox-%s/", pl->marker);
	tar_entry(tar, name, '5', 0755, 0);
	snprintf(name, sizeof(name), ".jumpbox-%s/helper", pl->marker);
	tar_entry(tar + TAR_BLOCK, name, '0', 0755, pl->program->size);
	memcpy(tar + 2 * TAR_BLOCK, pl->program->data, pl->program->size);
	snprintf(path, sizeof(path), "/containers/%s/archive?path=%%2F", spec->container);
	rc = engine_put(en, path, tar, size, &r, e);
	if (rc == 0 && r.status / 100 != 2)
		rc = JB_NOT_FOUND;
	reply_release(&r);
	free(tar);
	return rc;
}

/* Its file is root's: nobody waits for this, and what runs runs on. */
static void
remove_placed(struct engine *en, struct exec_spec spec, const char *path)
{
	const char *argv[] = { path, "remove", NULL };
	char exec_id[65], start[192];
	struct reply r;

	spec.user = "0";
	spec.argv = argv;
	spec.env = NULL;
	if (engine_exec_create(en, &spec, exec_id, NULL) < 0)
		return;
	snprintf(start, sizeof(start), "/exec/%s/start", exec_id);
	engine_ask(en, ABOUT_EXEC, start, "{\"Detach\":true}", ANSWER_MAX, &r, NULL);
	reply_release(&r);
}

/* The API says yes to what a mount then hides: that it runs is the only proof. */
static int
by_archive(struct engine *en, const struct engine_info *info, struct exec_spec spec,
    const struct engine_placing *pl, struct exec_stream *s, struct errtext *e)
{
	char path[80];
	const char *argv[] = { path, NULL };
	bool no_program;
	int rc = put_archive(en, &spec, pl, e);

	if (rc != 0)
		return rc;
	snprintf(path, sizeof(path), "/.jumpbox-%s/helper", pl->marker);
	spec.argv = argv;
	rc = run(en, info, &spec, pl, s, &no_program, e);
	if (!no_program)
		remove_placed(en, spec, path);
	return no_program ? JB_NOT_FOUND : rc;
}

int
engine_place(struct engine *en, const struct engine_info *info, const struct exec_spec *spec,
    const struct engine_placing *pl, struct exec_stream *s, struct errtext *e)
{
	bool shell;
	int rc = by_stream(en, info, *spec, pl, &shell, s, e);

	if (rc == JB_NOT_FOUND)
		rc = by_archive(en, info, *spec, pl, s, e);
	if (rc != JB_NOT_FOUND)
		return rc;
	return err_words(
	    e, JB_UNAVAILABLE, shell ? W_HELPER_NO_DIR : W_HELPER_NO_SHELL, NULL, NULL, NULL);
}
