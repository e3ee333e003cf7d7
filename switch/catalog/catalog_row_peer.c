/** @file catalog_row_peer.c  See catalog_row_peer.h. */
#include <errno.h>
#include <string.h>
#include "json.h"
#include "catalog_row_number.h"
#include "catalog_row_peer.h"
#include "text.h"


int tenant_decode(struct row_body *body, const json_t *json)
{
	const json_t *offsets = json_object_get(json, "offsets");
	struct day_clock *clock = &body->tenant.clock;

	if (json_array_size(offsets) &&
	    schedule_offsets_decode(clock->offsets, &clock->n, offsets))
		return EINVAL;

	return number_lists_decode(body, json);
}


int realm_decode(struct row_body *body, const json_t *json)
{
	static const char *const names[HA1_N] = {"MD5", "SHA-256",
						 "SHA-512-256"};
	const json_t *list = json_object_get(json, "algorithms");
	struct realm *realm = &body->realm;
	uint8_t a;
	size_t i;

	if (!json_array_size(list) || json_array_size(list) > HA1_N)
		return EINVAL;

	for (i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		for (a = 0; a < HA1_N && name; a++) {
			if (!strcmp(name, names[a]))
				break;
		}
		if (!name || a == HA1_N)
			return EINVAL;
		realm->algorithms[realm->algorithm_n++] = a;
	}

	return 0;
}


/** "192.0.2.0/24", "2001:db8::/32", "192.0.2.1" */
int address_decode(struct row_body *body, const json_t *json)
{
	const char *text = json_string_value(json_object_get(json, "cidr"));
	struct address *a = &body->address;
	uint64_t bits, max;
	char host[64];
	struct sa sa;
	size_t len;

	if (!text)
		return EINVAL;

	len = strcspn(text, "/");
	if (text_set(host, sizeof(host), text, len) ||
	    sa_set_str(&sa, host, 0) || !address_set(a->net, &sa))
		return EINVAL;

	max = sa_af(&sa) == AF_INET ? 32 : 128;
	bits = max;
	if (text[len] &&
	    text_u64(&bits, text + len + 1, strlen(text + len + 1), max))
		return EINVAL;

	a->bits = (uint8_t)(bits + 128 - max);
	address_mask(a->net, a->bits);

	return !body->refs.trunk[0] == !body->refs.gateway[0] ? EINVAL : 0;
}


/* Digits that a number after a 3xx may begin with */
static int redirect_decode(struct gateway *gw, const json_t *list)
{
	const size_t n = json_array_size(list);

	if (n > REDIRECT_PREFIXES_MAX)
		return EINVAL;

	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		char *prefix = gw->redirect_prefixes[i];

		if (!text || !text_is_digits(text) ||
		    text_copy(prefix, sizeof(gw->redirect_prefixes[i]), text))
			return EINVAL;
	}
	gw->redirect_prefix_n = (uint8_t)n;

	return 0;
}


int gateway_decode(struct row_body *body, const json_t *json)
{
	const char *host = json_string_value(json_object_get(json, "address"));
	const json_t *port = json_object_get(json, "port");
	json_int_t n = json_is_integer(port) ? json_integer_value(port) : 5060;

	if (!host || n < 1 || n > 65535 ||
	    redirect_decode(&body->gateway,
			    json_object_get(json, "redirect_prefixes")) ||
	    policy_decode(&body->gateway.numbers, body, json))
		return EINVAL;

	return sa_set_str(&body->gateway.addr, host, (uint16_t)n) ? EINVAL : 0;
}
