/** @file latin.c  See latin.h. */
#include <stddef.h>
#include "latin.h"

#define FIRST 0xc0
#define LAST 0x17f

/* U+00C0..U+017F: Latin-1 and Latin Extended-A */
static const char spelt[LAST - FIRST + 1][3] = {
	"A", "A", "A", "A", "Ae", "Aa", "Ae", "C",
	"E", "E", "E", "E", "I", "I", "I", "I",
	"D", "N", "O", "O", "O", "O", "Oe", "x",
	"Oe", "U", "U", "U", "Ue", "Y", "Th", "ss",
	"a", "a", "a", "a", "ae", "aa", "ae", "c",
	"e", "e", "e", "e", "i", "i", "i", "i",
	"d", "n", "o", "o", "o", "o", "oe", "/",
	"oe", "u", "u", "u", "ue", "y", "th", "y",
	"A", "a", "A", "a", "A", "a", "C", "c",
	"C", "c", "C", "c", "C", "c", "D", "d",
	"D", "d", "E", "e", "E", "e", "E", "e",
	"E", "e", "E", "e", "G", "g", "G", "g",
	"G", "g", "G", "g", "H", "h", "H", "h",
	"I", "i", "I", "i", "I", "i", "I", "i",
	"I", "i", "IJ", "ij", "J", "j", "K", "k",
	"k", "L", "l", "L", "l", "L", "l", "L",
	"l", "L", "l", "N", "n", "N", "n", "N",
	"n", "n", "N", "n", "O", "o", "O", "o",
	"O", "o", "Oe", "oe", "R", "r", "R", "r",
	"R", "r", "S", "s", "S", "s", "S", "s",
	"S", "s", "T", "t", "T", "t", "T", "t",
	"U", "u", "U", "u", "U", "u", "U", "u",
	"U", "u", "U", "u", "W", "w", "Y", "y",
	"Y", "Z", "z", "Z", "z", "Z", "z", "s",
};

static const struct {
	uint32_t c;
	const char *text;
} signs[] = {
	{0xa0, " "},    {0xab, "\""},    {0xbb, "\""},    {0x2010, "-"},
	{0x2011, "-"},  {0x2013, "-"},   {0x2014, "-"},   {0x2018, "'"},
	{0x2019, "'"},  {0x201a, "'"},   {0x201c, "\""},  {0x201d, "\""},
	{0x201e, "\""}, {0x2026, "..."}, {0x20ac, "EUR"}, {0x1e9e, "SS"},
};


const char *latin_ascii(uint32_t c)
{
	if (c >= FIRST && c <= LAST)
		return spelt[c - FIRST];

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (signs[i].c == c)
			return signs[i].text;

	return "";
}
