/**
 * @file li_spool.c  Segment files: "LISPOOL1", 16 random octets, then records
 * of length, ciphertext and tag. The number of a record is its nonce.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "li_spool.h"
#include "text.h"
#include "x23_pdu.h"

#define MAGIC "LISPOOL1"
#define SALT 16
#define SEGMENT_HEAD (8 + SALT)
#define SEGMENT_MAX (8 * 1024 * 1024)
#define SEGMENT_MIN (64 * 1024)
#define SEGMENTS 16 /**< at least, of a full spool: room comes back in parts */
#define TAG 16
#define RECORD_HEAD 4
#define RECORD_MAX (RECORD_HEAD + X23_PDU_MAX + TAG)
#define BUFFER (256 * 1024)

/** One segment, opened for writing or reading. */
struct file {
	int fd;
	EVP_CIPHER_CTX *ctx;
	struct li_place at;   /**< where the next record goes or comes      */
};

struct li_spool {
	char folder[256];
	const struct li_secret *secret; /**< borrowed */
	uint64_t max, size;             /**< size: of all segments          */
	uint64_t segment_max;
	uint64_t first, last;           /**< segments on disk; 0: none      */
	bool is_full;
	struct file out, in;
	uint8_t *out_buf, *in_buf;      /**< [BUFFER]                       */
	size_t out_n;
	size_t in_n, in_pos;            /**< octets read ahead              */
	struct li_place confirmed;
	uint64_t tail;                  /**< of the last segment, while it
					     is of an earlier life          */
	uint64_t torn;
	int place_fd;
};


static void file_close(struct file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
	EVP_CIPHER_CTX_free(f->ctx);
	f->ctx = NULL;
}


static void spool_destructor(void *arg)
{
	struct li_spool *s = arg;

	if (s->out.fd >= 0)
		(void)li_spool_flush(s);
	file_close(&s->out);
	file_close(&s->in);
	if (s->place_fd >= 0)
		(void)close(s->place_fd);
	if (s->in_buf)
		OPENSSL_cleanse(s->in_buf, BUFFER);
	mem_deref(s->out_buf);
	mem_deref(s->in_buf);
}


static int segment_name(const struct li_spool *s, char *buf, size_t size,
			uint64_t n)
{
	return text_format(buf, size, "%s/%020" PRIu64 ".seg", s->folder, n);
}


static int key_set(struct li_spool *s, struct file *f, uint64_t segment,
		   const uint8_t salt[SALT], bool is_out)
{
	uint8_t label[SALT + 8], key[LI_SECRET_MAC];
	int ok;

	memcpy(label, salt, SALT);
	memcpy(label + SALT, &segment, 8);
	li_secret_mac(s->secret, LI_SECRET_SPOOL, label, sizeof(label), key);
	f->ctx = EVP_CIPHER_CTX_new();
	ok = f->ctx && (is_out ? EVP_EncryptInit_ex(f->ctx, EVP_aes_256_gcm(),
						    NULL, key, NULL)
			       : EVP_DecryptInit_ex(f->ctx, EVP_aes_256_gcm(),
						    NULL, key, NULL));
	OPENSSL_cleanse(key, sizeof(key));

	return ok ? 0 : EIO;
}


static void nonce_of(uint8_t nonce[12], uint64_t record)
{
	size_t i;

	memset(nonce, 0, 12);
	for (i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(record >> (8 * i));
}


static int segment_new(struct li_spool *s)
{
	uint8_t head[SEGMENT_HEAD];
	const uint64_t n = s->last + 1;
	char name[320];
	int err = segment_name(s, name, sizeof(name), n);

	if (s->out.fd >= 0) /* it is read to there, also if no new one comes */
		s->tail = s->out.at.offset;
	file_close(&s->out);
	memcpy(head, MAGIC, 8);
	if (err || RAND_bytes(head + 8, SALT) != 1)
		return err ? err : EIO;
	s->out.fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s->out.fd < 0)
		return errno;
	err = key_set(s, &s->out, n, head + 8, true);
	if (!err && write(s->out.fd, head, sizeof(head)) !=
			    (ssize_t)sizeof(head))
		err = ENOSPC;
	if (err) {
		file_close(&s->out);
		(void)unlink(name);
		return err;
	}

	s->last = n;
	s->first = s->first ? s->first : n;
	s->size += SEGMENT_HEAD;
	s->out.at = (struct li_place){n, SEGMENT_HEAD, 0};

	return 0;
}


