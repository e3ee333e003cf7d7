/**
 * @file invoice_ubl.c  UBL 2.1 (OASIS) with the elements that EN 16931-1 knows,
 * in the order of UBL's schema. BT and BG are numbers of the norm's terms. A
 * line is one unit of what it is for, or -1 when it gives back: the norm has
 * no negative price (BR-27).
 */
#include "invoice.h"
#include <errno.h>
#include <string.h>
#include "text.h"

struct ubl {
	struct mbuf *mb;
	const json_t *doc, *seller, *buyer;
	const char *currency;
	bool is_note;     /**< a credit note                               */
	bool is_untaxed;  /**< not subject to VAT: category O              */
	int err;
};

/* A VAT rate with what it is of: BG-23 */
struct subtotal {
	const char *category, *percent, *reason;
	int64_t base_micro, tax_micro;
};

#define SUBTOTALS_MAX 64


static void put(struct ubl *u, const char *text)
{
	if (!u->err)
		u->err = mbuf_write_str(u->mb, text);
}


/* An element with text; nothing when the text is empty */
static void element(struct ubl *u, const char *name, const char *attributes,
		    const char *text)
{
	if (u->err || !*text)
		return;

	u->err = mbuf_printf(u->mb, "<cbc:%s%s>", name, attributes);
	if (!u->err)
		u->err = invoice_escaped(u->mb, text);
	if (!u->err)
		u->err = mbuf_printf(u->mb, "</cbc:%s>\n", name);
}


static void leaf(struct ubl *u, const char *name, const json_t *from,
		 const char *member)
{
	element(u, name, "", invoice_text(from, member));
}


static void amount(struct ubl *u, const char *name, int64_t micro)
{
	char text[32], attribute[32];
	const bool is_minus = micro < 0;

	/* two decimals: all of them are rounded so */
	(void)text_format(text, sizeof(text), "%s%lld.%02lld",
			  is_minus ? "-" : "",
			  (long long)((is_minus ? -micro : micro) / 1000000),
			  (long long)((is_minus ? -micro : micro) / 10000 %
				      100));
	(void)text_format(attribute, sizeof(attribute), " currencyID=\"%s\"",
			  u->currency);
	element(u, name, attribute, text);
}


static void total(struct ubl *u, const char *name, const json_t *from,
		  const char *member)
{
	amount(u, name, invoice_micro(from, member));
}


/* BG-5, BG-8 */
static void address(struct ubl *u, const json_t *party)
{
	put(u, "<cac:PostalAddress>\n");
	leaf(u, "StreetName", party, "street");
	leaf(u, "CityName", party, "city");
	leaf(u, "PostalZone", party, "postcode");
	put(u, "<cac:Country>\n");
	leaf(u, "IdentificationCode", party, "country");
	put(u, "</cac:Country>\n</cac:PostalAddress>\n");
}


static void tax_scheme(struct ubl *u, const char *id, const char *scheme)
{
	if (!*id)
		return;

	put(u, "<cac:PartyTaxScheme>\n");
	element(u, "CompanyID", "", id);
	put(u, "<cac:TaxScheme>\n");
	element(u, "ID", "", scheme);
	put(u, "</cac:TaxScheme>\n</cac:PartyTaxScheme>\n");
}


/* BG-4, BG-7. Who is not subject to VAT has no number of it (BR-O-02). */
static void party(struct ubl *u, const char *role, const json_t *who)
{
	u->err = u->err ? u->err : mbuf_printf(u->mb, "<cac:%s>\n<cac:Party>\n",
					       role);
	address(u, who);
	if (!u->is_untaxed)
		tax_scheme(u, invoice_text(who, "vat_id"), "VAT");
	tax_scheme(u, invoice_text(who, "tax_number"), "TAX");
	put(u, "<cac:PartyLegalEntity>\n");
	leaf(u, "RegistrationName", who, "name");
	leaf(u, "CompanyID", who, "registration");
	put(u, "</cac:PartyLegalEntity>\n");
	if (*invoice_text(who, "email") || *invoice_text(who, "phone")) {
		put(u, "<cac:Contact>\n");
		leaf(u, "Telephone", who, "phone");
		leaf(u, "ElectronicMail", who, "email");
		put(u, "</cac:Contact>\n");
	}
	u->err = u->err ? u->err : mbuf_printf(u->mb, "</cac:Party>\n</cac:%s>"
					       "\n", role);
}


