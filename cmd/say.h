/* A line for a person, on standard error. Any thread. */
#pragma once

struct terminal;

/* "sipcall: words" and a newline; words may hold text from outside. */
void say_line(struct terminal *terminal, const char *words);
