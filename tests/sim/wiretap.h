/**
 * @file wiretap.h  A seed that is run twice is run without interception first,
 * and then with everybody a target who took part the first time: it has to be
 * the same run.
 */
#ifndef WIRETAP_H
#define WIRETAP_H

/** Before the first run. @return 0 or errno */
int wiretap_note(void);
/** Between the two. */
void wiretap_seek(void);
/** After the second. @return what was not copied as it should be, or NULL */
const char *wiretap_end(void);
void wiretap_free(void);

#endif
