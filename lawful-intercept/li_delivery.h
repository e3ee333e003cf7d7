/**
 * @file li_delivery.h  The channels of all destinations: X2 and X3 each on a
 * connection of its own.
 */
#ifndef LI_DELIVERY_H
#define LI_DELIVERY_H
#include "li_registry.h"
#include "li_channel.h"
#include "li_settings.h"

struct li_delivery;

/** @param did  whose channel it is */
typedef void(li_delivery_h)(const uint8_t did[LI_UUID_SIZE],
			    enum li_product product, enum li_channel_event ev,
			    uint64_t n, const char *why, void *arg);

int li_delivery_open(struct li_delivery **dp, const struct li_settings *s,
		     const struct li_secret *secret, int epoll,
		     li_delivery_h *h, void *arg);

/** Destinations came, went or moved. @return 0, or errno of the last that
 *  could not be made */
int li_delivery_follow(struct li_delivery *d,
		       const struct li_registry *registry);

/** @return false: there is no such channel */
bool li_delivery_put(struct li_delivery *d, const uint8_t did[LI_UUID_SIZE],
		     enum li_product product, const uint8_t *pdu, size_t len);

void li_delivery_run(struct li_delivery *d, uint64_t now_ms);

#endif
