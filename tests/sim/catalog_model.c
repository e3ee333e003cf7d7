/** @file catalog_model.c  What is provisioned, and what changes under calls. */
#include "json.h"
#include <stdio.h>
#include <string.h>
#include "sim.h"
#include "text.h"

/* MD5 of "pbx:sip.example:right" and of "switch:carrier.example:right" */
#define HA1_PBX "f21ad6c4e6f97f21a7b0dc01e3d29b43"
#define HA1_SWITCH "89b1c796db92c1a86c5b62124f0a79ec"

#define ACTIVE "\"status\":\"active\""
#define SUSPENDED "\"status\":\"suspended\""
#define ACCOUNT(tenant, type) "{\"tenant_id\":\"" tenant "\",\"currency\":" \
	"\"EUR\"," ACTIVE ",\"type\":\"" type "\"}"
#define NUMBERS "\"number_in\":[{\"prefix\":\"00\",\"strip\":2,\"add\":" \
	"\"+\"},{\"prefix\":\"+\"},{\"prefix\":\"0\",\"strip\":1,\"add\":" \
	"\"+49\"}]"
#define TIMES "\"max_call_s\":40,\"ring_timeout_s\":25,\"media_timeout_s\":20," \
	"\"total_timeout_s\":15"
#define TRUNK(tenant, account, status, more) "{\"tenant_id\":\"" tenant \
	"\",\"account_id\":\"" account "\",\"rate_deck_id\":\"dck_sell\"," \
	status ",\"direction\":\"both\"," NUMBERS "," TIMES "," more "}"
#define GATEWAY(carrier, host, port, status, more) "{\"carrier_id\":\"" \
	carrier "\"," status ",\"address\":\"" host "\",\"port\":" port \
	"," NUMBERS ",\"no_response_ms\":3000" more "}"
#define ADDRESS(owner, id, cidr) "{\"" owner "\":\"" id "\",\"cidr\":\"" \
	cidr "\"}"
#define DID(e164, trunk) "{\"e164\":\"" e164 "\",\"trunk_id\":\"" trunk \
	"\"," ACTIVE "}"
#define TARGET(gateway, priority) "{\"gateway_id\":\"" gateway \
	"\",\"priority\":" priority ",\"weight\":10}"
#define ROUTE(kind, prefix, targets) "{\"kind\":\"" kind "\",\"prefix\":\"" \
	prefix "\"," ACTIVE ",\"max_attempts\":4,\"targets\":[" targets "]}"

#define DECISION(owner, id, timeout_ms, conditions, fallback) "{\"" owner \
	"\":\"" id "\"," ACTIVE ",\"url\":\"https://one.example/\"," \
	"\"timeout_ms\":" timeout_ms ",\"conditions\":" conditions "," \
	"\"fallback\":" fallback "}"

#define PLAN_ROUTE(plan, prefix, position, more, targets) "{\"kind\":" \
	"\"normal\",\"plan_id\":\"" plan "\",\"prefix\":\"" prefix "\"," ACTIVE \
	",\"max_attempts\":4,\"position\":" position "," more "\"targets\":[" \
	targets "]}"
#define LIST(kind, subject, tags, entry) "{\"name\":\"" kind "\",\"kind\":" \
	"\"" kind "\",\"subject\":\"" subject "\",\"tags\":[" tags "]," \
	"\"entries\":[" entry "]}"
/* in runs without plans the reference is left out */
#define PLAN(id) "\"routing_plan_id\":\"" id "\""
#define TEN_2 "{\"name\":\"Two\",\"channels\":8,\"burst_percent\":25," \
	PLAN("pln_2") ","

#define TRUNK_1 PLAN("pln_1") ",\"cli_policy\":\"owned\",\"default_cli\":\"+4930100\"," \
	"\"uri_host\":\"10.1.0.1\",\"uri_port\":5060,\"channels_out\":3"
#define TRUNK_2 "\"cli_policy\":\"default\",\"default_cli\":\"+4930200\"," \
	"\"realm\":\"" SIM_REALM "\",\"channel_mode\":\"paired\"," \
	"\"channels_total\":3,\"bandwidth_kbps\":400"
