/*
 * The schema, as numbered steps.  A step never changes once released: a new
 * one is added below it, and only adds, so that a running program of the
 * previous version keeps working.  Runs in whichever process first opens an
 * older file.
 *
 * Times are unix seconds unless the column ends in _ms; 0 is "never" or "for
 * ever".  The values of a role, a state and the like are checked in C, where a
 * later version may add one without rebuilding a table.
 */
#include "store_internal.h"

/* clang-format off */
static const char users_tables[] =
	"CREATE TABLE policy_epoch ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" epoch INTEGER NOT NULL"
	") STRICT;"
	"INSERT INTO policy_epoch (one, epoch) VALUES (1, 1);"

	"CREATE TABLE users ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE,"
	" hash TEXT,"
	" role TEXT NOT NULL,"
	" locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),"
	" must_change INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1)),"
	" expires INTEGER NOT NULL DEFAULT 0 CHECK (expires >= 0),"
	" language TEXT,"
	" menu TEXT,"
	" max_sessions INTEGER NOT NULL DEFAULT 0 CHECK (max_sessions >= 0),"
	" created INTEGER NOT NULL,"
	" last_login INTEGER NOT NULL DEFAULT 0"
	") STRICT;"

	"CREATE TABLE user_keys ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,"
	" algorithm TEXT NOT NULL,"
	" blob TEXT NOT NULL,"
	" fingerprint TEXT NOT NULL,"
	" comment TEXT NOT NULL DEFAULT '',"
	" from_cidr TEXT,"
	" until INTEGER NOT NULL DEFAULT 0 CHECK (until >= 0),"
	" created INTEGER NOT NULL,"
	" UNIQUE (user_id, fingerprint)"
	") STRICT;"

	"CREATE TABLE user_groups ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE"
	") STRICT;"

	"CREATE TABLE group_members ("
	" group_id INTEGER NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,"
	" user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,"
	" PRIMARY KEY (group_id, user_id)"
	") STRICT;"
	"CREATE INDEX group_members_user ON group_members (user_id);"

	"CREATE TABLE login_failures ("
	" what TEXT PRIMARY KEY,"
	" failures INTEGER NOT NULL,"
	" last INTEGER NOT NULL,"
	" blocked_until INTEGER NOT NULL DEFAULT 0"
	") STRICT;";

static const char nodes_tables[] =
	"CREATE TABLE nodes ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE,"
	" url TEXT NOT NULL,"
	" ca TEXT,"
	" cert TEXT,"
	" tls_key TEXT,"
	" insecure INTEGER NOT NULL DEFAULT 0 CHECK (insecure IN (0, 1)),"
	" enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),"
	" region TEXT,"
	" helper TEXT,"
	" state TEXT NOT NULL DEFAULT 'unknown',"
	" last_seen INTEGER NOT NULL DEFAULT 0,"
	" last_error TEXT,"
	" claimed_ms INTEGER NOT NULL DEFAULT 0"
	") STRICT;"

	/* AUTOINCREMENT: a number that a session was shown never comes to mean another container. */
	"CREATE TABLE containers ("
	" ref INTEGER PRIMARY KEY AUTOINCREMENT,"
	" node_id INTEGER NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,"
	" container_id TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" image TEXT NOT NULL,"
	" state TEXT NOT NULL,"
	" status TEXT NOT NULL,"
	" labels TEXT NOT NULL,"
	" owner TEXT,"
	" created INTEGER NOT NULL,"
	" UNIQUE (node_id, container_id)"
	") STRICT;"
	"CREATE INDEX containers_name ON containers (node_id, name);"

	"CREATE TABLE grants ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,"
	" group_id INTEGER REFERENCES user_groups (id) ON DELETE CASCADE,"
	" selector TEXT NOT NULL CHECK (selector <> ''),"
	" allow TEXT NOT NULL CHECK (allow <> ''),"
	" run_as TEXT,"
	" until INTEGER NOT NULL DEFAULT 0 CHECK (until >= 0),"
	" record INTEGER NOT NULL DEFAULT 0 CHECK (record IN (0, 1)),"
	" created INTEGER NOT NULL,"
	" CHECK ((user_id IS NULL) <> (group_id IS NULL))"
	") STRICT;"
	"CREATE INDEX grants_user ON grants (user_id);"
	"CREATE INDEX grants_group ON grants (group_id);";

