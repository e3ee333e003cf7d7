/**
 * @file li_check.h  strowger-li check: what would keep it from working, and
 * who could see what they must not. One line each; nothing is changed.
 */
#ifndef LI_CHECK_H
#define LI_CHECK_H
#include "li_settings.h"

/** @return 0: all is well; 1: something is not */
int li_check(const struct li_settings *s);

#endif
