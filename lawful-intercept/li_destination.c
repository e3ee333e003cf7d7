/**
 * @file li_destination.c  Destinations out of X1's XML.
 */
#include "li_destination.h"
#include <errno.h>
#include <string.h>
#include "rng.h"
#include "text.h"
#include "x1_schema.h"


static void destination_destructor(void *arg)
{
	struct li_destination *d = arg;

	list_unlink(&d->le);
	mem_deref(d->details);
}


static int refuse(struct li_refusal *why, int code, const char *what)
{
	why->code = code;
	why->what = what;

	return ENOTSUP;
}


static int address_read(struct li_destination *d,
			const struct li_xml_node *details,
			struct li_refusal *why)
{
	const struct li_xml_node *arm =
		li_xml_child(details, "deliveryAddress")->child;
	const struct li_xml_node *ip, *port;
	char ip_text[64], port_text[16];
	uint64_t number;

	if (strcmp(arm->name, "ipAddressAndPort"))
		return refuse(why, 6020, "unsupported delivery address");
	ip = arm->child->child;
	port = arm->child->next->child;
	if (strcmp(port->name, "TCPPort"))
		return refuse(why, 6020, "delivery is over TCP");

	if (li_xml_collapse(ip_text, sizeof(ip_text), ip->text) ||
	    li_xml_collapse(port_text, sizeof(port_text), port->text) ||
	    text_u64(&number, port_text, strlen(port_text), 65535) ||
	    sa_set_str(&d->address, ip_text, (uint16_t)number))
		return EBADMSG;

	return 0;
}


int li_destination_make(struct li_destination **dp,
			const struct li_xml_node *details,
			struct li_refusal *ret_why)
{
	struct li_destination *d =
		mem_zalloc(sizeof(*d), destination_destructor);
	struct mbuf *mb = mbuf_alloc(512);
	char text[64];
	int err = d && mb ? 0 : ENOMEM;

	if (err)
		goto out;

	d->owner = LI_OWNER_ADMF;
	li_xml_text(details, "dId", text, sizeof(text));
	err = uuid_parse(d->did, text);
	li_xml_text(details, "deliveryType", text, sizeof(text));
	d->products = !strcmp(text, "X2Only")   ? LI_X2
		      : !strcmp(text, "X3Only") ? LI_X3
						: LI_X2 | LI_X3;
	if (!err && li_xml_child(details, "destinationDetailsExtensions"))
		err = refuse(ret_why, 6000, "unsupported extension");
	err = err ? err : address_read(d, details, ret_why);
	err = err ? err : li_xml_write(mb, details);
	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, &d->details, mb->end);
	}

 out:
	mem_deref(mb);
	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}


json_t *li_destination_json(const struct li_destination *d)
{
	return json_pack("{si ss}", "owner", (int)d->owner, "details",
			 d->details);
}


static int load(struct li_destination **dp, json_t *j)
{
	struct mbuf *mb = NULL;
	struct li_xml *x = NULL;
	struct li_refusal why;
	const char *details, *where;
	int owner, err;

	if (json_unpack(j, "{si ss}", "owner", &owner, "details", &details) ||
	    owner < LI_OWNER_ADMF || owner > LI_OWNER_OFFICER)
		return EBADMSG;

	mb = mbuf_alloc(512);
	err = mb ? mbuf_printf(mb, "<x xmlns=\"%s\" xmlns:c=\"%s\">%s</x>",
			       LI_XML_X1, LI_XML_COMMON, details)
		 : ENOMEM;
	err = err ? err : li_xml_parse(&x, (const char *)mb->buf, mb->end);
	mem_deref(mb);
	if (err)
		return err;

	err = x1_schema_destination(li_xml_root(x)->child, &where)
		      ? EBADMSG
		      : li_destination_make(dp, li_xml_root(x)->child, &why);
	mem_deref(x);
	if (!err)
		(*dp)->owner = (enum li_owner)owner;

	return err;
}


int li_destination_load(struct li_destination **dp, const char *json)
{
	json_t *j = json_loads(json, 0, NULL);
	int err = j ? load(dp, j) : EBADMSG;

	json_decref(j);

	return err;
}
