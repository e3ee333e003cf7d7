/**
 * @file registrar.h  Where customers' PBXs are: RFC 3261 10 for the address
 * of record (trunk, digest user), several contacts, NAT by received and rport
 * (RFC 3581), bindings kept over a restart.
 */
#ifndef REGISTRAR_H
#define REGISTRAR_H
#include "endpoint.h"
#include "gate.h"

#define CONTACTS_MAX 8      /**< per address of record                     */
#define CONTACT_URI_SIZE 256

struct registrar;
struct contact;

/** A contact was bound that was not, or (why) is gone. Not at an import. */
typedef void(registrar_event_h)(const struct contact *c, bool is_bound,
				const char *why, void *arg);

struct registrar_config {
	uint32_t expires_min_s;     /**< 60                                 */
	uint32_t expires_max_s;     /**< 3600: longer ones are shortened    */
	uint32_t expires_default_s; /**< 600                                */
	size_t bindings_max;
	struct sip_endpoint *ep; /**< borrowed: replies, wheel, time       */
	registrar_event_h *h;    /**< told of each change; may be NULL     */
	void *arg;
};

struct contact {
	char uri[CONTACT_URI_SIZE]; /**< as registered, for the R-URI       */
	char trunk_id[ID_SIZE];
	char tenant_id[ID_SIZE];    /**< whose trunk it is                  */
	char username[USER_SIZE];
	struct sip_path path;   /**< where it came from: requests go there  */
	uint16_t q;             /**< 0..1000                                */
	int64_t expires_wall_ms;
	char user_agent[64];
	char call_id[128];
	uint32_t cseq;
	uint64_t serial;        /**< of the binding: 1, 2 ... as it was made;
				     a REGISTER that renews it keeps it    */
};

/** mem_deref() frees, the bindings as well. One thread. */
int registrar_alloc(struct registrar **rp,
		    const struct registrar_config *cfg);

/**
 * REGISTER of an authenticated user: answers it, over a server transaction
 * of its own, so that a retransmission meets the same answer (start none).
 *
 *  200  all contacts of the address of record with the time left
 *  400  unreadable Contact; "*" without Expires: 0 or beside another
 *  403  To is not the digest user; more than CONTACTS_MAX contacts (Warning)
 *  420  Require: we support no extension here
 *  423  below expires_min_s (Min-Expires)
 *  500  older than what is bound: same Call-ID, CSeq not higher (10.3 item 7)
 *  503  bindings_max reached (Retry-After)
 *
 * @param cred  of the digest that the gate checked; its trunk is set
 */
void registrar_handle(struct registrar *r, const struct sip_msg *msg,
		      const struct sip_path *path,
		      const struct credential *cred);

/**
 * A new catalog: bindings whose user or trunk is not in it go, some at a time.
 * @param cat  has to live until the next call or the end of the registrar
 */
void registrar_catalog(struct registrar *r, const struct catalog *cat);

/** Take one binding away. @return false: there is none */
bool registrar_remove(struct registrar *r, const char *trunk_id,
		      const char *username, const char *uri);

/** Live contacts of a trunk, best q first, then newest. @return how many */
size_t registrar_find(const struct registrar *r, const char *trunk_id,
		      struct contact *ret, size_t max);

/** Each live contact. */
typedef void(registrar_each_h)(const struct contact *c, void *arg);
void registrar_each(const struct registrar *r, registrar_each_h *h,
		    void *arg);

/** Changes since the last export? Then write all as one JSON text (malloc'd,
 *  caller frees); for the control thread to put on disk. NULL without memory:
 *  it stays dirty. */
bool registrar_is_dirty(const struct registrar *r);
char *registrar_export(struct registrar *r);

/**
 * At start. Expired and malformed entries are dropped. A path's sock is the
 * number it had: the same settings give the same sockets.
 * @return 0; EBADMSG (not such a text); ENOTSUP (of another version); ENOMEM
 */
int registrar_import(struct registrar *r, const char *json, size_t len);

size_t registrar_count(const struct registrar *r);

#endif