int li_spool_flush(struct li_spool *s)
{
	size_t done = 0;

	while (done < s->out_n) {
		const ssize_t n = write(s->out.fd, s->out_buf + done,
					s->out_n - done);

		if (n <= 0) {
			const int err = n < 0 ? errno : ENOSPC;

			memmove(s->out_buf, s->out_buf + done,
				s->out_n - done);
			s->out_n -= done;
			return err;
		}
		done += (size_t)n;
	}
	s->out_n = 0;

	return 0;
}


static bool is_full(struct li_spool *s, size_t need)
{
	if (s->is_full && s->size > s->max / 4 * 3)
		return true;
	s->is_full = s->size + need > s->max;

	return s->is_full;
}


/* Room for a record in the buffer, and a segment under it */
static int room_make(struct li_spool *s, size_t need)
{
	int err = 0;

	if (s->out_n + need > BUFFER)
		err = li_spool_flush(s);
	if (!err && (s->out.fd < 0 || s->out.at.offset >= s->segment_max)) {
		err = s->out.fd < 0 ? 0 : li_spool_flush(s);
		err = err ? err : segment_new(s);
	}
	if (err)
		s->is_full = true;

	return err ? ENOSPC : 0;
}


int li_spool_put(struct li_spool *s, const uint8_t *pdu, size_t len)
{
	const size_t need = RECORD_HEAD + len + TAG;
	uint8_t nonce[12], *p;
	uint32_t be;
	int n, err;

	if (!len || len > X23_PDU_MAX)
		return EINVAL;
	if (is_full(s, need))
		return ENOSPC;
	err = room_make(s, need);
	if (err)
		return err;

	p = s->out_buf + s->out_n;
	be = htonl((uint32_t)len);
	memcpy(p, &be, RECORD_HEAD);
	nonce_of(nonce, s->out.at.record);
	if (!EVP_EncryptInit_ex(s->out.ctx, NULL, NULL, NULL, nonce) ||
	    !EVP_EncryptUpdate(s->out.ctx, NULL, &n, p, RECORD_HEAD) ||
	    !EVP_EncryptUpdate(s->out.ctx, p + RECORD_HEAD, &n, pdu,
			       (int)len) ||
	    !EVP_EncryptFinal_ex(s->out.ctx, p + RECORD_HEAD + n, &n) ||
	    !EVP_CIPHER_CTX_ctrl(s->out.ctx, EVP_CTRL_GCM_GET_TAG, TAG,
				 p + RECORD_HEAD + len))
		return EIO;

	s->out_n += need;
	s->size += need;
	s->out.at.offset += need;
	s->out.at.record++;

	return 0;
}


