/*
 * Read this first: every request of SFTP and what it takes, and the loop that
 * answers them in their order.  jumpbox-helper's SFTP process, which is forked
 * for a channel and blocks wherever a client or a file system makes it wait.
 */
#include "sftp.h"
#include "sftp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct sftp_request requests[] = {
	/*                    name  version fields writes handler */
	[FXP_OPEN] = { NULL, NULL, "pwa", false, sftp_open }, /* looks at its flags */
	[FXP_CLOSE] = { NULL, NULL, "h", false, sftp_close },
	[FXP_READ] = { NULL, NULL, "fqw", false, sftp_read },
	[FXP_WRITE] = { NULL, NULL, "fqs", true, sftp_write },
	[FXP_LSTAT] = { NULL, NULL, "p", false, sftp_lstat },
	[FXP_FSTAT] = { NULL, NULL, "h", false, sftp_fstat },
	[FXP_SETSTAT] = { NULL, NULL, "pa", true, sftp_setstat },
	[FXP_FSETSTAT] = { NULL, NULL, "ha", true, sftp_fsetstat },
	[FXP_OPENDIR] = { NULL, NULL, "p", false, sftp_opendir },
	[FXP_READDIR] = { NULL, NULL, "d", false, sftp_readdir },
	[FXP_REMOVE] = { NULL, NULL, "p", true, sftp_remove },
	[FXP_MKDIR] = { NULL, NULL, "pa", true, sftp_mkdir },
	[FXP_RMDIR] = { NULL, NULL, "p", true, sftp_rmdir },
	[FXP_REALPATH] = { NULL, NULL, "p", false, sftp_realpath },
	[FXP_STAT] = { NULL, NULL, "p", false, sftp_stat },
	[FXP_RENAME] = { NULL, NULL, "pp", true, sftp_rename },
	[FXP_READLINK] = { NULL, NULL, "p", false, sftp_readlink },
	[FXP_SYMLINK] = { NULL, NULL, "pp", true, sftp_symlink },
};

static const struct sftp_request extended[] = {
	{ "posix-rename@openssh.com", "1", "pp", true, sftp_posix_rename },
	{ "statvfs@openssh.com", "2", "p", false, sftp_statvfs },
	{ "fstatvfs@openssh.com", "2", "h", false, sftp_fstatvfs },
	{ "hardlink@openssh.com", "1", "pp", true, sftp_hardlink },
	{ "fsync@openssh.com", "1", "f", true, sftp_fsync },
	{ "lsetstat@openssh.com", "1", "pa", true, sftp_lsetstat },
	{ "limits@openssh.com", "1", "", false, sftp_limits },
	{ "expand-path@openssh.com", "1", "p", false, sftp_expand_path },
	{ "copy-data", "1", "fqqfq", true, sftp_copy_data },
	{ "home-directory", "1", "p", false, sftp_home_directory },
	{ "users-groups-by-id@openssh.com", "1", "ss", false, sftp_users_groups },
};

enum { REQUESTS = sizeof requests / sizeof requests[0] };
enum { EXTENDED = sizeof extended / sizeof extended[0] };

/* ---- one request ------------------------------------------------------ */

static int
get_handle(struct sftp *s, struct sftp_bytes *p, char kind, struct sftp_handle **h)
{
	struct sftp_bytes name;

	if (!sftp_get_bytes(p, &name))
		return -EBADMSG;
	*h = sftp_handle_find(s, &name);
	if (*h == NULL || (kind == 'f' && (*h)->dir != NULL) || (kind == 'd' && (*h)->dir == NULL))
		return -EBADF;
	return 0;
}