/* Names and not ids of users, nodes and containers: these rows outlive them. */
static const char sessions_tables[] =
	"CREATE TABLE sessions ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" conn INTEGER NOT NULL,"
	" user_name TEXT NOT NULL,"
	" source TEXT NOT NULL,"
	" method TEXT NOT NULL,"
	" host TEXT NOT NULL,"
	" boot_id TEXT NOT NULL,"
	" pid INTEGER NOT NULL,"
	" pid_start INTEGER NOT NULL,"
	" started INTEGER NOT NULL,"
	" ended INTEGER NOT NULL DEFAULT 0,"
	" how TEXT,"
	" bytes_in INTEGER NOT NULL DEFAULT 0,"
	" bytes_out INTEGER NOT NULL DEFAULT 0,"
	" kill_reason TEXT"
	") STRICT;"
	"CREATE INDEX sessions_live ON sessions (host, boot_id, user_name) WHERE ended = 0;"

	"CREATE TABLE attaches ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,"
	" conn INTEGER NOT NULL,"
	" request INTEGER NOT NULL,"
	" marker TEXT NOT NULL,"
	" node_id INTEGER NOT NULL,"
	" node TEXT NOT NULL,"
	" container_id TEXT NOT NULL,"
	" container TEXT NOT NULL,"
	" run_as TEXT,"
	" exec_id TEXT,"
	" kind TEXT NOT NULL,"
	" command TEXT,"
	" tty INTEGER NOT NULL CHECK (tty IN (0, 1)),"
	" opened INTEGER NOT NULL,"
	" closed INTEGER NOT NULL DEFAULT 0,"
	" bytes_in INTEGER NOT NULL DEFAULT 0,"
	" bytes_out INTEGER NOT NULL DEFAULT 0,"
	" exit_code INTEGER,"
	" how TEXT"
	") STRICT;"
	"CREATE INDEX attaches_session ON attaches (session_id);"
	"CREATE INDEX attaches_open ON attaches (session_id) WHERE closed = 0;";

/*
 * audit_head: id and hash of the newest row, so that its removal shows.
 * audit_checkpoint: the newest row that retention removed, and its hash.
 * audit_maintenance: empty but inside store_maintain()'s transaction.
 */
static const char audit_tables[] =
	"CREATE TABLE audit ("
	" id INTEGER PRIMARY KEY,"
	" at_ms INTEGER NOT NULL,"
	" event TEXT NOT NULL,"
	" actor TEXT NOT NULL,"
	" source TEXT NOT NULL,"
	" conn INTEGER NOT NULL,"
	" user_name TEXT,"
	" target TEXT,"
	" detail TEXT,"
	" hash BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE audit_head ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" id INTEGER NOT NULL,"
	" hash BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE audit_checkpoint ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" upto INTEGER NOT NULL,"
	" hash BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE audit_maintenance (upto INTEGER NOT NULL) STRICT;"
	"INSERT INTO audit_head (one, id, hash) VALUES (1, 0, zeroblob(32));"
	"INSERT INTO audit_checkpoint (one, upto, hash) VALUES (1, 0, zeroblob(32));";

static const char audit_triggers[] =
	"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN"
	" SELECT RAISE(ABORT, 'audit rows are never changed');"
	" END;"
	"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
	" WHEN NOT EXISTS (SELECT 1 FROM audit_maintenance WHERE upto >= OLD.id) BEGIN"
	" SELECT RAISE(ABORT, 'audit rows are never deleted');"
	" END;"
	/* Also against INSERT OR REPLACE, which deletes without saying so. */
	"CREATE TRIGGER audit_in_order BEFORE INSERT ON audit"
	" WHEN NEW.id <> (SELECT id FROM audit_head WHERE one = 1)"
	" OR EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN"
	" SELECT RAISE(ABORT, 'audit rows are appended in order');"
	" END;"
	"CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head"
	" WHEN NEW.id < OLD.id BEGIN"
	" SELECT RAISE(ABORT, 'the head of the audit only moves forward');"
	" END;"
	"CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head BEGIN"
	" SELECT RAISE(ABORT, 'the head of the audit stays');"
	" END;"
	"CREATE TRIGGER audit_checkpoint_guard BEFORE UPDATE ON audit_checkpoint"
	" WHEN NOT EXISTS (SELECT 1 FROM audit_maintenance WHERE upto >= NEW.upto) BEGIN"
	" SELECT RAISE(ABORT, 'only maintenance moves the checkpoint');"
	" END;"
	"CREATE TRIGGER audit_checkpoint_stays BEFORE DELETE ON audit_checkpoint BEGIN"
	" SELECT RAISE(ABORT, 'the checkpoint stays');"
	" END;";

/*
 * What a running session must hear of within seconds.  Not here: last_login,
 * a re-hash, a node's state and claims, containers.
 */
