/**
 * @file main.c  `strowger`, the operator's command line: reads what was asked
 * and hands it to the command.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "command.h"
#include "text.h"

#define CONTROL_DEFAULT "/run/strowger/control.sock"
#define DSN_DEFAULT "dbname=strowger"
#define STATE_DEFAULT "/var/lib/strowger"

static const struct command {
	const char *words[2];
	const char *argument; /**< NULL: takes none */
	command_h *run;
	const char *help;
} commands[] = {
	{{"calls"}, NULL, command_calls, "calls that are up now (--limit N)"},
	{{"drop"}, "CALL", command_drop, "end one call"},
	{{"trace"}, "CALL", command_trace, "what happened to one call, and "
	 "why"},
	{{"limits"}, "ID", command_limits, "what a tenant, account, trunk, "
	 "site, carrier, gateway, number or \"node\" has in use, and who "
	 "holds it"},
	{{"quality"}, "GATEWAY", command_quality, "figures of a gateway, and "
	 "whether it is locked"},
	{{"unlock"}, "GATEWAY", command_quality_unlock, "end a gateway's lock "
	 "for its quality"},
	{{"route", "test"}, NULL, command_route_test, "what would become of "
	 "a call (--trunk, --from, --to ...)"},
	{{"drain"}, NULL, command_drain, "refuse new calls, let the others "
	 "end (--off: back)"},
	{{"status"}, NULL, command_status, "the node and its gateways"},
	{{"registrations"}, NULL, command_registrations, "who is registered "
	 "from where"},
	{{"metrics"}, NULL, command_metrics, "counters as Prometheus text"},
	{{"table"}, NULL, command_table, "the call table: every state and "
	 "event"},
	{{"leases", "release"}, "ACCOUNT", command_leases_release, "free what "
	 "a lost node will never report (--node NAME; --epoch N: only of "
	 "that start)"},
	{{"leases"}, NULL, command_leases, "money that nodes hold of "
	 "accounts, until when, and what is pending"},
	{{"db", "migrate"}, NULL, command_db_migrate, "bring the database up "
	 "to date (--plan: only say how)"},
	{{"db", "status"}, NULL, command_db_status, "which migrations are "
	 "applied"},
	{{"db", "retention"}, NULL, command_db_retention, "delete call "
	 "records that no rule keeps (--plan: only count)"},
	{{"journal", "list"}, NULL, command_journal_list, "the segments of "
	 "the CDR journal (--state)"},
	{{"journal", "verify"}, NULL, command_journal_verify, "the same, and "
	 "exit 1 when something is missing or damaged"},
	{{"journal", "show"}, "CALL", command_journal_show, "its records of "
	 "one call, as JSON"},
	{{"journal", "replay"}, NULL, command_journal_replay, "load all of it "
	 "into --dsn; what is there already is left out"},
	{{"journal", "retry"}, NULL, command_journal_retry, "load again what "
	 "the database had refused (cdr.dead_letter)"},
	{{"invoice", "json"}, "INVOICE", command_invoice_json, "an invoice by "
	 "number or id, whole"},
	{{"invoice", "html"}, "INVOICE", command_invoice_html, "as a page"},
	{{"invoice", "pdf"}, "INVOICE", command_invoice_pdf, "as PDF, by "
	 "weasyprint"},
	{{"invoice", "ubl"}, "INVOICE", command_invoice_ubl, "as UBL 2.1, "
	 "EN 16931"},
	{{"invoice", "annex"}, "INVOICE", command_invoice_annex, "its calls "
	 "as CSV"},
	{{"rerate", "plan"}, NULL, command_rerate_plan, "what calls would cost "
	 "now, beside what they did (--from, --to ...); posts nothing"},
	{{"rerate", "diff"}, "RERATE", command_rerate_diff, "call by call, as "
	 "CSV"},
	{{"rerate", "apply"}, "RERATE", command_rerate_apply, "post the "
	 "differences, an account at a time"},
	{{"rate", "check"}, "FILE", command_rate_check, "compute the cases of "
	 "a CSV file and compare"},
	{{"report"}, "NAME", command_report, "a report of --from .. --to; "
	 "\"list\" names them"},
	{{"reconcile"}, "FILE", command_reconcile, "a carrier's call records "
	 "(CSV) beside ours (--carrier, --from, --to)"},
	{{"doctor"}, NULL, command_doctor, "look for what is wrong, and how "
	 "to mend it"},
};