#define TRUNK_3 PLAN("pln_3") ",\"cli_policy\":\"pass\",\"is_trusted\":true,\"uri_host\":" \
	"\"10.1.0.3\",\"channels_total\":2,\"cps\":2"
#define CHALLENGING ",\"username\":\"switch\",\"realm\":\"carrier.example\"" \
	",\"ha1_md5\":\"" HA1_SWITCH "\""

#define WATCHED ",\"quality_asr_min\":40,\"quality_min_samples\":3," \
	"\"quality_window_s\":120,\"quality_lock_s\":20,\"quality_trials\":1"

struct row {
	const char *kind, *id, *json;
};

static const struct row rows[] = {
	{"tenant", "ten_1", "{\"name\":\"One\",\"channels\":6,\"parent_id\":"
	 "\"ten_2\"," ACTIVE "}"},
	{"tenant", "ten_2", TEN_2 ACTIVE "}"},
	{"account", "acc_1", ACCOUNT("ten_1", "prepaid")},
	{"account", "acc_2", ACCOUNT("ten_2", "postpaid")},
	{"account", "acc_3", ACCOUNT("ten_1", "prepaid")},
	{"realm", SIM_REALM, "{\"algorithms\":[\"MD5\"]}"},
	{"trunk", "trk_1", TRUNK("ten_1", "acc_1", ACTIVE, TRUNK_1)},
	{"trunk", "trk_2", TRUNK("ten_2", "acc_2", ACTIVE, TRUNK_2)},
	{"trunk", "trk_3", TRUNK("ten_1", "acc_3", ACTIVE, TRUNK_3)},
	{"credential", "cre_1", "{\"trunk_id\":\"trk_2\",\"realm\":\""
	 SIM_REALM "\",\"username\":\"pbx\",\"ha1_md5\":\"" HA1_PBX "\"}"},
	{"carrier", "car_1", "{\"name\":\"C1\",\"rate_deck_id\":\"dck_buy\","
	 ACTIVE "}"},
	{"carrier", "car_2", "{\"name\":\"C2\",\"channels\":3,"
	 "\"rate_deck_id\":\"dck_other\"," ACTIVE "}"},
	{"gateway", "gwy_4", GATEWAY("car_1", "10.2.0.4", "5060", ACTIVE,
				     ",\"channels\":3,\"no_ring_ms\":4000,"
				     "\"disconnect_policy_id\":\"dsp_1\","
				     "\"redirect\":\"follow\"")},
	{"gateway", "gwy_5", GATEWAY("car_1", "10.2.0.5", "5060", ACTIVE,
				     CHALLENGING WATCHED)},
	{"gateway", "gwy_6", GATEWAY("car_2", "10.2.0.6", "5080", ACTIVE,
				     ",\"ping_s\":20,\"identity\":\"pai\"")},
	{"gateway", "gwy_7", GATEWAY("car_2", "10.2.0.7", "5060", ACTIVE,
				     "")},
	{"address", "adr_1", ADDRESS("trunk_id", "trk_1", "10.1.0.1")},
	{"address", "adr_3", ADDRESS("trunk_id", "trk_3", "10.1.0.3")},
	{"address", "adr_4", ADDRESS("gateway_id", "gwy_4", "10.2.0.4")},
	{"address", "adr_5", ADDRESS("gateway_id", "gwy_5", "10.2.0.5")},
	{"address", "adr_6", ADDRESS("gateway_id", "gwy_6", "10.2.0.6")},
	{"address", "adr_7", ADDRESS("gateway_id", "gwy_7", "10.2.0.7")},
	{"did", "did_1", DID("+4930100", "trk_1")},
	{"did", "did_2", DID("+4930200", "trk_2")},
	{"did", "did_3", DID("+4930300", "trk_3")},
	{"did", "did_4", DID("+4930400", "trk_1")},
	{"endpoint", "ept_1", "{\"trunk_id\":\"trk_3\",\"host\":\"10.1.0.3\","
	 "\"port\":5060,\"priority\":1,\"weight\":10," ACTIVE "}"},
	{"endpoint", "ept_2", "{\"trunk_id\":\"trk_3\",\"priority\":2," ACTIVE
	 "}"},
	{"forward", "fwd_1", "{\"did_id\":\"did_1\",\"condition\":\"busy\","
	 "\"to_number\":\"+44207555\"," ACTIVE "}"},
	{"forward", "fwd_3", "{\"did_id\":\"did_3\",\"condition\":"
	 "\"no_answer\",\"after_s\":5,\"to_number\":\"+4930100\"," ACTIVE
	 "}"},
	{"forward", "fwd_4", "{\"did_id\":\"did_4\",\"condition\":"
	 "\"unconditional\",\"to_number\":\"+44207555\"," ACTIVE "}"},
	{"route", "rte_1", ROUTE("prefix", "49", TARGET("gwy_4", "1") ","
				 TARGET("gwy_5", "1") ","
				 TARGET("gwy_6", "2"))},
	{"route", "rte_2", ROUTE("prefix", "44", TARGET("gwy_7", "1") ","
				 TARGET("gwy_4", "2"))},
	{"route", "rte_3", ROUTE("emergency", "112", TARGET("gwy_7", "1") ","
				 TARGET("gwy_6", "2"))},
	{"number_list", "nls_1", LIST("deny", "called", "", "[\"4930556\","
				      "false,\"\",null]")},
	{"number_list", "nls_2", LIST("rewrite", "called", "", "[\"49171\","
				      "true,\"+4930\",null]")},
	{"number_list", "nls_3", LIST("tag", "calling", "\"gold\"",
				      "[\"4930\",true,\"\",null]")},
	{"carrier_group", "cgr_1", "{" ACTIVE ",\"targets\":["
	 TARGET("gwy_4", "1") "," TARGET("gwy_5", "1") "]}"},
	{"route", "rte_11", PLAN_ROUTE("pln_1", "49", "1",
				       "\"tags\":[\"gold\"],",
				       TARGET("gwy_6", "1") ","
				       TARGET("gwy_4", "2") ","
				       TARGET("gwy_7", "2"))},
	{"route", "rte_12", PLAN_ROUTE("pln_1", "49", "2", "",
				       "{\"group_id\":\"cgr_1\","
				       "\"priority\":1,\"weight\":10},"
				       TARGET("gwy_6", "2"))},
	{"route", "rte_13", PLAN_ROUTE("pln_1", "44", "1", "",
				       TARGET("gwy_7", "1") ","
				       TARGET("gwy_4", "2") ","
				       TARGET("gwy_6", "3"))},
	{"route", "rte_21", PLAN_ROUTE("pln_2", "4", "1", "",
				       TARGET("gwy_4", "1") ","
				       TARGET("gwy_5", "1") ","
				       TARGET("gwy_6", "1") ","
				       TARGET("gwy_7", "1"))},
	/* until half a minute after the start of a run (world.c) */
	{"route", "rte_31", PLAN_ROUTE("pln_3", "49", "1",
				       "\"valid_to_ms\":1795000030000,",
				       TARGET("gwy_6", "1") ","
				       TARGET("gwy_5", "1"))},
	{"route", "rte_32", PLAN_ROUTE("pln_3", "4", "1", "",
				       TARGET("gwy_4", "1") ","
				       TARGET("gwy_6", "2"))},
};

