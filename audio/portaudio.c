#include "audio/portaudio.h"

#include "core/base/library.h"
#include "core/base/list.h"
#include "core/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portaudio.h>

enum {
	SHOWN_MAX = 8, /* names of devices in an error's words */
	/* A device that another has closed a moment ago may still be held. */
	BUSY_TRIES = 20,
	BUSY_WAIT_US = 50000,
};

/* Its functions, found when the first device is asked for. */
static struct {
	__typeof__(Pa_Initialize) *initialize;
	__typeof__(Pa_Terminate) *terminate;
	__typeof__(Pa_GetErrorText) *error_text;
	__typeof__(Pa_GetDeviceCount) *device_count;
	__typeof__(Pa_GetDeviceInfo) *device_info;
	__typeof__(Pa_GetDefaultInputDevice) *default_input;
	__typeof__(Pa_GetDefaultOutputDevice) *default_output;
	__typeof__(Pa_OpenStream) *open_stream;
	__typeof__(Pa_StartStream) *start_stream;
	__typeof__(Pa_AbortStream) *abort_stream;
	__typeof__(Pa_CloseStream) *close_stream;
} library;

/*
 * PortAudio keeps its state for the process, and lets nobody use it on two threads at once, so one
 * lock is around all of it. Its list of devices is as old as its initialization.
 */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool hushed;
static bool initialized;
static uint64_t looked_ns; /* when it was initialized */
static unsigned streams;   /* that are open */

static const uint64_t stale_ns = 1000000000; /* after which devices are looked for anew */

struct portaudio_device {
	struct device device;
	struct port *port;
	PaStream *stream;
};

static int load(struct fault *why)
{
	static const struct library_symbol symbols[] = {
		{"Pa_Initialize", offsetof(__typeof__(library), initialize)},
		{"Pa_Terminate", offsetof(__typeof__(library), terminate)},
		{"Pa_GetErrorText", offsetof(__typeof__(library), error_text)},
		{"Pa_GetDeviceCount", offsetof(__typeof__(library), device_count)},
		{"Pa_GetDeviceInfo", offsetof(__typeof__(library), device_info)},
		{"Pa_GetDefaultInputDevice", offsetof(__typeof__(library), default_input)},
		{"Pa_GetDefaultOutputDevice", offsetof(__typeof__(library), default_output)},
		{"Pa_OpenStream", offsetof(__typeof__(library), open_stream)},
		{"Pa_StartStream", offsetof(__typeof__(library), start_stream)},
		{"Pa_AbortStream", offsetof(__typeof__(library), abort_stream)},
		{"Pa_CloseStream", offsetof(__typeof__(library), close_stream)},
	};

	return library_load(
		&library, "libportaudio.so.2", symbols, sizeof(symbols) / sizeof(symbols[0]), why);
}

/*
 * What goes through the C library's stderr is of no use to a person: a hundred lines of every card
 * that is not there. We write to the descriptor ourselves, so only our own assert() has to be let
 * through: it puts our name in front.
 */
static ssize_t hear_noise(void *cookie, const char *bytes, size_t len)
{
	char room[512];
	struct text line = TEXT_IN(room);
	struct slice rest = {(const uint8_t *)bytes, len};
	struct slice words;

	(void)cookie;
	if (len > strlen(program_invocation_short_name) &&
		strncmp(bytes, program_invocation_short_name,
			strlen(program_invocation_short_name)) == 0)
		return write(STDERR_FILENO, bytes, len);

	while (rest.len > 0) {
		slice_cut(&words, &rest, '\n');
		line = TEXT_IN(room);
		text_put_escaped(&line, words);
		if (line.len > 0)
			log_debug("sound library: %s", room);
	}
	return (ssize_t)len;
}

/* Line by line, for the log is told in lines. */
static void take_stderr(void)
{
	static const cookie_io_functions_t functions = {.write = hear_noise};
	FILE *noise = fopencookie(NULL, "w", functions);

	if (!noise)
		return;
	setvbuf(noise, NULL, _IOLBF, BUFSIZ);
	stderr = noise;
}

/*
 * ALSA's own, which PortAudio uses: where that names no device at all, as with a configuration that
 * is missing, PortAudio ends the program.
 */
static bool has_names(void)
{
	static struct {
		int (*hints)(int card, const char *kind, void ***hints);
		int (*free)(void **hints);
	} alsa;
	static const struct library_symbol symbols[] = {
		{"snd_device_name_hint", offsetof(__typeof__(alsa), hints)},
		{"snd_device_name_free_hint", offsetof(__typeof__(alsa), free)},
	};
	void **hints = NULL;
	bool any;

	if (library_load(&alsa, "libasound.so.2", symbols, sizeof(symbols) / sizeof(symbols[0]),
		    NULL) != 0)
		return true; /* then nobody else has it, either */
	if (alsa.hints(-1, "pcm", &hints) < 0 || !hints)
		return false;
	any = hints[0] != NULL;
	alsa.free(hints);
	return any;
}

