/**
 * @file x1_answer.h  The XML of answers and reports.
 */
#ifndef X1_ANSWER_H
#define X1_ANSWER_H
#include "li_destination.h"
#include <stdint.h>
#include "li_health.h"
#include "li_settings.h"
#include "li_task.h"
#include "x1_schema.h"

/** What a message begins with. */
struct x1_header {
	char admf[256], ne[256], version[16];
	char transaction[40];
};

/** The declaration and root of X1Response or X1Request. */
int x1_answer_begin(struct mbuf *mb, const char *root);
int x1_answer_end(struct mbuf *mb, const char *root);

/** X1TopLevelErrorResponse: all of it. */
int x1_answer_top_error(struct mbuf *mb, const struct li_settings *settings,
			int64_t now_us);

/** <x1ResponseMessage xsi:type="..."> and the header; x1RequestMessage for
 *  element "x1RequestMessage". */
int x1_answer_message(struct mbuf *mb, const char *element, const char *type,
		      const char *suffix, const struct x1_header *header,
		      int64_t now_us);
int x1_answer_message_end(struct mbuf *mb, const char *element);

/** oK */
int x1_answer_ok(struct mbuf *mb, bool is_completed);

/** requestMessageType and errorInformation */
int x1_answer_error(struct mbuf *mb, enum x1_type type, int code,
		    const char *what, const char *where);

int x1_answer_task(struct mbuf *mb, const struct li_task *t,
		   const struct li_health *health);
int x1_answer_destination(struct mbuf *mb, const struct li_destination *d);
int x1_answer_ne(struct mbuf *mb, const struct li_health *health);

#endif
