/**
 * @file switch_ask.h  Asking the switch, and whose calls the caller may see.
 */
#ifndef SWITCH_ASK_H
#define SWITCH_ASK_H
#include "json.h"
#include <stdbool.h>

struct request;

/** One command of the control socket. Takes question; new reference. NULL:
 *  the switch refuses or does not answer, and the problem is set. */
json_t *switch_ask(struct request *req, json_t *question);

/** The tenants whose rows the caller may see, as members of an object; when
 *  there is one, question asks for it alone. New reference. NULL: a problem is
 *  set. */
json_t *switch_tenants(struct request *req, json_t *question);

/** May the caller see calls of this tenant? false also: problem is set. */
bool tenant_is_seen(struct request *req, const char *tenant_id);

/** The switch's story of a live call or one that ended lately. New reference;
 *  NULL without a problem: it knows none that the caller may see. */
json_t *switch_story(struct request *req, const char *call_id);

#endif
