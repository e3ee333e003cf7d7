/**
 * @file doctor.c  Looks at everything a node depends on; each finding says how
 * to mend it. It only looks.
 */
#include "json.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include "command.h"
#include "control.h"
#include "database.h"
#include "grid.h"
#include "migrate.h"
#include "pg.h"
#include "text.h"

#define LAG_MAX 0           /* versions a node may be behind              */
#define SEEN_MAX_S 15       /* a node says hello every few seconds        */
#define BACKLOG_MAX_S 60
#define DISK_MIN_PERCENT 10
#define DISK_MIN_BYTES (1ull << 30)
#define FILES_MIN 65536
#define CLOCK_MAX_MS 1000

enum finding_state { FINDING_OK, FINDING_WARN, FINDING_BAD };

struct visit {
	const struct options *opt;
	pid_t switch_pid;  /**< 0: not known                               */
	struct pg *pg;     /**< NULL: not reachable                        */
	json_t *findings;
	bool is_bad;
};


static void finding(struct visit *v, enum finding_state state,
		    const char *check, const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));


static void finding(struct visit *v, enum finding_state state,
		    const char *check, const char *fix, const char *fmt, ...)
{
	static const char *const names[] = {"ok", "warning", "bad"};
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	if (state == FINDING_BAD)
		v->is_bad = true;

	(void)json_array_append_new(
		v->findings,
		json_pack("{ssssssss}", "check", check, "state", names[state],
			  "finding", text, "fix",
			  state == FINDING_OK ? "" : fix));
}


/* --- the switch */

/** Value of a sample without labels in Prometheus text. */
static bool sample_find(const char *text, const char *name, double *ret)
{
	const size_t len = strlen(name);

	while (text && *text) {
		if (!strncmp(text, name, len) && text[len] == ' ') {
			*ret = strtod(text + len, NULL);
			return true;
		}
		text = strchr(text, '\n');
		if (text)
			++text;
	}

	return false;
}


static void backlog_look(struct visit *v)
{
	json_t *request = json_pack("{ss}", "op", "metrics");
	json_t *answer = NULL;
	const char *text;
	double age_s;

	if (!control_ask(v->opt->control, request, &answer, NULL)) {
		text = json_string_value(json_object_get(answer, "text"));
		if (!sample_find(text, "strowger_cdr_backlog_age_seconds",
				 &age_s))
			finding(v, FINDING_WARN, "journal backlog",
				"give the switch a database",
				"this switch loads no call records");
		else if (age_s > BACKLOG_MAX_S)
			finding(v, FINDING_BAD, "journal backlog",
				"see that the database is up; the node loads "
				"by itself as soon as it is",
				"call records wait for %.0f s", age_s);
		else
			finding(v, FINDING_OK, "journal backlog", "",
				"the oldest record waits for %.0f s", age_s);
	}

	json_decref(answer);
	json_decref(request);
}


static void gateways_look(struct visit *v, const json_t *gateways)
{
	const json_t *one;
	const char *id;
	size_t i;

	for (i = 0; i < json_array_size(gateways); i++) {
		one = json_array_get(gateways, i);
		id = json_string_value(json_object_get(one, "gateway"));
		if (json_is_false(json_object_get(one, "up")))
			finding(v, FINDING_WARN, "gateway",
				"ask the carrier; calls take the next target "
				"of their route", "%s answers no OPTIONS",
				id ? id : "?");
	}
}


static void status_look(struct visit *v, const json_t *status)
{
	const char *node = json_string_value(json_object_get(status, "node"));

	if (json_is_true(json_object_get(status, "draining")))
		finding(v, FINDING_WARN, "node state", "strowger drain --off",
			"%s refuses new calls", node ? node : "?");
	else
		finding(v, FINDING_OK, "node state", "", "%s takes calls",
			node ? node : "?");

	if (json_is_false(json_object_get(status, "journal_healthy")))
		finding(v, FINDING_BAD, "journal",
			"mend or empty the disk of the journal: until then no "
			"call is admitted", "it cannot be written");
	else
		finding(v, FINDING_OK, "journal", "", "is written");

	gateways_look(v, json_object_get(status, "gateways"));
}


