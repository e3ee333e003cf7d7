/**
 * @file ledger.c  How fast the ledger loads a journal: calls with two records,
 * three charges and two postings each, into a real PostgreSQL.
 *
 *   bench_ledger DSN FOLDER [--calls N] [--json] [--no-target]
 *
 * DSN names a migrated database of the bench's own, as its owner. Fills the
 * journal in FOLDER first, then loads it. Exit 1: less than 5,000 calls/s, or
 * a back-log of 30,000 takes longer than 60 s, or sums that do not agree.
 */
#include <inttypes.h>
#include <libpq-fe.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "journal.h"
#include "ledger.h"
#include "metric.h"
#include "moment.h"

#define ACCOUNTS 200
#define TARGET_PER_S 5000
#define BACKLOG 30000
#define BACKLOG_S 60
#define PRICE 13800
#define SET(field, text) snprintf(field, sizeof(field), "%s", text)

static struct cdr_call call;
static char accounts[ACCOUNTS][36], tenant[36];
static uint32_t calls = 300000;
static bool is_json, is_judged = true;
static uint64_t state = 88172645463325252u;


static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}


static double seconds(void)
{
	struct moment now;

	moment_read(&now);
	return 1e-6 * (double)now.mono_us;
}


static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "bench_ledger: %s: %s\n", what, why);
	exit(2);
}


static void execute(PGconn *db, const char *sql)
{
	PGresult *res = PQexec(db, sql);
	const ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail(sql, PQerrorMessage(db));
	PQclear(res);
}


static int64_t number(PGconn *db, const char *sql)
{
	PGresult *res = PQexec(db, sql);
	int64_t v;

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		fail(sql, PQerrorMessage(db));
	v = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return v;
}


static void id_make(char *id, const char *prefix, uint64_t n)
{
	char digits[27];

	for (int i = 25; i >= 0; i--, n /= 32)
		digits[i] = "abcdefghijklmnopqrstuvwxyz234567"[n % 32];
	digits[26] = '\0';
	snprintf(id, 36, "%s_%s", prefix, digits);
}


static void accounts_make(PGconn *db)
{
	char sql[512];

	id_make(tenant, "ten", 1);
	snprintf(sql, sizeof(sql), "insert into core.tenant (id, name, "
		 "currency) values ('%s', 'bench', 'EUR')", tenant);
	execute(db, sql);
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		id_make(accounts[i], "acc", i + 1);
		snprintf(sql, sizeof(sql), "insert into core.account (id, "
			 "tenant_id, name, type, currency) values ('%s', '%s', "
			 "'bench %u', 'prepaid', 'EUR'); select core.post('%s', "
			 "'payment', 1000000000000)", accounts[i], tenant, i,
			 accounts[i]);
		execute(db, sql);
	}
}


/* --- the journal */

static void record_fill(struct cdr *r, int64_t attempt)
{
	r->attempt = attempt;
	SET(r->carrier_id, "car_aaaaaaaaaaaaaaaaaaaaaaaaab");
	SET(r->gateway_id, "gtw_aaaaaaaaaaaaaaaaaaaaaaaaab");
	SET(r->calling_sent, "+493012345");
	snprintf(r->called_sent, sizeof(r->called_sent), "0049%s",
		 r->called + 3);
	SET(r->b_address, "192.0.2.77:5060");
	SET(r->b_transport, "udp");
	SET(r->b_call_id, "a84b4c76e66710@192.0.2.10");
	r->pdd_ms = 1800;
	r->sip_code = 200;
	r->q850 = 16;
}


static void charge_fill(struct cdr_charge *c, uint8_t side, int64_t attempt,
			const char *account)
{
	memset(c, 0, sizeof(*c));
	c->side = side;
	c->attempt = attempt;
	SET(c->account_id, account);
	if (side == CHARGE_BUY)
		SET(c->carrier_id, "car_aaaaaaaaaaaaaaaaaaaaaaaaab");
	SET(c->currency, "EUR");
	SET(c->deck_id, "dck_aaaaaaaaaaaaaaaaaaaaaaaaab");
	SET(c->prefix, "4930");
	SET(c->destination, "Germany Berlin");
	c->deck_version = 3;
	price_set(&c->price, &(struct tariff){12500000, 0, 60000, 6000},
		  (struct rounding){ROUND_UP, 4, 0, 0});
	c->amount_micro = PRICE;
	c->billed_ms = 66000;
}


