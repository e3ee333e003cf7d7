/**
 * @file main.c  strowger-api: settings, start and end of the REST API.
 */
#include "cdr_delivery.h"
#include "json.h"
#include <errno.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api_key.h"
#include "client_address.h"
#include "http.h"
#include "job.h"
#include "log.h"
#include "pg.h"
#include "resource.h"
#include "rng.h"
#include "settings.h"
#include "text.h"
#include "webhook_send.h"

#define OPTION(field) \
	offsetof(struct options, field), sizeof(((struct options *)0)->field)

struct options {
	char listen[64], socket[108], dsn[512], control[108], node[64];
	int64_t threads, connections, rate, burst;
	bool jobs;
	char ssh_key[256], known_hosts[256];
	char webhook_key[256], webhook_ca[256], proxies[512];
	int proxy_header;
	bool webhook_private;
	int64_t retry_first_ms, retry_for_s, disable_after_s, keep_days;
	int log_level;
	bool show_numbers;
};

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

/* in this order: api.is_forwarded */
static const char *const proxy_headers[] = {"x-forwarded-for", "forwarded",
					   NULL};

static const struct setting table[] = {
	{"api.listen", SET_ADDRESS, OPTION(listen), 0, 0, NULL,
	 "127.0.0.1:8080", "where HTTP is served; put a TLS proxy in front"},
	{"api.socket", SET_TEXT, OPTION(socket), 0, 0, NULL, "",
	 "unix socket beside it, as a path; empty: none"},
	{"api.dsn", SET_TEXT, OPTION(dsn), 0, 0, NULL, NULL,
	 "PostgreSQL, as libpq writes it: host=/run/... dbname=strowger"},
	{"api.control", SET_PATH, OPTION(control), 0, 0, NULL,
	 "/run/strowger/control.sock", "the switch's control socket"},
	{"api.node", SET_TEXT, OPTION(node), 0, 0, NULL, "api1",
	 "name of this process in answers"},
	{"api.threads", SET_NUMBER, OPTION(threads), 1, 64, NULL, "4",
	 "requests at work at once, each with a database connection"},
	{"api.connections", SET_NUMBER, OPTION(connections), 4, 10000, NULL,
	 "256", "HTTP connections at once; more are refused"},
	{"api.rate", SET_NUMBER, OPTION(rate), 0, 100000, NULL, "200",
	 "requests a second of one key, on average; 0: no limit"},
	{"api.burst", SET_NUMBER, OPTION(burst), 1, 1000000, NULL, "2000",
	 "requests of one key at once, before the rate counts"},
	{"api.trusted_proxies", SET_TEXT, OPTION(proxies), 0, 0, NULL, "",
	 "networks of proxies before it, separated by commas: of a request "
	 "from there the right-most address of X-Forwarded-For that is none "
	 "of them is the client's, for ip_acls and the audit; empty: none"},
	{"api.proxy_header", SET_CHOICE, OPTION(proxy_header), 0, 0,
	 proxy_headers, "x-forwarded-for", "the header that these proxies "
	 "write (forwarded: RFC 7239); the other is not read, since clients "
	 "could send it"},
	{"api.jobs", SET_FLAG, OPTION(jobs), 0, 0, NULL, "true",
	 "do jobs (exports, imports) in this process, one at a time"},
	{"exports.ssh_key", SET_TEXT, OPTION(ssh_key), 0, 0, NULL, "",
	 "private key, without a passphrase, that files go to SFTP servers "
	 "with; empty: none go there"},
	{"exports.known_hosts", SET_TEXT, OPTION(known_hosts), 0, 0, NULL,
	 "/etc/strowger/known_hosts", "host keys of those servers, as OpenSSH "
	 "writes them"},
	{"webhooks.key_file", SET_PATH, OPTION(webhook_key), 0, 0, NULL,
	 "/var/lib/strowger-api/webhook.key",
	 "what secrets of webhooks are sealed with; made when it is not there, "
	 "the same for all processes"},
	{"webhooks.ca_file", SET_TEXT, OPTION(webhook_ca), 0, 0, NULL, "",
	 "certificates (PEM) that sign those of endpoints, instead of those "
	 "that the system trusts; empty: these"},
	{"webhooks.allow_private", SET_FLAG, OPTION(webhook_private), 0, 0,
	 NULL, "false", "send to private and loopback addresses, too"},
	{"webhooks.retry_first_ms", SET_NUMBER, OPTION(retry_first_ms), 10,
	 3600000, NULL, "5000",
	 "first pause after a failure; each next is four times as long, at "
	 "most 6 h"},
	{"webhooks.retry_for_s", SET_NUMBER, OPTION(retry_for_s), 1, 604800,
	 NULL, "86400", "then a delivery is dead, until it is replayed"},
	{"webhooks.disable_after_s", SET_NUMBER, OPTION(disable_after_s), 1,
	 2592000, NULL, "432000",
	 "an endpoint that only failed for so long is disabled"},
	{"events.keep_days", SET_NUMBER, OPTION(keep_days), 2, 3650, NULL,
	 "30", "events and their deliveries are kept so long"},
	{"log.level", SET_CHOICE, OPTION(log_level), 0, 0, levels, "info",
	 "least level that is written"},
	{"log.show_numbers", SET_FLAG, OPTION(show_numbers), 0, 0, NULL,
	 "false", "write phone numbers whole"},
};

