/**
 * @file invoice_html.c  A page of A4 for browsers and weasyprint: one file,
 * nothing to load. Its foot is on every page (running element), and so is the
 * head of the table.
 */
#include "invoice.h"
#include <errno.h>
#include <string.h>
#include "country.h"
#include "text.h"

struct page {
	struct mbuf *mb;
	const json_t *doc, *seller, *buyer;
	const char *currency;
	size_t decimals;
	bool is_note, has_calls;
	int err;
};

static const char style[] =
	"@page{size:A4;margin:18mm 18mm 30mm 20mm;"
	"@bottom-left{content:element(foot);width:84%;vertical-align:top;"
	"padding-top:5mm}"
	"@bottom-right{content:\"Page \" counter(page) \" of \" "
	"counter(pages);font:7.5pt Liberation Sans,Arial,sans-serif;"
	"color:#667;vertical-align:top;padding-top:5mm}}\n"
	"*{box-sizing:border-box}\n"
	"body{font:9.5pt/1.4 Liberation Sans,Arial,Helvetica,sans-serif;"
	"color:#1b2430;margin:0 auto;max-width:175mm}\n"
	"footer{position:running(foot);font-size:7.5pt;line-height:1.45;"
	"color:#667;border-top:.4pt solid #b9c1cc;padding-top:1.5mm}\n"
	"h1{font-size:20pt;font-weight:600;margin:0 0 1mm;color:#123a5e}"
	".void{color:#b3261e;text-transform:uppercase}\n"
	".top{display:flex;justify-content:space-between;"
	"margin-bottom:11mm}\n"
	".brand{font-size:13pt;font-weight:bold;color:#123a5e}\n"
	".to,.of{flex:none;overflow-wrap:anywhere}"
	".to{width:85mm}.of{width:80mm}.of table{width:100%}.from{font-size:7.5pt;color:#667;"
	"border-bottom:.4pt solid #b9c1cc;padding-bottom:.8mm;"
	"margin-bottom:2.5mm}\n"
	".meta td{padding:.4mm 0 .4mm 6mm}"
	".meta td:first-child{color:#667;padding-left:0;white-space:nowrap}"
	".meta td{vertical-align:top}\n"
	".meta td:last-child{text-align:right}\n"
	"table{border-collapse:collapse}\n"
	/* widths that are given: a long word cannot push amounts off the page */
	".lines{width:100%;table-layout:fixed;margin-top:7mm;font-size:9pt;"
	"overflow-wrap:anywhere}"
	".calls{width:19mm}.minutes{width:25mm}.rate{width:20mm}"
	".tax{width:16mm}.net{width:31mm}\n"
	".lines thead{display:table-header-group}"
	".lines thead tr{background:#123a5e}\n"
	".lines th{text-align:left;font-size:8pt;font-weight:bold;"
	"color:#fff;padding:1.8mm 1.5mm}\n"
	".lines td{padding:1.5mm 1.5mm;border-bottom:.3pt solid #d8dde4;"
	"vertical-align:top}\n"
	".lines tr{break-inside:avoid}\n"
	".lines .part td{font-weight:bold;background:#eef2f6;"
	"break-after:avoid}\n"
	".n{text-align:right!important;white-space:nowrap;"
	"font-variant-numeric:tabular-nums}\n"
	".sub{color:#667;font-size:8pt}\n"
	".end{display:flex;justify-content:space-between;margin-top:6mm;"
	"break-inside:avoid;break-after:avoid}\n"
	".sums{width:82mm}.sums td,.box td{padding:.9mm 2mm}\n"
	".sums .all td{font-weight:bold;font-size:11.5pt;color:#123a5e;"
	"border-top:.8pt solid #123a5e;padding-top:1.8mm}\n"
	".box{width:76mm;background:#f3f6f9;font-size:8.5pt;padding:2mm}"
	".box b{padding:0 2mm}.box table,.sums table{width:100%}\n"
	".box .all td{font-weight:bold;border-top:.4pt solid #b9c1cc}\n"
	".box td:last-child,.sums td:last-child{text-align:right;"
	"white-space:nowrap}\n"
	".pay{margin-top:8mm;break-inside:avoid;break-before:avoid}\n"
	"@media screen{body{padding:12mm}footer{margin-top:12mm;"
	"position:static}}\n";


