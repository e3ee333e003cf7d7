/**
 * @file tests/unit/lawful-intercept/li_xml.c  What X1 needs of XML is read,
 * what it does not need is refused.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "li_xml.h"
#include "x1_schema.h"

#define NS " xmlns='" LI_XML_X1 "' xmlns:c='" LI_XML_COMMON \
	   "' xmlns:xsi='" LI_XML_XSI "'"


static int parsed(const char *text)
{
	struct li_xml *x = NULL;
	const int err = li_xml_parse(&x, text, strlen(text));

	mem_deref(x);

	return err;
}


Test(li_xml, a_tree_comes_back_as_it_was)
{
	static const char text[] =
		"<a" NS ">\n <b> x &amp;&#x20;y </b><!-- no -->"
		"<c:d><n:e xmlns:n='" LI_XML_X1 "' xsi:type='n:F'/></c:d></a>";
	struct li_xml *x;
	const struct li_xml_node *d;
	struct mbuf *mb = mbuf_alloc(64);
	char buf[64];

	cr_assert_eq(li_xml_parse(&x, text, strlen(text)), 0);
	cr_assert_str_eq(li_xml_text(li_xml_root(x), "b", buf, sizeof(buf)),
			 "x & y");
	d = li_xml_root(x)->last;
	cr_assert_eq(d->space, LI_SPACE_COMMON);
	cr_assert_str_eq(d->child->type, "F");
	cr_assert_eq(li_xml_write(mb, li_xml_root(x)), 0);
	cr_assert_eq(mbuf_write_u8(mb, 0), 0);
	cr_assert_str_eq((char *)mb->buf,
			 "<a><b> x &amp; y </b><c:d><e></e></c:d></a>");
	mem_deref(mb);
	mem_deref(x);
}


Test(li_xml, a_carriage_return_stays_one)
{
	static const char text[] = "<a" NS "><b>&#13;49301</b></a>";
	struct mbuf *mb = mbuf_alloc(64);
	struct li_xml *x;

	cr_assert_eq(li_xml_parse(&x, text, strlen(text)), 0);
	cr_assert_eq(li_xml_write(mb, li_xml_root(x)), 0);
	cr_assert_eq(mbuf_write_u8(mb, 0), 0);
	cr_assert_str_eq((char *)mb->buf, "<a><b>&#13;49301</b></a>");
	mem_deref(mb);
	mem_deref(x);
}


Test(li_xml, no_document_types_entities_instructions_attributes)
{
	static const char *const bad[] = {
		"", " ", "<a>", "<a></b>", "<a/><b/>", "x",
		"<!DOCTYPE a><a/>",
		"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
		"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
		"<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1/'> %x;]>"
		"<a/>",
		"<a>&x;</a>", "<?php x?><a/>", "<a><?x y?></a>",
		"<a b='c'/>", "<a" NS " xsi:nil='true'/>",
		"<a" NS " xsi:type='c:F'/>", "<a" NS " xsi:type='z:F'/>",
		"<a>\xff</a>", "<a>\xc0\x80</a>",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_eq(parsed(bad[i]), EBADMSG, "%s", bad[i]);
}


Test(li_xml, depth_size_and_number_are_bounded)
{
	static char text[LI_XML_MAX + 100];
	size_t i, n = 0;

	for (i = 0; i < LI_XML_DEPTH; i++)
		n += (size_t)sprintf(text + n, "<a>");
	for (i = 0; i < LI_XML_DEPTH; i++)
		n += (size_t)sprintf(text + n, "</a>");
	cr_assert_eq(parsed(text), 0);
	n = 0;
	for (i = 0; i <= LI_XML_DEPTH; i++)
		n += (size_t)sprintf(text + n, "<a>");
	cr_assert_eq(parsed(text), E2BIG);

	n = (size_t)sprintf(text, "<a>");
	for (i = 1; i < LI_XML_NODES; i++)
		n += (size_t)sprintf(text + n, "<b/>");
	strcpy(text + n, "</a>");
	cr_assert_eq(parsed(text), 0);
	strcpy(text + n, "<b/></a>");
	cr_assert_eq(parsed(text), E2BIG);

	memset(text, ' ', sizeof(text) - 1);
	memcpy(text, "<a/>", 4);
	text[LI_XML_MAX] = '\0';
	cr_assert_eq(parsed(text), 0);
	text[LI_XML_MAX] = ' ';
	cr_assert_eq(parsed(text), E2BIG);
}


Test(x1_schema, times_are_to_the_microsecond_and_with_a_zone)
{
	static const char *const bad[] = {
		"2026-11-22T07:15:47Z", "2026-11-22T07:15:47.123Z",
		"2026-11-22T07:15:47.1234567Z", "2026-11-22T07:15:47.123456",
		"2026-11-22 07:15:47.123456Z", "2026-13-22T07:15:47.123456Z",
		"2026-11-22T07:15:47.123456+1:00", "x",
	};
	char buf[X1_TIME_SIZE];
	int64_t us, other;
	size_t i;

	cr_assert_eq(x1_time_read(&us, "2026-11-22T07:15:47.123456Z"), 0);
	cr_assert_eq(us, INT64_C(1795331747123456));
	cr_assert_str_eq(x1_time_write(buf, us), "2026-11-22T07:15:47.123456Z");
	cr_assert_eq(x1_time_read(&other, "2026-11-22T08:15:47.123456+01:00"),
		     0);
	cr_assert_eq(us, other);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_eq(x1_time_read(&us, bad[i]), EBADMSG, "%s", bad[i]);
}
