/**
 * @file catalog.c  Bench: a catalog of 10 000 trunks, 100 000 numbers and a
 * deck of 300 000 rates; how long it takes to build again after one change,
 * and what a lookup costs.
 */
#include "json.h"
#include <stdlib.h>
#include <string.h>
#include "catalog_store.h"
#include "moment.h"
#include "text.h"

#define TRUNKS 10000
#define DIDS 100000
#define RATES 300000
#define LOOKUPS 1000000

static struct catalog_store *store;
static struct snapshot_slot *slot;


static void put(const char *kind, const char *id, json_t *row)
{
	char why[128];

	if (catalog_store_put(store, kind, id, 1, row, why, sizeof(why))) {
		(void)fprintf(stderr, "bench_catalog: %s: %s\n", id, why);
		exit(1);
	}
	json_decref(row);
}


static void fill_trunks(void)
{
	char id[ID_SIZE], address[32];
	int i;

	for (i = 0; i < TRUNKS; i++) {
		(void)text_format(id, sizeof(id), "trk_%06d", i);
		put("trunk", id, json_pack("{ssssssss}", "tenant_id", "ten_1",
					   "account_id", "acc_1",
					   "rate_deck_id", "dck_1", "status",
					   "active"));
		(void)text_format(address, sizeof(address), "10.0.%d.%d",
				  i / 250, i % 250);
		put("address", id, json_pack("{ssss}", "trunk_id", id, "cidr",
					     address));
	}
}


static void fill(void)
{
	struct rate rate = {.tariff = {.rate_per_min_nano = 12000000,
				       .first_ms = 1000,
				       .next_ms = 1000},
			    .to_ms = INT64_MAX};
	char id[ID_SIZE], trunk[ID_SIZE], e164[E164_SIZE];
	int i;

	put("tenant", "ten_1", json_pack("{ss}", "status", "active"));
	put("account", "acc_1",
	    json_pack("{ssssssss}", "tenant_id", "ten_1", "currency", "EUR",
		      "status", "active", "type", "prepaid"));
	put("rate_deck", "dck_1", json_pack("{sssssi}", "currency", "EUR",
					    "status", "active",
					    "rate_version", 1));
	for (i = 0; i < RATES; i++) {
		(void)text_format(rate.prefix, sizeof(rate.prefix), "%d",
				  100000 + i);
		(void)catalog_store_put_rate(store, "dck_1", &rate);
	}
	fill_trunks();
	for (i = 0; i < DIDS; i++) {
		(void)text_format(id, sizeof(id), "did_%06d", i);
		(void)text_format(trunk, sizeof(trunk), "trk_%06d",
				  i % TRUNKS);
		(void)text_format(e164, sizeof(e164), "+4930%06d", i);
		put("did", id, json_pack("{ssssss}", "e164", e164, "trunk_id",
					 trunk, "status", "active"));
	}
}


static void say(const char *label, const char *work, double value,
		const char *unit, bool json)
{
	if (json)
		(void)printf("{\"label\":\"%s\",\"work\":\"%s\","
			     "\"cpu_%s\":%.1f}\n",
			     label, work, unit, value);
	else
		(void)printf("%-16s %-40s %10.1f %s\n", label, work, value,
			     unit);
}


static double publish_ms(void)
{
	const uint64_t begin = moment_cpu_ns();

	if (catalog_store_publish(store, slot))
		exit(1);

	return (double)(moment_cpu_ns() - begin) / 1e6;
}


static double did_ns(const struct catalog *c)
{
	const uint64_t begin = moment_cpu_ns();
	char e164[E164_SIZE];
	uint32_t r = 1, i, missed = 0;

	for (i = 0; i < LOOKUPS; i++) {
		r = r * 1664525 + 1013904223;
		(void)text_format(e164, sizeof(e164), "+4930%06u",
				  (r >> 8) % DIDS);
		missed += !catalog_did(c, e164);
	}

	return missed ? 0.0 : (double)(moment_cpu_ns() - begin) / LOOKUPS;
}


static double peer_ns(const struct catalog *c)
{
	const uint64_t begin = moment_cpu_ns();
	uint32_t r = 1, i, missed = 0;
	struct sa sa;

	sa_init(&sa, AF_INET);
	for (i = 0; i < LOOKUPS; i++) {
		r = r * 1664525 + 1013904223;
		sa_set_in(&sa, 0x0a000000 + (r >> 8) % 40 * 256 +
			       (r >> 20) % 250, 5060);
		missed += !catalog_peer(c, &sa).trunk;
	}

	return missed ? 0.0 : (double)(moment_cpu_ns() - begin) / LOOKUPS;
}


int main(int argc, char *argv[])
{
	const bool json = argc > 1 && !strcmp(argv[1], "--json");
	struct snapshot *snap;
	double first, again;

	if (catalog_store_alloc(&store) || snapshot_slot_alloc(&slot))
		return 1;

	fill();
	first = publish_ms();
	put("tenant", "ten_2", json_pack("{ss}", "status", "active"));
	again = publish_ms();
	snap = snapshot_acquire(slot);

	say("publish_first", "300000 rates into a deck as well", first, "ms",
	    json);
	say("publish_again", "one row changed, the deck is shared", again,
	    "ms", json);
	say("did_lookup", "one of 100000, its text made as well",
	    did_ns(snapshot_data(snap)), "ns", json);
	say("peer_lookup", "one of 10000 addresses",
	    peer_ns(snapshot_data(snap)), "ns", json);

	snapshot_release(snap);
	snapshot_slot_free(slot);
	mem_deref(store);

	return 0;
}
