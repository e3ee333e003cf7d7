/**
 * @file rate_import_job.h  What the request that orders an import and the
 * jobs that do it share.
 */
#ifndef RATE_IMPORT_JOB_H
#define RATE_IMPORT_JOB_H
#include "job.h"

/** Reads a sheet, reports each faulty line, compares it with the deck. */
extern const struct job_kind job_kind_rate_check;
/** Puts what was compared into the deck, in one transaction. */
extern const struct job_kind job_kind_rate_apply;
/** Takes it back. */
extern const struct job_kind job_kind_rate_rollback;

#endif
