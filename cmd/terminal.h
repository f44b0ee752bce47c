/*
 * The terminal: the only one to write lines to standard output and standard error. It lives on the
 * main thread, which may stand still in write() for as long as nobody reads; all other threads hand
 * it bytes through a bounded queue and go on. What the queue cannot hold is dropped, counted and
 * told.
 */
#pragma once

#include "core/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct terminal;

enum terminal_stream { TERMINAL_OUT, TERMINAL_ERR, TERMINAL_STREAMS };

enum { TERMINAL_QUEUE_MAX = 1 << 20 }; /* bytes that wait, their bookkeeping included */

/* loop: the main thread's, kept until terminal_free(). out_fd: of TERMINAL_OUT, standard output, or
 * standard error where the other has sound. -ENOMEM. */
int terminal_new(struct terminal **out, struct loop *loop, int out_fd);

/* With no other thread left that writes. Writes what still waits. NULL is allowed. */
void terminal_free(struct terminal *terminal);

/* Runs the loop on the calling thread, until terminal_end(). */
void terminal_run(struct terminal *terminal);

/* Lets terminal_run() return, after what this thread has put. Once. Any thread. */
void terminal_end(struct terminal *terminal);

/*
 * From now on who puts something waits until there is room for it, as those may to whom time is
 * nothing; until nobody reads for some seconds. Only where one other thread puts something, and
 * the main thread nothing. Before that thread starts.
 */
void terminal_be_patient(struct terminal *terminal);

/* Writes bytes, whole lines, as they are. Any thread. */
void terminal_put(struct terminal *terminal, enum terminal_stream stream, struct slice bytes);

/*
 * The live line, redrawn in place under everything else: line without newline and control
 * characters is cut at the edge of the screen; an empty one takes it away. Only where
 * terminal_is_live(). Any thread.
 */
void terminal_live(struct terminal *terminal, struct slice line);

/*
 * What is typed, on the terminal's thread: it stands below the lines and above the live line, and
 * stays untouched by both. Only where terminal_is_screen().
 */

/* Shows line, raw bytes, behind the prompt, with the cursor at the byte point of it. */
void terminal_type(struct terminal *terminal, const char *prompt, struct slice line, size_t point);

/* There is nothing to be typed any more. */
void terminal_untype(struct terminal *terminal);

/* Writes whole lines at once, before what terminal_put() has queued. */
void terminal_write(struct terminal *terminal, struct slice lines);

/* What was typed becomes a line above, and nothing is typed behind the prompt. mark: NULL, or what
 * stands behind it. */
void terminal_enter(
	struct terminal *terminal, const char *prompt, struct slice line, const char *mark);

/* Takes all but the lines off the screen, and draws nothing there until terminal_show(). */
void terminal_hide(struct terminal *terminal);
void terminal_show(struct terminal *terminal);

/* The screen has another size. */
void terminal_redraw(struct terminal *terminal);

/* An empty screen but for what is typed and the live line. */
void terminal_clear(struct terminal *terminal);

/* Writes a sequence that changes how the terminal behaves, and moves nothing; where
 * terminal_is_live(). */
void terminal_steer(struct terminal *terminal, const char *sequence);

/* Its own, the main thread's. */
struct loop *terminal_loop(const struct terminal *terminal);

/* The key of Ctrl-C has left its mark on the screen: goes to a fresh line. Any thread. */
void terminal_interrupted(struct terminal *terminal);

/* How many columns a live line may have. Any thread. */
size_t terminal_columns(const struct terminal *terminal);

/* TERMINAL_OUT is a terminal with a cursor that moves. Any thread, as below. */
bool terminal_is_live(const struct terminal *terminal);

/* TERMINAL_OUT is a terminal, whatever it can do. */
bool terminal_is_screen(const struct terminal *terminal);

/* Colours are welcome there, as far as the environment tells (NO_COLOR). */
bool terminal_has_color(const struct terminal *terminal);

/* The environment's characters are UTF-8. */
bool terminal_has_utf8(const struct terminal *terminal);

/* The same before there is a terminal. */
bool terminal_env_utf8(void);

/* TERMINAL_OUT took no more for another reason than that nobody reads it. Any thread. */
bool terminal_has_failed(const struct terminal *terminal);

/* Grows with all that is written: one that stands still while something waits has no reader. */
uint64_t terminal_written(const struct terminal *terminal);

/* Whether what is written now would get anywhere within half a second. */
bool terminal_takes(const struct terminal *terminal);

/* Takes what is typed and the live line off the screen, past the queue and if it takes that at
 * once, and writes nothing more: before _exit(). Any thread. */
void terminal_abandon(struct terminal *terminal);

/* Writes to standard error past the queue, if it takes it at once: for words before _exit(). */
void terminal_last_words(const char *line);
