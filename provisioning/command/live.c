/**
 * @file live.c  Commands that ask the running switch.
 */
#include "json.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "control.h"
#include "decision.h"
#include "grid.h"
#include "moment.h"
#include "text.h"


/**
 * Ask and judge. Takes the reference of request.
 * @return COMMAND_OK with an answer, or the exit code, said on stderr
 */
static int ask(const struct options *opt, json_t *request, json_t **ret_answer)
{
	const char *code, *detail;
	json_t *answer = NULL;
	int err;

	err = control_ask(opt->control, request, &answer, NULL);
	json_decref(request);
	if (err)
		return command_fail(COMMAND_UNREACHABLE,
				    "no answer from the switch at %s: %s",
				    opt->control, strerror(err));

	if (json_is_true(json_object_get(answer, "ok"))) {
		*ret_answer = answer;
		return COMMAND_OK;
	}

	code = json_string_value(json_object_get(answer, "code"));
	detail = json_string_value(json_object_get(answer, "detail"));
	(void)command_fail(COMMAND_REFUSED, "%s: %s", code ? code : "refused",
			   detail ? detail : "no reason given");
	json_decref(answer);

	return COMMAND_REFUSED;
}


static int answer_dump(const json_t *answer)
{
	(void)json_dumpf(answer, stdout, JSON_INDENT(2));
	(void)putchar('\n');

	return COMMAND_OK;
}


/** A scalar member as text; "" when there is none. */
static const char *member(const json_t *object, const char *name, char *buf,
			  size_t size)
{
	const json_t *value = json_object_get(object, name);

	buf[0] = '\0';
	if (json_is_string(value))
		(void)text_copy(buf, size, json_string_value(value));
	else if (json_is_integer(value))
		(void)text_format(buf, size, "%lld",
				  (long long)json_integer_value(value));
	else if (json_is_real(value))
		(void)text_format(buf, size, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		(void)text_copy(buf, size,
				json_is_true(value) ? "yes" : "no");

	return buf;
}


/** 3723004 ms as "1:02:03" */
static const char *duration(const json_t *object, char *buf, size_t size)
{
	const json_t *value = json_object_get(object, "duration_ms");
	long long s = (long long)json_integer_value(value) / 1000;

	buf[0] = '\0';
	if (json_is_integer(value))
		(void)text_format(buf, size, "%lld:%02lld:%02lld", s / 3600,
				  s / 60 % 60, s % 60);

	return buf;
}


/** "0.123400 EUR" */
static const char *price(const json_t *object, char *buf, size_t size)
{
	const json_t *value = json_object_get(object, "price_micro");
	char amount[32], currency[8];

	buf[0] = '\0';
	if (json_is_integer(value))
		(void)text_format(buf, size, "%s %s",
				  text_decimal_format(amount, sizeof(amount),
						      json_integer_value(value),
						      6),
				  member(object, "currency", currency,
					 sizeof(currency)));

	return buf;
}


static int call_cells(struct grid *g, const json_t *call)
{
	static const char *const plain[] = {"call_id", "state", "calling",
					    "called", "trunk", "gateway",
					    "started_at"};
	char buf[128];
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]) && !err; i++)
		err = grid_cell(g, member(call, plain[i], buf, sizeof(buf)));
	if (!err)
		err = grid_cell(g, duration(call, buf, sizeof(buf)));
	if (!err)
		err = grid_cell(g, price(call, buf, sizeof(buf)));

	return err;
}


static int calls_print(const json_t *calls)
{
	static const char *const heads[] = {
		"CALL", "STATE", "CALLING", "CALLED", "TRUNK", "GATEWAY",
		"STARTED", "DURATION", "PRICE", NULL};
	struct grid *g;
	size_t i;
	int err;

	err = grid_alloc(&g, heads);
	for (i = 0; i < json_array_size(calls) && !err; i++)
		err = call_cells(g, json_array_get(calls, i));
	if (err)
		return command_fail(COMMAND_REFUSED, "%s", strerror(err));

	grid_print(g, stdout);
	mem_deref(g);

	return COMMAND_OK;
}


int command_calls(const struct options *opt)
{
	json_t *answer;
	int code;

	code = ask(opt, json_pack("{sssi}", "op", "calls", "limit",
				  (int)opt->limit),
		   &answer);
	if (code)
		return code;

	code = opt->is_json ? answer_dump(answer)
			    : calls_print(json_object_get(answer, "calls"));
	json_decref(answer);

	return code;
}


/** For answers of which nothing but the agreement matters. */
static int ask_done(const struct options *opt, json_t *request,
		    const char *done)
{
	json_t *answer;
	int code = ask(opt, request, &answer);

	if (code)
		return code;

	if (opt->is_json)
		(void)answer_dump(answer);
	else
		(void)puts(done);
	json_decref(answer);

	return COMMAND_OK;
}


int command_drop(const struct options *opt)
{
	return ask_done(opt, json_pack("{ssss}", "op", "drop", "call",
				       opt->argument),
			"the call is being ended");
}


int command_drain(const struct options *opt)
{
	return ask_done(opt, json_pack("{sssb}", "op", "drain", "off",
				       opt->is_off),
			opt->is_off ? "new calls are accepted again"
				    : "new calls are refused; those that run "
				      "go on to their end");
}


static void members_print(const json_t *object)
{
	const char *name;
	char buf[256];
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		if (json_is_array(value) || json_is_object(value) ||
		    !strcmp(name, "ok") || !strcmp(name, "invite"))
			continue;
		(void)printf("%-16s %s\n", name,
			     member(object, name, buf, sizeof(buf)));
	}
}


