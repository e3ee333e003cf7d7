/**
 * @file identity.c  Fuzz: the headers that say who calls and who forwarded.
 */
#include <stdlib.h>
#include <string.h>
#include "diversion.h"
#include "identity.h"

#define VALUE_MAX 8000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* Whatever was read is written in one line, and is read again as it was. */
static void forwarded_check(const struct sip_msg *msg, struct mbuf *mb)
{
	struct diversion list[DIVERSIONS_MAX];
	const size_t n = diversion_read(list, msg);

	if (n > DIVERSIONS_MAX)
		abort();

	mbuf_rewind(mb);
	if (!n)
		return;
	if (diversion_print_history(mb, list, n, "+49", "h.example"))
		abort();
	if (memchr(mb->buf, '\n', mb->end) != mb->buf + mb->end - 1 ||
	    memchr(mb->buf, '\0', mb->end))
		abort();
}


static void who_check(const struct sip_msg *msg)
{
	struct identity id;

	for (int h = IDENTITY_HEADER_FROM; h <= IDENTITY_HEADER_RPID; h++) {
		const int err = identity_read(&id, msg,
					      (enum identity_header)h);

		if (!err != (id.number[0] != '\0') ||
		    memchr(id.number, '\0', sizeof(id.number)) == NULL ||
		    strpbrk(id.number, "\r\n"))
			abort();
	}
	(void)privacy_hides_number(privacy_read(msg));
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_msg *msg;
	struct mbuf *mb;

	if (!size || size > VALUE_MAX)
		return 0;

	mb = mbuf_alloc(1024);
	if (!mb || mbuf_printf(mb, "INVITE sip:a.b SIP/2.0\r\n"
			       "From: <sip:1@x>;tag=1\r\n%b\r\n\r\n", data,
			       size))
		abort();

	mb->pos = 0;
	if (!sip_msg_decode(&msg, mb)) {
		struct mbuf *out = mbuf_alloc(512);

		if (!out)
			abort();
		who_check(msg);
		forwarded_check(msg, out);
		mem_deref(out);
		mem_deref(msg);
	}
	mem_deref(mb);

	return 0;
}