#define TABLE_N (sizeof(table) / sizeof(table[0]))

/** What the command line asks for. */
struct command {
	const char *file, *key_name, *scope, *tenant;
	bool print_settings, print_columns;
};

static const char usage[] =
	"usage: strowger-api -c FILE\n"
	"       strowger-api -c FILE --create-key NAME --scope SCOPE "
	"[--tenant ID]\n"
	"       strowger-api --print-settings\n"
	"       strowger-api --print-columns\n"
	"Scopes: platform:read platform:write noc billing; with --tenant: "
	"tenant:read\n"
	"tenant:write reseller.\n"
	"A key is printed once; only its hash is stored.\n";


static int command_read(struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"create-key", required_argument, NULL, 'k'},
		{"scope", required_argument, NULL, 's'},
		{"tenant", required_argument, NULL, 't'},
		{"print-settings", no_argument, NULL, 'p'},
		{"print-columns", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			cmd->file = optarg;
			break;
		case 'k':
			cmd->key_name = optarg;
			break;
		case 's':
			cmd->scope = optarg;
			break;
		case 't':
			cmd->tenant = optarg;
			break;
		case 'p':
			cmd->print_settings = true;
			break;
		case 'l':
			cmd->print_columns = true;
			break;
		default:
			return EINVAL;
		}
	}
	return optind == argc && (cmd->file || cmd->print_settings ||
				  cmd->print_columns)
		       ? 0
		       : EINVAL;
}


static int settings_show(void)
{
	char *text = settings_print(table, TABLE_N);

	if (!text)
		return EXIT_FAILURE;

	fputs(text, stdout);
	free(text);
	return EXIT_SUCCESS;
}


/* What a client may set, and where it is kept: table, column, member */
static int columns_show(void)
{
	for (size_t i = 0; i < resource_n; i++) {
		const struct resource *res = resources[i];

		if (!res->table)
			continue;
		if (res->parent_column)
			printf("%s %s (path)\n", res->table,
			       res->parent_column);
		for (size_t k = 0; k < res->set->n; k++) {
			const struct field *f = &res->set->fields[k];

			if (f->column && (!(f->flags & F_READ_ONLY) ||
					  f->type == FIELD_SECRET))
				printf("%s %s %s\n", res->table, f->column,
				       f->name);
		}
	}
	return EXIT_SUCCESS;
}


/* A tenant's scope needs a tenant, a platform's must have none */
static bool key_is_sound(const struct command *cmd)
{
	const enum scope scope = cmd->scope ? scope_parse(cmd->scope)
					    : SCOPE_NONE;

	if (scope & SCOPES_OF_TENANTS)
		return cmd->tenant != NULL;
	return scope != SCOPE_NONE && !cmd->tenant;
}


static int key_create(const struct options *opt, const struct command *cmd)
{
	char text[API_KEY_TEXT_SIZE];
	struct pg *pg = NULL;
	struct rng *rng = NULL;
	int err;

	if (!key_is_sound(cmd)) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}

	err = pg_alloc(&pg, opt->dsn, "strowger-api");
	if (!err)
		err = rng_system(&rng);
	if (!err)
		err = pg_ready(pg);
	if (!err)
		err = api_key_create(pg, rng, cmd->key_name, cmd->scope,
				     cmd->tenant, text);

	if (err)
		fprintf(stderr, "no key was made: %s\n",
			pg ? pg_error(pg) : strerror(err));
	else
		puts(text);

	OPENSSL_cleanse(text, sizeof(text));
	mem_deref(rng);
	mem_deref(pg);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}


