/**
 * @file poi.c  Packets of the socket between switch and LI: each message that
 * is taken is written again octet by octet the same; and any text as an
 * identity.
 */
#include <stdlib.h>
#include <string.h>
#include "poi_message.h"
#include "poi_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void must(bool is_true)
{
	if (!is_true)
		abort();
}


/* What an identity was made of itself stays what it is */
static void identity(const char *text, size_t len)
{
	static const struct poi_numbering plan = {"49", "00", "0"};
	char id[POI_IDENTITY_SIZE], again[POI_IDENTITY_SIZE];

	if (!poi_identity_number(id, text, len, &plan))
		must(strlen(id) <= 4 + POI_E164_MAX && strlen(id) > 4);
	if (poi_identity_uri(id, text, len, NULL))
		return;

	must(strlen(id) < sizeof(id));
	if (!strncmp(id, "tel:", 4)) {
		must(!poi_identity_uri(again, id, strlen(id), NULL));
		must(!strcmp(id, again));
	}
}


/* @return whether it was taken */
static bool message(const uint8_t *data, size_t size)
{
	static uint8_t buf[POI_MESSAGE_MAX];
	struct poi_message m;
	size_t len = 0;

	if (poi_message_decode(&m, data, size))
		return false;

	must(!poi_message_encode(buf, sizeof(buf), &len, &m));
	must(len == size);
	must(!memcmp(buf, data, size));

	return true;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0, len;

	if (size <= 512)
		identity((const char *)data, size);

	if (message(data, size))
		must(poi_message_len(data, size) == size);
	while ((len = poi_message_len(data + at, size - at)) > 0) {
		must(len <= size - at);
		if (!message(data + at, len))
			break;
		at += len;
	}

	return 0;
}
