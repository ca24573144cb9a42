#ifndef CDECIMAL_H
#define CDECIMAL_H

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Arithmetic on decimal text in the widest floating type that C has here. Swift knows that type
// on some processors only, so nothing of it shows outside of this header.

// The longest text that is read, and room enough for any that is written.
#define CDECIMAL_TEXT_SIZE (5 * 1024)

enum {
    CDECIMAL_FIRST_IS_NO_NUMBER = -1,
    CDECIMAL_SECOND_IS_NO_NUMBER = -2,
    CDECIMAL_NOT_FINITE = -3,
};

static inline int cdecimal_parse(const char *text, size_t count, long double *value) {
    char room[CDECIMAL_TEXT_SIZE];
    if (count == 0 || count >= sizeof(room)) return 0;
    if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return 0;
    memcpy(room, text, count);
    room[count] = 0;
    char *end;
    errno = 0;
    *value = strtold(room, &end);
    if (end != room + count || isnan(*value)) return 0;
    // Too large for the type, or so small that nothing is left of it.
    return !(errno == ERANGE && (isinf(*value) || *value == 0));
}

// 0 if the text is no number, 1 if it is a finite one, 2 if it is infinite.
static inline int cdecimal_kind(const char *text, size_t count) {
    long double value;
    if (!cdecimal_parse(text, count, &value)) return 0;
    return isinf(value) ? 2 : 1;
}

// Writes the sum of two numbers with up to 17 digits after the point and no idle zeros.
// Returns how many bytes it wrote, or what is wrong. `room` has CDECIMAL_TEXT_SIZE bytes.
static inline int cdecimal_add(
    const char *first, size_t first_count, const char *second, size_t second_count, char *room
) {
    long double one, other;
    if (!cdecimal_parse(first, first_count, &one)) return CDECIMAL_FIRST_IS_NO_NUMBER;
    if (!cdecimal_parse(second, second_count, &other)) return CDECIMAL_SECOND_IS_NO_NUMBER;
    long double sum = one + other;
    if (isnan(sum) || isinf(sum)) return CDECIMAL_NOT_FINITE;
    int count = snprintf(room, CDECIMAL_TEXT_SIZE, "%.17Lf", sum);
    while (room[count - 1] == '0') count--;
    if (room[count - 1] == '.') count--;
    if (count == 2 && room[0] == '-' && room[1] == '0') {
        room[0] = '0';
        count = 1;
    }
    return count;
}

// Writes a number with so many digits after the point; returns how many bytes it took.
static inline int cdecimal_fixed(double value, int digits, char *room) {
    return snprintf(room, CDECIMAL_TEXT_SIZE, "%.*f", digits, value);
}

// Writes a number with 17 significant digits, in either form that is shorter and without idle
// zeros. Returns how many bytes it wrote. `room` has CDECIMAL_TEXT_SIZE bytes.
static inline int cdecimal_write_17_digits(double value, char *room) {
    return snprintf(room, CDECIMAL_TEXT_SIZE, "%.17g", value);
}

// Reads a number of seconds as milliseconds, rounded up. Returns 0 if the text is no number, -1 if
// there are too many of them, else 1.
static inline int cdecimal_milliseconds(const char *text, size_t count, long long *result) {
    long double value;
    if (!cdecimal_parse(text, count, &value)) return 0;
    value = ceill(value * 1000);
    if (value >= 0x1p63L) return -1;
    *result = value < -0x1p63L ? -0x7FFFFFFFFFFFFFFFLL - 1 : (long long)value;
    return 1;
}

#endif