static void call_fill(int64_t from_ms, uint32_t n)
{
	struct cdr *r = &call.call;

	memset(&call, 0, sizeof(call));
	cdr_init(r);
	r->started_at = from_ms + n / 5;
	/* as rng_uuid7(): ids grow with time */
	for (int i = 0; i < 6; i++)
		r->call_id[i] = (uint8_t)(r->started_at >> (40 - 8 * i));
	for (int i = 6; i < 16; i++)
		r->call_id[i] = (uint8_t)draw();
	SET(r->node, "bench");
	SET(r->version, "0.1.0");
	SET(r->direction, "outbound");
	SET(r->tenant_id, tenant);
	SET(r->account_id, accounts[draw() % ACCOUNTS]);
	snprintf(r->trunk_id, sizeof(r->trunk_id),
		 "trk_aaaaaaaaaaaaaaaaaaaaaaaa%c%c", 'a' + (int)(draw() % 20),
		 'a' + (int)(draw() % 20));
	SET(r->route_id, "rte_aaaaaaaaaaaaaaaaaaaaaaaaab");
	SET(r->calling_received, "+493012345");
	SET(r->calling, "+493012345");
	snprintf(r->called, sizeof(r->called), "+4930%08u",
		 (unsigned)(draw() % 100000000));
	SET(r->called_received, r->called);
	SET(r->called_country, "DE");
	SET(r->a_address, "198.51.100.7:5060");
	SET(r->a_transport, "udp");
	snprintf(r->a_call_id, sizeof(r->a_call_id), "%016" PRIx64 "@pbx",
		 draw());
	SET(r->a_user_agent, "Asterisk PBX 18.10.0");
	record_fill(r, 0);
	r->ringing_at = r->started_at + 1800;
}


static void call_answer(void)
{
	struct cdr *r = &call.call;

	r->answered_at = r->started_at + 4000;
	r->setup_ms = 4000;
	SET(r->codec, "PCMA/8000");
	SET(r->a_media_address, "198.51.100.7:16000");
	SET(r->b_media_address, "192.0.2.77:20000");
	SET(r->currency, "EUR");
	call.attempt_n = 1;
	call.attempts[0] = *r;
	record_fill(&call.attempts[0], 1);
	call.charge_n = 3;
	charge_fill(&call.charges[0], CHARGE_SELL, 0, r->account_id);
	charge_fill(&call.charges[1], CHARGE_SELL, 1,
		    accounts[draw() % ACCOUNTS]);
	charge_fill(&call.charges[2], CHARGE_BUY, 1, "");
}


static void call_end(void)
{
	struct cdr *r = &call.call;

	r->duration_ms = 61000;
	r->ended_at = r->answered_at + 61000;
	SET(r->outcome, "ok");
	SET(r->initiator, "calling");
	r->a_packets = r->b_packets = 3050;
	r->a_bytes = r->b_bytes = 524600;
	r->a_lost = r->b_lost = 2;
	r->a_jitter_us = r->b_jitter_us = 900;
	r->price_micro = PRICE;
	r->billed_ms = 66000;
	SET(call.attempts[0].outcome, "ok");
	call.attempts[0].duration_ms = 61000;
	call.attempts[0].ended_at = r->ended_at;
	call.why = "[{\"step\":\"admit\",\"trunk\":\"trk_a\",\"outcome\":\"ok\"},"
		"{\"step\":\"route\",\"plan\":\"pln_a\",\"matched\":\"4930\","
		"\"gateways\":[\"gtw_a\",\"gtw_b\"],\"left_out\":[]},"
		"{\"step\":\"price\",\"deck\":\"dck_a\",\"version\":3,"
		"\"prefix\":\"4930\"},{\"step\":\"attempt\",\"attempt\":1,"
		"\"sip_code\":200,\"ms\":4000},{\"step\":\"end\",\"by\":"
		"\"calling\",\"sip_code\":200}]";
}


static void append(struct journal *j, struct mbuf *mb, enum journal_type type)
{
	uint64_t seq;
	int err;

	mbuf_rewind(mb);
	if (journal_encode_call(mb, type, &call))
		fail("encode", "memory");
	while ((err = journal_append(j, mb->buf, mb->end, &seq)) == ENOBUFS)
		(void)usleep(1000);
	if (err)
		fail("journal", strerror(err));
}


static void journal_fill(const char *dir)
{
	const struct journal_config cfg = {
		.dir = dir, .segment_bytes = 64 << 20, .group_ms = 20,
		.backlog_max = 100000, .memory_dir = "/dev/shm"};
	struct mbuf *mb = mbuf_alloc(4096);
	struct journal *j = NULL;
	struct moment now;
	double began;
	int err;

	err = journal_open(&j, &cfg, NULL, NULL);
	if (err)
		fail(dir, strerror(err));

	moment_read(&now);
	began = seconds();
	for (uint32_t n = 0; n < calls; n++) {
		call_fill(moment_wall_ms(&now) - calls / 5, n);
		append(j, mb, JOURNAL_BEGIN);
		call_answer();
		append(j, mb, JOURNAL_ANSWER);
		call_end();
		append(j, mb, JOURNAL_END);
	}
	journal_close(j);
	mem_deref(mb);
	if (!is_json)
		printf("%u calls journalled in %.1f s\n", calls,
		       seconds() - began);
}


