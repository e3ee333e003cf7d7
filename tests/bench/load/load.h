/**
 * @file load.h  Callers and a carrier in one process, for benches: caller i
 * dials 49PPPPNNNNNN, where NNNNNN is i; the carrier finds the call by those
 * last six digits. One thread, one epoll, no allocation while packets run.
 */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_NS_PER_MS UINT64_C(1000000)
#define LOAD_NS_PER_S UINT64_C(1000000000)
#define LOAD_MESSAGE_MAX 8192
#define LOAD_CODES 700
#define LOAD_ADDRESS_SIZE 32

enum call_state {
	CALL_IDLE,
	CALL_INVITED,  /**< first INVITE sent */
	CALL_ANSWERED, /**< challenged, and the INVITE with digest sent */
	CALL_UP,
	CALL_ENDING, /**< BYE sent */
	CALL_DONE,
	CALL_FAILED
};

/** A message that may have to be sent again. */
struct kept {
	char *text;
	size_t len;
};

/** One call; caller and carrier side. */
struct call {
	enum call_state state;
	uint32_t cseq;
	uint64_t sent_ns; /**< first transmission of the request under way */
	uint64_t next_ns; /**< retransmission, or BYE when up */
	unsigned interval_ms, sent_n;
	bool is_provisional;
	struct kept request, answer;
	char *to, *target, *routes;
	struct sockaddr_in media_caller, media_carrier; /**< the switch's */
	uint16_t seq_caller, seq_carrier;
	uint32_t delay_us[2]; /**< of the last packet from caller, carrier */
};

#define LOAD_DELAYS 200000
#define LOAD_SLICES_MAX 200
#define LOAD_GROUPS_MAX 8

/** Delays of one group of calls in one slice. */
struct delays {
	uint32_t count[LOAD_DELAYS]; /**< by microsecond */
	uint64_t change_us, changes; /**< from a packet to the next of its
					  stream, whichever way: jitter */
};

enum load_socket { SOCKET_CALLER, SOCKET_CARRIER, MEDIA_CALLER, MEDIA_CARRIER };

struct load_options {
	char target[LOAD_ADDRESS_SIZE];  /**< the switch, IP:port */
	char caller[LOAD_ADDRESS_SIZE];  /**< ours, IP:port */
	char carrier[LOAD_ADDRESS_SIZE]; /**< ours, IP:port */
	char media_ip[LOAD_ADDRESS_SIZE];
	char password[64];
	unsigned calls, rate, users, media_base;
	unsigned hold_ms;
	unsigned media_ms; /**< 0: no packets */
	unsigned slice_ms; /**< delays are told for each so long, too; 0: not */
	unsigned pps;
	unsigned groups; /**< call i is of group i % groups: delays of each */
};

struct load {
	struct load_options opt;
	struct sockaddr_in target;
	int epoll, caller, carrier;
	int *media[2]; /**< socket of call i on the caller's, carrier's side */
	struct call *calls;
	uint32_t run; /**< part of every Call-ID: late packets of other runs */
	uint64_t now_ns;
	unsigned active, up, done, failed;
	unsigned caller_retransmissions, carrier_retransmissions, strange;
	unsigned codes[LOAD_CODES];
	bool is_held; /**< nobody hangs up yet */
	uint32_t *provisional_us, *answer_us;
	unsigned provisional_n, answer_n;
	bool is_counting; /**< packets sent now are of the measurement */
	uint64_t rtp_sent, rtp_received, rtp_refused;
	uint64_t rtp_sent_all, rtp_received_all; /**< also while it warms up */
	uint64_t counting_ns;  /**< when the measurement began, by the wall */
	struct delays *delays; /**< of each slice, of each group */
};

uint64_t load_clock_ns(void);
uint64_t load_wall_ns(void);
double load_cpu_s(void);
void load_send(struct load *l, int fd, const char *text, size_t len);
/** @param wait_ns  for something to come; as exact as the kernel wakes us */
void load_pass(struct load *l, uint64_t wait_ns);

/* message.c */
const char *message_header(const char *msg, const char *name, char compact,
			   unsigned nth, int *len);
int message_copy(char *out, const char *msg, const char *name, char compact);
int message_sdp(const struct load *l, char *out, unsigned call, bool carrier);
bool message_media(const char *msg, struct sockaddr_in *ret);
bool message_digest(const struct load *l, const char *msg, unsigned call,
		    const char *uri, char *out, size_t size);

/* caller.c */
void caller_start(struct load *l, unsigned call);
void caller_receive(struct load *l, char *msg);
void caller_timers(struct load *l);

/* carrier.c */
void carrier_receive(struct load *l, char *msg);

/* media.c */
unsigned media_slices(const struct load *l);
int media_port(const struct load *l, unsigned call, bool carrier);
void media_receive(struct load *l, int fd);
void media_run(struct load *l);

#endif