#define BUMP " BEGIN UPDATE policy_epoch SET epoch = epoch + 1 WHERE one = 1; END;"
static const char epoch_triggers[] =
	"CREATE TRIGGER users_epoch_i AFTER INSERT ON users" BUMP
	"CREATE TRIGGER users_epoch_u AFTER UPDATE OF name, role, locked, must_change, expires,"
	" language, menu, max_sessions ON users" BUMP
	"CREATE TRIGGER users_epoch_d AFTER DELETE ON users" BUMP
	"CREATE TRIGGER user_keys_epoch_i AFTER INSERT ON user_keys" BUMP
	"CREATE TRIGGER user_keys_epoch_u AFTER UPDATE ON user_keys" BUMP
	"CREATE TRIGGER user_keys_epoch_d AFTER DELETE ON user_keys" BUMP
	"CREATE TRIGGER user_groups_epoch_i AFTER INSERT ON user_groups" BUMP
	"CREATE TRIGGER user_groups_epoch_u AFTER UPDATE ON user_groups" BUMP
	"CREATE TRIGGER user_groups_epoch_d AFTER DELETE ON user_groups" BUMP
	"CREATE TRIGGER group_members_epoch_i AFTER INSERT ON group_members" BUMP
	"CREATE TRIGGER group_members_epoch_u AFTER UPDATE ON group_members" BUMP
	"CREATE TRIGGER group_members_epoch_d AFTER DELETE ON group_members" BUMP
	"CREATE TRIGGER nodes_epoch_i AFTER INSERT ON nodes" BUMP
	"CREATE TRIGGER nodes_epoch_u AFTER UPDATE OF name, url, ca, cert, tls_key, insecure,"
	" enabled, region, helper ON nodes" BUMP
	"CREATE TRIGGER nodes_epoch_d AFTER DELETE ON nodes" BUMP
	"CREATE TRIGGER grants_epoch_i AFTER INSERT ON grants" BUMP
	"CREATE TRIGGER grants_epoch_u AFTER UPDATE ON grants" BUMP
	"CREATE TRIGGER grants_epoch_d AFTER DELETE ON grants" BUMP
	"CREATE TRIGGER sessions_epoch_kill AFTER UPDATE OF kill_reason ON sessions" BUMP;

/*
 * What has happened since the beginning: retention removes rows, so to count
 * them is no counter.  Triggers count, in the transaction of the row that means
 * the event, so that nobody who writes one can forget to; only attaches that
 * came to no row are counted by the broker.  node is a node's name or '', what
 * and result are words of this program's own.
 *
 * attach_latency: le_ms is a bucket's upper bound, the last has none.
 */
static const char counter_tables[] =
	"CREATE TABLE counters ("
	" name TEXT NOT NULL,"
	" node TEXT NOT NULL,"
	" what TEXT NOT NULL,"
	" result TEXT NOT NULL,"
	" value INTEGER NOT NULL,"
	" PRIMARY KEY (name, node, what, result)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO counters (name, node, what, result, value) VALUES"
	" ('logins', '', 'password', 'ok', 0), ('logins', '', 'password', 'failed', 0),"
	" ('logins', '', 'publickey', 'ok', 0), ('logins', '', 'publickey', 'failed', 0),"
	" ('lockouts', '', 'user', '', 0), ('lockouts', '', 'source', '', 0);"

	"ALTER TABLE attaches ADD COLUMN open_ms INTEGER;"
	"CREATE TABLE attach_latency ("
	" le_ms INTEGER PRIMARY KEY,"
	" n INTEGER NOT NULL DEFAULT 0,"
	" sum_ms INTEGER NOT NULL DEFAULT 0"
	") STRICT;"
	"INSERT INTO attach_latency (le_ms) VALUES (25), (50), (100), (250), (500), (1000), (2500),"
	" (5000), (10000), (30000), (9223372036854775807);";

/* A session that lies about its bytes cannot make them overflow: they would be refused from then on. */
#define COUNT(name, node, what, result, n)                                                        \
	" INSERT INTO counters (name, node, what, result, value)"                                 \
	" VALUES ('" name "', " node ", " what ", " result ", max(0, min(" n ", 1125899906842624)))" \
	" ON CONFLICT (name, node, what, result)"                                                 \
	" DO UPDATE SET value = min(value, 9000000000000000000) + excluded.value;"