static const char options_help[] =
	"\nOptions:\n"
	"  --control PATH   control socket of the switch ($STROWGER_CONTROL,\n"
	"                   else " CONTROL_DEFAULT ")\n"
	"  --dsn DSN        database, as libpq reads it ($STROWGER_DSN, else\n"
	"                   \"" DSN_DEFAULT "\")\n"
	"  --dir PATH       folder of the migrations\n"
	"  --state PATH     journal and saved catalog of the switch\n"
	"                   ($STROWGER_STATE, else " STATE_DEFAULT ")\n"
	"  --format FORM    table (default) or json; of `report` csv or html\n"
	"                   as well\n"
	"  --limit N        rows of `calls` (100), of `report` (1000)\n"
	"  --plan, --off    see migrate, retention, drain\n"
	"  --trunk ID, --gateway ID, --source ADDRESS:PORT\n"
	"                   `route test`: who calls\n"
	"  --from N, --to N, --display TEXT, --private, --at TIME\n"
	"                   as what, whom, and when (RFC 3339; now)\n"
	"  --from TIME, --to TIME, --zone NAME, --step day|hour|5min\n"
	"                   `report`: begin and end (RFC 3339), time zone (UTC),\n"
	"                   interval of a trend\n"
	"  --tenant ID, --trunk ID, --carrier ID, --direction WAY,\n"
	"  --currency CODE, --run ID, --as-customer\n"
	"                   `report`: of whom only; as the tenant sees it\n"
	"  --map at=NAME,called=NAME,duration=NAME,cost=NAME, --answer-time\n"
	"                   `reconcile`: columns of the file; its times are of\n"
	"                   answers\n"
	"  --account ID, --prefix DIGITS, --deck ID\n"
	"                   `rerate plan`: only these calls (also --trunk), and by\n"
	"                   another deck than their own\n"
	"  --node NAME, --epoch N, --note TEXT\n"
	"                   `leases release`: of whom, and why\n"
	"  --version, --help\n"
	"\nExit codes: 0 done; 1 refused, failed or something found wrong;\n"
	"2 wrong usage; 3 the switch or the database cannot be reached.\n";


static void help_print(FILE *out)
{
	const size_t n = sizeof(commands) / sizeof(commands[0]);
	char left[64];
	size_t i;

	(void)fputs("Usage: strowger COMMAND [options]\n\nCommands:\n", out);
	for (i = 0; i < n; i++) {
		const struct command *c = &commands[i];

		(void)text_format(left, sizeof(left), "%s%s%s%s%s",
				  c->words[0], c->words[1] ? " " : "",
				  c->words[1] ? c->words[1] : "",
				  c->argument ? " " : "",
				  c->argument ? c->argument : "");
		(void)fprintf(out, "  %-16s %s\n", left, c->help);
	}
	(void)fputs(options_help, out);
}


static const char *environment(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}


static const struct command *command_find(char *const *words, int n)
{
	const size_t count = sizeof(commands) / sizeof(commands[0]);
	size_t i;

	for (i = 0; i < count; i++) {
		const struct command *c = &commands[i];
		int needed = c->words[1] ? 2 : 1;

		if (n < needed || strcmp(words[0], c->words[0]) != 0)
			continue;
		if (!c->words[1] || !strcmp(words[1], c->words[1]))
			return c;
	}

	return NULL;
}


static int command_run(struct options *opt, char *const *words, int n)
{
	const struct command *c = command_find(words, n);
	int used;

	if (!c)
		return command_fail(COMMAND_USAGE,
				    "no such command; see strowger --help");

	used = c->words[1] ? 2 : 1;
	if (n != used + (c->argument ? 1 : 0))
		return command_fail(COMMAND_USAGE, "%s %s", words[used - 1],
				    c->argument ? "needs one argument; see "
						  "strowger --help"
						: "takes no argument");

	opt->argument = c->argument ? words[used] : NULL;

	return c->run(opt);
}