static void put(struct page *p, const char *html)
{
	if (!p->err)
		p->err = mbuf_write_str(p->mb, html);
}


static void text(struct page *p, const char *words)
{
	if (!p->err)
		p->err = invoice_escaped(p->mb, words);
}


/* "1234567.80" with narrow blanks between thousands */
static void number(struct page *p, const char *digits)
{
	const char *dot = strchr(digits, '.');
	size_t whole = dot ? (size_t)(dot - digits) : strlen(digits);

	if (*digits == '-') {
		put(p, "&minus;");
		digits++;
		whole--;
	}
	for (size_t i = 0; i < whole && !p->err; i++) {
		if (i && (whole - i) % 3 == 0)
			put(p, "&#8239;");
		if (!p->err)
			p->err = mbuf_write_u8(p->mb, (uint8_t)digits[i]);
	}
	text(p, digits + whole);
}


/* An amount has two decimals; one with as many as its currency has: yen none,
   dinars three */
static void amount(struct page *p, const char *digits)
{
	const char *dot = strchr(digits, '.');
	const size_t n = dot ? strlen(dot + 1) : 0;
	char whole[32];

	if (!p->decimals && dot && strspn(dot + 1, "0") == n) {
		(void)text_format(whole, sizeof(whole), "%.*s",
				  (int)(dot - digits), digits);
		number(p, whole);
		return;
	}
	number(p, digits);
	for (size_t i = n; i && i < p->decimals; i++)
		put(p, "0");
}


static void money(struct page *p, const json_t *from, const char *member)
{
	amount(p, invoice_text(from, member));
}


static void row(struct page *p, const char *name, const char *value)
{
	if (!*value)
		return;
	put(p, "<tr><td>");
	text(p, name);
	put(p, "</td><td>");
	text(p, value);
	put(p, "</td></tr>\n");
}


static void sum(struct page *p, const char *class, const char *name,
		const json_t *from, const char *member)
{
	p->err = p->err ? p->err
			: mbuf_printf(p->mb, "<tr%s><td>", class);
	text(p, name);
	put(p, "</td><td>");
	money(p, from, member);
	put(p, " ");
	text(p, p->currency);
	put(p, "</td></tr>\n");
}


/* Words one after the other, with something between those that are there */
static void join(struct page *p, const json_t *from, const char *const *names,
		 const char *between)
{
	bool is_first = true;

	for (; *names; names++) {
		if (!*invoice_text(from, *names))
			continue;
		if (!is_first)
			put(p, between);
		text(p, invoice_text(from, *names));
		is_first = false;
	}
}


static void address(struct page *p)
{
	static const char *const sender[] = {"name", "street", "postcode",
					     "city", NULL};
	static const char *const town[] = {"postcode", "city", NULL};

	put(p, "<div class=\"to\"><div class=\"from\">");
	join(p, p->seller, sender, " &middot; ");
	put(p, "</div><b>");
	text(p, invoice_text(p->buyer, "name"));
	put(p, "</b><br>");
	if (*invoice_text(p->buyer, "street")) {
		text(p, invoice_text(p->buyer, "street"));
		put(p, "<br>");
	}
	join(p, p->buyer, town, " ");
	put(p, "<br>");
	text(p, country_name(invoice_text(p->buyer, "country")));
	put(p, "</div>\n");
}