static const char counter_triggers[] =
	"CREATE TRIGGER count_login_ok AFTER INSERT ON sessions BEGIN"
	COUNT("logins", "''", "NEW.method", "'ok'", "1") " END;"
	"CREATE TRIGGER count_login_fail AFTER INSERT ON audit"
	" WHEN NEW.event = 'login.fail' AND NEW.detail LIKE 'method=%' BEGIN" /* "method=M reason=..." */
	COUNT("logins", "''", "substr(NEW.detail, 8, instr(NEW.detail || ' ', ' ') - 8)", "'failed'", "1")
	" END;"
	"CREATE TRIGGER count_lockout AFTER UPDATE OF blocked_until ON login_failures"
	" WHEN NEW.blocked_until <> 0 BEGIN" /* "user:NAME", "source:ADDRESS" */
	COUNT("lockouts", "''", "substr(NEW.what, 1, instr(NEW.what, ':') - 1)", "''", "1") " END;"
	"CREATE TRIGGER count_attach AFTER INSERT ON attaches BEGIN"
	COUNT("attaches", "NEW.node", "NEW.kind", "''", "1") " END;"
	"CREATE TRIGGER count_attach_open AFTER UPDATE OF open_ms ON attaches"
	" WHEN OLD.open_ms IS NULL AND NEW.open_ms >= 0 BEGIN"
	" UPDATE attach_latency SET n = n + 1, sum_ms = sum_ms + min(NEW.open_ms, 86400000)"
	" WHERE le_ms = (SELECT min(le_ms) FROM attach_latency WHERE le_ms >= NEW.open_ms);"
	" END;"
	"CREATE TRIGGER count_bytes AFTER UPDATE OF bytes_in, bytes_out ON attaches BEGIN"
	COUNT("bytes", "NEW.node", "'in'", "''", "NEW.bytes_in - OLD.bytes_in")
	COUNT("bytes", "NEW.node", "'out'", "''", "NEW.bytes_out - OLD.bytes_out") " END;"
	"CREATE TRIGGER count_no_node AFTER DELETE ON nodes BEGIN"
	" DELETE FROM counters WHERE node = OLD.name;"
	" END;";
/* The second factor.  A secret is as good as the device that has it; recovery codes go when they are used. */
static const char totp_tables[] =
	"ALTER TABLE users ADD COLUMN totp_required INTEGER NOT NULL DEFAULT 0"
	" CHECK (totp_required IN (0, 1));"
	"CREATE TABLE totp ("
	" user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,"
	" secret BLOB NOT NULL,"
	" last INTEGER NOT NULL,"
	" created INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE totp_recovery ("
	" user_id INTEGER NOT NULL REFERENCES totp (user_id) ON DELETE CASCADE,"
	" hash BLOB NOT NULL,"
	" PRIMARY KEY (user_id, hash)"
	") STRICT;";

/*
 * What was changed since: `inventory` counts the changes that a list of
 * containers can show, and each row keeps the number of its last one.  A
 * node's own change counts for its rows.  Triggers do it, so that it holds for
 * whoever writes, a program of the previous version too.
 */
static const char inventory_columns[] =
	"CREATE TABLE inventory ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" mark INTEGER NOT NULL,"
	" forgotten INTEGER NOT NULL" /* the greatest mark in containers_gone that was removed */
	") STRICT;"
	"INSERT INTO inventory (one, mark, forgotten) VALUES (1, 1, 0);"
	"CREATE TABLE containers_gone ("
	" ref INTEGER PRIMARY KEY,"
	" mark INTEGER NOT NULL,"
	" at INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX containers_gone_mark ON containers_gone (mark);"
	"ALTER TABLE containers ADD COLUMN mark INTEGER NOT NULL DEFAULT 1;"
	"ALTER TABLE containers ADD COLUMN health TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE containers ADD COLUMN service TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE containers ADD COLUMN ports TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE containers ADD COLUMN gpus TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE containers ADD COLUMN started INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE containers ADD COLUMN finished INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE containers ADD COLUMN exit_code INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE containers ADD COLUMN oom INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX containers_mark ON containers (mark);"
	"ALTER TABLE nodes ADD COLUMN mark INTEGER NOT NULL DEFAULT 1;"
	"ALTER TABLE nodes ADD COLUMN state_since INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE nodes ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;";

#define NEXT_MARK "UPDATE inventory SET mark = mark + 1 WHERE one = 1;"
#define MARK_ROW(table, key) \
	NEXT_MARK " UPDATE " table " SET mark = (SELECT mark FROM inventory) WHERE " key " = NEW." key ";"
