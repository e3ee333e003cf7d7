/**
 * @file main.c  strowger-switch: wires the threads together and is then the
 * control thread: signals, control socket, registrations to disk.
 */
#include <curl/curl.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "control.h"
#include "decision_asker.h"
#include "event_sender.h"
#include "follow.h"
#include "intercept.h"
#include "journal.h"
#include "ledger.h"
#include "log.h"
#include "loop.h"
#include "metrics_http.h"
#include "node_settings.h"
#include "node_state.h"
#include "relay.h"
#include "text.h"

#define SAVE_MS 2000  /* registrations are at most so old on disk */
#define STOP_MS 5000  /* for calls to end, and again for the ledger */
#define DSCP_EF 46    /* RFC 4594 4.1 */
#define TRIM_BYTES (64 << 20) /* else the worker's heap shrinks and grows
				 again with every call */

/** Everything that lives as long as the process. */
struct node {
	struct node_settings set;
	struct node_keys keys;
	struct node_home home;
	int64_t boot;
	char journal_dir[300];
	struct relay *relay;
	struct event_sender *events;
	struct intercept *intercept;
	struct loop *loop;
	struct journal *journal;
	struct ledger *ledger;
	struct decision_asker *asker;
	struct follow *follow;
	struct control *control;
	struct metrics_http *metrics;
	int signals, lock;
	char *unsaved;  /* registrations that the disk has yet to take */
};


static int usage(int code)
{
	fprintf(code ? stderr : stdout,
		"usage: strowger-switch --config FILE [--check]\n"
		"       strowger-switch --print-config\n"
		"       strowger-switch --version\n\n"
		"  --check         read FILE, say what is wrong, end\n"
		"  --print-config  all keys with their defaults\n\n"
		"exit codes: 0 ok, 1 could not start, 2 usage or "
		"configuration\n");

	return code;
}


static int fail(const char *what, int err, const char *fix)
{
	log_event(LOG_ERROR, "main", "start_failed",
		  "what=\"%s\" error=\"%s\" fix=\"%s\"", what, strerror(err),
		  fix);

	return err;
}


/* Four sockets a call, and the rest. */
static void raise_limits(const struct node_settings *set)
{
	const rlim_t want = (rlim_t)set->node.calls_max * 4 + 1024;
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) || lim.rlim_cur >= want)
		return;

	lim.rlim_cur = want < lim.rlim_max ? want : lim.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
	if (lim.rlim_cur < want)
		log_event(LOG_WARN, "main", "few_files",
			  "have=%llu want=%llu fix=\"LimitNOFILE in the unit, "
			  "or ulimit -n\"",
			  (unsigned long long)lim.rlim_cur,
			  (unsigned long long)want);
}


/* Without the right to it calls go on all the same, later under load. */
static void hurry_media(struct node *n)
{
	const int priority = (int)n->set.media.realtime_priority;
	const rlim_t want = (rlim_t)priority;
	struct rlimit lim;
	int err;

	if (!getrlimit(RLIMIT_RTPRIO, &lim) && lim.rlim_cur < want &&
	    lim.rlim_max >= want) {
		lim.rlim_cur = want;
		(void)setrlimit(RLIMIT_RTPRIO, &lim);
	}

	err = relay_set_priority(n->relay, priority);
	if (err)
		log_event(LOG_WARN, "main", "media_not_realtime",
			  "priority=%d error=\"%s\" fix=\"LimitRTPRIO in the "
			  "unit, or ulimit -r; media.realtime_priority: 0 "
			  "where it is not wanted\"", priority, strerror(err));
}


static int block_signals(struct node *n)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	err = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (err)
		return err;
	(void)signal(SIGPIPE, SIG_IGN);
	n->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	return n->signals < 0 ? errno : 0;
}


static int address(struct sa *ret, const char *text, const struct sa *fallback)
{
	if (!text[0] && fallback) {
		*ret = *fallback;
		return 0;
	}

	return sa_decode(ret, text, strlen(text));
}


