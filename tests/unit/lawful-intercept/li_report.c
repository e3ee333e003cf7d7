/**
 * @file tests/unit/lawful-intercept/li_report.c  Which answers to a report
 * settle it.
 */
#include "json.h"
#include "li_report.h"
#include <criterion/criterion.h>
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
