/**
 * @file log.h  One event per line, logfmt: ts level comp event key=value ...
 * Lines go into a bounded ring that a log thread writes to stderr, so that no
 * caller ever waits for a pipe; what does not fit is counted.
 * Phone numbers are masked unless the operator asked for them.
 */
#ifndef LOG_H
#define LOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_N };

/**
 * Start the writer. Before it (and in tests) events from LOG_INFO on go
 * straight to stderr. The process ignores SIGPIPE: a reader may go away.
 *
 * @param min           lower levels are dropped
 * @param show_numbers  print numbers whole
 * @return 0, EALREADY when open, or errno of the ring or the thread
 */
int log_open(enum log_level min, bool show_numbers);

/** Write out what waits and end the writer. When no other thread logs. */
void log_close(void);

/**
 * @param comp   component, a constant: "call", "media", "ledger"
 * @param event  what happened, a constant noun-verb: "end", "carrier_down"
 * @param fmt    printf format of "key=value key=value"; quote free text with
 *               log_text(). Never a secret.
 * Any thread; never blocks.
 */
void log_event(enum log_level level, const char *comp, const char *event,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/**
 * "+4930123***" unless numbers are shown: the last three digits (all but the
 * first when shorter than six) become '*'. buf >= 40; returns buf.
 */
const char *log_number(char *buf, const char *number);

/** Quoted and escaped for one log line, cut to size. Returns buf. */
const char *log_text(char *buf, size_t size, const char *text, size_t len);

/** Lines lost because the ring was full. */
uint64_t log_lost(void);

#endif