int command_rate_check(const struct options *opt)
{
	unsigned passed, failed;
	int err;

	err = rate_check_file(opt->argument, stdout, &passed, &failed);
	if (err)
		return command_fail(COMMAND_REFUSED, "%s: %s", opt->argument,
				    strerror(err));

	return failed ? COMMAND_REFUSED : COMMAND_OK;
}


enum { OPT_CONTROL = 256, OPT_DSN, OPT_DIR, OPT_STATE, OPT_FORMAT, OPT_LIMIT,
       OPT_PLAN, OPT_OFF, OPT_TRUNK, OPT_GATEWAY, OPT_SOURCE, OPT_FROM,
       OPT_TO, OPT_DISPLAY, OPT_PRIVATE, OPT_AT, OPT_NODE, OPT_EPOCH,
       OPT_NOTE, OPT_ACCOUNT, OPT_PREFIX, OPT_DECK,
       OPT_TENANT, OPT_CARRIER, OPT_DIRECTION, OPT_CURRENCY,
       OPT_ZONE, OPT_STEP, OPT_RUN, OPT_CUSTOMER, OPT_MAP, OPT_ANSWER_TIME,
       OPT_VERSION, OPT_HELP };

static const struct option long_options[] = {
	{"control", required_argument, NULL, OPT_CONTROL},
	{"dsn", required_argument, NULL, OPT_DSN},
	{"dir", required_argument, NULL, OPT_DIR},
	{"state", required_argument, NULL, OPT_STATE},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"plan", no_argument, NULL, OPT_PLAN},
	{"off", no_argument, NULL, OPT_OFF},
	{"trunk", required_argument, NULL, OPT_TRUNK},
	{"gateway", required_argument, NULL, OPT_GATEWAY},
	{"source", required_argument, NULL, OPT_SOURCE},
	{"from", required_argument, NULL, OPT_FROM},
	{"to", required_argument, NULL, OPT_TO},
	{"display", required_argument, NULL, OPT_DISPLAY},
	{"private", no_argument, NULL, OPT_PRIVATE},
	{"at", required_argument, NULL, OPT_AT},
	{"node", required_argument, NULL, OPT_NODE},
	{"epoch", required_argument, NULL, OPT_EPOCH},
	{"note", required_argument, NULL, OPT_NOTE},
	{"account", required_argument, NULL, OPT_ACCOUNT},
	{"prefix", required_argument, NULL, OPT_PREFIX},
	{"deck", required_argument, NULL, OPT_DECK},
	{"tenant", required_argument, NULL, OPT_TENANT},
	{"carrier", required_argument, NULL, OPT_CARRIER},
	{"direction", required_argument, NULL, OPT_DIRECTION},
	{"currency", required_argument, NULL, OPT_CURRENCY},
	{"zone", required_argument, NULL, OPT_ZONE},
	{"step", required_argument, NULL, OPT_STEP},
	{"run", required_argument, NULL, OPT_RUN},
	{"map", required_argument, NULL, OPT_MAP},
	{"answer-time", no_argument, NULL, OPT_ANSWER_TIME},
	{"as-customer", no_argument, NULL, OPT_CUSTOMER},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};


static int limit_set(struct options *opt, const char *text)
{
	uint64_t n;

	if (text_u64(&n, text, strlen(text), 100000))
		return command_fail(COMMAND_USAGE, "--limit: 0..100000");

	opt->limit = (unsigned)n;
	opt->by[REPORT_BY_LIMIT] = text;

	return COMMAND_OK;
}


static int format_set(struct options *opt, const char *text)
{
	enum report_form form;

	if (!report_form_find(&form, text))
		return command_fail(COMMAND_USAGE,
				    "--format: table, csv, json or html");

	opt->form = (int)form;
	opt->is_json = form == REPORT_JSON;

	return COMMAND_OK;
}


/** What several commands read, each in its own place. */
static int shared_set(struct options *opt, int option)
{
	switch (option) {
	case OPT_TRUNK:
		opt->test.trunk = opt->by[REPORT_BY_TRUNK] = optarg;
		break;
	case OPT_FROM:
		opt->test.from = opt->by[REPORT_BY_FROM] = optarg;
		break;
	default:
		opt->test.to = opt->by[REPORT_BY_TO] = optarg;
		break;
	}
	return COMMAND_OK;
}