/* Only in worlds where somebody is asked */
static const struct row decision_urls[] = {
	{"decision_url", "dcu_1", DECISION("did_id", "did_1", "800",
	 "[\"busy\",\"unreachable\",\"rejected\",\"failure\"]",
	 "\"forward\",\"fallback_number\":\"+4930555\"")},
	{"decision_url", "dcu_2", DECISION("trunk_id", "trk_2", "400",
	 "[\"unconditional\",\"unreachable\"]", "\"continue\"")},
	{"decision_url", "dcu_3", DECISION("trunk_id", "trk_3", "3000",
	 "[\"busy\",\"no_answer\",\"unreachable\",\"rejected\","
	 "\"failure\"]", "\"refuse\"")},
	{"decision_url", "dcu_4", DECISION("trunk_id", "trk_1", "1000",
	 "[\"no_answer\",\"busy\"]",
	 "\"forward\",\"fallback_trunk_id\":\"trk_3\"")},
};

/* What an administrator may do while calls are up; each is undone later by
   drawing its row above again. */
static const struct row changes[] = {
	{"trunk", "trk_1", TRUNK("ten_1", "acc_1", SUSPENDED, TRUNK_1)},
	{"trunk", "trk_3", TRUNK("ten_1", "acc_1", ACTIVE, TRUNK_3)},
	{"trunk", "trk_3", NULL},
	{"tenant", "ten_2", TEN_2 SUSPENDED "}"},
	{"gateway", "gwy_4", GATEWAY("car_1", "10.2.0.5", "5060", ACTIVE,
				     ",\"channels\":1")},
	{"gateway", "gwy_6", NULL},
	{"gateway", "gwy_7", GATEWAY("car_2", "10.2.0.7", "5060", SUSPENDED,
				     "")},
	{"forward", "fwd_1", NULL},
	{"forward", "fwd_3", NULL},
	{"route", "rte_1", NULL},
	{"route", "rte_12", NULL},
	{"carrier_group", "cgr_1", NULL},
	{"number_list", "nls_3", LIST("tag", "calling", "\"gold\"", "")},
	{"did", "did_2", NULL},
	{"rate_deck", "dck_sell", NULL},
	{"credential", "cre_1", NULL},
};


