/**
 * @file report_write.c  The answer of a report as a table, CSV (RFC 4180), JSON
 * or a page of HTML that needs nothing else.
 */
#include "json.h"
#include <errno.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "csv_cell.h"
#include "report.h"
#include "text.h"

#define MONEY_SIZE 48

static const char css[] =
	"@page{size:A4 landscape;margin:14mm;@bottom-right{content:\"Page \" "
	"counter(page) \" of \" counter(pages);font:7px 'DejaVu Sans',"
	"sans-serif;color:#7b8794}}"
	"body{font:13px/1.45 system-ui,'DejaVu Sans',sans-serif;color:#1c2733;"
	"margin:2rem}h1{font-size:1.5rem;margin:0 0 .2rem}"
	"p{margin:.1rem 0;color:#55626f}"
	"table{border-collapse:collapse;margin-top:1rem;width:100%}"
	"thead{display:table-header-group}"
	"th{text-align:left;border-bottom:2px solid #1c2733;font-weight:600;"
	"padding:.3rem .7rem .3rem 0;white-space:nowrap;font-size:.85em}"
	"td{border-bottom:1px solid #dde3e9;padding:.22rem .7rem .22rem 0;"
	"vertical-align:top}td.n,th.n{text-align:right;"
	"font-variant-numeric:tabular-nums;white-space:nowrap}"
	"td.minus{color:#b3261e}tr:nth-child(even) td{background:#f6f8fa}"
	"td.chart{background:none!important;min-width:9rem}"
	"td.chart i{display:inline-block;height:.75em;background:#3b7dd8;"
	"margin-left:.5rem;vertical-align:-.05em}"
	"footer{margin-top:1rem;color:#7b8794;font-size:.85em}"
	"@media print{body{margin:0;font-size:8px}th{white-space:normal}"
	"td,th{padding-left:.5em;padding-right:.5em}}";


bool report_form_find(enum report_form *ret, const char *name)
{
	static const char *const names[] = {"table", "csv", "json", "html"};

	for (int i = 0; i < 4; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*ret = (enum report_form)i;
		return true;
	}
	return false;
}


/* Exact, with two decimals at least */
static const char *money_exact(char buf[MONEY_SIZE], const char *micro)
{
	const char *point;
	size_t n;

	(void)text_decimal_format(buf, MONEY_SIZE, strtoll(micro, NULL, 10), 6);
	point = strchr(buf, '.');
	n = strlen(buf);
	while (point && buf + n - point > 3 && buf[n - 1] == '0')
		buf[--n] = '\0';
	return buf;
}


/* For eyes: four decimals, and thousands apart */
static const char *money_shown(char buf[MONEY_SIZE], const char *micro)
{
	const long long v = strtoll(micro, NULL, 10);
	const unsigned long long tenths =
		((unsigned long long)llabs(v) + 50) / 100;
	unsigned long long whole = tenths / 10000;
	char digits[32];
	size_t n, at = 0;

	(void)text_format(digits, sizeof(digits), "%llu", whole);
	n = strlen(digits);
	if (v < 0 && tenths)
		buf[at++] = '-';
	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			buf[at++] = ' ';
		buf[at++] = digits[i];
	}
	(void)text_format(buf + at, MONEY_SIZE - at, ".%04llu",
			  tenths % 10000);
	return buf;
}


static bool is_right(enum report_kind kind)
{
	return kind == REPORT_NUMBER || kind == REPORT_DECIMAL ||
	       kind == REPORT_PERCENT || kind == REPORT_MONEY;
}


static const char *cell(char buf[MONEY_SIZE], const PGresult *rows, int row,
			int column, enum report_kind kind, bool is_shown)
{
	const char *text = PQgetvalue(rows, row, column);

	if (PQgetisnull(rows, row, column))
		return "";
	if (kind == REPORT_FLAG)
		return *text == 't' ? "yes" : "no";
	if (kind != REPORT_MONEY)
		return text;
	return is_shown ? money_shown(buf, text) : money_exact(buf, text);
}


/* --- table -------------------------------------------------------------- */

/* Terminals count characters: bytes that continue one take no room. */
static int width_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}


static int table_cell(struct mbuf *mb, const char *text, int width,
		      bool is_last, bool is_right_hand)
{
	int pad = width - width_of(text), err = 0;

	if (!is_right_hand)
		err = mbuf_write_str(mb, text);
	for (; pad > 0 && (is_right_hand || !is_last) && !err; pad--)
		err = mbuf_write_u8(mb, ' ');
	if (is_right_hand && !err)
		err = mbuf_write_str(mb, text);
	return err ? err : mbuf_write_str(mb, is_last ? "\n" : "  ");
}


