#include "cmd/readers/capture_file.h"

#include "audio/path.h"
#include "core/base/library.h"
#include "core/base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	MODE = 0666, /* as umask leaves it */
	SNAP_SIZE = 65535 + 60,
	BUFFER_SIZE = 1 << 18, /* is written when the next packet would not fit */
	RECORD_SIZE = 16,      /* before each packet */
};

static struct {
	__typeof__(pcap_open_dead) *open_dead;
	__typeof__(pcap_close) *close;
	__typeof__(pcap_dump_fopen) *dump_fopen;
	__typeof__(pcap_dump) *dump;
	__typeof__(pcap_dump_flush) *dump_flush;
	__typeof__(pcap_dump_close) *dump_close;
} library;

struct capture_file {
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	FILE *stream;           /* the dumper's */
	size_t waiting;         /* bytes in the stream's buffer, */
	uint64_t waiting_count; /* and packets */
	off_t whole;            /* bytes of the file that are whole packets */
	struct capture_result result;
};

static int load(struct fault *why)
{
	static const struct library_symbol symbols[] = {
		{"pcap_open_dead", offsetof(__typeof__(library), open_dead)},
		{"pcap_close", offsetof(__typeof__(library), close)},
		{"pcap_dump_fopen", offsetof(__typeof__(library), dump_fopen)},
		{"pcap_dump", offsetof(__typeof__(library), dump)},
		{"pcap_dump_flush", offsetof(__typeof__(library), dump_flush)},
		{"pcap_dump_close", offsetof(__typeof__(library), dump_close)},
	};

	return library_load(
		&library, "libpcap.so.0.8", symbols, sizeof(symbols) / sizeof(symbols[0]), why);
}

/* The file is ours from the first moment: who made it before keeps it. */
static int open_stream(FILE **out, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	int err;

	if (fd < 0)
		return -errno;

	*out = fdopen(fd, "wb");
	if (!*out) {
		err = -errno;
		close(fd);
		unlink(path);
		return err;
	}
	/* a stream that gets no buffer has its own smaller one, and writes more often */
	(void)setvbuf(*out, NULL, _IOFBF, BUFFER_SIZE);
	return 0;
}

/* Takes stream over, or leaves it as it was. */
static int open_dumper(struct capture_file *file, FILE *stream)
{
	file->pcap = library.open_dead(DLT_RAW, SNAP_SIZE);
	if (!file->pcap)
		return -ENOMEM;

	file->dumper = library.dump_fopen(file->pcap, stream);
	if (!file->dumper) {
		library.close(file->pcap);
		return -EIO;
	}
	file->stream = stream;
	return 0;
}

int capture_file_create(struct capture_file **out, const char *path, struct fault *why)
{
	struct capture_file *file;
	FILE *stream;
	int err;

	err = load(why);
	if (err)
		return err;
	file = calloc(1, sizeof(*file));
	if (!file)
		return path_fault(why, -ENOMEM, path);

	err = open_stream(&stream, path);
	if (err)
		goto out;
	err = open_dumper(file, stream);
	if (err) {
		fclose(stream);
		unlink(path);
		goto out;
	}
	capture_file_flush(file); /* its head, so that it can be read from now on */
	*out = file;
	file = NULL;
out:
	free(file);
	if (err == -ENOENT)
		return path_fault_words(why, err, path, "there is no such folder");
	return err ? path_fault(why, err, path) : 0;
}

/* What has got onto the disk of packets that are not whole goes again, and so does what waits. */
static void give_up(struct capture_file *file, int err)
{
	file->result.err = err;
	file->result.lost += file->waiting_count;
	__fpurge(file->stream);
	if (ftruncate(fileno(file->stream), file->whole))
		return; /* a pipe, say: there is nothing to be taken back */
}

void capture_file_flush(struct capture_file *file)
{
	off_t at;

	if (file->result.err)
		return;

	errno = 0;
	if (library.dump_flush(file->dumper)) {
		give_up(file, errno ? -errno : -EIO);
		return;
	}
	at = ftello(file->stream);
	file->whole = at > 0 ? at : 0;
	file->waiting = 0;
	file->waiting_count = 0;
}

void capture_file_put(struct capture_file *file, uint64_t wall_ns, struct slice packet)
{
	const struct pcap_pkthdr head = {
		.ts = {.tv_sec = (time_t)(wall_ns / NS_PER_S),
			.tv_usec = (suseconds_t)(wall_ns % NS_PER_S / NS_PER_US)},
		.caplen = (bpf_u_int32)packet.len,
		.len = (bpf_u_int32)packet.len,
	};

	if (file->waiting + RECORD_SIZE + packet.len > BUFFER_SIZE)
		capture_file_flush(file);
	file->result.count++;
	if (file->result.err) {
		file->result.lost++;
		return;
	}
	library.dump((u_char *)file->dumper, &head, packet.data);
	file->waiting += RECORD_SIZE + packet.len;
	file->waiting_count++;
}

void capture_file_close(struct capture_result *out, struct capture_file *file)
{
	if (!file)
		return;

	capture_file_flush(file);
	if (out)
		*out = file->result;
	library.dump_close(file->dumper);
	library.close(file->pcap);
	free(file);
}