/** @return COMMAND_OK to go on, else the exit code; *ret_done: just leave */
static int option_set(struct options *opt, int option, bool *ret_done)
{
	switch (option) {
	case OPT_CONTROL: opt->control = optarg; return COMMAND_OK;
	case OPT_DSN:     opt->dsn = optarg; return COMMAND_OK;
	case OPT_DIR:     opt->dir = optarg; return COMMAND_OK;
	case OPT_STATE:   opt->state_dir = optarg; return COMMAND_OK;
	case OPT_NODE:    opt->lease.node = optarg; return COMMAND_OK;
	case OPT_EPOCH:   opt->lease.epoch = optarg; return COMMAND_OK;
	case OPT_NOTE:    opt->lease.note = optarg; return COMMAND_OK;
	case OPT_ACCOUNT: opt->rerate.account = optarg; return COMMAND_OK;
	case OPT_PREFIX:  opt->rerate.prefix = optarg; return COMMAND_OK;
	case OPT_DECK:    opt->rerate.deck = optarg; return COMMAND_OK;
	case OPT_FORMAT:  return format_set(opt, optarg);
	case OPT_LIMIT:   return limit_set(opt, optarg);
	case OPT_PLAN:    opt->is_plan = true; return COMMAND_OK;
	case OPT_OFF:     opt->is_off = true; return COMMAND_OK;
	case OPT_TRUNK:
	case OPT_FROM:
	case OPT_TO:      return shared_set(opt, option);
	case OPT_GATEWAY: opt->test.gateway = optarg; return COMMAND_OK;
	case OPT_SOURCE:  opt->test.source = optarg; return COMMAND_OK;
	case OPT_TENANT:  opt->by[REPORT_BY_TENANT] = optarg;
			  return COMMAND_OK;
	case OPT_CARRIER: opt->by[REPORT_BY_CARRIER] = optarg;
			  return COMMAND_OK;
	case OPT_DIRECTION: opt->by[REPORT_BY_DIRECTION] = optarg;
			  return COMMAND_OK;
	case OPT_CURRENCY: opt->by[REPORT_BY_CURRENCY] = optarg;
			  return COMMAND_OK;
	case OPT_ZONE:    opt->by[REPORT_BY_ZONE] = optarg; return COMMAND_OK;
	case OPT_STEP:    opt->by[REPORT_BY_STEP] = optarg; return COMMAND_OK;
	case OPT_RUN:     opt->by[REPORT_BY_RUN] = optarg; return COMMAND_OK;
	case OPT_MAP:     opt->map = optarg; return COMMAND_OK;
	case OPT_ANSWER_TIME: opt->is_answer_time = true; return COMMAND_OK;
	case OPT_CUSTOMER: opt->is_customer = true; return COMMAND_OK;
	case OPT_DISPLAY: opt->test.display = optarg; return COMMAND_OK;
	case OPT_PRIVATE: opt->test.is_private = true; return COMMAND_OK;
	case OPT_AT:      opt->test.at = optarg; return COMMAND_OK;
	case OPT_VERSION:
		(void)puts("strowger " STROWGER_VERSION);
		*ret_done = true;
		return COMMAND_OK;
	case OPT_HELP:
		help_print(stdout);
		*ret_done = true;
		return COMMAND_OK;
	default:
		return COMMAND_USAGE; /* getopt has said why */
	}
}


int main(int argc, char **argv)
{
	struct options opt = {.limit = 100};
	bool is_done = false;
	int option, code;

	opt.control = environment("STROWGER_CONTROL", CONTROL_DEFAULT);
	opt.dsn = environment("STROWGER_DSN", DSN_DEFAULT);
	opt.state_dir = environment("STROWGER_STATE", STATE_DEFAULT);

	while ((option = getopt_long(argc, argv, "", long_options, NULL))
	       != -1) {
		code = option_set(&opt, option, &is_done);
		if (code || is_done)
			return code;
	}

	if (optind == argc) {
		help_print(stderr);
		return COMMAND_USAGE;
	}

	return command_run(&opt, argv + optind, argc - optind);
}
