/*
 * The configuration's keywords and how they are read and printed.  Every
 * process: the supervisor reads the file, the others what it printed.
 *
 * The table is the master copy of a keyword's type, default, range and help;
 * the manual page is checked against it.
 */
#include "jumpbox/config.h"

#include "jumpbox/argon2_cost.h"
#include "jumpbox/cidr.h"
#include "jumpbox/log.h"
#include "jumpbox/loopback.h"
#include "jumpbox/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024, VALUE_MAX = 1024, TEXT_MAX = 16 * 1024 };

struct keyword {
	const char *name;
	const struct type *type;
	size_t offset;
	const char *dflt; /* as it would be written; lists: blanks between the items */
	unsigned min, max;
	const char *help;
};

/* How one type of value is set from text, printed and freed. */
struct type {
	int (*set)(const struct keyword *k, void *field, const char *value, struct errtext *e);
	void (*print)(const struct keyword *k, const void *field, FILE *f);
	void (*release)(void *field); /* NULL: nothing to free */
	bool list;
	const char *const *names; /* of choices: their values, in order */
};

/* ---- numbers ---------------------------------------------------------- */

static int
set_number(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	unsigned *to = field;
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0')
		return err_set(e, JB_CONFIG, "%s: '%.64s' is not a number", k->name, value);
	if (errno != 0 || n < k->min || n > k->max)
		return err_set(e, JB_CONFIG, "%s: %.64s is not between %u and %u", k->name, value,
		    k->min, k->max);
	*to = (unsigned)n;
	return 0;
}

static void
print_number(const struct keyword *k, const void *field, FILE *f)
{
	fprintf(f, "%s %u\n", k->name, *(const unsigned *)field);
}

static const struct type number = { set_number, print_number, NULL, false, NULL };

/* ---- strings ---------------------------------------------------------- */

static void
release_string(void *field)
{
	char **s = field;

	free(*s);
	*s = NULL;
}

static void
replace(char **s, const char *value)
{
	free(*s);
	*s = xstrdup(value);
}

static int
set_string(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	(void)k;
	(void)e;
	replace(field, value);
	return 0;
}

/* "none" is the empty string, so that empty can be written. */
static int
set_optional(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	return set_string(k, field, strcasecmp(value, "none") == 0 ? "" : value, e);
}

static int
check_path(const struct keyword *k, const char *value, struct errtext *e)
{
	if (value[0] == '/')
		return 0;
	return err_set(e, JB_CONFIG, "%s: '%.64s' must start with /", k->name, value);
}

static int
set_path(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	int r = check_path(k, value, e);

	return r < 0 ? r : set_string(k, field, value, e);
}

static void
print_string(const struct keyword *k, const void *field, FILE *f)
{
	const char *s = *(char *const *)field;

	fprintf(f, "%s %s\n", k->name, s[0] != '\0' ? s : "none");
}

static int
set_hashing(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	struct argon2_cost c;
	struct errtext why;

	if (argon2_params(value, &c, &why) < 0)
		return err_set(e, JB_CONFIG, "%s: %.200s", k->name, why.s);
	return set_string(k, field, value, e);
}

static int
set_networks(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	struct errtext why;

	if (strcasecmp(value, "none") != 0 && cidr_list_check(value, &why) < 0)
		return err_set(e, JB_CONFIG, "%s: %.200s", k->name, why.s);
	return set_optional(k, field, value, e);
}

static int
set_loopback(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	struct errtext why;

	if (strcasecmp(value, "none") != 0 && loopback_parse(value, NULL, NULL, &why) < 0)
		return err_set(e, JB_CONFIG, "%s: %.200s", k->name, why.s);
	return set_optional(k, field, value, e);
}

static int
set_path_or_none(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	int r = strcasecmp(value, "none") == 0 ? 0 : check_path(k, value, e);

	return r < 0 ? r : set_optional(k, field, value, e);
}

static const struct type maybe_path = { set_path_or_none, print_string, release_string, false,
	NULL };
static const struct type hashing = { set_hashing, print_string, release_string, false, NULL };
static const struct type local = { set_loopback, print_string, release_string, false, NULL };
static const struct type optional = { set_optional, print_string, release_string, false, NULL };
static const struct type path = { set_path, print_string, release_string, false, NULL };
static const struct type networks = { set_networks, print_string, release_string, false, NULL };

/* ---- lists ------------------------------------------------------------ */

static void
release_list(void *field)
{
	struct strlist *l = field;

	while (l->n > 0)
		release_string(&l->item[--l->n]);
}