/* What stands behind the last field is ignored, as OpenSSH does. */
static int
get_args(struct sftp *s, const char *fields, struct sftp_bytes *p, struct sftp_args *a)
{
	int paths = 0, handles = 0, bytes = 0, quads = 0, words = 0, r;
	bool ok = true;

	for (; *fields != '\0' && ok; fields++) {
		switch (*fields) {
		case 'p':
			ok = sftp_get_str(p, &a->path[paths++]);
			break;
		case 's':
			ok = sftp_get_bytes(p, &a->bytes[bytes++]);
			break;
		case 'q':
			ok = sftp_get_u64(p, &a->quad[quads++]);
			break;
		case 'w':
			ok = sftp_get_u32(p, &a->word[words++]);
			break;
		case 'a':
			ok = sftp_get_attrs(p, &a->attrs);
			break;
		default:
			r = get_handle(s, p, *fields, &a->handle[handles++]);
			if (r < 0)
				return r;
		}
	}
	return ok ? 0 : -EBADMSG;
}

static const struct sftp_request *
find_request(uint8_t type, struct sftp_bytes *p)
{
	char *name;

	if (type < REQUESTS && requests[type].run != NULL)
		return &requests[type];
	if (type != FXP_EXTENDED || !sftp_get_str(p, &name))
		return NULL;
	for (size_t i = 0; i < EXTENDED; i++)
		if (strcmp(extended[i].name, name) == 0)
			return &extended[i];
	return NULL;
}

static int
run_request(struct sftp *s, uint8_t type, struct sftp_bytes *p)
{
	struct sftp_args a = { 0 };
	const struct sftp_request *request = find_request(type, p);
	int r;

	if (request == NULL)
		return -ENOSYS;
	if (request->writes && s->readonly)
		return -EACCES;
	r = get_args(s, request->fields, p, &a);
	return r < 0 ? r : request->run(s, &a);
}

/* As OpenSSH translates them, but that a name too long is not the client's bad message. */
static uint32_t
status_of(int error)
{
	switch (error) {
	case 0:
		return FX_OK;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		return FX_NO_SUCH_FILE;
	case EPERM:
	case EACCES:
		return FX_PERMISSION_DENIED;
	case EBADMSG:
		return FX_BAD_MESSAGE;
	case ENOSYS:
		return FX_OP_UNSUPPORTED;
	default:
		return FX_FAILURE;
	}
}

/* ---- the conversation ------------------------------------------------- */

static void
greet(struct sftp *s)
{
	s->greeted = true;
	s->id = SFTP_VERSION; /* stands where others have their id */
	sftp_reply(s, FXP_VERSION);
	for (size_t i = 0; i < EXTENDED; i++) {
		sftp_put_str(s, extended[i].name);
		sftp_put_str(s, extended[i].version);
	}
	sftp_reply_end(s);
}

static void
serve_packet(struct sftp *s, struct sftp_bytes *p)
{
	uint8_t type = *p->p++;
	int r;

	p->n--;
	if ((type == FXP_INIT) == s->greeted) {
		s->dead = true;
		return;
	}
	if (type == FXP_INIT) {
		greet(s);
		return;
	}
	sftp_get_u32(p, &s->id);
	r = run_request(s, type, p);
	if (r != REPLIED)
		sftp_status(s, status_of(-r), r == 0 ? "Success" : strerror(-r));
}

bool
sftp_serve(int in, int out, int notes, bool readonly)
{
	struct sftp *s = calloc(1, sizeof *s);
	struct sftp_bytes packet;
	bool ok;

	if (s == NULL)
		return false;
	s->in = in;
	s->out = out;
	s->notes = notes;
	s->readonly = readonly;
	while (!s->dead) {
		if (sftp_next(s, &packet)) {
			serve_packet(s, &packet);
			if (s->out_len >= FLUSH_AT)
				sftp_flush(s);
		} else {
			sftp_flush(s);
			if (!s->dead && !sftp_fill(s))
				break;
		}
	}
	sftp_handle_close_all(s);
	ok = !s->dead;
	free(s);
	return ok;
}

int
sftp_main(int argc, char **argv)
{
	enum { PIPE_LEN = 1024 * 1024 };
	bool readonly = argc == 2 && strcmp(argv[1], "ro") == 0;

	if (argc != 1 && !readonly)
		return 64;
	/* Each is told by an error instead; the end of a connection by that of the input. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* Fewer turns at either end.  Only where it is a pipe, and the kernel may refuse. */
	fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE_LEN);
	fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_LEN);
	return sftp_serve(STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, readonly) ? 0 : 1;
}