/* The clock that loops have, so that the media thread can compare. It is no system call. */
static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/*
 * Locked. Where nothing of it is in use, devices are looked for anew, so that one is seen which was
 * plugged in since; but not twice for the two directions of one call, as it takes a while.
 */
static int look(struct fault *why)
{
	PaError failed;
	int err;

	err = load(why);
	if (err)
		return err;
	if (!hushed)
		take_stderr();
	hushed = true;
	if (initialized && (streams > 0 || now_ns() - looked_ns < stale_ns))
		return 0;
	if (!has_names())
		return fault_set(why, -ENODEV, "this machine has no sound device");
	if (initialized)
		library.terminate();

	failed = library.initialize();
	initialized = failed == paNoError;
	looked_ns = now_ns();
	if (!initialized)
		return fault_set(why, -EIO, "the sound system does not start: %s",
			library.error_text(failed));
	return 0;
}

static bool goes(const PaDeviceInfo *info, enum port_way way)
{
	return info && (way == PORT_IN ? info->maxInputChannels : info->maxOutputChannels) > 0;
}

static const char *what_of(enum port_way way)
{
	return way == PORT_IN ? "microphone" : "loudspeaker";
}

static bool has_part(const char *name, const char *part)
{
	return strcasestr(name, part) != NULL;
}

/* Locked. The names of those that part could mean, for an error's words. */
static void put_names(struct text *out, enum port_way way, const char *part)
{
	unsigned shown = 0;

	for (int i = 0; i < library.device_count(); i++) {
		const PaDeviceInfo *info = library.device_info(i);

		if (!goes(info, way) || !has_part(info->name, part))
			continue;
		if (shown == SHOWN_MAX) {
			text_puts(out, ", ...");
			return;
		}
		text_puts(out, shown++ > 0 ? ", " : " ");
		text_put_escaped(out, slice_of(info->name));
	}
}

static int no_such(struct fault *why, enum port_way way, const char *name, unsigned found)
{
	char shown[FAULT_SIZE / 2];
	char names[FAULT_SIZE / 2];
	struct text text = TEXT_IN(shown);
	struct text list = TEXT_IN(names);

	text_put_escaped(&text, slice_of(name));
	put_names(&list, way, found > 0 ? name : "");
	if (found > 0)
		return fault_set(why, -EINVAL, "%s is part of several names; say more of one of:%s",
			shown, names);
	if (list.len == 0)
		return fault_set(why, -ENODEV, "this machine has no %s", what_of(way));
	return fault_set(
		why, -ENOENT, "no %s has %s in its name; there are:%s", what_of(way), shown, names);
}

/* Locked. */
static int find(PaDeviceIndex *out, enum port_way way, const char *name, struct fault *why)
{
	unsigned found = 0;

	if (name[0] == '\0') {
		*out = way == PORT_IN ? library.default_input() : library.default_output();
		if (*out == paNoDevice)
			return fault_set(why, -ENODEV, "this machine has no %s", what_of(way));
		return 0;
	}

	for (int i = 0; i < library.device_count(); i++) {
		const PaDeviceInfo *info = library.device_info(i);

		if (!goes(info, way))
			continue;
		if (strcasecmp(info->name, name) == 0) { /* the whole name means no other */
			*out = i;
			return 0;
		}
		if (has_part(info->name, name)) {
			*out = i;
			found++;
		}
	}
	return found == 1 ? 0 : no_such(why, way, name, found);
}

/* PortAudio's thread: it waits for nothing. */
static int capture(const void *in, void *out, unsigned long count,
	const PaStreamCallbackTimeInfo *times, PaStreamCallbackFlags flags, void *arg)
{
	struct port *port = arg;

	(void)out;
	(void)times;
	if (flags & paInputOverflow)
		port_stumble(port);
	port_capture(port, in, count, now_ns());
	return paContinue;
}

static int play(const void *in, void *out, unsigned long count,
	const PaStreamCallbackTimeInfo *times, PaStreamCallbackFlags flags, void *arg)
{
	struct port *port = arg;

	(void)in;
	(void)times;
	if (flags & paOutputUnderflow)
		port_stumble(port);
	port_play(port, out, count, now_ns());
	return paContinue;
}

