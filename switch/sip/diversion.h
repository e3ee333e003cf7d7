/**
 * @file diversion.h  Who has forwarded a call, the last one first: read from
 * Diversion (RFC 5806) or History-Info (RFC 7044), written as either. Reasons
 * are told in the words of RFC 5806 and map to causes as RFC 7544 says.
 */
#ifndef DIVERSION_H
#define DIVERSION_H
#include <re.h>
#include <stdbool.h>
#include <stddef.h>

#define DIVERSIONS_MAX 5   /**< further ones are left out                  */

struct diversion {
	char number[64];    /**< of who forwarded; "+49..." or as received  */
	char reason[16];    /**< "no-answer"; "unknown" when not told       */
	bool is_private;    /**< the number is written as anonymous         */
};

/**
 * From Diversion, else from History-Info. Values that cannot be read are
 * passed over.
 * @return how many
 */
size_t diversion_read(struct diversion ret[DIVERSIONS_MAX],
		      const struct sip_msg *msg);

/** "Diversion: <sip:+49@host>;reason=no-answer\r\n" each. @return 0, ENOMEM */
int diversion_print(struct mbuf *mb, const struct diversion *list, size_t n,
		    const char *host);

/**
 * One History-Info: who was called first, whom it went to, and last the
 * number that is called now, with the cause of each step (RFC 4458).
 * @return 0 or ENOMEM
 */
int diversion_print_history(struct mbuf *mb, const struct diversion *list,
			    size_t n, const char *called, const char *host);

#endif
