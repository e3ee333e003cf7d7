/**
 * @file folder.h  A journal folder of a test's own, and what is in it.
 */
#ifndef FOLDER_H
#define FOLDER_H
#include "journal.h"

/** A fresh folder; the name is kept until folder_remove(). */
const char *folder_make(void);
void folder_remove(const char *dir);

/** Number of records of a type in all segments of dir, read to their ends. */
unsigned folder_count(const char *dir, enum journal_type type);

/** One record as a frame, to append. mem_deref() it. */
struct mbuf *frame_of(enum journal_type type, const struct cdr_call *call);

#endif