static int error_of(PaError failed)
{
	switch (failed) {
	case paDeviceUnavailable:
		return -EBUSY;
	case paInsufficientMemory:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

/* Locked. */
static int open_stream(struct portaudio_device *self, enum port_way way, PaDeviceIndex index,
	size_t block, struct fault *why)
{
	const PaStreamParameters parameters = {
		.device = index,
		.channelCount = 1,
		.sampleFormat = paInt16,
		.suggestedLatency = (double)block / PORT_RATE,
	};
	PaError failed;

	failed = library.open_stream(&self->stream, way == PORT_IN ? &parameters : NULL,
		way == PORT_OUT ? &parameters : NULL, PORT_RATE, block, paClipOff | paDitherOff,
		way == PORT_IN ? capture : play, self->port);
	if (failed == paNoError) {
		failed = library.start_stream(self->stream);
		if (failed != paNoError)
			library.close_stream(self->stream);
	}
	if (failed != paNoError)
		return fault_set(why, error_of(failed), "the %s %s cannot be opened: %s",
			what_of(way), self->device.name, library.error_text(failed));
	return 0;
}

/* Locked. */
static int find_and_open(struct portaudio_device *self, enum port_way way, const char *name,
	size_t block, struct fault *why)
{
	struct text shown;
	PaDeviceIndex index;
	int err;

	err = look(why);
	if (!err)
		err = find(&index, way, name, why);
	if (err)
		return err;

	shown = TEXT_IN(self->device.name);
	text_put_escaped(&shown, slice_of(library.device_info(index)->name));
	err = open_stream(self, way, index, block, why);
	if (!err)
		streams++;
	return err;
}

static int open_device(struct device **out, const struct device_maker *maker, enum port_way way,
	const char *name, size_t block, struct port *port, struct fault *why)
{
	struct portaudio_device *self = calloc(1, sizeof(*self));
	int err = -EBUSY;

	if (!self)
		return fault_set(why, -ENOMEM, "too little memory for a sound device");

	self->device.maker = maker;
	self->port = port;
	for (int tries = 0; tries < BUSY_TRIES; tries++) {
		pthread_mutex_lock(&mutex);
		err = find_and_open(self, way, name, block, why);
		pthread_mutex_unlock(&mutex);
		if (err != -EBUSY)
			break;
		usleep(BUSY_WAIT_US);
	}
	if (err) {
		free(self);
		return err;
	}
	*out = &self->device;
	return 0;
}

static int check_device(
	const struct device_maker *maker, enum port_way way, const char *name, struct fault *why)
{
	PaDeviceIndex index;
	int err;

	(void)maker;
	pthread_mutex_lock(&mutex);
	err = look(why);
	if (!err)
		err = find(&index, way, name, why);
	pthread_mutex_unlock(&mutex);
	return err;
}

/* What waits in the device is not worth waiting for. */
static void close_device(struct device *device)
{
	struct portaudio_device *self = container_of(device, struct portaudio_device, device);

	pthread_mutex_lock(&mutex);
	library.abort_stream(self->stream);
	library.close_stream(self->stream);
	streams--;
	pthread_mutex_unlock(&mutex);
	free(self);
}

const struct device_maker portaudio = {open_device, check_device, close_device};

/* Locked. */
static void put_device(struct text *out, int index)
{
	const PaDeviceInfo *info = library.device_info(index);
	bool in = goes(info, PORT_IN), plays = goes(info, PORT_OUT);
	bool is_default = index == library.default_input() || index == library.default_output();

	if (!in && !plays)
		return;
	text_printf(out, "%s  %s  %s  ", is_default ? "default" : "       ", in ? "mic" : "   ",
		plays ? "speaker" : "       ");
	text_put_escaped(out, slice_of(info->name));
	text_putc(out, '\n');
}

int portaudio_list(struct text *out, struct fault *why)
{
	size_t before = out->len;
	int err;

	pthread_mutex_lock(&mutex);
	err = look(why);
	for (int i = 0; !err && i < library.device_count(); i++)
		put_device(out, i);
	pthread_mutex_unlock(&mutex);
	if (!err && out->len == before)
		return fault_set(why, -ENODEV, "this machine has no sound device");
	return err;
}

int portaudio_each(
	enum port_way way, void (*each)(void *arg, const char *name), void *arg, struct fault *why)
{
	int err;

	pthread_mutex_lock(&mutex);
	err = look(why);
	for (int i = 0; !err && i < library.device_count(); i++) {
		const PaDeviceInfo *info = library.device_info(i);

		if (goes(info, way))
			each(arg, info->name);
	}
	pthread_mutex_unlock(&mutex);
	return err;
}

void portaudio_leave(unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until); /* the clock of pthread_mutex_timedlock() */
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)pthread_mutex_timedlock(&mutex, &until);
}