static int write_table(struct mbuf *mb, const struct report_column **c,
		       size_t n, const PGresult *rows)
{
	int widths[REPORT_COLUMNS_MAX], err = 0;
	char buf[MONEY_SIZE];

	for (size_t i = 0; i < n; i++) {
		widths[i] = width_of(c[i]->name);
		for (int r = 0; r < PQntuples(rows); r++) {
			const int w = width_of(cell(buf, rows, r, (int)i,
						    c[i]->kind, true));

			if (w > widths[i])
				widths[i] = w;
		}
	}
	for (size_t i = 0; i < n && !err; i++)
		err = table_cell(mb, c[i]->name, widths[i], i + 1 == n,
				 is_right(c[i]->kind));
	for (int r = 0; r < PQntuples(rows) && !err; r++) {
		for (size_t i = 0; i < n && !err; i++)
			err = table_cell(mb, cell(buf, rows, r, (int)i,
						  c[i]->kind, true),
					 widths[i], i + 1 == n,
					 is_right(c[i]->kind));
	}
	return err;
}


/* --- CSV ---------------------------------------------------------------- */

static int write_csv(struct mbuf *mb, const struct report_column **c,
		     size_t n, const PGresult *rows)
{
	char buf[MONEY_SIZE];
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = csv_cell(mb, c[i]->name, ',', i + 1 == n);
	for (int r = 0; r < PQntuples(rows) && !err; r++) {
		for (size_t i = 0; i < n && !err; i++)
			err = csv_cell(mb, cell(buf, rows, r, (int)i,
						c[i]->kind, false),
				       ',', i + 1 == n);
	}
	return err;
}


/* --- JSON --------------------------------------------------------------- */

static json_t *cell_json(const PGresult *rows, int row, int column,
			 enum report_kind kind)
{
	const char *text = PQgetvalue(rows, row, column);
	char buf[MONEY_SIZE];

	if (PQgetisnull(rows, row, column))
		return json_null();
	if (kind == REPORT_NUMBER)
		return json_integer(strtoll(text, NULL, 10));
	if (kind == REPORT_FLAG)
		return json_boolean(*text == 't');
	return json_string(kind == REPORT_MONEY ? money_exact(buf, text)
						: text);
}


json_t *report_json(const struct report_ask *ask, const PGresult *rows)
{
	const struct report_column *c[REPORT_COLUMNS_MAX];
	const size_t n = report_columns(ask, c);
	json_t *list = json_array(), *doc;

	for (int r = 0; r < PQntuples(rows); r++) {
		json_t *row = json_object();

		for (size_t i = 0; i < n; i++)
			(void)json_object_set_new(row, c[i]->name, cell_json(
				rows, r, (int)i, c[i]->kind));
		(void)json_array_append_new(list, row);
	}
	doc = json_pack("{s:s, s:s, s:s?, s:s?, s:o}", "report",
			ask->report->name, "title", ask->report->title, "from",
			ask->by[REPORT_BY_FROM], "to", ask->by[REPORT_BY_TO],
			"rows", list);
	if (doc && ask->corrects) {
		(void)json_object_set_new(doc, "corrects",
					  json_string(ask->corrects));
		(void)json_object_set_new(doc, "revision",
					  json_integer(ask->revision));
	}
	return doc;
}


static int write_json(struct mbuf *mb, const struct report_ask *ask,
		      const PGresult *rows)
{
	json_t *doc = report_json(ask, rows);
	char *text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	int err = text ? mbuf_printf(mb, "%s\n", text) : ENOMEM;

	free(text);
	json_decref(doc);
	return err;
}


/* --- HTML --------------------------------------------------------------- */

static int html_text(struct mbuf *mb, const char *text)
{
	int err = 0;

	for (; *text && !err; text++) {
		switch (*text) {
		case '&':  err = mbuf_write_str(mb, "&amp;"); break;
		case '<':  err = mbuf_write_str(mb, "&lt;"); break;
		case '>':  err = mbuf_write_str(mb, "&gt;"); break;
		case '"':  err = mbuf_write_str(mb, "&quot;"); break;
		default:   err = mbuf_write_u8(mb, (uint8_t)*text); break;
		}
	}
	return err;
}


static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}


/* A word of a heading: measures in capitals, units in brackets */
static int html_word(struct mbuf *mb, const char *word, bool is_first)
{
	static const char *const capitals[] = {"asr", "ner", "acd", "pdd",
					       "mos", "id", "sip"};
	char text[64];

	for (size_t i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++) {
		if (strcmp(word, capitals[i]) != 0)
			continue;
		(void)text_copy(text, sizeof(text), word);
		for (char *s = text; *s; s++)
			*s = upper(*s);
		return html_text(mb, text);
	}
	if (!strcmp(word, "s"))
		return mbuf_write_str(mb, "[s]");
	if (!strcmp(word, "percent"))
		return mbuf_write_str(mb, "%");
	(void)text_copy(text, sizeof(text), word);
	if (is_first)
		*text = upper(*text);

	return html_text(mb, text);
}


/* "acd_s": ACD [s] */
static int html_heading(struct mbuf *mb, const char *name)
{
	const char *s = name;
	char word[64];
	int err = 0;

	while (*s && !err) {
		const size_t n = strcspn(s, "_");

		if (s > name)
			err = mbuf_write_u8(mb, ' ');
		if (!err)
			err = text_set(word, sizeof(word), s, n);
		if (!err)
			err = html_word(mb, word, s == name);
		s += n + (s[n] == '_');
	}

	return err;
}