/* BG-15: a delivery within the Union says where to (BR-IC-12). */
static void delivery(struct ubl *u)
{
	if (strcmp(invoice_text(u->buyer, "untaxed_category"), "K") != 0)
		return;

	put(u, "<cac:Delivery>\n");
	element(u, "ActualDeliveryDate", "", invoice_text(
		json_object_get(u->doc, "period"), "to"));
	put(u, "<cac:DeliveryLocation>\n<cac:Address>\n<cac:Country>\n");
	leaf(u, "IdentificationCode", u->buyer, "country");
	put(u, "</cac:Country>\n</cac:Address>\n</cac:DeliveryLocation>\n"
	       "</cac:Delivery>\n");
}


/* BG-16, and BT-20 */
static void payment(struct ubl *u)
{
	if (*invoice_text(u->seller, "iban")) {
		put(u, "<cac:PaymentMeans>\n");
		/* UNTDID 4461: credit transfer */
		element(u, "PaymentMeansCode", "", "30");
		leaf(u, "PaymentID", u->doc, "number");
		put(u, "<cac:PayeeFinancialAccount>\n");
		leaf(u, "ID", u->seller, "iban");
		leaf(u, "Name", u->seller, "name");
		if (*invoice_text(u->seller, "bic")) {
			put(u, "<cac:FinancialInstitutionBranch>\n");
			leaf(u, "ID", u->seller, "bic");
			put(u, "</cac:FinancialInstitutionBranch>\n");
		}
		put(u, "</cac:PayeeFinancialAccount>\n</cac:PaymentMeans>\n");
	}
	put(u, "<cac:PaymentTerms>\n");
	element(u, "Note", "", u->is_note ? "Set off against the account"
					  : "Due on the date of payment");
	put(u, "</cac:PaymentTerms>\n");
}


/* Of a line: its VAT rate. @return false: more than one */
static bool category_of(const struct ubl *u, const json_t *taxes,
			const char **category, const char **percent)
{
	if (json_array_size(taxes) > 1)
		return false;

	*percent = json_array_size(taxes)
		? invoice_text(json_array_get(taxes, 0), "percent") : "0";
	*category = strcmp(*percent, "0") != 0 ? "S"
		: invoice_text(u->buyer, "untaxed_category");
	return true;
}


static void tax_category(struct ubl *u, const char *name, const char *category,
			 const char *percent, const char *reason)
{
	u->err = u->err ? u->err : mbuf_printf(u->mb, "<cac:%s>\n", name);
	element(u, "ID", "", category);
	if (strcmp(category, "O") != 0)
		element(u, "Percent", "", percent);
	element(u, "TaxExemptionReason", "", reason);
	put(u, "<cac:TaxScheme>\n<cbc:ID>VAT</cbc:ID>\n</cac:TaxScheme>\n");
	u->err = u->err ? u->err : mbuf_printf(u->mb, "</cac:%s>\n", name);
}


/* One for each category and rate (BR-S-08), whatever names they have. */
static size_t subtotals_add_up(const struct ubl *u, struct subtotal *s)
{
	const json_t *tax;
	size_t i, k, n = 0;

	json_array_foreach(json_object_get(u->doc, "taxes"), i, tax) {
		const char *category = invoice_text(tax, "category");
		const char *percent = invoice_text(tax, "percent");

		for (k = 0; k < n; k++) {
			if (!strcmp(s[k].category, category) &&
			    !strcmp(s[k].percent, percent))
				break;
		}
		if (k == SUBTOTALS_MAX)
			return 0;
		if (k == n)
			s[n++] = (struct subtotal){category, percent,
				invoice_text(tax, "reason"), 0, 0};
		s[k].base_micro += invoice_micro(tax, "base");
		s[k].tax_micro += invoice_micro(tax, "amount");
	}

	return n;
}


