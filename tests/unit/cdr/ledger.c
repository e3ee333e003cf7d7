/**
 * @file ledger.c  Tests of the ledger against a real PostgreSQL: everything
 * is loaded exactly once whoever dies when, and money that was leased comes
 * back. STROWGER_TEST_DSN names a migrated database of the tests' own, as its
 * owner; without it they are skipped. They take half a minute.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <re.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "command.h"
#include "example.h"
#include "folder.h"
#include "ledger.h"
#include "metric.h"
#include "proxy.h"
#include "segment.h"

#define BALANCE 1000000000
#define PRICE 13800
#define ID_TEXT 36

static struct cdr_call call;
static const char *dir, *dsn;
static char node[32], tenant[40], account[36];
static PGconn *db;

static struct lease_answer answers[64];
static atomic_uint answer_n;

/* what comes unasked, and how often the worker has no room */
static atomic_int more_n, recalled_n, deaf_n;
static _Atomic int64_t released_micro;
static _Atomic uint64_t until_ms;


/* --- the database */

static int64_t number(const char *sql)
{
	PGresult *res = PQexec(db, sql);
	int64_t v;

	cr_assert(eq(int, PQresultStatus(res), PGRES_TUPLES_OK), "%s: %s", sql,
		  PQerrorMessage(db));
	v = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return v;
}


static int64_t count(const char *table)
{
	char sql[256];

	/* a uuid has a hyphen in the last 16 digits */
	snprintf(sql, sizeof(sql), "select count(*) from %s where "
		 "replace(call_id::text, '-', '') like '%%%016" PRIx64 "'",
		 table, __builtin_bswap64(example_salt));
	return number(sql);
}


static int64_t account_value(const char *column)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "select %s from core.account where "
		 "id = '%s'", column, account);
	return number(sql);
}


static void execute(const char *sql)
{
	PGresult *res = PQexec(db, sql);
	const ExecStatusType status = PQresultStatus(res);

	cr_assert(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK,
		  "%s: %s", sql, PQerrorMessage(db));
	PQclear(res);
}


static void account_make(void)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "insert into core.tenant (id, name, currency) "
		 "values ('%s', 'test %s', 'EUR')", tenant, node);
	execute(sql);
	snprintf(sql, sizeof(sql),
		 "insert into core.account (id, tenant_id, name, type, "
		 "currency) values ('%s', '%s', 'test', 'prepaid', 'EUR')",
		 account, tenant);
	execute(sql);
	snprintf(sql, sizeof(sql), "select core.post('%s', 'payment', %d)",
		 account, BALANCE);
	execute(sql);
}


static void setup(void)
{
	struct timespec ts;
	uint64_t v;
	int i;

	dsn = getenv("STROWGER_TEST_DSN");
	if (!dsn)
		cr_skip_test("STROWGER_TEST_DSN is not set");

	clock_gettime(CLOCK_REALTIME, &ts);
	example_salt = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	snprintf(node, sizeof(node), "t%016" PRIx64, example_salt);
	snprintf(tenant, sizeof(tenant), "ten_");
	for (i = 0, v = example_salt; i < 26; i++, v /= 32)
		tenant[4 + i] = "abcdefghijklmnopqrstuvwxyz234567"[v % 32];
	snprintf(account, sizeof(account), "acc_%.26s", tenant + 4);

	db = PQconnectdb(dsn);
	cr_assert(eq(int, PQstatus(db), CONNECTION_OK), "%s",
		  PQerrorMessage(db));
	account_make();
	dir = folder_make();
	atomic_store(&answer_n, 0);
	atomic_store(&more_n, 0);
	atomic_store(&recalled_n, 0);
	atomic_store(&deaf_n, 0);
	atomic_store(&released_micro, 0);
}


static void teardown(void)
{
	if (!dsn)
		return;
	PQfinish(db);
	folder_remove(dir);
}


TestSuite(ledger, .init = setup, .fini = teardown, .timeout = 60);