static int start_relay(struct node *n)
{
	const struct node_settings *set = &n->set;
	struct relay_config cfg = {
		.port_min = (uint16_t)set->media.port_min,
		.port_max = (uint16_t)set->media.port_max,
		.reuse_ms = 2000,
		.sessions_max = (uint32_t)set->media.sessions_max,
		.dscp = DSCP_EF,
	};
	int err;

	if (sa_set_str(&cfg.addr_a, set->media.address, 0))
		return fail("media.address", EINVAL, "an IP literal");
	if (set->media.public[0] &&
	    sa_set_str(&cfg.public_a, set->media.public, 0))
		return fail("media.public", EINVAL, "an IP literal");
	cfg.addr_b = cfg.addr_a;
	cfg.public_b = cfg.public_a;
	err = relay_alloc(&n->relay, &cfg);
	if (err)
		return fail("media", err, "media.port_min below "
					  "media.port_max, memory");
	hurry_media(n);

	return 0;
}


static int worker_settings(struct node *n, struct worker_config *w)
{
	const struct node_settings *set = &n->set;
	struct worker_sock *sock = &w->socks[0];

	w->node = set->node.name;
	w->node_id = (uint16_t)set->node.id;
	w->boot = (uint16_t)n->boot;
	w->lease_epoch = node_epoch(&n->home, n->boot);
	w->server_name = "Strowger/" STROWGER_VERSION;
	w->t1_ms = (uint32_t)set->sip.t1_ms;
	w->t2_ms = (uint32_t)set->sip.t2_ms;
	w->t4_ms = (uint32_t)set->sip.t4_ms;
	w->calls_max = (uint32_t)set->node.calls_max;
	w->cps_max = (uint32_t)set->node.cps_max;
	w->nonce_life_s = (uint32_t)set->digest.nonce_life_s;
	w->fund_wait_ms = (uint32_t)set->money.wait_ms;
	w->fund_chunk_s = (uint32_t)set->money.chunk_s;
	w->expires_min_s = (uint32_t)set->registrar.expires_min_s;
	w->expires_max_s = (uint32_t)set->registrar.expires_max_s;
	w->expires_default_s = (uint32_t)set->registrar.expires_default_s;
	memcpy(w->token_key, n->keys.token, sizeof(w->token_key));
	memcpy(w->nonce_key, n->keys.nonce, sizeof(w->nonce_key));

	if (address(&sock->local, set->sip.listen, NULL) ||
	    address(&sock->public, set->sip.public, &sock->local))
		return fail("sip.public", EINVAL, "IP:port");
	w->sock_n = 1;
	if (!set->sip.listen_v6[0])
		return 0;

	sock = &w->socks[w->sock_n++];
	if (address(&sock->local, set->sip.listen_v6, NULL))
		return fail("sip.listen_v6", EINVAL, "[IPv6]:port");
	sock->public = sock->local;

	return 0;
}


static int start_loop(struct node *n)
{
	struct loop_config cfg = {0};
	char *json = NULL;
	size_t len = 0;
	int err;

	err = worker_settings(n, &cfg.worker);
	if (err)
		return err;

	if (!node_state_read(n->set.node.state_dir, "registrations", &json,
			     &len)) {
		cfg.registrations = json;
		cfg.registrations_len = len;
	}
	relay_doors(n->relay, &cfg.media);
	cfg.events = n->events;
	cfg.intercept = n->intercept;
	err = loop_alloc(&n->loop, &cfg);
	free(json);

	return err ? fail("signalling", err, "see the line above") : 0;
}


static int start_events(struct node *n)
{
	const int err = event_sender_start(&n->events, n->set.db.dsn,
					   n->set.node.name);

	return err ? fail("events", err, "memory, ulimit -u") : 0;
}


