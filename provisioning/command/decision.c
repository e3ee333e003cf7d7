/** @file decision.c  See decision.h. */
#include "json.h"
#include <re.h>
#include <string.h>
#include "command.h"
#include "database.h"
#include "decision.h"
#include "pg.h"


static const char *text_of(const json_t *note, const char *name)
{
	const char *text = json_string_value(json_object_get(note, name));

	return text ? text : "-";
}


static bool is_head(const char *name)
{
	return !strcmp(name, "step") || !strcmp(name, "outcome") ||
	       !strcmp(name, "id");
}


static void note_print(const json_t *note, FILE *out)
{
	const char *name;
	json_t *value;

	(void)fprintf(out, "%-10s %-20s %-31s", text_of(note, "step"),
		      text_of(note, "outcome"), text_of(note, "id"));
	json_object_foreach((json_t *)(uintptr_t)note, name, value) {
		if (is_head(name))
			continue;
		if (json_is_string(value))
			(void)fprintf(out, " %s=%s", name,
				      json_string_value(value));
		else
			(void)fprintf(out, " %s=%lld", name,
				      (long long)json_integer_value(value));
	}
	(void)fputc('\n', out);
}


void decision_print(const json_t *notes, FILE *out)
{
	(void)fprintf(out, "\ndecision:\n%-10s %-20s %-31s FACTS\n", "STEP",
		      "OUTCOME", "ID");
	for (size_t i = 0; i < json_array_size(notes); i++)
		note_print(json_array_get(notes, i), out);
}


static int past_print(const struct options *opt, const PGresult *result)
{
	static const char *const names[] = {"call_id", "started_at",
					    "outcome", "sip_code"};
	json_t *notes = json_loads(PQgetvalue(result, 0, 4), 0, NULL), *all;

	if (opt->is_json) {
		all = json_pack("{s:s,s:s,s:s,s:s,s:o?}", names[0],
				PQgetvalue(result, 0, 0), names[1],
				PQgetvalue(result, 0, 1), names[2],
				PQgetvalue(result, 0, 2), names[3],
				PQgetvalue(result, 0, 3), "decision", notes);
		(void)json_dumpf(all, stdout, JSON_INDENT(2));
		(void)putchar('\n');
		json_decref(all);
		return COMMAND_OK;
	}

	for (int i = 0; i < 4; i++)
		(void)printf("%-16s %s\n", names[i],
			     PQgetvalue(result, 0, i));
	decision_print(notes, stdout);
	json_decref(notes);

	return COMMAND_OK;
}


int decision_past(const struct options *opt)
{
	const char *params[] = {opt->argument};
	char why[256] = "";
	PGresult *result = NULL;
	struct pg *pg;
	int code, err = database_open(&pg, opt, why, sizeof(why));

	if (err)
		return command_fail(COMMAND_UNREACHABLE,
				    "the switch does not know the call any "
				    "more, and its record cannot be read: %s",
				    why);

	err = pg_exec(pg, "SELECT r.call_id, r.started_at, r.outcome, "
		      "r.sip_code, d.decision FROM cdr.record r "
		      "LEFT JOIN cdr.decision d USING (started_at, call_id) "
		      "WHERE r.call_id = $1::uuid AND r.attempt = 0", 1, params,
		      &result);
	if (err)
		code = command_fail(COMMAND_REFUSED, "%s", pg_error(pg));
	else if (!PQntuples(result))
		code = command_fail(COMMAND_REFUSED,
				    "no_such_call: neither a live call nor "
				    "one with a record");
	else
		code = past_print(opt, result);

	PQclear(result);
	mem_deref(pg);

	return code;
}
