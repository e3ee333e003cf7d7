/**
 * @file invoice.c  What HTML and UBL say of a document, and what they refuse.
 */
#include "invoice.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "country.h"

static const char text[] =
	"{'kind': 'invoice', 'number': 'R-1', 'issued_on': '2026-11-01',"
	"'due_on': '2026-11-15', 'currency': 'EUR', 'note': null,"
	"'period': {'from': '2026-10-01', 'to': '2026-10-31'},"
	"'seller': {'name': 'S & Co <x>', 'city': 'B', 'country': 'DE',"
	" 'vat_id': 'DE1', 'iban': 'DE02'},"
	"'buyer': {'name': 'Buyer', 'city': 'H', 'country': 'DE',"
	" 'untaxed_category': 'Z'},"
	"'lines': [{'n': 1, 'kind': 'usage', 'description': 'Peru \\\"M\\\"',"
	" 'calls': 1234, 'billed_ms': 90300, 'rate_per_min': '0.010000',"
	" 'amount': '1234.50', 'taxes': [{'name': 'VAT', 'percent': '19'}]},"
	" {'n': 2, 'kind': 'discount', 'description': 'D',"
	" 'amount': '-34.50', 'taxes': [{'name': 'USt', 'percent': '19'}]}],"
	"'taxes': [{'name': 'VAT', 'percent': '19', 'category': 'S',"
	" 'base': '1234.50', 'amount': '234.56'},"
	" {'name': 'USt', 'percent': '19', 'category': 'S',"
	" 'base': '-34.50', 'amount': '-6.56'}],"
	"'totals': {'net': '1200.00', 'tax': '228.00', 'total': '1428.00'},"
	"'balance': {'opening': '0.00', 'payments': '0.00',"
	" 'corrections': '0.00', 'charges': '1428.00',"
	" 'closing': '-1428.00'}}";

static json_t *doc;
static struct mbuf *mb;


static void setup(void)
{
	char *json = strdup(text), *p;

	for (p = json; (p = strchr(p, '\''));)
		*p = '"';
	doc = json_loads(json, 0, NULL);
	free(json);
	mb = mbuf_alloc(64);
	cr_assert(doc && mb);
}


static void teardown(void)
{
	json_decref(doc);
	mem_deref(mb);
}


TestSuite(invoice, .init = setup, .fini = teardown);


static const char *ubl(const char **why)
{
	mbuf_rewind(mb);
	if (invoice_ubl(mb, doc, why))
		return "";
	mbuf_write_u8(mb, 0);
	return (const char *)mb->buf;
}


Test(invoice, html_is_escaped_and_grouped)
{
	const char *page;

	cr_assert_eq(invoice_html(mb, doc), 0);
	mbuf_write_u8(mb, 0);
	page = (const char *)mb->buf;
	cr_assert(strstr(page, "S &amp; Co &lt;x&gt;"));
	cr_assert_null(strstr(page, "<x>"));
	cr_assert(strstr(page, "1&#8239;234.50"));
	cr_assert(strstr(page, "&minus;34.50"));
	cr_assert(strstr(page, "1.51"), "90.3 s are 1.505 minutes");
	cr_assert(strstr(page, "Peru &quot;M&quot;"));
	cr_assert_null(strstr(page, "http"), "loads nothing");
}


static const char *html(void)
{
	mbuf_rewind(mb);
	cr_assert_eq(invoice_html(mb, doc), 0);
	mbuf_write_u8(mb, 0);
	return (const char *)mb->buf;
}


static const char *html_with(const char *closing)
{
	json_object_set_new(json_object_get(doc, "balance"), "closing",
			    json_string(closing));
	return html();
}


Test(invoice, html_says_what_is_to_be_paid)
{
	const char *page = html_with("-1408.00");

	cr_assert(strstr(page, "Please pay <b>1&#8239;408.00&nbsp;EUR</b> by "
			       "<b>2026-11-15</b>"), "less a payment");
	cr_assert(strstr(page, "This invoice</td><td>&minus;1&#8239;428.00 "
			       "EUR"), "it takes from the balance");
	cr_assert(strstr(html_with("-2000.00"), "<b>1&#8239;428.00&nbsp;EUR"),
		  "what was open before is not asked again");
	cr_assert(strstr(html_with("0.00"), "nothing to pay"));
	cr_assert_null(strstr(html_with("3.00"), "IBAN"));
	json_object_del(json_object_get(doc, "seller"), "iban");
	cr_assert(strstr(html_with("-2000.00"),
			 "by <b>2026-11-15</b>, reference <b>R-1</b>"),
		  "also when nobody says to which account");
}


Test(invoice, html_of_what_is_void)
{
	const char *page;

	json_object_set_new(doc, "status", json_string("void"));
	page = html();
	cr_assert(strstr(page, "Invoice <span class=\"void\">void</span>"));
	cr_assert(strstr(page, "nothing to pay"));
	cr_assert_null(strstr(page, "Please pay"));
}