static void meta(struct page *p)
{
	const json_t *span = json_object_get(p->doc, "period");
	const json_t *refers = json_object_get(p->doc, "refers");
	const char *name = invoice_text(p->doc, "number");
	char days[32];

	put(p, "<div class=\"of\"><h1>");
	put(p, p->is_note ? "Credit note" : "Invoice");
	if (!*name)
		put(p, " <span class=\"void\">draft</span>");
	else if (!strcmp(invoice_text(p->doc, "status"), "void"))
		put(p, " <span class=\"void\">void</span>");
	put(p, "</h1><table class=\"meta\">\n");
	row(p, "Number", name);
	row(p, "Date", invoice_text(p->doc, "issued_on"));
	(void)text_format(days, sizeof(days), "%s \xe2\x80\x93 %s",
			  invoice_text(span, "from"),
			  invoice_text(span, "to"));
	row(p, "Period", days);
	row(p, "Due", invoice_text(p->doc, "due_on"));
	row(p, "For invoice", invoice_text(refers, "number"));
	row(p, "Your reference", invoice_text(p->buyer, "buyer_reference"));
	row(p, "Your order", invoice_text(p->buyer, "order_reference"));
	row(p, "Your VAT number", invoice_text(p->buyer, "vat_id"));
	put(p, "</table></div></div>\n");
}


static const char *part_of(const char *kind)
{
	if (!strcmp(kind, "usage"))
		return "Calls";
	return !strcmp(kind, "discount") ? "Discounts"
					 : "Charges and services";
}


/* The cells between what it is and its amount */
static void counts(struct page *p, const json_t *l)
{
	const json_int_t ms = json_integer_value(
		json_object_get(l, "billed_ms"));
	const json_t *calls = json_object_get(l, "calls");
	char cell[32];

	if (!p->has_calls)
		return;
	if (!json_is_integer(calls)) {
		put(p, "<td></td><td></td><td></td>");
		return;
	}
	(void)text_format(cell, sizeof(cell), "%lld",
			  (long long)json_integer_value(calls));
	put(p, "<td class=\"n\">");
	number(p, cell);
	/* hundredths of a minute */
	(void)text_format(cell, sizeof(cell), "%lld.%02lld",
			  (long long)((ms + 300) / 600 / 100),
			  (long long)((ms + 300) / 600 % 100));
	put(p, "</td><td class=\"n\">");
	number(p, cell);
	put(p, "</td><td class=\"n\">");
	text(p, invoice_text(l, "rate_per_min"));
	put(p, "</td>");
}


static void line(struct page *p, const json_t *l)
{
	const json_int_t quantity = json_integer_value(
		json_object_get(l, "quantity"));
	const json_t *tax;
	size_t i;

	put(p, "<tr><td>");
	if (quantity > 1 && !p->err)
		p->err = mbuf_printf(p->mb, "%lld &times; ",
				     (long long)quantity);
	text(p, invoice_text(l, "description"));
	if (*invoice_text(l, "from")) {
		put(p, "<div class=\"sub\">");
		text(p, invoice_text(l, "from"));
		if (strcmp(invoice_text(l, "from"), invoice_text(l, "to"))) {
			put(p, " &ndash; ");
			text(p, invoice_text(l, "to"));
		}
		put(p, "</div>");
	}
	put(p, "</td>");
	counts(p, l);
	put(p, "<td class=\"n\">");
	json_array_foreach(json_object_get(l, "taxes"), i, tax) {
		put(p, i ? "<br>" : "");
		text(p, invoice_text(tax, "percent"));
		put(p, "&#8239;%");
	}
	put(p, "</td><td class=\"n\">");
	money(p, l, "amount");
	put(p, "</td></tr>\n");
}


static void lines(struct page *p)
{
	const char *part = "", *of;
	const json_t *l;
	size_t i;

	put(p, "<table class=\"lines\"><thead><tr><th>Description</th>");
	if (p->has_calls)
		put(p, "<th class=\"n calls\">Calls</th>"
		       "<th class=\"n minutes\">Minutes</th>"
		       "<th class=\"n rate\">per min</th>");
	put(p, "<th class=\"n tax\">Tax</th><th class=\"n net\">Net ");
	text(p, p->currency);
	put(p, "</th></tr></thead><tbody>\n");
	json_array_foreach(json_object_get(p->doc, "lines"), i, l) {
		of = part_of(invoice_text(l, "kind"));
		if (strcmp(part, of) != 0) {
			p->err = p->err ? p->err : mbuf_printf(p->mb,
				"<tr class=\"part\"><td colspan=\"%d\">%s"
				"</td></tr>\n", p->has_calls ? 6 : 3, of);
			part = of;
		}
		line(p, l);
	}
	put(p, "</tbody></table>\n");
}


