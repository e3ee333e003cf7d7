/** @file node_settings.c  The table of keys. */
#include <errno.h>
#include <stdio.h>
#include "node_settings.h"
#include "relay.h"
#include "settings.h"

#define F(field)                                                              \
	offsetof(struct node_settings, field),                                \
		sizeof(((struct node_settings *)0)->field)

static const char *const when_full[] = {"refuse", "pass", NULL};
static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

static const struct setting table[] = {
	{"node.name", SET_TEXT, F(node.name), 0, 0, NULL, NULL,
	 "name of this node in CDRs, leases and metrics"},
	{"node.id", SET_NUMBER, F(node.id), 0, 65535, NULL, "1",
	 "number of this node, unique among the nodes; part of every tag"},
	{"node.state_dir", SET_PATH, F(node.state_dir), 0, 0, NULL, NULL,
	 "journal, last good catalog, registrations, keys"},
	{"node.calls_max", SET_NUMBER, F(node.calls_max), 1, 200000, NULL,
	 "5000", "calls at once; above them 503"},
	{"node.cps_max", SET_NUMBER, F(node.cps_max), 0, 10000, NULL, "1000",
	 "calls a second; above them 503; 0: no limit"},
	{"sip.listen", SET_ADDRESS, F(sip.listen), 0, 0, NULL, NULL,
	 "address for SIP over UDP"},
	{"sip.listen_v6", SET_ADDRESS, F(sip.listen_v6), 0, 0, NULL, "",
	 "a second one, for the other family: \"[2001:db8::1]:5060\""},
	{"sip.public", SET_ADDRESS, F(sip.public), 0, 0, NULL, "",
	 "address that Via and Contact name, when it is not sip.listen"},
	{"sip.t1_ms", SET_NUMBER, F(sip.t1_ms), 10, 5000, NULL, "500",
	 "RFC 3261 T1"},
	{"sip.t2_ms", SET_NUMBER, F(sip.t2_ms), 10, 20000, NULL, "4000",
	 "RFC 3261 T2"},
	{"sip.t4_ms", SET_NUMBER, F(sip.t4_ms), 10, 20000, NULL, "5000",
	 "RFC 3261 T4"},
	{"media.address", SET_IP, F(media.address), 0, 0, NULL, NULL,
	 "address of the RTP relay"},
	{"media.public", SET_IP, F(media.public), 0, 0, NULL, "",
	 "address that SDP names, when it is not media.address"},
	{"media.port_min", SET_NUMBER, F(media.port_min), 1024, 65534, NULL,
	 "16384", "first RTP port; the range lies below the ports that Linux "
	 "gives to others by itself (32768 and up)"},
	{"media.port_max", SET_NUMBER, F(media.port_max), 1025, 65535, NULL,
	 "32767", "last RTP port; a call takes four"},
	{"media.sessions_max", SET_NUMBER, F(media.sessions_max), 1, 100000,
	 NULL, "5000", "calls with media at once"},
	{"media.realtime_priority", SET_NUMBER, F(media.realtime_priority), 0,
	 RELAY_PRIORITY_MAX, NULL, "10", "the media thread goes before all "
	 "that is not real-time (SCHED_RR); 0: it waits its turn as any other"},
	{"db.dsn", SET_TEXT, F(db.dsn), 0, 0, NULL, NULL,
	 "PostgreSQL connection string (libpq)"},
	{"journal.group_ms", SET_NUMBER, F(journal.group_ms), 0, 1000, NULL,
	 "20", "records are synced in groups that gather so long: what a power "
	 "failure may take"},
	{"journal.memory_dir", SET_PATH, F(journal.memory_dir), 0, 0, NULL,
	 "/dev/shm", "a tmpfs where records wait for the disk, so that a kill "
	 "takes none"},
	{"journal.memory_mib", SET_NUMBER, F(journal.memory_mib), 1, 4096,
	 NULL, "32", "MiB of it; records that find none when the disk refuses "
	 "are lost"},
	{"journal.free_warn_mib", SET_NUMBER, F(journal.free_warn_mib), 0,
	 1048576, NULL, "1024", "less free space on the journal's disk is "
	 "told: event journal.low"},
	{"journal.free_min_mib", SET_NUMBER, F(journal.free_min_mib), 0,
	 1048576, NULL, "128", "with less no call is admitted (journal_full)"},
	{"journal.reserve_mib", SET_NUMBER, F(journal.reserve_mib), 0, 65536,
	 NULL, "64", "held in a file for the records of live calls, for when "
	 "nothing is left"},
	{"journal.when_full", SET_CHOICE, F(journal.when_full), 0, 0,
	 when_full, "refuse", "refuse: no call that may have no record; pass: "
	 "calls go on, records that find no place are lost"},
	{"control.socket", SET_PATH, F(control.socket), 0, 0, NULL, NULL,
	 "unix socket of the command line and the API"},
	{"metrics.listen", SET_ADDRESS, F(metrics.listen), 0, 0, NULL,
	 "127.0.0.1:9460", "HTTP address of /metrics and /healthz"},
	{"log.level", SET_CHOICE, F(log.level), 0, 0, levels, "info",
	 "least level that is written"},
	{"log.numbers", SET_FLAG, F(log.numbers), 0, 0, NULL, "false",
	 "write phone numbers whole"},
	{"money.chunk_s", SET_NUMBER, F(money.chunk_s), 1, 3600, NULL, "60",
	 "seconds of present burn in one lease chunk"},
	{"money.wait_ms", SET_NUMBER, F(money.wait_ms), 50, 10000, NULL,
	 "1500", "how long a call waits for a lease"},
	{"money.session_s", SET_NUMBER, F(money.session_s), 10, 3600, NULL,
	 "120", "without PostgreSQL leased money is spent no longer than this"},
	{"decision.key_file", SET_PATH, F(decision.key_file), 0, 0, NULL, "",
	 "what secrets of decision URLs are sealed with: the API's "
	 "webhooks.key_file; without it those that are signed are not asked"},
	{"decision.allow_private", SET_FLAG, F(decision.allow_private), 0, 0,
	 NULL, "false", "ask at private and loopback addresses, too"},
	{"decision.in_flight_max", SET_NUMBER, F(decision.in_flight_max), 1,
	 1000, NULL, "64", "decision URLs asked at once; to one of them at "
	 "most 16"},
	{"intercept.socket", SET_PATH, F(intercept.socket), 0, 0, NULL, "",
	 "unix socket of strowger-li: lawful interception; without it there is "
	 "none"},
	{"intercept.user", SET_TEXT, F(intercept.user), 0, 0, NULL,
	 "strowger-li", "whose process must listen there: user name or number"},
	{"intercept.queue_mib", SET_NUMBER, F(intercept.queue_mib), 1, 1024,
	 NULL, "32", "MiB of memory where copied media waits for strowger-li"},
	{"registrar.expires_min_s", SET_NUMBER, F(registrar.expires_min_s), 1,
	 86400, NULL, "60", "shorter is answered 423"},
	{"registrar.expires_max_s", SET_NUMBER, F(registrar.expires_max_s),
	 60, 86400, NULL, "3600", "longer is cut to this"},
	{"registrar.expires_default_s", SET_NUMBER,
	 F(registrar.expires_default_s), 60, 86400, NULL, "600",
	 "when the request names none"},
	{"digest.nonce_life_s", SET_NUMBER, F(digest.nonce_life_s), 10, 86400,
	 NULL, "300", "then a nonce is stale"},
};

#define TABLE_N (sizeof(table) / sizeof(table[0]))


int node_settings_load(struct node_settings *ret, const char *file, char *why,
		       size_t size)
{
	int err = settings_load(file, table, TABLE_N, ret, why, size);

	if (!err && ret->media.port_max - ret->media.port_min < 3) {
		snprintf(why, size,
			 "%s: media.port_max: must be at least port_min + 3, "
			 "a call takes four ports", file);
		err = EINVAL;
	}
	if (!err && ret->journal.free_warn_mib < ret->journal.free_min_mib) {
		snprintf(why, size,
			 "%s: journal.free_warn_mib: must be at least "
			 "journal.free_min_mib, a warning comes before", file);
		err = EINVAL;
	}

	return err;
}


char *node_settings_print(void)
{
	return settings_print(table, TABLE_N);
}
