/**
 * @file party_field.h  Members that sellers and buyers have in common, and
 * days.
 */
#ifndef PARTY_FIELD_H
#define PARTY_FIELD_H
#include "form.h"
#include "field.h"

#define FIELD_LINE(name_, flags_, max_) \
	{.name = (name_), .type = FIELD_TEXT, .flags = (flags_), \
	 .column = (name_), .min = 1, .max = (max_), .form = form_is_name, \
	 .form_is = "free of control characters"}
#define FIELDS_PARTY \
	FIELD_LINE("street", F_NULLABLE, 127), \
	FIELD_LINE("city", F_REQUIRED, 127), \
	FIELD_LINE("postcode", F_NULLABLE, 16), \
	{.name = "country", .type = FIELD_TEXT, .flags = F_REQUIRED, \
	 .column = "country", .min = 2, .max = 2, .form = form_is_country, \
	 .form_is = "as DE (ISO 3166-1)"}, \
	{.name = "vat_id", .type = FIELD_TEXT, .flags = F_NULLABLE, \
	 .column = "vat_id", .min = 4, .max = 15, .form = form_is_vat_id, \
	 .form_is = "as DE123456789"}, \
	FIELD_LINE("email", F_NULLABLE, 127)
#define FIELD_DATE(name_, flags_) \
	{.name = (name_), .type = FIELD_TEXT, .flags = (flags_), \
	 .column = (name_), .min = 10, .max = 10, .form = form_is_date, \
	 .form_is = "as 2026-11-30"}

#endif