static const char inventory_triggers[] =
	"CREATE TRIGGER containers_mark_i AFTER INSERT ON containers BEGIN "
	MARK_ROW("containers", "ref") " END;"
	"CREATE TRIGGER containers_mark_u AFTER UPDATE OF name, image, state, labels, owner, created,"
	" health, service, ports, gpus, started, finished, exit_code, oom ON containers BEGIN "
	MARK_ROW("containers", "ref") " END;"
	"CREATE TRIGGER containers_mark_d AFTER DELETE ON containers BEGIN "
	NEXT_MARK
	" INSERT INTO containers_gone (ref, mark, at) SELECT OLD.ref, mark, unixepoch() FROM inventory;"
	" DELETE FROM container_uses WHERE node_id = OLD.node_id AND container_id = OLD.container_id;"
	" END;"
	"CREATE TRIGGER nodes_mark AFTER UPDATE OF name, enabled, state ON nodes"
	" WHEN NEW.name <> OLD.name OR NEW.enabled <> OLD.enabled OR NEW.state <> OLD.state BEGIN "
	MARK_ROW("nodes", "id") " END;"
	"CREATE TRIGGER nodes_state_since AFTER UPDATE OF state ON nodes WHEN NEW.state <> OLD.state BEGIN"
	" UPDATE nodes SET state_since = unixepoch() WHERE id = NEW.id;"
	" END;"
	/* What a watcher of the node was started with. */
	"CREATE TRIGGER nodes_revision AFTER UPDATE OF name, url, ca, cert, tls_key, insecure ON nodes BEGIN"
	" UPDATE nodes SET revision = revision + 1 WHERE id = NEW.id;"
	" END;";

/* Who was last in which container: kept while both exist, whatever retention removes. */
static const char uses_table[] =
	"CREATE TABLE container_uses ("
	" node_id INTEGER NOT NULL,"
	" container_id TEXT NOT NULL,"
	" user_name TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" PRIMARY KEY (node_id, container_id, user_name)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO container_uses (node_id, container_id, user_name, at)"
	" SELECT a.node_id, a.container_id, s.user_name, max(a.opened)"
	" FROM attaches a JOIN sessions s ON s.id = a.session_id"
	" JOIN containers c ON c.node_id = a.node_id AND c.container_id = a.container_id"
	" JOIN users u ON u.name = s.user_name GROUP BY 1, 2, 3;"
	"CREATE TRIGGER attaches_use AFTER INSERT ON attaches BEGIN"
	" INSERT INTO container_uses (node_id, container_id, user_name, at)"
	" SELECT NEW.node_id, NEW.container_id, user_name, NEW.opened FROM sessions"
	" WHERE id = NEW.session_id"
	" ON CONFLICT (node_id, container_id, user_name) DO UPDATE SET at = excluded.at;"
	" END;"
	"CREATE TRIGGER users_use_d AFTER DELETE ON users BEGIN"
	" DELETE FROM container_uses WHERE user_name = OLD.name;"
	" END;";

/* What is to be recorded: on, off, or NULL where the next wider setting says; grants.record is unused since. */
static const char recordings_columns[] =
	"ALTER TABLE grants ADD COLUMN recording TEXT;"
	"ALTER TABLE nodes ADD COLUMN recording TEXT;"
	/* The file's name; NULL: none, or none any more. */
	"ALTER TABLE attaches ADD COLUMN recording TEXT;"
	"CREATE INDEX attaches_recording ON attaches (recording) WHERE recording IS NOT NULL;";

static const char recordings_trigger[] =
	"CREATE TRIGGER count_recording AFTER INSERT ON attaches WHEN NEW.recording IS NOT NULL BEGIN"
	COUNT("recordings", "NEW.node", "''", "''", "1") " END;";

/* One row a version; NULL ends its list of texts. */
enum { STEP_TEXTS = 8 };
static const char *const steps[][STEP_TEXTS] = {
	/* 1 */ { users_tables, nodes_tables, sessions_tables, audit_tables, audit_triggers,
		  epoch_triggers, NULL },
	/* 2 */ { counter_tables, counter_triggers, NULL },
	/* 3 */ { inventory_columns, uses_table, inventory_triggers, NULL },
	/* 4 */ { recordings_columns, NULL },
	/* 5 */ { totp_tables, NULL },
	/* 6 */ { recordings_trigger, NULL },
};
/* clang-format on */

int
schema_latest(void)
{
	return (int)(sizeof(steps) / sizeof(steps[0]));
}

int
schema_apply(sqlite3 *db, int from)
{
	int rc = SQLITE_OK;

	for (int v = from; v < schema_latest() && rc == SQLITE_OK; v++)
		for (int i = 0; steps[v][i] != NULL && rc == SQLITE_OK; i++)
			rc = sqlite3_exec(db, steps[v][i], NULL, NULL, NULL);
	return rc;
}
