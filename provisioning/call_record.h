/**
 * @file call_record.h  Whose affair it is where a call was sent on.
 */
#ifndef CALL_RECORD_H
#define CALL_RECORD_H

struct query;

/**
 * Append a condition of record t: nobody sent the call on but this tenant or one
 * below it. Where somebody else did, a tenant reads null, and neither filters
 * nor files tell it (a trunk that is not known any more is somebody else's).
 */
void query_forward_own(struct query *q, const char *tenant_id);

#endif