/** The members of any row, in the order they come, are the columns. */
static size_t heads_collect(const json_t *rows, const char **heads)
{
	size_t i, n = 0, known;
	const char *name;
	json_t *value;

	for (i = 0; i < json_array_size(rows); i++) {
		json_object_foreach(json_array_get(rows, i), name, value) {
			(void)value;
			for (known = 0; known < n; known++) {
				if (!strcmp(heads[known], name))
					break;
			}
			if (known == n && n < GRID_COLUMNS_MAX)
				heads[n++] = name;
		}
	}
	heads[n] = NULL;

	return n;
}


/** An array of objects, whatever they say. */
static int rows_print(const char *title, const json_t *rows)
{
	const char *heads[GRID_COLUMNS_MAX + 1];
	const size_t n = heads_collect(rows, heads);
	char buf[512];
	struct grid *g;
	size_t i, k;
	int err;

	if (!n)
		return COMMAND_OK;

	err = grid_alloc(&g, heads);
	for (i = 0; i < json_array_size(rows) && !err; i++) {
		for (k = 0; k < n && !err; k++)
			err = grid_cell(g, member(json_array_get(rows, i),
						  heads[k], buf,
						  sizeof(buf)));
	}
	if (err)
		return command_fail(COMMAND_REFUSED, "%s", strerror(err));

	(void)printf("\n%s:\n", title);
	grid_print(g, stdout);
	mem_deref(g);

	return COMMAND_OK;
}


/** Scalars line by line, then objects, then arrays as tables. */
static int story_print(const json_t *answer)
{
	const char *name;
	json_t *value;
	int code = COMMAND_OK;

	members_print(answer);
	json_object_foreach((json_t *)(uintptr_t)answer, name, value) {
		if (json_is_object(value))
			members_print(value);
	}
	json_object_foreach((json_t *)(uintptr_t)answer, name, value) {
		if (!strcmp(name, "decision"))
			decision_print(value, stdout);
		else if (json_is_array(value) && !code)
			code = rows_print(name, value);
	}

	return code;
}


static int ask_story(const struct options *opt, json_t *request)
{
	json_t *answer;
	int code = ask(opt, request, &answer);

	if (code)
		return code;

	code = opt->is_json ? answer_dump(answer) : story_print(answer);
	json_decref(answer);

	return code;
}


int command_limits(const struct options *opt)
{
	return ask_story(opt, json_pack("{ssss}", "op", "limits", "id",
					opt->argument));
}


int command_quality(const struct options *opt)
{
	return ask_story(opt, json_pack("{ssss}", "op", "quality", "gateway",
					opt->argument));
}


int command_quality_unlock(const struct options *opt)
{
	return ask_story(opt, json_pack("{ssss}", "op", "quality_unlock",
					"gateway", opt->argument));
}


static bool is_forgotten(const json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));

	return code && !strcmp(code, "no_such_call");
}


/* The switch knows live calls and the last that ended, the database all. */
int command_trace(const struct options *opt)
{
	json_t *request = json_pack("{ssss}", "op", "trace", "call",
				    opt->argument);
	json_t *answer = NULL;
	const int err = control_ask(opt->control, request, &answer, NULL);
	int code;

	json_decref(request);
	if (err || is_forgotten(answer)) {
		code = decision_past(opt);
	}
	else {
		code = opt->is_json ? answer_dump(answer)
				    : story_print(answer);
	}
	json_decref(answer);

	return code;
}


static void fact_set(json_t *request, const char *name, const char *text)
{
	if (text)
		(void)json_object_set_new(request, name, json_string(text));
}


static int test_print(const struct options *opt, const json_t *answer)
{
	const char *invite =
		json_string_value(json_object_get(answer, "invite"));
	int code;

	if (opt->is_json)
		return answer_dump(answer);

	code = story_print(answer);
	if (invite)
		(void)printf("\ninvite:\n%s", invite);

	return code;
}


int command_route_test(const struct options *opt)
{
	json_t *request = json_pack("{sssb}", "op", "route_test", "private",
				    opt->test.is_private);
	json_t *answer;
	int64_t at_ms;
	int code;

	fact_set(request, "trunk", opt->test.trunk);
	fact_set(request, "gateway", opt->test.gateway);
	fact_set(request, "source", opt->test.source);
	fact_set(request, "from", opt->test.from);
	fact_set(request, "to", opt->test.to);
	fact_set(request, "display", opt->test.display);
	if (opt->test.at) {
		if (moment_parse(&at_ms, opt->test.at)) {
			json_decref(request);
			return command_fail(COMMAND_USAGE, "--at: like "
					    "2026-11-22T10:31:00Z");
		}
		(void)json_object_set_new(request, "at_ms",
					  json_integer(at_ms));
	}

	code = ask(opt, request, &answer);
	if (code)
		return code;

	code = test_print(opt, answer);
	json_decref(answer);

	return code;
}


int command_status(const struct options *opt)
{
	return ask_story(opt, json_pack("{ss}", "op", "status"));
}


int command_registrations(const struct options *opt)
{
	return ask_story(opt, json_pack("{ss}", "op", "registrations"));
}


static int ask_text(const struct options *opt, const char *op)
{
	const char *text;
	json_t *answer;
	int code = ask(opt, json_pack("{ss}", "op", op), &answer);

	if (code)
		return code;

	text = json_string_value(json_object_get(answer, "text"));
	if (opt->is_json)
		(void)answer_dump(answer);
	else if (text)
		(void)fputs(text, stdout);
	json_decref(answer);

	return COMMAND_OK;
}


int command_metrics(const struct options *opt)
{
	return ask_text(opt, "metrics");
}


int command_table(const struct options *opt)
{
	return ask_text(opt, "table");
}