static void control_look(struct visit *v)
{
	json_t *request = json_pack("{ss}", "op", "status");
	json_t *answer = NULL;
	int err;

	err = control_ask(v->opt->control, request, &answer, &v->switch_pid);
	json_decref(request);
	if (err) {
		finding(v, FINDING_BAD, "control socket",
			"start the switch (systemctl start strowger-switch), "
			"or name its socket with --control",
			"%s: %s", v->opt->control, strerror(err));
		return;
	}

	finding(v, FINDING_OK, "control socket", "", "%s answers",
		v->opt->control);
	status_look(v, answer);
	json_decref(answer);
	backlog_look(v);
}


/* --- the database */

static void migrations_look(struct visit *v)
{
	struct migrations *m;
	char buf[4096], why[512] = "";
	const char *dir = database_dir(v->opt, buf, sizeof(buf));
	size_t applied;

	if (migrations_read(&m, v->pg, dir, why, sizeof(why))) {
		finding(v, FINDING_WARN, "migrations",
			"name the folder with --dir", "%s", why);
		return;
	}

	applied = migrations_count(m, MIGRATION_APPLIED);
	if (applied == m->n)
		finding(v, FINDING_OK, "migrations", "", "%zu applied", m->n);
	else
		finding(v, FINDING_BAD, "migrations",
			"strowger db status, then strowger db migrate",
			"%zu of %zu applied as they are here", applied, m->n);
	mem_deref(m);
}


static void node_look(struct visit *v, const char *name, int64_t lag,
		      int64_t silent_s)
{
	if (silent_s > SEEN_MAX_S)
		finding(v, FINDING_BAD, "node",
			"start it, or delete from core.node if it is gone "
			"for good",
			"%s was last seen %" PRId64 " s ago", name, silent_s);
	else if (lag > LAG_MAX)
		finding(v, FINDING_WARN, "catalog lag",
			"wait a few seconds; if it stays, read the node's log "
			"for catalog errors",
			"%s is %" PRId64 " versions behind", name, lag);
	else
		finding(v, FINDING_OK, "node", "", "%s is up to date", name);
}


static void nodes_look(struct visit *v)
{
	PGresult *res = NULL;
	int err, i;

	err = pg_exec(v->pg,
		      "select n.name, s.version - n.applied_version,"
		      " extract(epoch from clock_timestamp()"
		      " - n.seen_at)::bigint"
		      " from core.node n, core.state s order by n.name",
		      0, NULL, &res);
	if (err)
		finding(v, FINDING_WARN, "node",
			"run it as a user with the role strowger_api", "%s",
			pg_error(v->pg));
	else if (!PQntuples(res))
		finding(v, FINDING_WARN, "node",
			"start a switch with this database",
			"no switch has ever used this database");

	for (i = 0; !err && i < PQntuples(res); i++)
		node_look(v, PQgetvalue(res, i, 0),
			  strtoll(PQgetvalue(res, i, 1), NULL, 10),
			  strtoll(PQgetvalue(res, i, 2), NULL, 10));
	PQclear(res);
}


static void clocks_compare(struct visit *v)
{
	PGresult *res = NULL;
	struct timespec now;
	int64_t theirs, ours;

	if (pg_exec(v->pg, "select (extract(epoch from clock_timestamp())"
		    " * 1000)::bigint", 0, NULL, &res)) {
		PQclear(res);
		return;
	}

	(void)clock_gettime(CLOCK_REALTIME, &now);
	ours = now.tv_sec * 1000 + now.tv_nsec / 1000000;
	theirs = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);

	if (llabs(ours - theirs) > CLOCK_MAX_MS)
		finding(v, FINDING_BAD, "clock",
			"let chrony or systemd-timesyncd run on both machines",
			"the database's clock differs by %lld ms",
			(long long)(theirs - ours));
	else
		finding(v, FINDING_OK, "clock", "",
			"the database's clock agrees");
}


static void database_look(struct visit *v)
{
	char why[512] = "";

	if (database_open(&v->pg, v->opt, why, sizeof(why))) {
		finding(v, FINDING_BAD, "database",
			"start PostgreSQL, or correct --dsn; calls go on "
			"meanwhile with what the node knows", "%s", why);
		return;
	}

	finding(v, FINDING_OK, "database", "", "answers");
	migrations_look(v);
	nodes_look(v);
	clocks_compare(v);
}


