/**
 * @file cdr_delivery.h  Bringing a file of call records to its recipient: POST
 * by HTTP, or upload by SFTP, with libcurl.
 */
#ifndef CDR_DELIVERY_H
#define CDR_DELIVERY_H

struct cdr_delivery_config {
	const char *ssh_key;     /**< private key, "": no SFTP               */
	const char *known_hosts; /**< of the recipients' servers             */
};

/** Before the runner of jobs starts; borrowed for ever. */
void cdr_delivery_setup(const struct cdr_delivery_config *cfg);

#endif