static void tax_total(struct ubl *u, const struct subtotal *s, size_t n)
{
	put(u, "<cac:TaxTotal>\n");
	total(u, "TaxAmount", json_object_get(u->doc, "totals"), "tax");
	for (size_t i = 0; i < n; i++) {
		put(u, "<cac:TaxSubtotal>\n");
		amount(u, "TaxableAmount", s[i].base_micro);
		amount(u, "TaxAmount", s[i].tax_micro);
		tax_category(u, "TaxCategory", s[i].category, s[i].percent,
			     s[i].reason);
		put(u, "</cac:TaxSubtotal>\n");
	}
	put(u, "</cac:TaxTotal>\n");
}


/* BG-22 */
static void totals(struct ubl *u)
{
	const json_t *t = json_object_get(u->doc, "totals");

	put(u, "<cac:LegalMonetaryTotal>\n");
	total(u, "LineExtensionAmount", t, "net");
	total(u, "TaxExclusiveAmount", t, "net");
	total(u, "TaxInclusiveAmount", t, "total");
	total(u, "PayableAmount", t, "total");
	put(u, "</cac:LegalMonetaryTotal>\n");
}


static void period(struct ubl *u, const char *from, const char *to)
{
	if (!*from || !*to)
		return;

	put(u, "<cac:InvoicePeriod>\n");
	element(u, "StartDate", "", from);
	element(u, "EndDate", "", to);
	put(u, "</cac:InvoicePeriod>\n");
}


/* BG-25 */
static void line(struct ubl *u, const json_t *l)
{
	const char *kind = u->is_note ? "CreditNoteLine" : "InvoiceLine";
	const int64_t micro = invoice_micro(l, "amount");
	const json_int_t calls = json_integer_value(
		json_object_get(l, "calls"));
	const char *category = "", *percent = "";
	char text[96];

	(void)category_of(u, json_object_get(l, "taxes"), &category, &percent);
	u->err = u->err ? u->err : mbuf_printf(u->mb, "<cac:%s>\n", kind);
	(void)text_format(text, sizeof(text), "%lld", (long long)
			  json_integer_value(json_object_get(l, "n")));
	element(u, "ID", "", text);
	if (calls) {
		(void)text_format(text, sizeof(text), "%lld calls, %lld s "
				  "billed", (long long)calls, (long long)
				  json_integer_value(json_object_get(
					  l, "billed_ms")) / 1000);
		element(u, "Note", "", text);
	}
	element(u, u->is_note ? "CreditedQuantity" : "InvoicedQuantity",
		" unitCode=\"C62\"", micro < 0 ? "-1" : "1");
	amount(u, "LineExtensionAmount", micro);
	period(u, invoice_text(l, "from"), invoice_text(l, "to"));
	put(u, "<cac:Item>\n");
	leaf(u, "Name", l, "description");
	tax_category(u, "ClassifiedTaxCategory", category, percent, "");
	put(u, "</cac:Item>\n<cac:Price>\n");
	amount(u, "PriceAmount", micro < 0 ? -micro : micro);
	put(u, "</cac:Price>\n");
	u->err = u->err ? u->err : mbuf_printf(u->mb, "</cac:%s>\n", kind);
}