/* The link to strowger-li outlives the loop, whose end it is told of. */
static pthread_mutex_t waking = PTHREAD_MUTEX_INITIALIZER;


static void intercept_wakes(void *arg)
{
	const struct node *n = arg;

	(void)pthread_mutex_lock(&waking);
	loop_wake(n->loop);
	(void)pthread_mutex_unlock(&waking);
}


static void loop_end(struct node *n)
{
	struct loop *loop = n->loop;

	(void)pthread_mutex_lock(&waking);
	n->loop = NULL;
	(void)pthread_mutex_unlock(&waking);
	loop_free(loop);
}


static int alloc_intercept(struct node *n)
{
	const struct intercept_config cfg = {
		.socket = n->set.intercept.socket,
		.user = n->set.intercept.user,
		.node = n->set.node.name,
		.queue_bytes = (size_t)n->set.intercept.queue_mib << 20,
		.wakeh = intercept_wakes,
		.arg = n,
	};
	int err;

	if (!cfg.socket[0])
		return 0;

	err = intercept_alloc(&n->intercept, &cfg);

	return err ? fail("intercept", err, "intercept.user: one that there "
			  "is; LimitMEMLOCK in the unit, or ulimit -l: 16 "
			  "MiB") : 0;
}


static void journal_synced(uint64_t seq, void *arg)
{
	const struct node *n = arg;

	loop_synced(seq, n->loop);
}


static void journal_room_said(enum journal_room room, uint64_t free_bytes,
			      void *arg)
{
	static const enum event_kind kinds[] = {
		[JOURNAL_ROOM] = EVENT_JOURNAL_OK,
		[JOURNAL_ROOM_LOW] = EVENT_JOURNAL_LOW,
		[JOURNAL_ROOM_NONE] = EVENT_JOURNAL_FULL,
	};
	const struct node *n = arg;
	struct event ev;
	struct moment now;

	moment_read(&now);
	event_init(&ev, kinds[room], moment_wall_ms(&now), NULL, NULL);
	event_text(&ev, "node", n->set.node.name);
	event_number(&ev, "free_mib", (int64_t)(free_bytes >> 20));
	event_sender_push(n->events, &ev);
}


static int start_asker(struct node *n)
{
	const struct decision_asker_config cfg = {
		.key_file = n->set.decision.key_file,
		.allow_private = n->set.decision.allow_private,
		.in_flight_max = (unsigned)n->set.decision.in_flight_max,
		.h = loop_decided,
		.arg = n->loop,
	};
	int err;

	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	err = decision_asker_start(&n->asker, &cfg);

	return err ? fail("decisions", err, "memory, ulimit -u") : 0;
}


static int start_ledger(struct node *n)
{
	const struct journal_config journal = {
		.dir = n->journal_dir,
		.segment_bytes = 64u << 20,
		.group_ms = (uint32_t)n->set.journal.group_ms,
		.backlog_max = 100000,
		.memory_dir = n->set.journal.memory_dir,
		.memory_bytes = (size_t)n->set.journal.memory_mib << 20,
		.warn_bytes = (uint64_t)n->set.journal.free_warn_mib << 20,
		.min_bytes = (uint64_t)n->set.journal.free_min_mib << 20,
		.reserve_bytes = (uint64_t)n->set.journal.reserve_mib << 20,
		.is_passing = n->set.journal.when_full == 1,
		.roomh = journal_room_said,
	};
	const struct ledger_config ledger = {
		.dsn = n->set.db.dsn,
		.node = n->set.node.name,
		.journal_dir = n->journal_dir,
		.home = n->home.id,
		.epoch = node_epoch(&n->home, n->boot),
		.session_s = (uint32_t)n->set.money.session_s,
		.load_ms = 250,
		.batch_max = LEDGER_BATCH_MAX,
	};
	int err;

	/* first: it closes what an earlier start left open, and the ledger
	 * loads that before it gives the leases of that start back */
	err = journal_open(&n->journal, &journal, journal_synced, n);
	if (err)
		return fail("journal", err, "node.state_dir: space, rights");
	err = ledger_start(&n->ledger, &ledger, loop_leased, n->loop);
	if (err)
		return fail("ledger", err, "db.dsn, memory");
	loop_connect(n->loop, n->journal, n->ledger, n->asker);

	return 0;
}