/* Without a key there are no webhooks, and everything else works */
static void webhooks_set(struct webhook_config *cfg,
			 const struct options *opt)
{
	const int err = webhook_key_load(cfg->policy.key, opt->webhook_key);

	cfg->policy.has_key = !err;
	cfg->policy.allow_private = opt->webhook_private;
	cfg->policy.ca_file = *opt->webhook_ca ? opt->webhook_ca : NULL;
	cfg->retry_first_ms = opt->retry_first_ms;
	cfg->retry_for_s = opt->retry_for_s;
	cfg->disable_after_s = opt->disable_after_s;
	cfg->keep_days = opt->keep_days;
	if (err)
		log_event(LOG_WARN, "webhook", "no_key",
			  "file=%s error=\"%s\" now=\"no webhooks\" "
			  "fix=\"webhooks.key_file: a file of ours with 64 "
			  "hex digits, or a folder to make it in\"",
			  opt->webhook_key, strerror(err));
}


static int serve(const struct options *opt)
{
	struct webhook_config webhooks = {.keep_days = 0};
	struct api api = {.dsn = opt->dsn, .node = opt->node,
			  .control = opt->control,
			  .webhooks = &webhooks,
			  .sync_max = (unsigned)(opt->threads + 1) / 2};
	const struct http_config cfg = {
		.listen = opt->listen,
		.socket = opt->socket,
		.threads = (unsigned)opt->threads,
		.connections = (unsigned)opt->connections,
	};
	const struct cdr_delivery_config delivery = {
		.ssh_key = opt->ssh_key, .known_hosts = opt->known_hosts,
	};
	struct webhook_send *sender = NULL;
	struct http *http = NULL;
	struct proxies *proxies = NULL;
	struct job_runner *jobs = NULL;
	sigset_t set;
	int err, sig = 0;

	/* before any thread is made, so that all of them inherit it */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);

	err = proxies_read(&proxies, opt->proxies);
	if (err) {
		fprintf(stderr, "api.trusted_proxies: %s: want networks as "
			"10.0.0.0/8, at most %d, with commas between them\n",
			opt->proxies, PROXIES_MAX);
		return EXIT_FAILURE;
	}
	api.proxies = proxies;
	api.is_forwarded = opt->proxy_header == 1;

	(void)log_open((enum log_level)opt->log_level, opt->show_numbers);
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	webhooks_set(&webhooks, opt);
	cdr_delivery_setup(&delivery);
	err = webhook_send_start(&sender, opt->dsn, &webhooks);
	if (!err)
		err = rate_limit_alloc(&api.rate, (uint32_t)opt->rate,
				       (uint32_t)opt->burst);
	if (!err)
		err = http_start(&http, &cfg, &api);
	if (!err && opt->jobs)
		err = job_runner_start(&jobs, opt->dsn);
	if (err) {
		fprintf(stderr, "cannot listen on %s %s: %s\n", cfg.listen,
			cfg.socket, strerror(err));
	} else {
		log_event(LOG_INFO, "api", "start",
			  "listen=%s version=%s operations=%zu", cfg.listen,
			  STROWGER_VERSION, operation_n);
		(void)sigwait(&set, &sig);
		log_event(LOG_INFO, "api", "stop", "signal=%d", sig);
	}

	mem_deref(jobs);
	mem_deref(http);
	mem_deref(api.rate);
	mem_deref(proxies);
	mem_deref(sender);
	curl_global_cleanup();
	log_close();
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}


int main(int argc, char **argv)
{
	struct options opt = {.log_level = LOG_INFO};
	struct command cmd = {.file = NULL};
	char why[512];

	if (command_read(&cmd, argc, argv)) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	if (cmd.print_settings)
		return settings_show();
	if (cmd.print_columns)
		return columns_show();

	if (settings_load(cmd.file, table, TABLE_N, &opt, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		return EXIT_FAILURE;
	}

	return cmd.key_name ? key_create(&opt, &cmd) : serve(&opt);
}