static void head(struct ubl *u)
{
	const json_t *span = json_object_get(u->doc, "period");
	const json_t *refers = json_object_get(u->doc, "refers");
	const char *root = u->is_note ? "CreditNote" : "Invoice";

	u->err = mbuf_printf(u->mb,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s "
		"xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:%s-2\" "
		"xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:"
		"CommonAggregateComponents-2\" "
		"xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:"
		"CommonBasicComponents-2\">\n", root, root);
	element(u, "CustomizationID", "", "urn:cen.eu:en16931:2017");
	leaf(u, "ID", u->doc, "number");
	leaf(u, "IssueDate", u->doc, "issued_on");
	if (!u->is_note)
		leaf(u, "DueDate", u->doc, "due_on");
	/* UNTDID 1001 */
	element(u, u->is_note ? "CreditNoteTypeCode" : "InvoiceTypeCode", "",
		u->is_note ? "381" : "380");
	leaf(u, "Note", u->doc, "note");
	element(u, "DocumentCurrencyCode", "", u->currency);
	leaf(u, "BuyerReference", u->buyer, "buyer_reference");
	period(u, invoice_text(span, "from"), invoice_text(span, "to"));
	if (*invoice_text(u->buyer, "order_reference")) {
		put(u, "<cac:OrderReference>\n");
		leaf(u, "ID", u->buyer, "order_reference");
		put(u, "</cac:OrderReference>\n");
	}
	if (json_is_object(refers)) {
		put(u, "<cac:BillingReference>\n"
		       "<cac:InvoiceDocumentReference>\n");
		leaf(u, "ID", refers, "number");
		leaf(u, "IssueDate", refers, "issued_on");
		put(u, "</cac:InvoiceDocumentReference>\n"
		       "</cac:BillingReference>\n");
	}
}


/* What the norm cannot say, or wants to have said. NULL: nothing */
static const char *fault(struct ubl *u, const struct subtotal *s, size_t n)
{
	const json_t *l;
	const char *category, *percent;
	size_t i;

	if (!*invoice_text(u->doc, "number"))
		return "a draft has no number";
	if (!strcmp(invoice_text(u->doc, "status"), "void"))
		return "it is void";
	json_array_foreach(json_object_get(u->doc, "lines"), i, l) {
		if (!category_of(u, json_object_get(l, "taxes"), &category,
				 &percent))
			return "a line has more than one tax";
	}
	for (i = 0; i < n; i++) {
		if (!strcmp(s[i].category, "O"))
			u->is_untaxed = true;
		else if (!*invoice_text(u->seller, "vat_id") &&
			 !*invoice_text(u->seller, "tax_number"))
			return "the seller has no VAT number";
		if ((!strcmp(s[i].category, "AE") ||
		     !strcmp(s[i].category, "K")) &&
		    !*invoice_text(u->buyer, "vat_id"))
			return "the buyer has no VAT number";
	}
	if (u->is_untaxed && n > 1)
		return "what is not subject to VAT stands alone";
	if (u->is_untaxed && !*invoice_text(u->seller, "registration"))
		return "the seller has no registration";

	return NULL;
}


int invoice_ubl(struct mbuf *mb, const json_t *doc, const char **why)
{
	struct subtotal s[SUBTOTALS_MAX];
	struct ubl u = {
		.mb = mb, .doc = doc,
		.seller = json_object_get(doc, "seller"),
		.buyer = json_object_get(doc, "buyer"),
		.currency = invoice_text(doc, "currency"),
		.is_note = !strcmp(invoice_text(doc, "kind"), "credit_note"),
	};
	const json_t *l;
	size_t i, n = subtotals_add_up(&u, s);

	if (!json_is_object(u.seller) || !json_is_object(u.buyer) || !n)
		return EBADMSG;
	*why = fault(&u, s, n);
	if (*why)
		return ENOTSUP;

	head(&u);
	party(&u, "AccountingSupplierParty", u.seller);
	party(&u, "AccountingCustomerParty", u.buyer);
	delivery(&u);
	payment(&u);
	tax_total(&u, s, n);
	totals(&u);
	json_array_foreach(json_object_get(doc, "lines"), i, l)
		line(&u, l);
	put(&u, u.is_note ? "</CreditNote>\n" : "</Invoice>\n");

	return u.err;
}