/* --- the journal */

static void write_calls(uint32_t from, uint32_t to, size_t segment_bytes,
			bool has_begin)
{
	const struct journal_config cfg = {.dir = dir,
					   .segment_bytes = segment_bytes,
					   .backlog_max = 1000000};
	struct journal *j;
	struct mbuf *mb;
	uint64_t seq;
	uint32_t n;

	cr_assert(zero(int, journal_open(&j, &cfg, NULL, NULL)));
	for (n = from; n < to; n++) {
		example_end(&call, n);
		snprintf(call.call.account_id, ID_TEXT, "%s", account);
		snprintf(call.charges[0].account_id, ID_TEXT, "%s", account);
		snprintf(call.call.node, sizeof(call.call.node), "%s", node);
		if (has_begin) {
			mb = frame_of(JOURNAL_BEGIN, &call);
			cr_assert(zero(int, journal_append(j, mb->buf, mb->end,
							   &seq)));
			mem_deref(mb);
		}
		mb = frame_of(JOURNAL_END, &call);
		cr_assert(zero(int, journal_append(j, mb->buf, mb->end,
						   &seq)));
		mem_deref(mb);
	}
	journal_close(j);
}


static int answer_keep(const struct lease_answer *ans, void *arg)
{
	(void)arg;
	if (atomic_load(&deaf_n) > 0) {
		atomic_fetch_sub(&deaf_n, 1);
		return ENOBUFS;
	}
	atomic_fetch_add(&more_n, ans->has_more);
	atomic_fetch_add(&recalled_n, ans->is_recalled);
	if (ans->granted_micro < 0)
		atomic_fetch_add(&released_micro, -ans->granted_micro);
	if (ans->until_ms)
		atomic_store(&until_ms, ans->until_ms);
	if (!ans->ticket)
		return 0;
	answers[atomic_load(&answer_n) % 64] = *ans;
	atomic_fetch_add(&answer_n, 1);

	return 0;
}


static const char *home = "home";


static struct ledger *started(const char *to, int64_t epoch, uint32_t batch)
{
	const struct ledger_config cfg = {.dsn = to, .node = node,
					  .journal_dir = dir, .home = home,
					  .epoch = epoch, .session_s = 60,
					  .load_ms = 1, .batch_max = batch};
	struct ledger *l = NULL;

	cr_assert(zero(int, ledger_start(&l, &cfg, answer_keep, NULL)));
	return l;
}


static uint64_t backlog(const struct ledger *l)
{
	uint64_t bytes, age_ms;

	ledger_backlog(l, &bytes, &age_ms);
	return bytes;
}


static void wait_loaded(struct ledger *l)
{
	while (backlog(l)) {
		ledger_wake(l);
		usleep(1000);
	}
}


static void wait_and_stop(struct ledger *l)
{
	wait_loaded(l);
	ledger_stop(l, 2000);
}


static void expect_once(uint32_t calls)
{
	cr_expect(eq(i64, count("cdr.record"), 3 * (int64_t)calls));
	cr_expect(eq(i64, count("cdr.charge"), 2 * (int64_t)calls));
	cr_expect(eq(i64, count("core.ledger_posting"), calls));
	cr_expect(eq(i64, account_value("balance_micro"),
		     BALANCE - (int64_t)calls * PRICE));
}


/* --- loading */

Test(ledger, loads_once)
{
	struct ledger *l;

	write_calls(0, 200, 64 << 20, true);
	l = started(dsn, 1, 1000);
	wait_loaded(l);
	ledger_stop(l, 2000);
	expect_once(200);

	/* again, and with more */
	write_calls(200, 300, 64 << 20, true);
	l = started(dsn, 2, 7);
	wait_loaded(l);
	ledger_stop(l, 2000);
	expect_once(300);
}


