/**
 * @file catalog_publish.c  The newest rows become the catalog that the next
 * call reads.
 */
#include "catalog_data.h"
#include "catalog_store_data.h"
#include "log.h"
#include "metric.h"


int catalog_store_publish(struct catalog_store *s, struct snapshot_slot *slot)
{
	struct catalog *c;
	int err;

	err = catalog_build(&c, s);
	if (err)
		return err;

	err = snapshot_publish(slot, c, c->version, catalog_free);
	if (err) {
		catalog_free(c);
		return err;
	}

	metric_set(metric_gauge("strowger_catalog_version", NULL,
				"version of the newest published catalog"),
		   (int64_t)s->version);
	log_event(LOG_INFO, "catalog", "publish",
		  "version=%llu tenants=%u accounts=%u trunks=%u dids=%u "
		  "gateways=%u routes=%u decks=%u",
		  (unsigned long long)c->version, c->tenant_n, c->account_n,
		  c->trunk_n, c->did_n, c->gateway_n, c->route_n, c->deck_n);

	return 0;
}
