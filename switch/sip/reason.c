/**
 * @file reason.c  The Reason header (RFC 3326) with Q.850 causes.
 */
#include "message.h"
#include "reason.h"
#include "text.h"

struct finding {
	char *text;
	size_t size;
	uint8_t q850;
	bool has_text;
};


static bool is_printable(const struct pl *pl)
{
	size_t i;

	for (i = 0; i < pl->l; i++) {
		if ((unsigned char)pl->p[i] < ' ' || pl->p[i] == 0x7f)
			return false;
	}

	return true;
}


static uint8_t q850_cause(const struct pl *val)
{
	struct pl protocol, params, cause;
	uint64_t n;

	if (re_regex(val->p, val->l, "[^; \t]+[ \t]*[^]*", &protocol, NULL,
		     &params))
		return 0;
	if (pl_strcasecmp(&protocol, "Q.850"))
		return 0;
	if (msg_param_decode(&params, "cause", &cause))
		return 0;

	return text_u64(&n, cause.p, cause.l, 127) ? 0 : (uint8_t)n;
}


static bool value_handler(const struct sip_hdr *hdr,
			  const struct sip_msg *msg, void *arg)
{
	struct finding *f = arg;
	(void)msg;

	if (!f->has_text && is_printable(&hdr->val)) {
		(void)text_set(f->text, f->size, hdr->val.p, hdr->val.l);
		f->has_text = true;
	}

	f->q850 = q850_cause(&hdr->val);
	return f->q850 != 0;
}


uint8_t reason_read(const struct sip_msg *msg, char *text, size_t size)
{
	struct finding f = {.text = text, .size = size};

	text[0] = '\0';
	sip_msg_hdr_apply(msg, true, SIP_HDR_REASON, value_handler, &f);
	return f.q850;
}


int reason_value(char *buf, size_t size, uint8_t q850, const char *text)
{
	char quoted[128];
	int err;

	if (!str_isset(text))
		return text_format(buf, size, "Q.850;cause=%u", q850);

	err = message_quote(quoted, sizeof(quoted), text);
	if (err)
		return err;

	return text_format(buf, size, "Q.850;cause=%u;text=%s", q850, quoted);
}
