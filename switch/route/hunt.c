/** @file hunt.c  See hunt.h. */
#include "hunt.h"


const struct gateway *hunt_next(struct hunt *hunt)
{
	return hunt->next < hunt->n ? hunt->hops[hunt->next++] : NULL;
}