/* --- loading */

static int answered(const struct lease_answer *ans, void *arg)
{
	(void)ans;
	(void)arg;

	return 0;
}


/* CPU seconds of this process, or of the server's process that loads. */
static double cpu_seconds(PGconn *db, bool is_server)
{
	char path[64], line[1024], *p;
	const long ticks = sysconf(_SC_CLK_TCK);
	unsigned long user = 0, sys = 0;
	int64_t pid = 0;
	FILE *f;

	if (is_server)
		pid = number(db, "select coalesce(max(pid), 0) from "
			     "pg_stat_activity where application_name = "
			     "'strowger-ledger'");
	if (is_server && !pid)
		return 0;
	snprintf(path, sizeof(path), is_server ? "/proc/%" PRId64 "/stat"
					       : "/proc/self/stat", pid);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f) && (p = strrchr(line, ')')))
		sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		       "%lu %lu", &user, &sys);
	if (f)
		fclose(f);

	return (double)(user + sys) / (double)ticks;
}


static int load(const char *dsn, const char *dir, PGconn *db)
{
	const struct ledger_config cfg = {
		.dsn = dsn, .node = "bench", .journal_dir = dir, .home = "bench",
		.epoch = 1, .session_s = 120,
		.load_ms = 250, .batch_max = LEDGER_BATCH_MAX};
	const struct metric *loaded;
	struct ledger *l = NULL;
	double began, backlog_s = 0, took, own, server;
	uint64_t n = 0, last = 0;
	int64_t posted, balance, records, charges;
	bool is_good;

	if (ledger_start(&l, &cfg, answered, NULL))
		fail("ledger", "does not start");
	loaded = metric_counter("strowger_cdr_loaded_total", NULL, "");

	own = cpu_seconds(db, false);
	began = seconds();
	do {
		(void)usleep(20000);
		n = (uint64_t)metric_value(loaded);
		if (!backlog_s && n >= BACKLOG)
			backlog_s = seconds() - began;
		if (!is_json && n / 50000 > last / 50000)
			printf("   %8" PRIu64 " after %5.1f s\n", n,
			       seconds() - began);
		last = n;
	} while (n < calls);
	took = seconds() - began;
	own = cpu_seconds(db, false) - own;
	server = cpu_seconds(db, true);
	ledger_stop(l, 1000);

	records = number(db, "select count(*) from cdr.record");
	charges = number(db, "select count(*) from cdr.charge");
	posted = number(db, "select count(*) from core.ledger_posting "
			"where kind = 'usage'");
	balance = number(db, "select sum(balance_micro)::bigint "
			 "from core.account");
	is_good = records == 2 * (int64_t)calls &&
		charges == 3 * (int64_t)calls && posted == 2 * (int64_t)calls &&
		balance == INT64_C(1000000000000) * ACCOUNTS -
			2 * (int64_t)calls * PRICE;
	printf(is_json ? "{\"bench\":\"load\",\"calls\":%u,\"seconds\":%.1f,"
	       "\"calls_per_s\":%.0f,\"backlog_30000_s\":%.1f,"
	       "\"cpu_us_switch\":%.1f,\"cpu_us_postgresql\":%.1f,"
	       "\"sums_agree\":%s}\n"
	       : "%u calls loaded in %.1f s: %.0f calls/s, the first 30000 in "
	       "%.1f s; CPU-us a call: %.1f here, %.1f PostgreSQL; sums agree: "
	       "%s\n", calls, took, calls / took, backlog_s,
	       1e6 * own / calls, 1e6 * server / calls,
	       is_good ? "true" : "false");
	if (!is_good)
		fprintf(stderr, "records %" PRId64 ", charges %" PRId64
			", postings %" PRId64 ", balance %" PRId64 "\n",
			records, charges, posted, balance);

	return is_good && (!is_judged || (calls / took >= TARGET_PER_S &&
					  backlog_s <= BACKLOG_S)) ? 0 : 1;
}


int main(int argc, char *argv[])
{
	PGconn *db;
	int rc;

	if (argc < 3)
		fail("usage", "bench_ledger DSN FOLDER [--calls N] [--json]");
	for (int i = 3; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			is_json = true;
		else if (!strcmp(argv[i], "--no-target"))
			is_judged = false;
		else if (!strcmp(argv[i], "--calls") && i + 1 < argc)
			calls = (uint32_t)strtoul(argv[++i], NULL, 10);
		else
			fail(argv[i], "unknown");
	}

	db = PQconnectdb(argv[1]);
	if (PQstatus(db) != CONNECTION_OK)
		fail(argv[1], PQerrorMessage(db));
	accounts_make(db);
	journal_fill(argv[2]);
	rc = load(argv[1], argv[2], db);
	PQfinish(db);
	return rc;
}
