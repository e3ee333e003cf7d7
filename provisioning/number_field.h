/**
 * @file number_field.h  Members that trunks and gateways have in common: what
 * their numbers go through.
 */
#ifndef NUMBER_FIELD_H
#define NUMBER_FIELD_H
#include "form.h"
#include "field.h"

/** One rule set by reference: direction, subject, rule_set_id. */
extern const struct field_set number_use_set;

bool number_list_id_is_sound(const char *text);
bool number_domain_is_sound(const char *text);

#define FIELD_NUMBER_LISTS(name_) \
	{.name = (name_), .type = FIELD_CHOICES, .flags = F_PLATFORM, \
	 .column = "number_lists", .min = 0, .max = 8, \
	 .form = number_list_id_is_sound, \
	 .form_is = "an id: nls_ and 26 characters"}

#define FIELD_NUMBER_POLICY \
	FIELD_NUMBER_LISTS("numbers.lists"), \
	{.name = "numbers.rules", .type = FIELD_LIST, .flags = F_PLATFORM, \
	 .column = "number_rules", .min = 0, .max = 10, \
	 .items = &number_use_set}, \
	{.name = "numbers.calling_sources", .type = FIELD_CHOICES, \
	 .flags = F_PLATFORM, .column = "calling_sources", .min = 0, \
	 .max = 5, .choices = (const char *const[]){"from", "pai", "ppi", \
						    "rpid", "diversion", \
						    NULL}}, \
	{.name = "numbers.called_source", .type = FIELD_CHOICE, \
	 .column = "called_source", \
	 .choices = (const char *const[]){"request_uri", "to", NULL}}, \
	{.name = "numbers.send_ppi", .type = FIELD_FLAG, \
	 .column = "send_ppi"}, \
	{.name = "numbers.send_rpid", .type = FIELD_FLAG, \
	 .column = "send_rpid"}, \
	{.name = "numbers.send_diversion", .type = FIELD_FLAG, \
	 .column = "send_diversion"}, \
	{.name = "numbers.send_history", .type = FIELD_FLAG, \
	 .column = "send_history"}, \
	{.name = "numbers.identity_uri", .type = FIELD_CHOICE, \
	 .column = "identity_uri", \
	 .choices = (const char *const[]){"sip", "tel", NULL}}, \
	{.name = "numbers.identity_domain", .type = FIELD_TEXT, \
	 .flags = F_NULLABLE, .column = "identity_domain", .min = 1, \
	 .max = 63, .form = number_domain_is_sound, \
	 .form_is = "lower-case letters, digits, dots and hyphens"}

#define REFUSALS_NUMBER_POLICY \
	{.constraint = "number_lists_exist", .field = "numbers.lists", \
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such list"}, \
	{.constraint = "number_rules_exist", .field = "numbers.rules", \
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such rule set"}

#endif
