/**
 * @file worker_rules.c  What a peer's rules make of a number or a name, asked
 * by the operator: by the same sets and the same functions as for a call.
 */
#include "json.h"
#include <string.h>
#include "worker_private.h"

/** The rules of a peer for one direction and subject. */
struct chosen {
	const struct number_rules *own; /**< by reference; NULL             */
	const struct rule_set *rules;
	bool is_name;
};


static const char *text_of(const json_t *req, const char *name)
{
	const char *text = json_string_value(json_object_get(req, name));

	return text ? text : "";
}


static void choose(struct chosen *ret, const struct number_policy *p,
		   const struct rule_set *in, const struct rule_set *out,
		   enum rule_direction direction, uint8_t subject)
{
	ret->is_name = subject == RULE_NAME;
	ret->own = p->rules[direction][subject];
	if (ret->own)
		ret->rules = &ret->own->rules;
	else
		ret->rules = direction == RULES_IN ? in : out;
}


static bool find(const struct catalog *cat, const json_t *req,
		 struct chosen *ret)
{
	const enum rule_direction direction =
		strcmp(text_of(req, "direction"), "out") ? RULES_IN
							 : RULES_OUT;
	const struct trunk *t = catalog_trunk(cat, text_of(req, "peer"));
	const struct gateway *g = catalog_gateway(cat, text_of(req, "peer"));
	uint8_t subject = RULE_CALLING;

	while (subject + 1 < RULE_SUBJECT_N &&
	       strcmp(rule_subject_name(subject), text_of(req, "subject")))
		++subject;

	if (t)
		choose(ret, &t->numbers, &t->number_in, &t->number_out,
		       direction, subject);
	else if (g)
		choose(ret, &g->numbers, &g->number_in, &g->number_out,
		       direction, subject);

	return t || g;
}


/* 0 stays: null in JSON */
static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}


static json_t *answer(const struct chosen *chosen, int rule, bool is_matched,
		      const char *result)
{
	return json_pack(
		"{s:b,s:o,s:o,s:o,s:b,s:b}", "ok", 1, "rule_set_id",
		text_or_null(chosen->own ? chosen->own->id : NULL), "rule",
		rule < 0 ? json_null() : json_integer(rule), "result",
		text_or_null(result), "matched", is_matched, "is_e164",
		result && number_is_e164(result));
}


static json_t *name_answer(const struct chosen *chosen, const json_t *req)
{
	static const struct name_rules none;
	const char *number = text_of(req, "number");
	const struct name_bearer who = {
		text_of(req, "value"),
		number_is_e164(number) ? number : "",
		number,
	};
	char result[NAME_BYTES];
	const int rule = name_rule_apply(
		chosen->own ? &chosen->own->name_rules : &none, &who, result);

	return answer(chosen, rule, rule >= 0, result);
}


static json_t *number_answer(const struct chosen *chosen, const json_t *req)
{
	const char *value = text_of(req, "value");
	const int rule = rule_index(chosen->rules, value);
	char result[64] = "";
	const int err = number_is_dialable(value)
				? rule_apply(chosen->rules, value, result,
					     sizeof(result))
				: EBADMSG;

	return answer(chosen, rule, !err, err ? NULL : result);
}


json_t *worker_rules(struct worker *w, const json_t *req)
{
	struct chosen chosen;

	if (!w->cat || !find(w->cat, req, &chosen))
		return json_pack("{s:b,s:s,s:s}", "ok", 0, "code",
				 "no_such_peer", "detail",
				 "neither a trunk nor a gateway has this id");

	return chosen.is_name ? name_answer(&chosen, req)
			      : number_answer(&chosen, req);
}