static int put(struct world *w, const struct row *row)
{
	json_t *json = row->json ? json_loads(row->json, 0, NULL) : NULL;
	char why[256] = "not JSON";
	int err;

	if (!w->climate.has_plans)
		(void)json_object_del(json, "routing_plan_id");
	if (json && !strcmp(row->kind, "tenant") &&
	    package_model_is_there(w->packages))
		(void)json_object_set_new(json, "offsets",
			json_pack("[[i,I]]", 0, (json_int_t)
				  package_model_east_s(w->packages)));
	err = row->json && !json
		      ? -1
		      : catalog_store_put(w->store, row->kind, row->id,
					  ++w->catalog_version, json, why,
					  sizeof(why));
	json_decref(json);
	if (err)
		world_fail(w, "catalog: %s %s: %s", row->kind, row->id, why);

	return err;
}


void catalog_model_row(struct world *w, const char *kind, const char *id,
		       const char *json)
{
	(void)put(w, &(struct row){kind, id, json});
}


void catalog_model_publish(struct world *w)
{
	struct snapshot *snap;

	if (catalog_store_publish(w->store, w->slot)) {
		world_fail(w, "the catalog cannot be built");
		return;
	}
	snap = snapshot_acquire(w->slot);
	worker_catalog(w->worker, &w->now, snap);
	snapshot_release(snap);
}


int catalog_model_put(struct world *w)
{
	int err;

	err = catalog_store_alloc(&w->store);
	err |= snapshot_slot_alloc(&w->slot);
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !err; i++)
		err = put(w, &rows[i]);
	for (size_t i = 0; i < ARRAY_SIZE(decision_urls) && !err &&
			   decision_model_is_there(w->decisions); i++)
		err = put(w, &decision_urls[i]);
	if (err)
		return err;

	plan_model_put(w);
	package_model_put(w);
	catalog_model_publish(w);

	return err;
}


static void put_back(struct world *w, const struct row *change)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].kind, change->kind) &&
		    !strcmp(rows[i].id, change->id))
			(void)put(w, &rows[i]);
	if (!strcmp(change->kind, "rate_deck"))
		plan_model_put_deck(w, change->id);
	catalog_model_publish(w);
}


static void change_over(struct world *w, void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;

	world_trace(w, "catalog: %s %s is back", changes[i].kind,
		    changes[i].id);
	put_back(w, &changes[i]);
}


void catalog_model_change(struct world *w, void *arg)
{
	const size_t i = draw(w, ARRAY_SIZE(changes));

	(void)arg;
	world_trace(w, "catalog: %s %s %s", changes[i].kind, changes[i].id,
		    changes[i].json ? "changes" : "goes");
	(void)put(w, &changes[i]);
	catalog_model_publish(w);
	world_after(w, draw_ms(w, 500, 20000), change_over,
		    (void *)(uintptr_t)i);
}


void catalog_model_calm(struct world *w)
{
	const struct row silent = {
		"gateway", "gwy_6",
		GATEWAY("car_2", "10.2.0.6", "5080", ACTIVE, ""),
	};

	(void)put(w, &silent);
	catalog_model_publish(w);
}