/* --- the machine */

static void disk_look(struct visit *v)
{
	struct statvfs fs;
	uint64_t left, whole;

	if (statvfs(v->opt->state_dir, &fs)) {
		finding(v, FINDING_WARN, "disk", "name it with --state",
			"%s: %s", v->opt->state_dir, strerror(errno));
		return;
	}

	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	whole = (uint64_t)fs.f_blocks * fs.f_frsize;
	if (left < DISK_MIN_BYTES || left < whole / 100 * DISK_MIN_PERCENT)
		finding(v, FINDING_BAD, "disk",
			"make room: when the journal cannot be written no "
			"call is admitted",
			"%s has %" PRIu64 " MiB left", v->opt->state_dir,
			left >> 20);
	else
		finding(v, FINDING_OK, "disk", "", "%s has %" PRIu64
			" MiB left", v->opt->state_dir, left >> 20);
}


/** "Max open files            1024                 524288          files" */
static bool file_limit(pid_t pid, uint64_t *ret)
{
	static const char head[] = "Max open files";
	char path[64], line[256];
	bool found = false;
	FILE *f;

	(void)text_format(path, sizeof(path), "/proc/%d/limits", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;

	while (!found && fgets(line, sizeof(line), f)) {
		if (strncmp(line, head, sizeof(head) - 1) != 0)
			continue;
		*ret = strtoull(line + sizeof(head) - 1, NULL, 10);
		found = true;
	}
	(void)fclose(f);

	return found;
}


static void files_look(struct visit *v)
{
	uint64_t limit;

	if (!v->switch_pid || !file_limit(v->switch_pid, &limit)) {
		finding(v, FINDING_WARN, "open files",
			"run it as root or as the user of the switch, with "
			"the switch up", "the limit of the switch is unknown");
		return;
	}

	if (limit < FILES_MIN)
		finding(v, FINDING_WARN, "open files",
			"LimitNOFILE=1048576 in the unit of the switch, if "
			"it is to carry more than a quarter of that in calls:"
			" each takes four for its media",
			"the switch may open %" PRIu64 " files", limit);
	else
		finding(v, FINDING_OK, "open files", "",
			"the switch may open %" PRIu64 " files", limit);
}


static void clock_look(struct visit *v)
{
	struct timex t = {0};
	const int state = adjtimex(&t);

	if (state == -1 || state == TIME_ERROR || (t.status & STA_UNSYNC))
		finding(v, FINDING_WARN, "clock",
			"apt install chrony: call records and rates need the "
			"right time", "it is not synchronised");
	else
		finding(v, FINDING_OK, "clock", "", "synchronised");
}


static int findings_print(const json_t *findings)
{
	static const char *const heads[] = {"STATE", "CHECK", "FINDING", "FIX",
					    NULL};
	static const char *const names[] = {"state", "check", "finding",
					    "fix"};
	struct grid *g;
	size_t i, n;
	int err;

	err = grid_alloc(&g, heads);
	for (i = 0; i < json_array_size(findings) && !err; i++) {
		const json_t *one = json_array_get(findings, i);

		for (n = 0; n < 4 && !err; n++)
			err = grid_cell(g, json_string_value(json_object_get(
						   one, names[n])));
	}
	if (err)
		return command_fail(COMMAND_REFUSED, "%s", strerror(err));

	grid_print(g, stdout);
	mem_deref(g);

	return COMMAND_OK;
}


static int findings_dump(const struct visit *v)
{
	json_t *all = json_pack("{sbsO}", "ok", !v->is_bad, "findings",
				v->findings);

	(void)json_dumpf(all, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(all);

	return COMMAND_OK;
}


int command_doctor(const struct options *opt)
{
	struct visit v = {.opt = opt, .findings = json_array()};
	int code;

	control_look(&v);
	database_look(&v);
	disk_look(&v);
	files_look(&v);
	clock_look(&v);

	code = opt->is_json ? findings_dump(&v) : findings_print(v.findings);
	if (!code && v.is_bad)
		code = COMMAND_REFUSED;

	json_decref(v.findings);
	mem_deref(v.pg);

	return code;
}