static int
append(const struct keyword *k, struct strlist *l, const char *value, struct errtext *e)
{
	unsigned i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->item[i], value) == 0)
			return err_set(e, JB_CONFIG, "%s: %.64s is given twice", k->name, value);
	if (l->n == CONFIG_LIST_MAX)
		return err_set(e, JB_CONFIG, "%s: more than %d", k->name, CONFIG_LIST_MAX);
	l->item[l->n++] = xstrdup(value);
	return 0;
}

static int
add_address(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	unsigned char a[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, value, a) != 1 && inet_pton(AF_INET6, value, a) != 1)
		return err_set(e, JB_CONFIG,
		    "%s: '%.64s' is not an IPv4 or IPv6 address (the port goes to `port`)", k->name,
		    value);
	return append(k, field, value, e);
}

static int
add_path(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	int r = check_path(k, value, e);

	return r < 0 ? r : append(k, field, value, e);
}

static void
print_list(const struct keyword *k, const void *field, FILE *f)
{
	const struct strlist *l = field;
	unsigned i;

	for (i = 0; i < l->n; i++)
		fprintf(f, "%s %s\n", k->name, l->item[i]);
}

static const struct type addresses = { add_address, print_list, release_list, true, NULL };
static const struct type paths = { add_path, print_list, release_list, true, NULL };

/* ---- choices ---------------------------------------------------------- */

/* In the order of enum log_level, enum log_format and enum second_factor. */
static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
static const char *const formats[] = { "text", "json", NULL };
static const char *const off_on[] = { "off", "on", NULL };
static const char *const no_yes[] = { "no", "yes", NULL };
static const char *const seconds[] = { "never", "enrolled", "admins", "all", NULL };

static int
set_choice(const struct keyword *k, void *field, const char *value, struct errtext *e)
{
	const char *const *names = k->type->names;
	int *to = field, i;

	for (i = 0; names[i] != NULL; i++) {
		if (strcasecmp(value, names[i]) == 0) {
			*to = i;
			return 0;
		}
	}
	return err_set(e, JB_CONFIG, "%s: '%.64s' is not %s", k->name, value, k->help);
}

static void
print_choice(const struct keyword *k, const void *field, FILE *f)
{
	fprintf(f, "%s %s\n", k->name, k->type->names[*(const int *)field]);
}

static const struct type level = { set_choice, print_choice, NULL, false, levels };
static const struct type format = { set_choice, print_choice, NULL, false, formats };
static const struct type off_or_on = { set_choice, print_choice, NULL, false, off_on };
static const struct type no_or_yes = { set_choice, print_choice, NULL, false, no_yes };
static const struct type second = { set_choice, print_choice, NULL, false, seconds };

/* ---- the keywords ----------------------------------------------------- */

#define AT(field) offsetof(struct config, field)
#define STATE	  "/var/lib/jumpbox/"

