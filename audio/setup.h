/*
 * What a source or a sink is told when it is opened, besides its name, and what it tells while it
 * runs. A plain value that is copied; what it points to lives longer than the source or sink.
 */
#pragma once

#include <stdint.h>

struct device_maker;
struct loop;

enum audio_news {
	AUDIO_NOTE,   /* it goes on in another way: a device is gone, or has come back */
	AUDIO_FAILED, /* not all is got, or gets to where it should: a command has failed */
};

/*
 * words: one line for a person, good during the call only, harmless on a terminal. On the loop's
 * thread; it may come from inside a read or a write, and frees nothing.
 */
typedef void audio_tell_fn(void *arg, enum audio_news news, const char *words);

struct audio_setup {
	struct loop *loop;                  /* of the media thread, to which it will belong */
	uint32_t rate;                      /* of the samples, Hz, 8000..48000 */
	uint32_t pipe_rate;                 /* of the samples in pipes, Hz, 8000..48000 */
	const struct device_maker *devices; /* NULL: PortAudio's */
	audio_tell_fn *tell;                /* NULL: nobody listens */
	void *arg;                          /* of tell */
};

enum { AUDIO_PIPE_RATE = 16000 }; /* Hz, where nobody wishes for another */

/* As tell, with words like printf(). */
void audio_tell(const struct audio_setup *setup, enum audio_news news, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
