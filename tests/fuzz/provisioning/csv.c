/*
 * Comma-separated text, and the text as a cursor: fields stay within the text
 * and lines only grow.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "csv.h"
#include "cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	size_t line = 0, total = 0;
	struct cursor cursor;
	struct csv csv;

	memcpy(text, data, size);
	text[size] = '\0';
	(void)cursor_decode(&cursor, text, "a", 1);

	csv_open(&csv, text, size);
	while (!csv_next(&csv)) {
		assert(csv.n >= 1 && csv.n <= CSV_FIELDS_MAX);
		assert(csv.line > line);
		line = csv.line;
		for (size_t i = 0; i < csv.n; i++) {
			assert(csv.fields[i] >= text);
			assert(csv.fields[i] <= text + size);
			total += strlen(csv.fields[i]);
		}
	}
	assert(total <= size);
	free(text);
	return 0;
}
