/**
 * @file endpoint.c  A sequence of datagrams and pauses into one endpoint whose
 * owner answers everything. Input: records of a two-byte head - the low 12
 * bits are the length, the high 4 the pause before it - and the datagram.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <re.h>
#include "endpoint.h"
#include "transaction_client.h"
#include "transaction_server.h"

#define PAUSE_MS 3000
#define STEP_MS 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A branch that the corpus can answer. */
static const char branch[] = "z9hG4bKfuzz";

static struct {
	struct wheel *wheel;
	struct rng *rng;
	struct token_mint *mint;
	struct sip_endpoint *ep;
	struct sip_binding binding;
	struct sip_path path;
	struct moment now;
	struct client_tx *client;
} world;


static int send_handler(const struct sip_path *path, const uint8_t *buf,
			size_t len, void *arg)
{
	(void)path;
	(void)arg;

	return len && buf[0] == 0 ? EINVAL : 0;
}


static void cancel_handler(struct server_tx *tx, const struct sip_msg *cancel,
			   void *arg)
{
	(void)cancel;
	(void)arg;

	(void)server_tx_reply(tx, 487, "Request Terminated", NULL, NULL, NULL,
			      0, NULL);
}


static void dialog_handler(struct server_tx *tx, const struct sip_msg *msg,
			   const struct sip_path *path, void *arg)
{
	(void)path;
	(void)arg;

	if (tx && (msg->cseq.num & 1))
		(void)server_tx_reply(tx, 200, "OK", NULL, NULL, NULL, 0,
				      NULL);
}


static void request_handler(const struct sip_msg *msg,
			    const struct sip_path *path, void *arg)
{
	struct server_tx *tx;

	(void)arg;

	if (msg->cseq.num % 5 == 0) {
		(void)endpoint_reply(world.ep, msg, path, 404, "Not Found",
				     NULL);
		return;
	}

	if (server_tx_start(&tx, world.ep, msg, path, cancel_handler, NULL))
		return;

	if (msg->cseq.num % 5 < 4)
		(void)server_tx_reply(tx, (uint16_t)(100 * (1 + msg->cseq.num
				      % 5)), "X", NULL, NULL, NULL, 0, NULL);

	mem_deref(tx);
}


/* Of a request, with octets that are there, whatever came. */
static void outside_handler(const struct sip_msg *request,
			    const struct sip_path *path, int dir,
			    const uint8_t *buf, size_t len, void *arg)
{
	(void)arg;

	if (!request->req || !pl_isset(&request->callid) ||
	    sa_is_any(&path->peer) || (dir != 0 && dir != 1) ||
	    !memchr(buf, '\n', len))
		abort();
}


static void answer_handler(struct client_tx *tx, int err,
			   const struct sip_msg *msg, void *arg)
{
	(void)arg;

	if (err || msg->scode >= 300)
		world.client = mem_deref(world.client);
	else if (msg->scode == 183)
		client_tx_cancel(tx, "Q.850;cause=16");
}


static void client_open(void)
{
	char text[512];
	const int n = re_snprintf(text, sizeof(text),
		"INVITE sip:b@c SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.9:5060;branch=%s\r\n"
		"From: <sip:a@s>;tag=f\r\nTo: <sip:b@c>\r\nCall-ID: f\r\n"
		"CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", branch);

	if (client_tx_start(&world.client, world.ep, &world.path, "INVITE",
			    branch, (uint8_t *)text, (size_t)n,
			    answer_handler, NULL, NULL))
		abort();
}


static void world_open(void)
{
	static const uint8_t key[16] = "fuzz";
	struct sip_endpoint_config cfg = {
		.transactions_max = 20,
		.server_name = "fuzz",
		.sendh = send_handler,
		.requesth = request_handler,
		.outsideh = outside_handler,
	};

	memset(&world, 0, sizeof(world));
	world.path.transport = SIP_TRANSP_UDP;
	(void)sa_set_str(&world.path.local, "192.0.2.9", 5060);
	(void)sa_set_str(&world.path.peer, "192.0.2.1", 5060);

	if (wheel_alloc(&world.wheel, 0) || rng_seeded(&world.rng, 1) ||
	    token_mint_alloc(&world.mint, key, 1, 1))
		abort();

	cfg.wheel = world.wheel;
	cfg.rng = world.rng;
	cfg.mint = world.mint;
	if (endpoint_alloc(&world.ep, &cfg))
		abort();

	endpoint_bind(world.ep, &world.binding, "ours", dialog_handler, NULL);
	client_open();
}


static void pause_for(unsigned ms)
{
	for (; ms; ms -= STEP_MS) {
		world.now.mono_us += STEP_MS * 1000;
		endpoint_now(world.ep, &world.now);
		(void)wheel_advance(world.wheel, moment_ms(&world.now), 0);
	}
}


/** After Timer C and what follows it, nothing may be left. */
static void world_close(void)
{
	struct endpoint_census census;

	world.client = mem_deref(world.client);
	pause_for(400000);
	endpoint_census(world.ep, &census);
	if (census.server_tx || census.client_tx || census.bytes_kept)
		abort();

	endpoint_unbind(world.ep, &world.binding);
	mem_deref(world.ep);
	if (wheel_pending(world.wheel))
		abort();

	mem_deref(world.mint);
	mem_deref(world.rng);
	mem_deref(world.wheel);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	world_open();

	while (size > 2) {
		const unsigned head = (unsigned)data[0] << 8 | data[1];
		size_t len = head & 0xfff;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;

		pause_for((head >> 12) * PAUSE_MS);
		endpoint_unreachable(world.ep, &world.now, &world.path, data,
				     len, ECONNREFUSED);
		endpoint_recv(world.ep, &world.now, &world.path, data, len);
		data += len;
		size -= len;
	}

	world_close();

	return 0;
}