Test(ledger, the_same_record_twice_counts_once)
{
	struct ledger *l;

	write_calls(0, 20, 64 << 20, true);
	write_calls(10, 30, 64 << 20, true);
	l = started(dsn, 1, 8);
	wait_loaded(l);
	ledger_stop(l, 2000);
	expect_once(30);
}


Test(ledger, what_is_there_is_loaded_by_stop)
{
	write_calls(0, 3000, 64 << 20, false);
	ledger_stop(started(dsn, 1, 500), 20000);
	expect_once(3000);
}


static _Noreturn void victim(const char *to)
{
	struct ledger *l = started(to, 1, 100);

	for (;;) {
		ledger_wake(l);
		usleep(1000);
	}
}


Test(ledger, killed_at_random_points)
{
	struct ledger *l;
	unsigned kills = 0;
	pid_t pid;

	write_calls(0, 5000, 256 << 10, true);
	while (kills < 60 && count("cdr.record") < 3 * 5000) {
		pid = fork();
		if (!pid)
			victim(dsn);
		usleep((useconds_t)(80000 + (kills * 7919) % 37 * 10000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		++kills;
	}
	cr_expect(gt(uint, kills, 3));

	l = started(dsn, 2, 1000);
	wait_loaded(l);
	ledger_stop(l, 5000);
	expect_once(5000);
}


Test(ledger, commit_unknown_and_database_away)
{
	struct proxy *p = proxy_start(dsn);
	struct ledger *l;
	unsigned i;

	if (!p)
		cr_skip_test("the database is not on a unix socket");

	write_calls(0, 3000, 64 << 20, true);
	l = started(proxy_dsn(p), 1, 200);
	for (i = 0; i < 3; i++) {
		proxy_set(p, PROXY_CUT_ANSWER);
		while (proxy_cuts(p) <= i && backlog(l))
			usleep(1000);
	}
	proxy_set(p, PROXY_AWAY);
	usleep(300000);
	proxy_set(p, PROXY_PASS);

	wait_loaded(l);
	cr_expect(ge(uint, proxy_cuts(p), 3));
	ledger_stop(l, 5000);
	proxy_stop(p);
	expect_once(3000);
}


Test(ledger, a_database_that_hangs_keeps_stop_no_longer)
{
	struct proxy *p = proxy_start(dsn);
	struct ledger *l;

	if (!p)
		cr_skip_test("the database is not on a unix socket");

	write_calls(0, 2000, 64 << 20, false);
	l = started(proxy_dsn(p), 1, 50);
	while (count("cdr.record") < 300)
		usleep(1000);
	proxy_set(p, PROXY_STALL);
	ledger_stop(l, 400);
	proxy_set(p, PROXY_PASS);
	proxy_stop(p);

	ledger_stop(started(dsn, 2, 1000), 20000);
	expect_once(2000);
}


Test(ledger, a_refused_record_blocks_nobody)
{
	const struct journal_config cfg = {.dir = dir,
					   .segment_bytes = 64 << 20,
					   .backlog_max = 100};
	struct metric *refused = metric_counter("strowger_cdr_refused_total",
						NULL, "");
	struct journal *j;
	struct ledger *l;
	const struct options opt = {.dsn = dsn};
	struct mbuf *mb;
	char sql[256];
	uint64_t seq;

	write_calls(0, 50, 64 << 20, false);
	cr_assert(zero(int, journal_open(&j, &cfg, NULL, NULL)));
	example_end(&call, 50);
	snprintf(call.charges[0].account_id, ID_TEXT, "%s", account);
	call.call.first_ms = INT64_C(3000000000); /* the column is an integer */
	mb = frame_of(JOURNAL_END, &call);
	cr_assert(zero(int, journal_append(j, mb->buf, mb->end, &seq)));
	journal_close(j);
	write_calls(51, 101, 64 << 20, false);

	l = started(dsn, 1, 1000);
	wait_loaded(l);
	ledger_stop(l, 2000);
	expect_once(100);
	cr_expect(eq(i64, metric_value(refused), 1));

	/* what was refused is kept as it was, and told */
	snprintf(sql, sizeof(sql), "select count(*) from cdr.dead_letter "
		 "where node = '%s' and sqlstate = '22003' and loaded_at is "
		 "null and length(frame) = %zu", node,
		 mb->end + JOURNAL_NUMBER_SIZE);
	cr_expect(eq(i64, number(sql), 1));
	snprintf(sql, sizeof(sql), "select count(*) from core.event where "
		 "kind = 'cdr.refused' and data ->> 'node' = '%s'", node);
	cr_expect(eq(i64, number(sql), 1));
	mem_deref(mb);

	/* nothing is mended: refused again, once */
	cr_expect(eq(int, command_journal_retry(&opt), COMMAND_REFUSED));
	expect_once(100);

	execute("alter table cdr.record alter first_ms type bigint");
	cr_expect(eq(int, command_journal_retry(&opt), COMMAND_OK));
	cr_expect(eq(int, command_journal_retry(&opt), COMMAND_OK));
	expect_once(101);
	snprintf(sql, sizeof(sql), "select count(*) from cdr.dead_letter "
		 "where node = '%s' and loaded_at is not null and tries = 2",
		 node);
	cr_expect(eq(i64, number(sql), 1));
}


/* The reason is cut between characters, and is still the reason when the dead
   letter needs a second try. */
Test(ledger, a_refused_record_keeps_its_reason)
{
	const struct journal_config cfg = {.dir = dir,
					   .segment_bytes = 64 << 20,
					   .backlog_max = 100};
	struct journal *j;
	char sql[256];
	uint64_t seq;

	execute("create sequence letter_try");
	execute("create function minded() returns trigger language plpgsql as "
		"$$ begin raise exception '%', repeat('x', (new.first_ms - "
		"777770)::integer) || repeat('ü', 300) using errcode = '23514'; end $$");
	execute("create trigger minded before insert on cdr.record for each "
		"row when (new.first_ms between 777770 and 777771) "
		"execute function minded()");
	execute("create function put_off() returns trigger language plpgsql "
		"security definer as $$ begin if nextval('public.letter_try') = 1 "
		"then raise exception 'not now' using errcode = '57014'; "
		"end if; return new; end $$");
	execute("create trigger put_off before insert on cdr.dead_letter for "
		"each row execute function put_off()");

	cr_assert(zero(int, journal_open(&j, &cfg, NULL, NULL)));
	for (uint32_t n = 0; n < 2; n++) {
		struct mbuf *mb;

		example_end(&call, n);
		call.call.first_ms = 777770 + n;
		mb = frame_of(JOURNAL_END, &call);
		cr_assert(zero(int, journal_append(j, mb->buf, mb->end, &seq)));
		mem_deref(mb);
	}
	journal_close(j);

	wait_and_stop(started(dsn, 1, 1000));
	snprintf(sql, sizeof(sql), "select count(*) from cdr.dead_letter "
		 "where node = '%s' and sqlstate = '23514' and error ~ "
		 "'x?üü'", node);
	cr_expect(eq(i64, number(sql), 2));
	cr_expect(eq(i64, number("select last_value from letter_try"), 3));

	execute("drop trigger minded on cdr.record");
	execute("drop trigger put_off on cdr.dead_letter");
	execute("drop function minded(), put_off()");
	execute("drop sequence letter_try");
}


/* A segment that somebody took away is noticed, counted and told. */
Test(ledger, what_is_missing_is_counted)
{
	struct metric *missing = metric_counter("strowger_cdr_missing_total",
						NULL, "");
	struct ledger *l;
	char path[512], sql[256];

	write_calls(0, 10, 64 << 20, false);  /* segment 1: 1..10 */
	write_calls(10, 17, 64 << 20, false); /* segment 2: 11..17 */
	write_calls(17, 20, 64 << 20, false); /* segment 3: 18..20 */
	cr_assert(zero(int, segment_path(path, sizeof(path), dir, 2)));
	cr_assert(zero(int, unlink(path)));

	l = started(dsn, 1, 1000);
	wait_loaded(l);
	ledger_stop(l, 2000);
	expect_once(13);
	cr_expect(eq(i64, metric_value(missing), 7));
	snprintf(sql, sizeof(sql), "select missing from cdr.journal_position "
		 "where node = '%s' and number = 20", node);
	cr_expect(eq(i64, number(sql), 7));
	snprintf(sql, sizeof(sql), "select (data ->> 'missing')::int from "
		 "core.event where kind = 'cdr.gap' and data ->> 'node' = "
		 "'%s'", node);
	cr_expect(eq(i64, number(sql), 7));

	/* and not once more */
	write_calls(20, 21, 64 << 20, false);
	l = started(dsn, 2, 1000);
	wait_loaded(l);
	ledger_stop(l, 2000);
	snprintf(sql, sizeof(sql), "select missing from cdr.journal_position "
		 "where node = '%s' and number = 21", node);
	cr_expect(eq(i64, number(sql), 7));
}


/* --- a database without space: its tables on a filesystem of 160 MiB, copied
   from the database of the tests */

static char small_dir[64], small_dsn[600];


static void admin(const char *sql)
{
	char other[600];
	PGconn *c;
	PGresult *res;

	snprintf(other, sizeof(other), "%s dbname=template1", dsn);
	c = PQconnectdb(other);
	res = PQexec(c, sql);
	cr_assert(eq(int, PQresultStatus(res), PGRES_COMMAND_OK), "%s: %s",
		  sql, PQerrorMessage(c));
	PQclear(res);
	PQfinish(c);
}


static void small_make(void)
{
	const struct passwd *owner = getpwnam("postgres");
	char sql[256];

	snprintf(small_dir, sizeof(small_dir), "/tmp/small-XXXXXX");
	cr_assert(ne(ptr, mkdtemp(small_dir), NULL));
	if (!owner || mount("none", small_dir, "tmpfs", 0, "size=160m")) {
		(void)rmdir(small_dir);
		cr_skip_test("cannot mount a filesystem of 160 MiB");
	}
	cr_assert(zero(int, chown(small_dir, owner->pw_uid, owner->pw_gid)));

	PQfinish(db); /* nobody may be in the template */
	snprintf(sql, sizeof(sql), "create tablespace small location '%s'",
		 small_dir);
	admin(sql);
	admin("create database small template postgres tablespace small");
	snprintf(small_dsn, sizeof(small_dsn), "%s dbname=small", dsn);
	db = PQconnectdb(small_dsn);
}


static void small_remove(void)
{
	PQfinish(db);
	admin("drop database small with (force)");
	admin("drop tablespace small");
	db = PQconnectdb(dsn);
	cr_expect(zero(int, umount(small_dir)));
	(void)rmdir(small_dir);
}


/* Take all that is left but some. @return of the filler */
static int small_fill(size_t leave)
{
	struct statvfs fs;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/filler", small_dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	cr_assert(zero(int, statvfs(small_dir, &fs)));
	cr_assert(gt(sz, fs.f_bavail * fs.f_frsize, leave));
	cr_assert(zero(int, posix_fallocate(fd, 0, (off_t)(
			fs.f_bavail * fs.f_frsize - leave))));
	return fd;
}


Test(ledger, a_database_without_space_delays_and_loses_nothing)
{
	struct metric *refused = metric_counter("strowger_cdr_refused_total",
						NULL, "");
	struct ledger *l;
	int filler, i;

	small_make();
	execute("checkpoint");
	filler = small_fill(2 << 20);
	write_calls(0, 4000, 64 << 20, true);

	l = started(small_dsn, 1, 1000);
	for (i = 0; i < 300; i++) {
		ledger_wake(l);
		usleep(10000);
	}
	cr_expect(gt(u64, backlog(l), 0), "there was space after all");
	cr_expect(lt(i64, count("cdr.record"), 3 * 4000));

	cr_assert(zero(int, ftruncate(filler, 0)));
	close(filler);
	wait_loaded(l);
	ledger_stop(l, 5000);
	expect_once(4000);
	cr_expect(zero(i64, metric_value(refused)),
		  "no record is to blame for it");
	small_remove();
}


/* The tool on a journal that the ledger has loaded a part of. */
Test(ledger, a_journal_is_replayed)
{
	const struct options opt = {.dsn = dsn, .state_dir = dir};
	char path[512];

	/* the folder is that of the journal and of the state */
	snprintf(path, sizeof(path), "%s/journal", dir);
	cr_assert(zero(int, symlink(".", path)));

	write_calls(0, 300, 64 << 20, true);
	ledger_stop(started(dsn, 1, 1000), 20000);
	write_calls(300, 400, 64 << 20, true);
	cr_expect(eq(int, command_journal_verify(&opt), COMMAND_OK));
	cr_expect(eq(int, command_journal_replay(&opt), COMMAND_OK));
	expect_once(400);
	cr_expect(eq(int, command_journal_replay(&opt), COMMAND_OK));
	expect_once(400);

	/* and the ledger finds them there */
	ledger_stop(started(dsn, 2, 1000), 20000);
	expect_once(400);
}


Test(ledger, loaded_segments_go_but_for_open_calls)
{
	const struct journal_config cfg = {.dir = dir,
					   .segment_bytes = 4096,
					   .backlog_max = 100};
	uint32_t *numbers;
	struct journal *j;
	struct ledger *l;
	struct mbuf *mb;
	uint64_t seq;
	size_t n;

	write_calls(0, 50, 4096, true);
	cr_assert(zero(int, journal_open(&j, &cfg, NULL, NULL)));
	l = started(dsn, 1, 1000);
	example_begin(&call, 1000);
	mb = frame_of(JOURNAL_BEGIN, &call);
	cr_assert(zero(int, journal_append(j, mb->buf, mb->end, &seq)));
	mem_deref(mb);
	while (count("cdr.record") < 150)
		usleep(1000);
	wait_loaded(l);

	/* only the one that is written to is left */
	do {
		cr_assert(zero(int, segment_list(dir, &numbers, &n)));
		free(numbers);
		usleep(1000);
	} while (n > 1);
	ledger_stop(l, 2000);
	journal_close(j);

	/* the open call is closed from it by the next start */
	j = NULL;
	cr_assert(zero(int, journal_open(&j, &cfg, NULL, NULL)));
	l = started(dsn, 2, 1000);
	wait_loaded(l);
	ledger_stop(l, 2000);
	journal_close(j);
	cr_expect(eq(i64, count("cdr.record"), 151));
}


/* --- leases */

static struct lease_answer *asked(struct ledger *l, int64_t want, int64_t min)
{
	struct lease_ask ask = {.want_micro = want, .min_micro = min,
				.ticket = (uint64_t)want};
	const unsigned before = atomic_load(&answer_n);

	snprintf(ask.account_id, sizeof(ask.account_id), "%s", account);
	cr_assert(zero(int, ledger_lease(l, &ask)));
	if (want <= 0)
		return NULL;
	while (atomic_load(&answer_n) == before)
		usleep(1000);
	return &answers[before % 64];
}


static void wait_leased(int64_t micro)
{
	int i;

	for (i = 0; i < 5000 && account_value("leased_micro") != micro; i++)
		usleep(1000);
	cr_expect(eq(i64, account_value("leased_micro"), micro));
}


Test(ledger, leases_are_granted_returned_and_closed)
{
	struct ledger *l = started(dsn, 1, 1000);
	struct lease_answer *ans;

	ans = asked(l, 600000000, 600000000);
	cr_expect(ans->is_known);
	cr_expect(eq(i64, ans->granted_micro, 600000000));
	cr_expect(eq(str, ans->account_id, account));
	cr_expect(eq(u64, ans->ticket, 600000000));

	/* less than is wanted, then less than is of use */
	ans = asked(l, 600000001, 400000000);
	cr_expect(eq(i64, ans->granted_micro, 400000000));
	ans = asked(l, 5, 1);
	cr_expect(ans->is_known);
	cr_expect(zero(i64, ans->granted_micro));

	asked(l, -100000000, 0);
	wait_leased(900000000);
	ans = asked(l, 200000000, 150000000);
	cr_expect(zero(i64, ans->granted_micro));

	write_calls(0, 10, 64 << 20, true);
	ledger_stop(l, 4000);
	cr_expect(zero(i64, account_value("leased_micro")));
	expect_once(10);
}


Test(ledger, leases_of_an_earlier_start_are_closed)
{
	struct ledger *l;
	pid_t pid = fork();

	if (!pid) {
		l = started(dsn, 1, 1000);
		cr_assert(eq(i64, asked(l, 500, 1)->granted_micro, 500));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	cr_expect(eq(i64, account_value("leased_micro"), 500));

	write_calls(0, 5, 64 << 20, true);
	l = started(dsn, 2, 1000);
	wait_leased(0);
	ledger_stop(l, 2000);
	expect_once(5);
}


Test(ledger, a_database_that_is_away_is_unknown)
{
	struct ledger *l = started("host=/nowhere dbname=x", 1, 1000);
	struct lease_answer *ans = asked(l, 1000, 1);

	cr_expect(not(ans->is_known));
	cr_expect(zero(i64, ans->granted_micro));
	ledger_stop(l, 100);
}


Test(ledger, a_late_grant_goes_back)
{
	struct proxy *p = proxy_start(dsn);
	struct lease_answer *ans;
	struct ledger *l;

	if (!p)
		cr_skip_test("the database is not on a unix socket");

	l = started(proxy_dsn(p), 1, 1000);
	cr_expect(asked(l, 1000, 1)->is_known);
	wait_leased(1000);

	proxy_set(p, PROXY_STALL);
	ans = asked(l, 5000, 1);
	cr_expect(not(ans->is_known));
	ans = asked(l, 6000, 1);
	cr_expect(not(ans->is_known));
	proxy_set(p, PROXY_PASS);

	wait_leased(1000);
	cr_expect(eq(i64, asked(l, 7000, 1)->granted_micro, 7000));
	wait_leased(8000);
	ledger_stop(l, 2000);
	proxy_stop(p);
}


Test(ledger, a_grant_whose_answer_was_lost_goes_back)
{
	struct proxy *p = proxy_start(dsn);
	struct ledger *l;

	if (!p)
		cr_skip_test("the database is not on a unix socket");

	l = started(proxy_dsn(p), 1, 1000);
	cr_expect(asked(l, 1000, 1)->is_known);

	proxy_set(p, PROXY_CUT_ANSWER);
	cr_expect(not(asked(l, 5000, 1)->is_known));
	cr_expect(eq(uint, proxy_cuts(p), 1));
	wait_leased(1000);
	ledger_stop(l, 2000);
	proxy_stop(p);
}


static bool comes(const atomic_int *n)
{
	for (int i = 0; i < 3000 && !atomic_load(n); i++)
		usleep(1000);

	return atomic_load(n) > 0;
}


/* The second start is of another folder: nothing is lost or spent twice. */
Test(ledger, two_nodes_of_one_name)
{
	const char *first_dir = dir;
	struct ledger *first, *second;
	int i;

	write_calls(0, 0, 64 << 20, true);
	first = started(dsn, 1, 1000);
	cr_expect(asked(first, 1000, 1)->is_known);
	dir = folder_make();
	home = "another";
	write_calls(0, 3, 64 << 20, true);
	second = started(dsn, 2, 1000);
	cr_expect(not(asked(second, 1000, 1)->is_known));
	cr_expect(eq(i64, account_value("leased_micro"), 1000));
	cr_expect(zero(i64, count("cdr.record")));
	cr_expect(asked(first, 500, 1)->is_known);

	/* when the first has said goodbye, the name is free */
	ledger_stop(first, 2000);
	wait_loaded(second);
	expect_once(3);
	for (i = 0; i < 50 && !asked(second, 1000, 1)->is_known; i++)
		usleep(100000);
	cr_expect_lt(i, 50);
	ledger_stop(second, 2000);
	folder_remove(first_dir);
	home = "home";
}


/* Whoever waits for money hears of a payment, and whoever has too much of a
   lower limit. */
Test(ledger, the_balance_reaches_the_node)
{
	struct ledger *l = started(dsn, 1, 1000);
	char sql[160];

	cr_expect(asked(l, BALANCE, BALANCE)->granted_micro == BALANCE);
	cr_expect(zero(i64, asked(l, 10, 10)->granted_micro));
	snprintf(sql, sizeof(sql), "select core.post('%s', 'payment', 50)",
		 account);
	execute(sql);
	cr_expect(comes(&more_n));
	cr_expect(eq(i64, asked(l, 10, 10)->granted_micro, 10));

	snprintf(sql, sizeof(sql), "select core.post('%s', 'adjustment', -45)",
		 account);
	execute(sql);
	cr_expect(comes(&recalled_n));
	cr_expect(eq(i64, account_value("overspent_micro"), 5));
	ledger_stop(l, 2000);
}


/* The worker has no room for what it is told: it is told again. */
Test(ledger, nothing_that_is_said_is_lost)
{
	struct ledger *l;

	write_calls(0, 0, 64 << 20, true);
	l = started(dsn, 1, 1000);
	cr_expect(asked(l, 10, 10)->is_known);
	atomic_store(&deaf_n, 20);
	cr_expect(eq(i64, asked(l, 1000, 1000)->granted_micro, 1000));
	cr_expect(zero(int, deaf_n));
	ledger_stop(l, 2000);
	cr_expect(zero(i64, account_value("leased_micro")));
}


/* The node could not be heard of, and an operator gave its lease away. */
Test(ledger, a_released_lease_is_given_up)
{
	struct proxy *p = proxy_start(dsn);
	int64_t given_up_micro;
	uint64_t before_ms;
	struct ledger *l;
	char sql[256];

	if (!p)
		cr_skip_test("the database is not on a unix socket");

	l = started(proxy_dsn(p), 1, 1000);
	cr_expect(eq(i64, asked(l, 1000, 1000)->granted_micro, 1000));
	proxy_set(p, PROXY_AWAY);
	cr_expect(not(asked(l, 10, 10)->is_known));
	before_ms = atomic_load(&until_ms);

	snprintf(sql, sizeof(sql), "update core.node_session set expires_at = "
		 "now() where node = '%s'", node);
	execute(sql);
	snprintf(sql, sizeof(sql), "select core.lease_release('%s', '%s', 1)",
		 account, node);
	/* more than it knows of, if an answer was lost on the way */
	given_up_micro = number(sql);
	cr_expect(ge(i64, given_up_micro, 1000));
	cr_expect(zero(i64, account_value("leased_micro")));

	proxy_set(p, PROXY_PASS);
	for (int i = 0; i < 5000 && !atomic_load(&released_micro); i++)
		usleep(1000);
	cr_expect(eq(i64, released_micro, given_up_micro));
	for (int i = 0; i < 1000 && atomic_load(&until_ms) == before_ms; i++)
		usleep(1000);
	cr_expect(gt(u64, until_ms, before_ms));

	/* what is leased from now on counts as before */
	cr_expect(eq(i64, asked(l, 300, 300)->granted_micro, 300));
	asked(l, -100, 0);
	wait_leased(200);
	ledger_stop(l, 2000);
	proxy_stop(p);
}
