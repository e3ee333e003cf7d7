/**
 * @file message.c  One message: guard, decoder, and every question that the
 * switch asks of it; then an answer to it, which must be a message again.
 */
#include <stdlib.h>
#include <string.h>
#include <re.h>
#include "guard.h"
#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static struct sip_path path_make(void)
{
	struct sip_path path = {.transport = SIP_TRANSP_UDP};

	(void)sa_set_str(&path.local, "192.0.2.9", 5060);
	(void)sa_set_str(&path.peer, "192.0.2.1", 40000);

	return path;
}


static void read_all(const struct sip_msg *msg)
{
	static const char *const names[] = {"Via", "Contact", "Supported",
					    "Reason", "X-Unknown", "Expires"};
	char text[64], quoted[64];
	const uint8_t *sdp;
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		(void)message_header(msg, names[i]);
		(void)message_lists(msg, names[i], "timer");
	}

	(void)message_is(msg, "INVITE");
	if (!message_sdp(msg, &sdp, &len) &&
	    (len == 0 || sdp < msg->mb->buf ||
	     sdp + len > msg->mb->buf + msg->mb->end))
		abort();

	if (!message_user(&msg->from.uri.user, text, sizeof(text)))
		(void)message_quote(quoted, sizeof(quoted), text);
}


/** What we answer must pass our own guard; values of one line may have become
 *  lines of their own. */
static void answer_check(const struct mbuf *mb)
{
	enum guard_verdict v;
	size_t len;

	v = guard_check(mb->buf, mb->end, &len);
	if (v != GUARD_OK && v != GUARD_TOO_MANY_HEADERS &&
	    v != GUARD_TOO_LONG)
		abort();
}


static void answer(const struct sip_msg *msg, const struct sip_path *path)
{
	struct mbuf *mb = mbuf_alloc(512);
	struct sip_path to;

	if (!mb)
		return;

	message_reply_path(msg, path, &to);
	if (!sa_cmp(&to.peer, &path->peer, SA_ADDR))
		abort();

	if (!message_reply(mb, msg, path, 200, "OK", "tag", "text/plain",
			   (const uint8_t *)"x", 1, "X-A: %d\r\n", 1))
		answer_check(mb);

	mbuf_rewind(mb);
	(void)message_derive(mb, msg->mb->buf, msg->mb->end, "ACK",
			     &msg->to.val, NULL);
	mem_deref(mb);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sip_path path = path_make();
	struct sip_msg *msg = NULL;
	int verdict;

	if (message_decode(&msg, &path, data, size, &verdict))
		return 0;

	read_all(msg);
	if (msg->req)
		answer(msg, &path);

	mem_deref(msg);

	return 0;
}
