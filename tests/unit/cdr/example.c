/**
 * @file example.c  Calls for the tests of the journal and the ledger.
 */
#include <stdio.h>
#include <string.h>
#include "example.h"

#define SET(field, text) snprintf(field, sizeof(field), "%s", text)

static const struct tariff tariff = {.rate_per_min_nano = 12500000,
				     .first_ms = 60000, .next_ms = 6000};


uint64_t example_salt = 1;


void example_call_id(uint8_t call_id[16], uint32_t n)
{
	memset(call_id, 0x11, 16);
	memcpy(call_id, &n, sizeof(n));
	memcpy(call_id + 8, &example_salt, sizeof(example_salt));
}


static void attempt_init(struct cdr *cdr, const struct cdr *call,
			 int64_t attempt)
{
	*cdr = *call;
	cdr->attempt = attempt;
	SET(cdr->carrier_id, attempt == 1 ? "car_1" : "car_2");
	SET(cdr->called_sent, "0049301234567");
}


void example_begin(struct cdr_call *call, uint32_t n)
{
	struct cdr *cdr = &call->call;

	memset(call, 0, sizeof(*call));
	cdr_init(cdr);
	cdr->started_at = EXAMPLE_STARTED_MS + n;
	example_call_id(cdr->call_id, n);
	cdr->attempt = 0;
	SET(cdr->node, "n1");
	SET(cdr->direction, "outbound");
	SET(cdr->tenant_id, "ten_1");
	SET(cdr->account_id, "acc_1");
	SET(cdr->calling, "+493012345");
	SET(cdr->called, "+49301234567");
	SET(cdr->a_user_agent, "line one\nline \"two\"\t\\ \xff\xc3\xa4");
}


static void charge_init(struct cdr_charge *c, enum charge_side side)
{
	c->side = (uint8_t)side;
	price_set(&c->price, &tariff, (struct rounding){ROUND_UP, 4, 0, 0});
	c->deck_version = 3;
	c->lease_epoch = 7;
	SET(c->currency, "EUR");
	SET(c->deck_id, side == CHARGE_SELL ? "deck_sell" : "deck_buy");
	SET(c->prefix, "4930");
	SET(c->destination, "Germany \"Berlin\"");
	if (side == CHARGE_SELL) {
		SET(c->account_id, "acc_1");
	}
	else {
		SET(c->carrier_id, "car_2");
		c->attempt = 2;
	}
}


void example_answer(struct cdr_call *call, uint32_t n)
{
	example_begin(call, n);

	call->attempt_n = 2;
	attempt_init(&call->attempts[0], &call->call, 1);
	attempt_init(&call->attempts[1], &call->call, 2);
	call->attempts[0].ended_at = call->call.started_at + 200;
	SET(call->attempts[0].outcome, "carrier_failed");

	call->call.answered_at = call->call.started_at + 3000;
	call->attempts[1].answered_at = call->call.answered_at;
	SET(call->call.currency, "EUR");

	call->charge_n = 2;
	charge_init(&call->charges[0], CHARGE_SELL);
	charge_init(&call->charges[1], CHARGE_BUY);
}


void example_end(struct cdr_call *call, uint32_t n)
{
	uint32_t i;

	example_answer(call, n);
	call->call.duration_ms = 61000;
	call->call.ended_at = call->call.answered_at + 61000;
	SET(call->call.outcome, "ok");
	SET(call->call.initiator, "caller");
	call->call.sip_code = 200;
	call->call.q850 = 16;
	call->call.price_micro = 13800;
	call->attempts[1].duration_ms = 61000;
	call->attempts[1].ended_at = call->call.ended_at;
	SET(call->attempts[1].outcome, "ok");

	for (i = 0; i < call->charge_n; i++) {
		call->charges[i].amount_micro = 13800;
		call->charges[i].billed_ms = 66000;
	}
}
