/**
 * @file leg_identity.c  The headers of our INVITE that say who calls and who
 * forwarded: PAI, PPI (RFC 3325), Remote-Party-ID, Diversion (RFC 5806),
 * History-Info (RFC 7044).
 */
#include <errno.h>
#include <string.h>
#include "leg_private.h"


static int uri_print(struct mbuf *mb, const struct leg_out *out,
		     const char *number, const char *host)
{
	struct pl user;

	/* a local number would need a phone-context (RFC 3966 5.1.5) */
	if (out->is_tel && number[0] == '+')
		return mbuf_printf(mb, "<tel:%s>", number);

	pl_set_str(&user, number);
	return mbuf_printf(mb, "<sip:%H@%s>", uri_user_escape, &user, host);
}


static int line_print(struct mbuf *mb, const struct leg_out *out,
		      const char *name, const char *number, const char *host,
		      const char *params)
{
	int err;

	if (!number[0])
		return 0;

	err = mbuf_printf(mb, "%s: ", name);
	err |= uri_print(mb, out, number, host);
	err |= mbuf_printf(mb, "%s\r\n", params);

	return err;
}


static int rpid_print(struct mbuf *mb, const struct leg_out *out,
		      const char *host)
{
	return line_print(mb, out, "Remote-Party-ID", out->rpid, host,
			  out->is_private
				  ? ";party=calling;screen=yes;privacy=full"
				  : ";party=calling;screen=yes;privacy=off");
}


static int forwarded_print(struct mbuf *mb, const struct leg_out *out,
			   const char *host)
{
	int err = 0;

	if (out->sends_diversion)
		err = diversion_print(mb, out->diversions, out->diversion_n,
				      host);
	if (!err && out->sends_history)
		err = diversion_print_history(mb, out->diversions,
					      out->diversion_n, out->to_user,
					      host);

	return err;
}


int leg_identity_print(struct mbuf *mb, const struct leg_out *out)
{
	const char *host = out->identity_host[0] ? out->identity_host
						 : out->contact_host;
	int err;

	err = line_print(mb, out, "P-Asserted-Identity", out->pai, host, "");
	err |= line_print(mb, out, "P-Preferred-Identity", out->ppi, host, "");
	err |= rpid_print(mb, out, host);
	if (!err && out->is_private)
		err = mbuf_printf(mb, "Privacy: id%s\r\n",
				  out->is_critical ? ";critical" : "");
	if (!err)
		err = forwarded_print(mb, out, host);

	return err;
}
