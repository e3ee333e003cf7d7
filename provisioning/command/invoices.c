/**
 * @file invoices.c  `strowger invoice`: an invoice on stdout, in each of its
 * forms, out of the database.
 */
#include "invoice.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "database.h"
#include "pg.h"
#include "text.h"

/* Writes a document; *why may say what is wrong with it. */
typedef int(form_h)(struct mbuf *mb, const json_t *doc, const char **why);


/* Its id. By number it may be that of several sellers. */
static int find(struct pg *pg, const char *name, char id[36], char *why,
		size_t size)
{
	PGresult *rows = NULL;
	int err = pg_exec(pg, "SELECT id FROM billing.invoice WHERE id = $1 OR "
			  "name = $1", 1, &name, &rows);

	if (err)
		text_copy(why, size, pg_error(pg));
	else if (PQntuples(rows) != 1)
		(void)text_format(why, size, PQntuples(rows)
				  ? "several sellers have an invoice %s: name "
				    "it by its id" : "there is no invoice %s",
				  name);
	else
		text_copy(id, 36, PQgetvalue(rows, 0, 0));
	PQclear(rows);

	return *why ? ENOENT : 0;
}


static int document(struct pg *pg, const char *id, json_t **doc, char *why,
		    size_t size)
{
	PGresult *row = NULL;
	int err = pg_exec(pg, "SELECT billing.document($1)", 1, &id, &row);

	if (err)
		text_copy(why, size, pg_error(pg));
	else
		*doc = json_loads(PQgetvalue(row, 0, 0), 0, NULL);
	PQclear(row);

	return err ? err : *doc ? 0 : EBADMSG;
}


static int html(struct mbuf *mb, const json_t *doc, const char **why)
{
	(void)why;
	return invoice_html(mb, doc);
}


static int json(struct mbuf *mb, const json_t *doc, const char **why)
{
	char *text = json_dumps(doc, JSON_INDENT(2) | JSON_SORT_KEYS);
	const int err = text ? mbuf_printf(mb, "%s\n", text) : ENOMEM;

	(void)why;
	free(text);
	return err;
}


static int pdf(struct mbuf *mb, const json_t *doc, const char **why)
{
	struct mbuf *page = mbuf_alloc(16384);
	int err = page ? invoice_html(page, doc) : ENOMEM;

	if (!err)
		err = invoice_pdf(mb, (const char *)page->buf, page->end);
	if (err == ENOENT)
		*why = "there is no weasyprint: apt-get install weasyprint";
	mem_deref(page);

	return err;
}


static int show(const struct options *opt, form_h *form)
{
	struct mbuf *mb = mbuf_alloc(65536);
	char why[256] = "", id[36];
	const char *reason = NULL;
	json_t *doc = NULL;
	struct pg *pg;
	int err;

	if (!mb || database_open(&pg, opt, why, sizeof(why))) {
		mem_deref(mb);
		return command_fail(COMMAND_UNREACHABLE, "%s", why);
	}

	err = find(pg, opt->argument, id, why, sizeof(why));
	if (!err)
		err = document(pg, id, &doc, why, sizeof(why));
	if (!err)
		err = form(mb, doc, &reason);
	if (!err && fwrite(mb->buf, 1, mb->end, stdout) != mb->end)
		err = EIO;
	if (err)
		(void)command_fail(COMMAND_REFUSED, "%s", reason ? reason
				   : *why ? why : strerror(err));
	json_decref(doc);
	mem_deref(pg);
	mem_deref(mb);

	return err ? COMMAND_REFUSED : COMMAND_OK;
}


int command_invoice_json(const struct options *opt)
{
	return show(opt, json);
}


int command_invoice_html(const struct options *opt)
{
	return show(opt, html);
}


int command_invoice_pdf(const struct options *opt)
{
	return show(opt, pdf);
}


int command_invoice_ubl(const struct options *opt)
{
	return show(opt, invoice_ubl);
}


/* Row by row: a month may have millions. */
static int copy_out(struct pg *pg, const char *id)
{
	char sql[160], *line;
	int n;

	/* find() has read the id from the table */
	(void)text_format(sql, sizeof(sql), "COPY (SELECT * FROM billing.annex("
			  "'%s')) TO STDOUT (FORMAT csv, HEADER)", id);
	PQclear(PQexec(pg_conn(pg), sql));
	while ((n = PQgetCopyData(pg_conn(pg), &line, 0)) > 0) {
		(void)fwrite(line, 1, (size_t)n, stdout);
		PQfreemem(line);
	}

	return n == -1 && !ferror(stdout) ? 0 : EIO;
}


int command_invoice_annex(const struct options *opt)
{
	char why[256] = "", id[36];
	struct pg *pg;
	int err;

	if (database_open(&pg, opt, why, sizeof(why)))
		return command_fail(COMMAND_UNREACHABLE, "%s", why);

	err = find(pg, opt->argument, id, why, sizeof(why));
	if (!err)
		err = copy_out(pg, id);
	if (err)
		(void)command_fail(COMMAND_REFUSED, "%s", *why ? why
				   : PQerrorMessage(pg_conn(pg)));
	mem_deref(pg);

	return err ? COMMAND_REFUSED : COMMAND_OK;
}