/* An invoice takes from the balance, a credit note gives */
static void own_total(struct page *p)
{
	const char *total = invoice_text(json_object_get(p->doc, "totals"),
					 "total");
	const bool is_minus = *total == '-';

	put(p, p->is_note ? "<tr><td>This credit note</td><td>"
			  : "<tr><td>This invoice</td><td>");
	if (is_minus == p->is_note && strpbrk(total, "123456789"))
		put(p, "&minus;");
	amount(p, total + is_minus);
	put(p, " ");
	text(p, p->currency);
	put(p, "</td></tr>\n");
}


static void balance(struct page *p)
{
	const json_t *b = json_object_get(p->doc, "balance");

	put(p, "<div class=\"box\"><b>Your account</b><table>\n");
	sum(p, "", "Balance before", b, "opening");
	sum(p, "", "Payments", b, "payments");
	if (strcmp(invoice_text(b, "corrections"), "0.00") != 0)
		sum(p, "", "Corrections and transfers", b, "corrections");
	own_total(p);
	sum(p, " class=\"all\"", "Balance after", b, "closing");
	put(p, "</table></div>\n");
}


static void sums(struct page *p)
{
	const json_t *totals = json_object_get(p->doc, "totals"), *tax;
	const char *reason = "";
	size_t i;

	put(p, "<div class=\"end\">");
	balance(p);
	put(p, "<div class=\"sums\"><table>\n");
	sum(p, "", "Net", totals, "net");
	json_array_foreach(json_object_get(p->doc, "taxes"), i, tax) {
		const char *name = invoice_text(tax, "name");

		put(p, "<tr><td>");
		text(p, *name ? name : "Without tax");
		if (*name) {
			put(p, " ");
			text(p, invoice_text(tax, "percent"));
			put(p, "&#8239;%");
		}
		put(p, " <span class=\"sub\">of ");
		money(p, tax, "base");
		put(p, "</span></td><td>");
		money(p, tax, "amount");
		put(p, " ");
		text(p, p->currency);
		put(p, "</td></tr>\n");
		if (*invoice_text(tax, "reason"))
			reason = invoice_text(tax, "reason");
	}
	sum(p, " class=\"all\"", p->is_note ? "To your credit" : "Total",
	    totals, "total");
	put(p, "</table></div></div>\n");
	if (*reason) {
		put(p, "<p>");
		text(p, reason);
		put(p, reason[strlen(reason) - 1] == '.' ? "</p>\n"
							 : ".</p>\n");
	}
}


/* What of the total is to be paid, "" when the balance covers it. It is the
   newest document of its account, and payments are for the oldest. */
static const char *to_be_paid(const struct page *p)
{
	const char *total = invoice_text(json_object_get(p->doc, "totals"),
					 "total");
	const char *closing = invoice_text(json_object_get(p->doc, "balance"),
					   "closing");
	int64_t total_micro, closing_micro;

	if (text_decimal(&total_micro, total, 6) ||
	    text_decimal(&closing_micro, closing, 6) || total_micro <= 0 ||
	    closing_micro >= 0)
		return "";

	return total_micro < -closing_micro ? total : closing + 1;
}