static int segment_open(struct li_spool *s, uint64_t n, uint64_t offset,
			uint64_t record)
{
	uint8_t head[SEGMENT_HEAD];
	char name[320];
	int err = segment_name(s, name, sizeof(name), n);

	file_close(&s->in);
	s->in_n = s->in_pos = 0;
	if (err)
		return err;
	s->in.fd = open(name, O_RDONLY | O_CLOEXEC);
	if (s->in.fd < 0)
		return errno;
	s->in.at = (struct li_place){n, offset ? offset : SEGMENT_HEAD,
				     record};
	if (pread(s->in.fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    memcmp(head, MAGIC, 8))
		return EBADMSG;

	return key_set(s, &s->in, n, head + 8, false);
}


/* At least need octets from in.at on, or fewer at the end of the file */
static size_t read_ahead(struct li_spool *s, size_t need)
{
	size_t left = s->in_n - s->in_pos;
	ssize_t n;

	if (left >= need)
		return left;

	memmove(s->in_buf, s->in_buf + s->in_pos, left);
	s->in_pos = 0;
	s->in_n = left;
	n = pread(s->in.fd, s->in_buf + left, BUFFER - left,
		  (off_t)(s->in.at.offset + left));
	if (n > 0)
		s->in_n += (size_t)n;

	return s->in_n;
}


static int record_open(struct li_spool *s, const uint8_t *p, size_t len,
		       uint8_t *pdu)
{
	uint8_t nonce[12], tag[TAG], end[16];
	int n;

	nonce_of(nonce, s->in.at.record);
	memcpy(tag, p + RECORD_HEAD + len, TAG);
	if (EVP_DecryptInit_ex(s->in.ctx, NULL, NULL, NULL, nonce) &&
	    EVP_DecryptUpdate(s->in.ctx, NULL, &n, p, RECORD_HEAD) &&
	    EVP_DecryptUpdate(s->in.ctx, pdu, &n, p + RECORD_HEAD, (int)len) &&
	    EVP_CIPHER_CTX_ctrl(s->in.ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag) &&
	    EVP_DecryptFinal_ex(s->in.ctx, end, &n) > 0)
		return 0;

	return EBADMSG;
}


/* @return 0, ENODATA (the segment is over), EILSEQ (this one is damaged, and
 *  passed), EBADMSG (so is the rest: where the next begins nobody knows),
 *  ENOBUFS */
static int record_get(struct li_spool *s, uint8_t *pdu, size_t size,
		      size_t *ret_len)
{
	size_t left = read_ahead(s, RECORD_HEAD);
	uint32_t be;
	size_t len;
	int err;

	if (!left)
		return ENODATA;
	if (left < RECORD_HEAD)
		return EBADMSG;
	memcpy(&be, s->in_buf + s->in_pos, RECORD_HEAD);
	len = ntohl(be);
	if (!len || len > X23_PDU_MAX)
		return EBADMSG;
	if (len > size)
		return ENOBUFS;
	left = read_ahead(s, RECORD_HEAD + len + TAG);
	if (left < RECORD_HEAD + len + TAG)
		return EBADMSG;

	err = record_open(s, s->in_buf + s->in_pos, len, pdu) ? EILSEQ : 0;
	s->in_pos += RECORD_HEAD + len + TAG;
	s->in.at.offset += RECORD_HEAD + len + TAG;
	s->in.at.record++;
	*ret_len = len;

	return err;
}


/* The one that is being written is read no further than it is written */
static bool is_at_end(const struct li_spool *s)
{
	return s->out.fd >= 0 && s->in.at.segment == s->out.at.segment &&
	       s->in.at.offset >= s->out.at.offset;
}


bool li_spool_has_more(const struct li_spool *s)
{
	if (!s->first || s->in.at.segment > s->last)
		return false;
	if (s->in.at.segment < s->last)
		return true;

	return s->out.fd >= 0 ? !is_at_end(s) : s->in.at.offset < s->tail;
}


/* The end of what an earlier life has left: what comes is another segment */
static void tail_pass(struct li_spool *s)
{
	if (s->out.fd >= 0 || s->in.at.segment < s->last)
		return;
	file_close(&s->in);
	s->in.at = (struct li_place){s->last + 1, 0, 0};
}


int li_spool_get(struct li_spool *s, uint8_t *pdu, size_t size,
		 size_t *ret_len)
{
	while (li_spool_has_more(s)) {
		int err = 0;

		if (s->out_n && s->in.at.segment >= s->out.at.segment)
			(void)li_spool_flush(s);
		if (s->in.fd < 0)
			err = segment_open(s, s->in.at.segment,
					   s->in.at.offset, s->in.at.record);
		err = err ? err : record_get(s, pdu, size, ret_len);
		if ((!err || err == EILSEQ) && s->in.at.offset >= s->tail)
			tail_pass(s);
		if (!err || err == ENOBUFS)
			return err;
		if (err != ENODATA)
			s->torn++;
		if (err == EILSEQ)
			continue;
		if (s->in.at.segment >= s->last) {
			tail_pass(s);
			return ENODATA;
		}
		/* on to the next one, whatever this one ended with */
		file_close(&s->in);
		s->in.at = (struct li_place){s->in.at.segment + 1, 0, 0};
	}

	return ENODATA;
}


struct li_place li_spool_place(const struct li_spool *s)
{
	return s->in.at;
}


static void place_write(struct li_spool *s)
{
	char text[128];

	if (text_format(text, sizeof(text),
			"%020" PRIu64 " %020" PRIu64 " %020" PRIu64,
			s->confirmed.segment, s->confirmed.offset,
			s->confirmed.record))
		return;
	if (pwrite(s->place_fd, text, strlen(text), 0) < 0)
		return; /* a restart sends a little more again */
}


static void segment_delete(struct li_spool *s, uint64_t n)
{
	char name[320];
	struct stat st;

	if (segment_name(s, name, sizeof(name), n))
		return;
	if (!stat(name, &st)) {
		const uint64_t size = (uint64_t)st.st_size;

		s->size -= size < s->size ? size : s->size;
	}
	(void)unlink(name);
}


void li_spool_confirm(struct li_spool *s, const struct li_place *place)
{
	if (place->segment < s->confirmed.segment ||
	    (place->segment == s->confirmed.segment &&
	     place->offset <= s->confirmed.offset))
		return;

	while (s->first && s->first < place->segment && s->first <= s->last)
		segment_delete(s, s->first++);
	s->confirmed = *place;
	place_write(s);
	if (s->first > s->last) {
		s->first = 0;
		s->size = 0;
	}

	/* when all of the last segment is through, it goes, too */
	if (s->out.fd >= 0 && place->segment == s->out.at.segment &&
	    place->offset >= s->out.at.offset && !s->out_n) {
		file_close(&s->out);
		file_close(&s->in);
		segment_delete(s, s->first);
		s->first = 0;
		s->size = 0;
		s->in.at = s->confirmed = (struct li_place){s->last + 1, 0, 0};
		place_write(s);
	}
}


void li_spool_rewind(struct li_spool *s)
{
	file_close(&s->in);
	s->in_n = s->in_pos = 0;
	s->in.at = s->confirmed;
}


bool li_spool_is_empty(const struct li_spool *s)
{
	return !s->first;
}


uint64_t li_spool_size(const struct li_spool *s)
{
	return s->size;
}


uint64_t li_spool_torn(const struct li_spool *s)
{
	return s->torn;
}


static void segment_seen(struct li_spool *s, const char *name)
{
	char file[600];
	struct stat st;
	uint64_t n;

	if (strlen(name) != 24 || strcmp(name + 20, ".seg") ||
	    text_u64(&n, name, 20, UINT64_MAX / 2) || !n ||
	    text_format(file, sizeof(file), "%s/%s", s->folder, name) ||
	    stat(file, &st))
		return;

	s->first = !s->first || n < s->first ? n : s->first;
	s->tail = n > s->last ? (uint64_t)st.st_size : s->tail;
	s->last = n > s->last ? n : s->last;
	s->size += (uint64_t)st.st_size;
}


static int folder_read(struct li_spool *s)
{
	DIR *d = opendir(s->folder);
	struct dirent *e;

	if (!d)
		return errno;
	while ((e = readdir(d)))
		segment_seen(s, e->d_name);
	(void)closedir(d);

	return 0;
}


/* Where the last life of this spool was; numbers of segments never come
 * again, so that no key does */
static int place_read(struct li_spool *s)
{
	char file[320], text[128] = "";
	struct li_place p = {0};

	if (text_format(file, sizeof(file), "%s/place", s->folder))
		return ENAMETOOLONG;
	s->place_fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->place_fd < 0)
		return errno;
	if (pread(s->place_fd, text, sizeof(text) - 1, 0) > 0)
		(void)sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64,
			     &p.segment, &p.offset, &p.record);

	if (p.segment && p.segment - 1 > s->last)
		s->last = p.segment - 1;
	if (s->first && p.segment >= s->first && p.segment <= s->last)
		s->confirmed = p;
	else
		s->confirmed = (struct li_place){
			s->first ? s->first : s->last + 1, 0, 0};
	s->in.at = s->confirmed;

	return 0;
}


