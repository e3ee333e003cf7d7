/*
 * The headers in which proxies name the client: whatever stands there, the
 * client is an address, or the other end of the connection.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <re.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "client_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void check(const struct proxies *p, const char *text)
{
	char buf[CLIENT_ADDRESS_SIZE];
	unsigned char address[16];

	client_address(p, "10.0.0.1", text, buf);
	assert(inet_pton(AF_INET, buf, address) == 1 ||
	       inet_pton(AF_INET6, buf, address) == 1);
	client_address(p, "192.0.2.1", text, buf);
	assert(!strcmp(buf, "192.0.2.1"));
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), buf[FORWARDED_SIZE];
	struct proxies *p;

	memcpy(text, data, size);
	text[size] = '\0';
	if (proxies_read(&p, "10.0.0.0/8,2001:db8::/32"))
		abort();
	check(p, text);
	if (!forwarded_read(buf, text)) {
		assert(memchr(buf, '\0', sizeof(buf)));
		check(p, buf);
	}
	mem_deref(p);
	free(text);
	return 0;
}
