/**
 * @file li_store.h  What strowger-li keeps: rows in an SQLite file of its
 * own, of which only the number and the kind are readable without the key.
 *
 * Changes gather in one transaction that li_store_commit() ends: an answer to
 * the outside is given after it, never before.
 */
#ifndef LI_STORE_H
#define LI_STORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "li_secret.h"

enum li_kind {
	LI_KIND_TASK = 1,
	LI_KIND_DESTINATION = 2,
	LI_KIND_FLOW = 3,   /**< sequence numbers that may be used        */
	LI_KIND_HEAD = 4,   /**< how far the audit goes                   */
};

#define LI_ROW_MAX (256 * 1024)

struct li_store;

/**
 * @param folder   0700, ours; the file is FOLDER/li.db
 * @param is_lost  true when there was a file once and it is not there now
 * @return 0; EBADMSG (no such file, or of another key), EBUSY (another
 *         process has it), errno
 */
int li_store_open(struct li_store **sp, const char *folder,
		  const struct li_secret *secret, bool *is_lost);

/** Read only, beside a process that writes and that never waits for it: all
 *  that is read is as it was at the first look. */
int li_store_look(struct li_store **sp, const char *folder,
		  const struct li_secret *secret);

/** @param row  0: a new one, whose number is written there */
int li_store_put(struct li_store *s, enum li_kind kind, int64_t *row,
		 const void *bytes, size_t len);
int li_store_delete(struct li_store *s, int64_t row);

typedef int(li_store_h)(int64_t row, const char *bytes, size_t len, void *arg);

/** All rows of a kind in the order of their making; the text ends with NUL.
 *  Of a row that does not open h is told with bytes NULL.
 *  @return 0 or errno, or what h returned */
int li_store_each(struct li_store *s, enum li_kind kind, li_store_h *h,
		  void *arg);

/** Rows of the audit: sealed bytes and their chain. */
int li_store_audit_put(struct li_store *s, int64_t seq, int64_t at_us,
		       const void *sealed, size_t len,
		       const uint8_t mac[LI_SECRET_MAC]);

struct li_audit_row {
	int64_t seq, at_us;
	const uint8_t *sealed;
	size_t len;
	const uint8_t *mac;
	size_t mac_len;
};

typedef int(li_store_audit_h)(const struct li_audit_row *row, void *arg);

int li_store_audit_each(struct li_store *s, li_store_audit_h *h, void *arg);

/** The one with the highest number, if there is any. */
int li_store_audit_last(struct li_store *s, li_store_audit_h *h, void *arg);

/** On disk when it returns 0. Without changes it does nothing. */
int li_store_commit(struct li_store *s);

/** Give up what is not committed. Numbers of rows that were made with it are
 *  not given again. */
void li_store_rollback(struct li_store *s);

/** How often that happened: who keeps more than one change in a transaction
 *  of others sees that it was given up. */
uint64_t li_store_rollbacks(const struct li_store *s);

#endif