int li_spool_open(struct li_spool **sp, const char *folder,
		  const struct li_secret *secret, uint64_t max)
{
	struct li_spool *s = mem_zalloc(sizeof(*s), spool_destructor);
	int err;

	if (!s)
		return ENOMEM;

	s->out.fd = s->in.fd = s->place_fd = -1;
	s->secret = secret;
	s->max = max;
	s->segment_max = max / SEGMENTS > SEGMENT_MAX   ? SEGMENT_MAX
			 : max / SEGMENTS < SEGMENT_MIN ? SEGMENT_MIN
							: max / SEGMENTS;
	s->out_buf = mem_zalloc(BUFFER, NULL);
	s->in_buf = mem_zalloc(BUFFER, NULL);
	err = s->out_buf && s->in_buf ? 0 : ENOMEM;
	err = err ? err : text_copy(s->folder, sizeof(s->folder), folder);
	if (!err && mkdir(folder, 0700) && errno != EEXIST)
		err = errno;
	err = err ? err : folder_read(s);
	err = err ? err : place_read(s);
	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}


void li_spool_delete(struct li_spool *s)
{
	char file[320];

	file_close(&s->out);
	file_close(&s->in);
	s->out_n = 0;
	while (s->first && s->first <= s->last)
		segment_delete(s, s->first++);
	if (!text_format(file, sizeof(file), "%s/place", s->folder))
		(void)unlink(file);
	(void)rmdir(s->folder);
}
