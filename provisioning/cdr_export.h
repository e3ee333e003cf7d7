/**
 * @file cdr_export.h  Columns that an export of call records may have.
 */
#ifndef CDR_EXPORT_H
#define CDR_EXPORT_H
#include <stdbool.h>

/** Is there this column? @param is_vendor_too  also what we pay whom */
bool cdr_export_has(const char *name, bool is_vendor_too);

#endif