static int start_outside(struct node *n)
{
	const struct follow_config follow = {
		.dsn = n->set.db.dsn,
		.node = n->set.node.name,
		.state_dir = n->set.node.state_dir,
		.boot = n->boot,
		.loop = n->loop,
	};
	int err;

	err = loop_start(n->loop);
	if (!err && n->intercept)
		err = intercept_start(n->intercept);
	if (!err)
		err = follow_start(&n->follow, &follow);
	if (err)
		return fail("threads", err, "memory, ulimit -u");
	err = control_open(&n->control, n->set.control.socket, n->loop);
	if (err)
		return fail("control.socket", err,
			    "another switch answers there, or no right to "
			    "make it");
	err = metrics_http_open(&n->metrics, n->set.metrics.listen);
	if (err)
		return fail("metrics.listen", err, "an address:port in use");

	return 0;
}


static int node_start(struct node *n)
{
	const char *dir = n->set.node.state_dir;
	struct moment now;
	int err;

	moment_read(&now);

	/* first: a thread that takes signals would end us without goodbye */
	err = block_signals(n);
	if (!err)
		err = log_open((enum log_level)n->set.log.level,
			       n->set.log.numbers);
	if (!err)
		err = node_state_open(dir);
	if (!err)
		err = node_state_lock(dir, &n->lock);
	if (err == EWOULDBLOCK)
		return fail(dir, err, "another strowger-switch runs on this "
				      "node.state_dir: stop it, or name "
				      "another");
	if (!err)
		err = node_state_boot(dir, &n->boot);
	if (!err)
		err = node_state_keys(dir, &n->keys);
	if (!err)
		err = node_state_home(dir, moment_wall_ms(&now) / 1000,
				      &n->home);
	if (!err)
		err = text_format(n->journal_dir, sizeof(n->journal_dir),
				  "%s/journal", dir);
	if (!err)
		err = node_state_open(n->journal_dir);
	if (err)
		return fail(dir, err, "node.state_dir: a directory of ours");

	raise_limits(&n->set);
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	err = start_relay(n);
	if (!err)
		err = start_events(n);
	if (!err)
		err = alloc_intercept(n);
	if (!err)
		err = start_loop(n);
	if (!err)
		err = start_asker(n);
	if (!err)
		err = start_ledger(n);

	return err ? err : start_outside(n);
}


static void save_registrations(struct node *n)
{
	char *fresh = n->loop ? loop_registrations(n->loop, 1000) : NULL;
	int err;

	if (fresh) {
		free(n->unsaved);
		n->unsaved = fresh;
	}
	if (!n->unsaved)
		return;

	err = node_state_write(n->set.node.state_dir, "registrations",
			       n->unsaved, strlen(n->unsaved));
	if (err && fresh) /* said once, tried until it works */
		log_event(LOG_WARN, "main", "registrations_not_saved",
			  "error=\"%s\" fix=\"node.state_dir: space, "
			  "rights\"", strerror(err));
	if (err)
		return;

	free(n->unsaved);
	n->unsaved = NULL;
}


static bool wants_stop(const struct node *n)
{
	struct signalfd_siginfo info;
	bool is_stop = false;

	while (read(n->signals, &info, sizeof(info)) == sizeof(info))
		is_stop |= info.ssi_signo != SIGHUP;

	return is_stop;
}


static uint64_t mono_ms(void)
{
	struct moment now;

	moment_read(&now);

	return moment_ms(&now);
}