Test(invoice, html_of_a_draft)
{
	cr_assert_null(strstr(html(), ">draft<"));
	json_object_set_new(doc, "number", json_null());
	cr_assert(strstr(html(), "Invoice <span class=\"void\">draft</span>"));
}


Test(invoice, html_has_countries_by_name)
{
	const char *page;

	json_object_set_new(json_object_get(doc, "buyer"), "country",
			    json_string("CI"));
	page = html();
	cr_assert(strstr(page, "H<br>C\xc3\xb4te d'Ivoire</div>"));
	cr_assert(strstr(page, "&middot; Germany<br>"));
	cr_assert_str_eq(country_name("AD"), "Andorra");
	cr_assert_str_eq(country_name("ZW"), "Zimbabwe");
	cr_assert_str_eq(country_name("QQ"), "QQ", "of nobody");
}


Test(invoice, html_has_decimals_of_the_currency)
{
	json_object_set_new(doc, "decimals", json_integer(0));
	cr_assert(strstr(html(), "<td>1&#8239;428 EUR"));
	cr_assert(strstr(html(), ">1&#8239;234.50<"), "what is there is shown");
	json_object_set_new(doc, "decimals", json_integer(3));
	cr_assert(strstr(html(), "<td>1&#8239;428.000 EUR"));
	cr_assert(strstr(html(), ">&minus;34.500<"));
}


Test(invoice, html_of_nothing)
{
	json_object_del(doc, "seller");
	cr_assert_eq(invoice_html(mb, doc), EBADMSG);
}


Test(invoice, ubl_has_one_subtotal_a_rate)
{
	const char *why, *xml = ubl(&why), *first;

	first = strstr(xml, "<cac:TaxSubtotal>");
	cr_assert(first);
	cr_assert_null(strstr(first + 1, "<cac:TaxSubtotal>"));
	cr_assert(strstr(xml, "<cbc:TaxableAmount currencyID=\"EUR\">1200.00"
			      "</cbc:TaxableAmount>"));
	cr_assert(strstr(xml, "<cbc:TaxAmount currencyID=\"EUR\">228.00<"));
	cr_assert(strstr(xml, "<cbc:PayableAmount currencyID=\"EUR\">"
			      "1428.00<"));
	cr_assert(strstr(xml, "S &amp; Co &lt;x&gt;"));
}


Test(invoice, ubl_has_no_negative_price)
{
	const char *why, *xml = ubl(&why);

	cr_assert(strstr(xml, ">-1</cbc:InvoicedQuantity>"));
	cr_assert(strstr(xml, "<cbc:PriceAmount currencyID=\"EUR\">34.50<"));
	cr_assert_null(strstr(xml, "<cbc:PriceAmount currencyID=\"EUR\">-"));
}


Test(invoice, ubl_of_a_credit_note)
{
	const char *why, *xml;

	json_object_set_new(doc, "kind", json_string("credit_note"));
	json_object_set_new(doc, "due_on", json_null());
	json_object_set_new(doc, "refers", json_pack("{s:s, s:s}", "number",
		"R-0", "issued_on", "2026-10-01"));
	xml = ubl(&why);
	cr_assert(strstr(xml, "<CreditNote "));
	cr_assert(strstr(xml, ">381</cbc:CreditNoteTypeCode>"));
	cr_assert(strstr(xml, "<cac:InvoiceDocumentReference>\n<cbc:ID>R-0<"));
	cr_assert_null(strstr(xml, "Invoiced"));
}


Test(invoice, ubl_says_what_it_cannot)
{
	json_t *line = json_array_get(json_object_get(doc, "lines"), 0);
	const char *why = NULL;

	json_array_append_new(json_object_get(line, "taxes"), json_pack(
		"{s:s, s:s}", "name", "Fund", "percent", "5"));
	cr_assert_str_eq(ubl(&why), "");
	cr_assert_str_eq(why, "a line has more than one tax");
	json_array_remove(json_object_get(line, "taxes"), 1);

	json_object_del(json_object_get(doc, "seller"), "vat_id");
	cr_assert_str_eq(ubl(&why), "");
	cr_assert_str_eq(why, "the seller has no VAT number");

	json_object_set_new(doc, "status", json_string("void"));
	cr_assert_str_eq(ubl(&why), "");
	cr_assert_str_eq(why, "it is void");

	json_object_set_new(doc, "number", json_null());
	cr_assert_str_eq(ubl(&why), "");
	cr_assert_str_eq(why, "a draft has no number");
}


Test(invoice, pdf_without_weasyprint)
{
	cr_assert_eq(setenv("PATH", "/nonexistent", 1), 0);
	cr_assert_eq(invoice_pdf(mb, "x", 1), ENOENT);
	cr_assert_eq(mb->end, 0);
}
