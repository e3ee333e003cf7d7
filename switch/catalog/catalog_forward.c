/**
 * @file catalog_forward.c  What follows when a call is not taken: policies of
 * carriers, endpoints of trunks, forwards and decision URLs of numbers and
 * trunks. Their rows, their order, and looking them up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "catalog_build.h"
#include "catalog_forward.h"
#include "text.h"

#define SIP_PORT_DEFAULT 5060


static int disconnect_rule_decode(struct disconnect_rule *r,
				  const json_t *json)
{
	const char *action = json_string_value(json_object_get(json,
							       "action"));
	const json_t *text = json_object_get(json, "rewrite_reason");
	const json_int_t sip = json_integer_value(
		json_object_get(json, "sip_code"));
	const json_int_t q850 = json_integer_value(
		json_object_get(json, "q850"));
	const json_int_t code = json_integer_value(
		json_object_get(json, "rewrite_code"));

	if (!action || !sip == !q850 || (sip && (sip < 300 || sip > 699)) ||
	    q850 < 0 || q850 > 127 || (code && (code < 400 || code > 699)))
		return EINVAL;
	if (json_is_string(text) &&
	    text_copy(r->rewrite_reason, sizeof(r->rewrite_reason),
		      json_string_value(text)))
		return EINVAL;

	r->code = (uint16_t)(sip ? sip : q850);
	r->is_q850 = q850 != 0;
	r->is_next = !strcmp(action, "next");
	r->passes_reason = json_is_true(json_object_get(json, "pass_reason"));
	r->rewrite_code = (uint16_t)code;

	return 0;
}


int disconnect_decode(struct row_body *body, const json_t *json)
{
	const json_t *rules = json_object_get(json, "rules");

	for (uint16_t i = 0; i < body->disconnect.rule_n; i++) {
		if (disconnect_rule_decode(&body->rules[i],
					   json_array_get(rules, i)))
			return EINVAL;
	}

	return 0;
}


int endpoint_decode(struct row_body *body, const json_t *json)
{
	struct trunk_endpoint *e = &body->endpoint;
	const json_t *host = json_object_get(json, "host");
	const json_t *port = json_object_get(json, "port");
	const json_int_t n = json_is_integer(port) ? json_integer_value(port)
						   : SIP_PORT_DEFAULT;

	TEXT_FILL(e->owner, body->refs.trunk);
	e->is_registered = !json_is_string(host);
	if (e->is_registered)
		return 0;
	if (n < 1 || n > 65535)
		return EINVAL;

	return sa_set_str(&e->addr, json_string_value(host), (uint16_t)n)
		       ? EINVAL : 0;
}


int forward_decode(struct row_body *body, const json_t *json)
{
	const json_t *codes = json_object_get(json, "codes");
	struct forward_rule *f = &body->forward;
	const char *did = body->refs.did, *trunk = body->refs.trunk;

	if (!did[0] == !trunk[0] || !f->to_number[0] == !body->refs.to_trunk[0])
		return EINVAL;
	if (f->to_number[0] && !number_is_e164(f->to_number))
		return EINVAL;
	if (json_array_size(codes) > FORWARD_CODES_MAX)
		return EINVAL;

	TEXT_FILL(f->owner, did[0] ? did : trunk);
	for (size_t i = 0; i < json_array_size(codes); i++) {
		const char *text = json_string_value(json_array_get(codes, i));
		uint64_t n;

		if (!text || text_u64(&n, text, strlen(text), 699) || n < 400)
			return EINVAL;
		f->codes[f->code_n++] = (uint16_t)n;
	}

	return 0;
}


/* @return its bit, or 0 */
static uint8_t condition_find(const char *name)
{
	/* in the order of the bits */
	static const char *const names[] = {
		"unconditional", "busy", "no_answer", "unreachable",
		"rejected", "failure",
	};

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return (uint8_t)(1u << i);

	return 0;
}


int decision_url_decode(struct row_body *body, const json_t *json)
{
	const json_t *conditions = json_object_get(json, "conditions");
	struct decision_url *d = &body->decision_url;
	const struct row_refs *refs = &body->refs;
	const int targets = (d->to_number[0] != 0) + (refs->to_trunk[0] != 0);

	if (!refs->did[0] == !refs->trunk[0] || d->timeout_ms < 100 ||
	    targets != (d->fallback == FALLBACK_FORWARD) ||
	    (d->to_number[0] && !number_is_e164(d->to_number)))
		return EINVAL;

	TEXT_FILL(d->owner, refs->did[0] ? refs->did : refs->trunk);
	for (size_t i = 0; i < json_array_size(conditions); i++) {
		const uint8_t bit = condition_find(json_string_value(
			json_array_get(conditions, i)));

		if (!bit)
			return EINVAL;
		d->conditions |= bit;
	}

	return 0;
}