/* clang-format off */
static const struct keyword keywords[] = {
	{ "port", &number, AT(port), "2026", 1, 65535,
	  "TCP port to listen on" },
	{ "listen-address", &addresses, AT(listen_address), "0.0.0.0 ::", 0, 0,
	  "Address to listen on; may be repeated" },
	{ "host-key", &paths, AT(host_key), STATE "ssh_host_ed25519_key " STATE "ssh_host_rsa_key", 0, 0,
	  "Private host key file; may be repeated. Missing ed25519 and rsa keys are made" },
	{ "banner", &optional, AT(banner), "none", 0, 0,
	  "Text shown before login, or a file that holds it" },
	{ "server-address", &optional, AT(server_address), "none", 0, 0,
	  "Name or address that connection hints show" },
	{ "database", &path, AT(database), STATE "jumpbox.db", 0, 0,
	  "The database file" },
	{ "run-directory", &path, AT(run_directory), "/run/jumpbox", 0, 0,
	  "Directory for lock files" },
	{ "jail-directory", &path, AT(jail_directory), "/var/empty/jumpbox", 0, 0,
	  "Empty directory of root's that sessions are confined to" },
	{ "owner-label", &optional, AT(owner_label), "jumpbox.owner", 0, 0,
	  "Container label that names the user who owns it; none disables it" },
	{ "login-grace-time", &number, AT(login_grace_time), "60", 1, 3600,
	  "Seconds from the connect to the login" },
	{ "max-startups", &number, AT(max_startups), "100", 1, 100000,
	  "Connections that have not logged in, in total" },
	{ "max-startups-per-source", &number, AT(max_startups_per_source), "20", 1, 100000,
	  "Connections that have not logged in, of one source" },
	{ "max-sessions", &number, AT(max_sessions), "5000", 0, 1000000,
	  "Logged-in connections in total; 0 is no limit" },
	{ "max-sessions-per-user", &number, AT(max_sessions_per_user), "200", 0, 1000000,
	  "Logged-in connections of one user; 0 is no limit" },
	{ "backoff-after", &number, AT(backoff_after), "5", 0, 1000,
	  "Failed passwords before a user or a source has to wait; 0 is never" },
	{ "idle-timeout", &number, AT(idle_timeout), "0", 0, 31536000,
	  "Seconds without input or output before a connection is ended; 0 is never" },
	{ "client-alive-interval", &number, AT(client_alive_interval), "60", 0, 86400,
	  "Seconds of silence before the client is asked for a sign of life; 0 is never" },
	{ "client-alive-count-max", &number, AT(client_alive_count_max), "3", 1, 1000,
	  "Unanswered questions after which the client is taken for dead" },
	{ "password-hash", &hashing, AT(password_hash), "argon2id,m=19456,t=2,p=1", 0, 0,
	  "How new passwords are hashed" },
	{ "audit-retention", &number, AT(audit_retention), "0", 0, 36500,
	  "Days that audit rows are kept; 0 is for ever" },
	{ "metrics-listen", &local, AT(metrics_listen), "none", 0, 0,
	  "Loopback ADDRESS:PORT of /healthz and /metrics; none is off" },
	{ "recording", &off_or_on, AT(recording), "off", 0, 0,
	  "off or on" },
	{ "recording-input", &no_or_yes, AT(recording_input), "no", 0, 0,
	  "no or yes" },
	{ "recording-max-size", &number, AT(recording_max_size), "256", 1, 1048576,
	  "MiB that one recording may have; its terminal ends there" },
	{ "recording-retention", &number, AT(recording_retention), "0", 0, 36500,
	  "Days that recordings are kept; 0 is for ever" },
	{ "recording-max-total", &number, AT(recording_max_total), "0", 0, 1073741824,
	  "MiB of all recordings, beyond which the oldest are removed; 0 is no limit" },
	{ "motd", &maybe_path, AT(motd), "none", 0, 0,
	  "File with the message of the day, which the menu shows" },
	{ "second-factor", &second, AT(second_factor), "enrolled", 0, 0,
	  "never, enrolled, admins or all" },
	{ "second-factor-exempt-from", &networks, AT(second_factor_exempt_from), "none", 0, 0,
	  "Networks from which no one-time code is asked for, separated by commas" },
	{ "node-list-interval", &number, AT(node_list_interval), "300", 5, 86400,
	  "Seconds between complete lists of a node, which make good what its events left out" },
	{ "log-level", &level, AT(log_level), "info", 0, 0,
	  "error, warn, info or debug" },
	{ "log-format", &format, AT(log_format), "text", 0, 0,
	  "text or json" },
	{ "user-keys", &no_or_yes, AT(user_keys), "yes", 0, 0,
	  "yes or no" },
};
/* clang-format on */

enum { KEYWORDS = sizeof keywords / sizeof keywords[0] };

/* ---- reading ---------------------------------------------------------- */

static void *
field_of(struct config *c, const struct keyword *k)
{
	return (char *)c + k->offset;
}

static const struct keyword *
find(const char *name)
{
	size_t i;

	for (i = 0; i < KEYWORDS; i++)
		if (strcasecmp(keywords[i].name, name) == 0)
			return &keywords[i];
	return NULL;
}

/* Cuts one line into keyword and value, blanks removed; false if there is nothing in it. */
static bool
split(char *line, char **name, char **value)
{
	size_t n;

	*name = line + strspn(line, " \t");
	if ((*name)[0] == '\0' || (*name)[0] == '#')
		return false;
	n = strcspn(*name, " \t");
	*value = *name + n + strspn(*name + n, " \t");
	(*name)[n] = '\0';
	for (n = strlen(*value); n > 0 && strchr(" \t", (*value)[n - 1]) != NULL; n--)
		(*value)[n - 1] = '\0';
	return true;
}

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return true;
	return false;
}

/* seen[i]: the line that first had keyword i, 0: none. */
static int
read_line(struct config *c, char *line, unsigned number_of_line, unsigned seen[static KEYWORDS],
    struct errtext *e)
{
	const struct keyword *k;
	char *name, *value;

