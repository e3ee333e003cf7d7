/**
 * @file tests/unit/lawful-intercept/li_report.c  What a report says, which
 * answers settle it, and what becomes of those that do not fit.
 */
#include "json.h"
#include "li_report.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define ANSWER(inside) \
	"<X1Response xmlns='" LI_XML_X1 "'><x1ResponseMessage>" inside \
	"</x1ResponseMessage></X1Response>"


static enum li_report_fate fate(const char *text, int code)
{
	int got = -1;
	const enum li_report_fate f = li_report_answer(text, strlen(text),
						       &got);

	cr_assert_eq(got, code, "%s", text);

	return f;
}


Test(li_report, whatever_x1_answers_settles_it)
{
	cr_assert_eq(fate(ANSWER("<oK>AcknowledgedAndCompleted</oK>"), 0),
		     LI_REPORT_TAKEN);
	cr_assert_eq(fate(ANSWER("<errorInformation><errorCode>1020"
				 "</errorCode></errorInformation>"), 1020),
		     LI_REPORT_REFUSED);
	cr_assert_eq(fate("<X1Response xmlns='" LI_XML_X1 "'/>", 0),
		     LI_REPORT_REFUSED);
}


Test(li_report, what_is_no_x1_does_not)
{
	cr_assert_eq(fate("", 0), LI_REPORT_AGAIN);
	cr_assert_eq(fate("<html>busy</html>", 0), LI_REPORT_AGAIN);
	cr_assert_eq(fate("<X1Response xmlns='urn:other'/>", 0),
		     LI_REPORT_AGAIN);
	cr_assert_eq(fate("<X1Response xmlns='" LI_XML_X1 "'>", 0),
		     LI_REPORT_AGAIN);
}


static void settings_fill(struct li_settings *s)
{
	memset(s, 0, sizeof(*s));
	strcpy(s->admf, "admf-1");
	strcpy(s->ne, "ne-1");
	strcpy(s->version, "v1.13.1");
}


static void body_has(enum li_report_about about, int code, const char *kind,
		     const char *inside)
{
	const struct li_report r = {.about = about, .id = {0xab}, .code = code,
				    .type = "Warning", .text = "a text"};
	struct mbuf *mb = mbuf_alloc(1024);
	const struct li_xml_node *m;
	struct li_settings s;
	struct li_xml *x;
	char text[64];

	settings_fill(&s);
	cr_assert_eq(li_report_body(mb, &s, &r, 1000000), 0);
	cr_assert_eq(li_xml_parse(&x, (const char *)mb->buf, mb->end), 0);
	m = li_xml_child(li_xml_root(x), "x1RequestMessage");
	cr_assert_str_eq(li_xml_root(x)->name, "X1Request");
	li_xml_text(m, "admfIdentifier", text, sizeof(text));
	cr_assert_str_eq(text, "admf-1");
	li_xml_text(m, "messageTimestamp", text, sizeof(text));
	cr_assert_str_eq(text, "1970-01-01T00:00:01.000000Z");
	cr_assert_eq(mbuf_write_u8(mb, 0), 0);
	cr_assert(strstr((const char *)mb->buf, kind));
	cr_assert(strstr((const char *)mb->buf, inside), "%s", mb->buf);
	mem_deref(x);
	mem_deref(mb);
}


Test(li_report, says_what_about_what)
{
	body_has(LI_ABOUT_TASK, 9010, "ReportTaskIssueRequest",
		 "<xId>ab000000-0000-0000-0000-000000000000</xId>"
		 "<taskReportType>Warning</taskReportType>"
		 "<taskIssueErrorCode>9010</taskIssueErrorCode>"
		 "<taskIssueDetails>a text</taskIssueDetails>");
	body_has(LI_ABOUT_TASK, 0, "ReportTaskIssueRequest",
		 "<taskReportType>Warning</taskReportType><taskIssueDetails>");
	body_has(LI_ABOUT_DESTINATION, 9010, "ReportDestinationIssueRequest",
		 "<dId>ab000000-0000-0000-0000-000000000000</dId>"
		 "<destinationReportType>Warning</destinationReportType>"
		 "<destinationIssueErrorCode>9010"
		 "</destinationIssueErrorCode>"
		 "<destinationIssueDetails>a text</destinationIssueDetails>");
	body_has(LI_ABOUT_NE, 9010, "ReportNEIssueRequest",
		 "<typeOfNeIssueMessage>Warning</typeOfNeIssueMessage>"
		 "<description>a text</description>"
		 "<issueCode>9010</issueCode>");
}


static int tell(struct li_reporter *r, int n)
{
	const struct li_report report = {
		.about = LI_ABOUT_TASK, .id = {(uint8_t)n, (uint8_t)(n >> 8)},
		.type = "Warning", .text = "a text",
	};

	return li_reporter_tell(r, &report, 1000000);
}


Test(li_report, what_does_not_fit_is_counted_and_not_taken_for_told)
{
	struct li_settings s;
	struct li_reporter *r;
	int i;

	settings_fill(&s);
	strcpy(s.report_url, "https://127.0.0.1:1/"); /* nobody is there */
	cr_assert_eq(li_reporter_open(&r, &s), 0);
	cr_assert(li_reporter_has_room(r));
	for (i = 0; i < LI_REPORT_WAITING_MAX; i++)
		cr_assert_eq(tell(r, i), 0);
	cr_assert_eq(tell(r, 0), 0, "told already: it is held back");
	cr_assert_eq(li_reporter_lost(r), 0);
	cr_assert_not(li_reporter_has_room(r));
	cr_assert_eq(tell(r, i), ENOBUFS);
	cr_assert_eq(tell(r, i), ENOBUFS, "lost again, not held back");
	cr_assert_eq(li_reporter_lost(r), 2);
	mem_deref(r);
}