/* Saving has a deadline of its own: whoever asks the control socket all the
   time must not keep it from coming. */
static void node_run(struct node *n)
{
	uint64_t now_ms = mono_ms(), save_ms = now_ms + SAVE_MS;
	struct pollfd fds[2] = {
		{.fd = n->signals, .events = POLLIN},
		{.fd = control_fd(n->control), .events = POLLIN},
	};

	for (;;) {
		(void)poll(fds, 2, (int)(save_ms - now_ms));
		if (fds[1].revents & POLLIN)
			control_serve(n->control);
		if ((fds[0].revents & POLLIN) && wants_stop(n))
			return;
		fds[0].revents = fds[1].revents = 0;

		now_ms = mono_ms();
		if (now_ms < save_ms)
			continue;
		save_registrations(n);
		now_ms = mono_ms();
		save_ms = now_ms + SAVE_MS;
	}
}


/* Every live call gets its BYE and its record before the process ends. */
static void say_goodbye(struct node *n)
{
	static const char stop[] = "{\"op\":\"stop\"}";
	unsigned waited_ms = 0;
	bool is_empty = false;

	while (n->loop && !is_empty && waited_ms < STOP_MS) {
		char *answer = loop_ask(n->loop, stop, sizeof(stop) - 1, 1000);

		is_empty = !answer || strstr(answer, "\"calls\":0");
		free(answer);
		if (!is_empty)
			(void)usleep(50000);
		waited_ms += 50;
	}
}


static void node_stop(struct node *n)
{
	if (n->control) {
		say_goodbye(n);
		save_registrations(n);
	}
	control_close(n->control);
	metrics_http_close(n->metrics);
	follow_stop(n->follow);
	loop_stop(n->loop); /* it uses what is closed next */
	decision_asker_stop(n->asker);
	if (n->journal)
		journal_close(n->journal);
	if (n->ledger)
		ledger_stop(n->ledger, STOP_MS);
	loop_end(n);
	event_sender_stop(n->events, STOP_MS / 2);
	if (n->relay)
		relay_free(n->relay);
	intercept_stop(n->intercept); /* nobody tells it anything any more */
	free(n->unsaved);
	log_event(LOG_INFO, "main", "stopped", "node=%s", n->set.node.name);
	log_close();
}


static int check(const char *file, struct node *n)
{
	char why[512];
	int err;

	if (!file)
		return usage(2);

	err = node_settings_load(&n->set, file, why, sizeof(why));
	if (err == EINVAL)
		fprintf(stderr, "strowger-switch: %s\n", why);
	else if (err)
		fprintf(stderr, "strowger-switch: %s: %s\n", file,
			strerror(err));

	return err ? 2 : 0;
}


static int print_config(void)
{
	char *text = node_settings_print();
	const bool is_done = text && fputs(text, stdout) >= 0;

	free(text);

	return is_done ? 0 : 1;
}


int main(int argc, char *argv[])
{
	static struct node n;
	const char *file = NULL;
	bool is_check = false;
	int code;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--config") && i + 1 < argc)
			file = argv[++i];
		else if (!strcmp(argv[i], "--check"))
			is_check = true;
		else if (!strcmp(argv[i], "--version"))
			return puts("strowger-switch " STROWGER_VERSION) < 0;
		else if (!strcmp(argv[i], "--print-config"))
			return print_config();
		else
			return usage(strcmp(argv[i], "--help") ? 2 : 0);
	}

	code = check(file, &n);
	if (code || is_check)
		return code;

	if (node_start(&n)) {
		code = 1;
	}
	else {
		log_event(LOG_INFO, "main", "started",
			  "node=%s boot=%lld sip=%s control=%s version=%s",
			  n.set.node.name, (long long)n.boot,
			  n.set.sip.listen, n.set.control.socket,
			  STROWGER_VERSION);
		node_run(&n);
	}
	node_stop(&n);

	return code;
}
