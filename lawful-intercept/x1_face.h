/**
 * @file x1_face.h  X1 (TS 103 221-1) as a network element: one body in, one
 * body out. It knows no TLS; who speaks is told by the peer.
 */
#ifndef X1_FACE_H
#define X1_FACE_H
#include "li_registry.h"
#include <stdint.h>
#include "li_health.h"
#include "li_peer.h"
#include "li_settings.h"

struct x1_face {
	const struct li_settings *settings;
	struct li_registry *registry;
	const struct li_health *health;
	int64_t heard_us;  /**< last message of the ADMF that was itself    */
};

/**
 * Every message of the body is checked, carried out and written down, in
 * order; the answer has as many.
 *
 * @param out  an empty buffer, for the answer's XML
 * @return 0 or ENOMEM
 */
int x1_face_answer(struct x1_face *face, struct mbuf *out, const char *body,
		   size_t len, const struct li_peer *peer, int64_t now_us);

#endif