const char *endpoint_add(struct build *b, const struct row *row)
{
	if (!catalog_trunk(b->c, row->body->refs.trunk))
		return "trunk_id";
	if (row->body->is_active)
		b->c->endpoints[b->c->endpoint_n++] = row->body->endpoint;

	return NULL;
}


const char *forward_add(struct build *b, const struct row *row)
{
	const struct row_refs *refs = &row->body->refs;
	struct forward_rule f = row->body->forward;

	f.to_trunk = catalog_trunk(b->c, refs->to_trunk);
	if (refs->to_trunk[0] && !f.to_trunk)
		return "to_trunk_id";
	if (row->body->is_active)
		b->c->forwards[b->c->forward_n++] = f;

	return NULL;
}


const char *decision_url_add(struct build *b, const struct row *row)
{
	const struct row_refs *refs = &row->body->refs;
	struct decision_url d = row->body->decision_url;

	d.to_trunk = catalog_trunk(b->c, refs->to_trunk);
	if (refs->to_trunk[0] && !d.to_trunk)
		return "fallback_trunk_id";
	if (row->body->is_active)
		b->c->decision_urls[b->c->decision_url_n++] = d;

	return NULL;
}


static int endpoint_compare(const void *a, const void *b)
{
	const struct trunk_endpoint *x = a, *y = b;
	const int order = strcmp(x->owner, y->owner);

	return order ? order : (int)x->priority - (int)y->priority;
}


static int forward_compare(const void *a, const void *b)
{
	const struct forward_rule *x = a, *y = b;
	int order = strcmp(x->owner, y->owner);

	if (!order)
		order = (int)x->priority - (int)y->priority;

	return order ? order : strcmp(x->id, y->id);
}


static int decision_url_compare(const void *a, const void *b)
{
	const struct decision_url *x = a, *y = b;

	return strcmp(x->owner, y->owner);
}


void build_forward_order(struct catalog *c)
{
	qsort(c->endpoints, c->endpoint_n, sizeof(*c->endpoints),
	      endpoint_compare);
	qsort(c->forwards, c->forward_n, sizeof(*c->forwards),
	      forward_compare);
	qsort(c->decision_urls, c->decision_url_n, sizeof(*c->decision_urls),
	      decision_url_compare);
}


/* The first of n that is not before owner; each begins with its owner. */
static uint32_t first_of(const void *array, uint32_t n, size_t size,
			 const char *owner)
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		const uint32_t mid = lo + (hi - lo) / 2;

		if (strcmp((const char *)array + mid * size, owner) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}

	return lo;
}


const struct trunk_endpoint *catalog_endpoints(const struct catalog *c,
					       const char *trunk_id,
					       uint32_t *ret_n)
{
	const uint32_t at = first_of(c->endpoints, c->endpoint_n,
				     sizeof(*c->endpoints), trunk_id);
	uint32_t n = 0;

	while (at + n < c->endpoint_n &&
	       !strcmp(c->endpoints[at + n].owner, trunk_id))
		n++;

	*ret_n = n;

	return n ? &c->endpoints[at] : NULL;
}


const struct forward_rule *catalog_forwards(const struct catalog *c,
					    const char *owner,
					    uint32_t *ret_n)
{
	const uint32_t at = first_of(c->forwards, c->forward_n,
				     sizeof(*c->forwards), owner);
	uint32_t n = 0;

	while (at + n < c->forward_n &&
	       !strcmp(c->forwards[at + n].owner, owner))
		n++;

	*ret_n = n;

	return n ? &c->forwards[at] : NULL;
}


const struct decision_url *catalog_decision_url(const struct catalog *c,
						const char *owner)
{
	const uint32_t at = first_of(c->decision_urls, c->decision_url_n,
				     sizeof(*c->decision_urls), owner);

	return at < c->decision_url_n &&
			       !strcmp(c->decision_urls[at].owner, owner)
		       ? &c->decision_urls[at] : NULL;
}