static void please_pay(struct page *p, const char *due, const char *to_pay)
{
	put(p, "<p>Please pay <b>");
	amount(p, to_pay);
	put(p, "&nbsp;");
	text(p, p->currency);
	put(p, "</b> by <b>");
	text(p, due);
	if (*invoice_text(p->seller, "iban")) {
		put(p, "</b> to IBAN <b>");
		text(p, invoice_text(p->seller, "iban"));
		if (*invoice_text(p->seller, "bic")) {
			put(p, "</b>, BIC <b>");
			text(p, invoice_text(p->seller, "bic"));
		}
	}
	put(p, "</b>, reference <b>");
	text(p, invoice_text(p->doc, "number"));
	put(p, "</b>.</p>");
}


static void pay(struct page *p)
{
	const char *due = invoice_text(p->doc, "due_on");
	const char *to_pay = to_be_paid(p);

	put(p, "<div class=\"pay\">");
	if (*invoice_text(p->doc, "note")) {
		put(p, "<p>");
		text(p, invoice_text(p->doc, "note"));
		put(p, "</p>");
	}
	if (!strcmp(invoice_text(p->doc, "status"), "void"))
		put(p, "<p><b>This invoice is void: there is nothing to pay "
		       "of it.</b></p>");
	else if (*due && !*to_pay)
		put(p, "<p>There is nothing to pay: your balance covers this "
		       "invoice.</p>");
	else if (*due)
		please_pay(p, due, to_pay);
	if (*invoice_text(p->seller, "footer")) {
		put(p, "<p>");
		text(p, invoice_text(p->seller, "footer"));
		put(p, "</p>");
	}
	put(p, "</div>\n");
}


static void foot(struct page *p)
{
	static const char *const who[] = {"name", "street", "postcode", "city",
					  NULL};
	static const char *const how[] = {"registration", "email", "phone",
					  NULL};

	put(p, "<footer>");
	join(p, p->seller, who, " &middot; ");
	put(p, " &middot; ");
	text(p, country_name(invoice_text(p->seller, "country")));
	put(p, "<br>");
	join(p, p->seller, how, " &middot; ");
	if (*invoice_text(p->seller, "vat_id")) {
		put(p, " &middot; VAT ");
		text(p, invoice_text(p->seller, "vat_id"));
	}
	if (*invoice_text(p->seller, "tax_number")) {
		put(p, " &middot; Tax number ");
		text(p, invoice_text(p->seller, "tax_number"));
	}
	put(p, "</footer>\n");
}


static bool has_calls(const json_t *doc)
{
	const json_t *l;
	size_t i;

	json_array_foreach(json_object_get(doc, "lines"), i, l) {
		if (json_is_integer(json_object_get(l, "calls")))
			return true;
	}
	return false;
}


/* Documents of before this was said have two */
static size_t decimals_of(const json_t *doc)
{
	const json_t *decimals = json_object_get(doc, "decimals");

	return json_is_integer(decimals)
		? (size_t)json_integer_value(decimals) : 2;
}


int invoice_html(struct mbuf *mb, const json_t *doc)
{
	struct page p = {
		.mb = mb, .doc = doc,
		.seller = json_object_get(doc, "seller"),
		.buyer = json_object_get(doc, "buyer"),
		.currency = invoice_text(doc, "currency"),
		.decimals = decimals_of(doc),
		.is_note = !strcmp(invoice_text(doc, "kind"), "credit_note"),
		.has_calls = has_calls(doc),
	};

	if (!json_is_object(p.seller) || !json_is_object(p.buyer))
		return EBADMSG;

	put(&p, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
		"charset=\"utf-8\"><title>");
	put(&p, p.is_note ? "Credit note " : "Invoice ");
	text(&p, invoice_text(doc, "number"));
	put(&p, "</title>\n<style>\n");
	put(&p, style);
	put(&p, "</style></head><body>\n");
	/* first, so that it is on the first page, too */
	foot(&p);
	put(&p, "<div class=\"brand\" style=\"margin-bottom:14mm\">");
	text(&p, invoice_text(p.seller, "name"));
	put(&p, "</div>\n<div class=\"top\">");
	address(&p);
	meta(&p);
	lines(&p);
	sums(&p);
	pay(&p);
	put(&p, "</body></html>\n");

	return p.err;
}