static int html_head(struct mbuf *mb, const struct report_ask *ask)
{
	static const enum report_by shown[] = {
		REPORT_BY_TENANT, REPORT_BY_TRUNK, REPORT_BY_CARRIER,
		REPORT_BY_DIRECTION, REPORT_BY_CURRENCY, REPORT_BY_ZONE,
	};
	const struct report *r = ask->report;
	int err = mbuf_printf(mb, "<!doctype html><html lang=en><meta "
			      "charset=utf-8><title>%s</title><style>%s"
			      "</style><h1>%s</h1><p>", r->title, css,
			      r->title);

	if (!err)
		err = html_text(mb, r->about);
	if (!err)
		err = mbuf_write_str(mb, "</p><p>");
	if (!err)
		err = html_text(mb, ask->by[REPORT_BY_FROM]);
	if (!err)
		err = mbuf_write_str(mb, " to ");
	if (!err)
		err = html_text(mb, ask->by[REPORT_BY_TO]);
	for (size_t i = 0; i < ARRAY_SIZE(shown) && !err; i++) {
		const char *text = ask->by[shown[i]];

		if (!text || !*text)
			continue;
		err = mbuf_printf(mb, ", %s ", report_by_name(shown[i]));
		if (!err)
			err = html_text(mb, text);
	}
	if (!err && ask->corrects) {
		err = mbuf_printf(mb, "</p><p><b>Correction %u of ",
				  ask->revision);
		if (!err)
			err = html_text(mb, ask->corrects);
		if (!err)
			err = mbuf_write_str(mb, ": records came after it was "
					     "made, or were rated again.</b>");
	}
	return err ? err : mbuf_write_str(mb, "</p><table><thead><tr>");
}


static double number_of(const PGresult *rows, int row, int column)
{
	const double v = strtod(PQgetvalue(rows, row, column), NULL);

	return v > 0 ? v : 0;
}


static double largest(const PGresult *rows, int column)
{
	double most = 0;

	for (int r = 0; r < PQntuples(rows); r++) {
		if (number_of(rows, r, column) > most)
			most = number_of(rows, r, column);
	}
	return most;
}


static int html_cell(struct mbuf *mb, const struct report_column *c,
		     const PGresult *rows, int row, int column, double most)
{
	char buf[MONEY_SIZE];
	const char *text = cell(buf, rows, row, column, c->kind, true);
	int err;

	if (most > 0)
		err = mbuf_write_str(mb, "<td class=chart>");
	else if (is_right(c->kind))
		err = mbuf_printf(mb, "<td class=\"n%s\">",
				  *text == '-' ? " minus" : "");
	else
		err = mbuf_write_str(mb, "<td>");
	if (!err)
		err = html_text(mb, text);
	if (!err && most > 0)
		err = mbuf_printf(mb, "<i style=\"width:%de-1em\"></i>",
				  (int)(80 * number_of(rows, row, column)
					/ most + 0.5));
	return err;
}


static int write_html(struct mbuf *mb, const struct report_ask *ask,
		      const struct report_column **c, size_t n,
		      const PGresult *rows)
{
	double most[REPORT_COLUMNS_MAX] = {0};
	int err = html_head(mb, ask);

	for (size_t i = 0; i < n && !err; i++) {
		if (!strcmp(c[i]->name, ask->report->chart))
			most[i] = largest(rows, (int)i);
		err = mbuf_write_str(mb, is_right(c[i]->kind) && most[i] <= 0
					 ? "<th class=n>" : "<th>");
		if (!err)
			err = html_heading(mb, c[i]->name);
	}
	if (!err)
		err = mbuf_write_str(mb, "</thead><tbody>");
	for (int r = 0; r < PQntuples(rows) && !err; r++) {
		err = mbuf_write_str(mb, "<tr>");
		for (size_t i = 0; i < n && !err; i++)
			err = html_cell(mb, c[i], rows, r, (int)i, most[i]);
	}
	return err ? err : mbuf_printf(mb, "</tbody></table><footer>%d rows%s"
				       "</footer></html>\n", PQntuples(rows),
				       report_is_full(ask, rows)
				       ? ", as many as were asked for: there "
					 "may be more" : "");
}


int report_write(struct mbuf *mb, const struct report_ask *ask,
		 const PGresult *rows, enum report_form form)
{
	const struct report_column *c[REPORT_COLUMNS_MAX];
	const size_t n = report_columns(ask, c);

	switch (form) {
	case REPORT_TABLE: return write_table(mb, c, n, rows);
	case REPORT_CSV:   return write_csv(mb, c, n, rows);
	case REPORT_JSON:  return write_json(mb, ask, rows);
	case REPORT_HTML:  return write_html(mb, ask, c, n, rows);
	}
	return EINVAL;
}