	if (has_control(line))
		return err_set(e, JB_CONFIG, "a control character");
	if (!split(line, &name, &value))
		return 0;
	k = find(name);
	if (k == NULL)
		return err_set(e, JB_CONFIG, "unknown keyword '%.64s'; see jumpbox.conf(5)", name);
	if (value[0] == '\0')
		return err_set(e, JB_CONFIG, "%s: needs a value", k->name);
	if (strlen(value) > VALUE_MAX)
		return err_set(e, JB_CONFIG, "%s: longer than %d bytes", k->name, VALUE_MAX);
	if (seen[k - keywords] != 0 && !k->type->list)
		return err_set(
		    e, JB_CONFIG, "%s: already given on line %u", k->name, seen[k - keywords]);
	if (seen[k - keywords] == 0)
		seen[k - keywords] = number_of_line;
	return k->type->set(k, field_of(c, k), value, e);
}

/* A keyword's default, through the same function as a line of the file. */
static void
set_default(struct config *c, const struct keyword *k)
{
	char text[256], *item, *save = NULL;
	struct errtext e;

	if (str_copy(text, sizeof text, k->dflt) < 0)
		fatal(JB_INTERNAL, "default of %s", k->name);
	for (item = strtok_r(text, " ", &save); item != NULL; item = strtok_r(NULL, " ", &save))
		if (k->type->set(k, field_of(c, k), item, &e) < 0)
			fatal(JB_INTERNAL, "default of %s", e.s);
}

/* All lines, then the defaults of what no line gave: a list in the file replaces the default. */
static int
parse(char *text, const char *name, struct config *c, struct errtext *e)
{
	unsigned seen[KEYWORDS] = { 0 }, n = 0;
	struct errtext why = { 0 };
	char *line;
	size_t i;

	while ((line = strsep(&text, "\n")) != NULL) {
		i = strlen(line);
		if (i > 0 && line[i - 1] == '\r')
			line[i - 1] = '\0';
		if (read_line(c, line, ++n, seen, &why) < 0)
			return err_set(e, JB_CONFIG, "%s:%u: %s", name, n, why.s);
	}
	for (i = 0; i < KEYWORDS; i++)
		if (seen[i] == 0)
			set_default(c, &keywords[i]);
	return 0;
}

/* From the start, wherever the shared offset is: one descriptor serves several processes. */
int
config_load_fd(int fd, const char *name, struct config *c, struct errtext *e)
{
	struct config fresh = { 0 };
	char *text;
	size_t len;
	int r;

	if (read_fd(fd, 0, name, FILE_MAX, &text, &len, e) < 0)
		return JB_CONFIG;
	if (strlen(text) != len)
		r = err_set(e, JB_CONFIG, "%s: a NUL byte; not a text file", name);
	else
		r = parse(text, name, &fresh, e);
	if (r < 0)
		config_release(&fresh);
	else
		*c = fresh;
	free(text);
	return r;
}

int
config_load(const char *file, struct config *c, struct errtext *e)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;

	if (fd < 0)
		return err_set(e, JB_CONFIG, "%s: %s; name another with -f", file, strerror(errno));
	r = config_load_fd(fd, file, c, e);
	close(fd);
	return r;
}

void
config_release(struct config *c)
{
	size_t i;

	for (i = 0; i < KEYWORDS; i++)
		if (keywords[i].type->release != NULL)
			keywords[i].type->release(field_of(c, &keywords[i]));
	memset(c, 0, sizeof *c);
}

/* ---- texts for users -------------------------------------------------- */

int
config_banner(const struct config *c, char **text, struct errtext *e)
{
	struct errtext why;
	size_t n;

	if (c->banner[0] == '\0')
		*text = NULL;
	else if (c->banner[0] != '/')
		*text = xasprintf("%s\n", c->banner);
	else if (read_file(c->banner, TEXT_MAX, text, &n, &why) < 0)
		return err_set(e, JB_CONFIG, "banner %.200s", why.s);
	return 0;
}

int
config_motd(const struct config *c, char **text, struct errtext *e)
{
	struct errtext why;
	size_t n;

	*text = NULL;
	if (c->motd[0] != '\0' && read_file(c->motd, TEXT_MAX, text, &n, &why) < 0)
		return err_set(e, JB_CONFIG, "motd %.200s", why.s);
	return 0;
}

int
config_texts_check(const struct config *c, struct errtext *e)
{
	char *banner = NULL, *motd = NULL;
	int r = config_banner(c, &banner, e);

	if (r == 0)
		r = config_motd(c, &motd, e);
	free(banner);
	free(motd);
	return r;
}

/* ---- printing --------------------------------------------------------- */

void
config_print(const struct config *c, FILE *f)
{
	const struct keyword *k;

	for (k = keywords; k < keywords + KEYWORDS; k++)
		k->type->print(k, (const char *)c + k->offset, f);
}
