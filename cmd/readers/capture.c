#include "cmd/readers/capture.h"

#include "audio/path.h"
#include "cmd/readers/capture_file.h"
#include "cmd/readers/capture_packet.h"
#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/base/spool.h"
#include "core/base/text.h"

#include <assert.h>
#include <stdlib.h>

enum {
	SAID_CAPACITY = 1 << 22,  /* SIP: what a disk may owe of a thousand calls that begin */
	SOUND_CAPACITY = 1 << 23, /* and of a second of a thousand that talk */
	SEGMENT_MAX = 1400,       /* of TCP, as networks have them */
	BYTES_MAX = 65536,        /* of a datagram, and of a message */
	PACKET_SIZE = CAPTURE_HEADERS_MAX + BYTES_MAX,
	STREAMS_MAX = 256,
};

static const uint64_t period_ns = 50 * NS_PER_MS; /* of looking whether something waits */

/* What stands before the bytes of each record. */
struct head {
	uint64_t wall_ns;
	struct addr local;
	struct addr remote;
	enum sip_transport_kind kind;
	bool sent;
};

/* A TCP connection, as far as was seen of it. */
struct stream {
	struct list link;
	struct addr local;
	struct addr remote;
	uint32_t sent; /* bytes so far */
	uint32_t received;
};

/* One thread's queue, and the record that is next in it. */
struct lane {
	struct spool *spool;
	size_t left; /* bytes that this piece of work takes */
	bool loaded;
	struct head head;
	struct buf record; /* head and bytes */
};

/*
 * There is at most one piece of work. While working, it owns what stands below "the work's".
 */
struct capture {
	struct loop *loop;      /* the agent's */
	uint64_t said_epoch_ns; /* of loop_now(), in wall time: both clocks are one in the file */
	uint64_t sound_epoch_ns;
	struct media_tap tap;
	char *path;
	struct timer timer;
	struct post late; /* where there is no other way to call done later */
	bool working;
	capture_done *done; /* once it is being closed */
	void *arg;

	struct work work; /* the work's, from here on */
	struct lane said;
	struct lane sound;
	struct list streams; /* the latest first */
	size_t stream_count;
	struct capture_file *file;
	uint8_t packet[PACKET_SIZE];
	uint64_t odd; /* packets that cannot be made up */
	bool last;    /* nothing comes any more: the file is closed */
	struct capture_result result;
};

static struct lane *earlier(struct capture *self)
{
	if (!self->said.loaded || !self->sound.loaded)
		return self->said.loaded ? &self->said : self->sound.loaded ? &self->sound : NULL;

	/* of one moment, what was said comes before the sound that follows from it */
	return self->sound.head.wall_ns < self->said.head.wall_ns ? &self->sound : &self->said;
}

static void load(struct lane *lane)
{
	if (lane->loaded || lane->left == 0)
		return;

	lane->record.len = 0;
	if (spool_take(&lane->record, lane->spool))
		return;
	lane->left -= lane->record.len + SPOOL_RECORD_MORE;
	memcpy(&lane->head, lane->record.data, sizeof(lane->head));
	lane->loaded = true;
}

static struct stream *find_stream(struct capture *self, const struct head *head)
{
	list_each(link, &self->streams)
	{
		struct stream *stream = container_of(link, struct stream, link);

		if (addr_equal(&stream->local, &head->local) &&
			addr_equal(&stream->remote, &head->remote))
			return stream;
	}
	return NULL;
}

/* The one that was silent longest goes; should it speak again, it begins anew. */
static void forget_stream(struct capture *self)
{
	struct stream *stream = container_of(self->streams.prev, struct stream, link);

	list_remove(&stream->link);
	free(stream);
	self->stream_count--;
}

/* NULL if there is no memory. */
static struct stream *stream_of(struct capture *self, const struct head *head)
{
	struct stream *stream = find_stream(self, head);

	if (!stream) {
		if (self->stream_count == STREAMS_MAX)
			forget_stream(self);
		stream = calloc(1, sizeof(*stream));
		if (!stream)
			return NULL;
		list_init(&stream->link);
		stream->local = head->local;
		stream->remote = head->remote;
		self->stream_count++;
	}
	list_remove(&stream->link);
	list_add(self->streams.next, &stream->link); /* before the first */
	return stream;
}

static void put_packet(
	struct capture *self, const struct head *head, size_t headers, struct slice payload)
{
	if (headers == 0) {
		self->odd++;
		return;
	}
	memcpy(self->packet + headers, payload.data, payload.len);
	capture_file_put(
		self->file, head->wall_ns, (struct slice){self->packet, headers + payload.len});
}

static void put_datagram(struct capture *self, const struct head *head, struct slice bytes)
{
	const struct addr *from = head->sent ? &head->local : &head->remote;
	const struct addr *to = head->sent ? &head->remote : &head->local;

	put_packet(self, head, capture_udp(self->packet, from, to, bytes), bytes);
}

/* Each side's bytes are numbered from 1 on, as after a handshake that began with 0. */
static void put_segments(struct capture *self, const struct head *head, struct slice bytes)
{
	const struct addr *from = head->sent ? &head->local : &head->remote;
	const struct addr *to = head->sent ? &head->remote : &head->local;
	struct stream *stream = stream_of(self, head);
	uint32_t *ours, *theirs;

	if (!stream) {
		self->odd++;
		return;
	}
	ours = head->sent ? &stream->sent : &stream->received;
	theirs = head->sent ? &stream->received : &stream->sent;
	while (bytes.len > 0) {
		struct slice part;

		(void)slice_take(&part, &bytes, bytes.len < SEGMENT_MAX ? bytes.len : SEGMENT_MAX);
		put_packet(self, head,
			capture_tcp(self->packet, from, to, *ours + 1, *theirs + 1, part), part);
		*ours += (uint32_t)part.len;
	}
}

/*
 * In the order of time, as far as both threads have come. How far the sound has come is asked
 * first: what was said before it is seen then, and a reader needs the description before the sound.
 */
static void work_run(struct work *work)
{
	struct capture *self = container_of(work, struct capture, work);
	struct lane *lane;

	self->sound.left = spool_filled(self->sound.spool);
	self->said.left = spool_filled(self->said.spool);
	load(&self->sound);
	load(&self->said);
	for (lane = earlier(self); lane; lane = earlier(self)) {
		struct slice bytes = {lane->record.data + sizeof(lane->head),
			lane->record.len - sizeof(lane->head)};

		if (lane->head.kind != SIP_UDP)
			put_segments(self, &lane->head, bytes);
		else
			put_datagram(self, &lane->head, bytes);
		lane->loaded = false;
		load(lane);
	}
	if (!self->last) {
		capture_file_flush(self->file);
		return;
	}
	capture_file_close(&self->result, self->file);
	self->file = NULL;
}

static void destroy(struct capture *self)
{
	while (!list_empty(&self->streams))
		forget_stream(self);
	capture_file_close(NULL, self->file);
	spool_free(self->said.spool);
	spool_free(self->sound.spool);
	free(self->said.record.data);
	free(self->sound.record.data);
	free(self->path);
	free(self);
}

/* Whether something is missing, with words for it. */
static bool lacks(struct fault *why, const struct capture *self)
{
	uint64_t slow = spool_dropped(self->said.spool) + spool_dropped(self->sound.spool);
	uint64_t lost = slow + self->odd + self->result.lost;
	uint64_t count = slow + self->odd + self->result.count;
	int err = self->result.err;
	char room[FAULT_SIZE];
	struct text words = TEXT_IN(room);

	if (lost == 0 && !err)
		return false;

	text_printf(&words, "%llu of %llu packets are missing, as ", (unsigned long long)lost,
		(unsigned long long)count);
	text_puts(&words, err == -ENOSPC ? "the disk is full"
			  : err          ? strerror(-err)
			  : slow > 0     ? "the disk was too slow"
					 : "they fit into none");
	path_fault_words(why, err, self->path, room);
	return true;
}

static void finish(struct capture *self)
{
	capture_done *done = self->done;
	void *arg = self->arg;
	struct fault why;
	bool words = lacks(&why, self);

	destroy(self);
	done(arg, words ? why.words : NULL);
}

static bool is_waiting(const struct capture *self)
{
	return spool_filled(self->said.spool) > 0 || spool_filled(self->sound.spool) > 0;
}

/* What the pool does not take is taken with the next, and the last is written right here. */
static void start_work(struct capture *self)
{
	self->last = self->done != NULL;
	if (loop_work(self->loop, &self->work) == 0)
		self->working = true;
	else if (self->done)
		loop_post(self->loop, &self->late);
}

static void run_late(struct post *post)
{
	struct capture *self = container_of(post, struct capture, late);

	work_run(&self->work);
	finish(self);
}

static void work_done(struct work *work)
{
	struct capture *self = container_of(work, struct capture, work);

	self->working = false;
	if (self->last)
		finish(self);
	else if (self->done)
		start_work(self);
}

static void look(void *arg)
{
	struct capture *self = arg;

	timer_start_in(&self->timer, period_ns);
	if (!self->working && is_waiting(self))
		start_work(self);
}

static void put(struct lane *lane, const struct head *head, struct slice bytes)
{
	bytes.len = bytes.len < BYTES_MAX ? bytes.len : BYTES_MAX;
	(void)spool_put(lane->spool, (struct slice){(const uint8_t *)head, sizeof(*head)}, bytes);
}

void capture_message(struct capture *capture, bool sent, enum sip_transport_kind kind,
	const struct addr *local, const struct addr *remote, struct slice bytes)
{
	struct head head;

	memset(&head, 0, sizeof(head)); /* what lies between its members, too */
	head.wall_ns = capture->said_epoch_ns + loop_now(capture->loop);
	head.local = *local;
	head.remote = *remote;
	head.kind = kind;
	head.sent = sent;
	put(&capture->said, &head, bytes);
}

/* Media thread. */
static void take_datagram(void *arg, bool sent, const struct addr *local, const struct addr *remote,
	struct slice bytes, uint64_t at_ns)
{
	struct capture *self = arg;
	struct head head;

	memset(&head, 0, sizeof(head));
	head.wall_ns = self->sound_epoch_ns + at_ns;
	head.local = *local;
	head.remote = *remote;
	head.kind = SIP_UDP;
	head.sent = sent;
	put(&self->sound, &head, bytes);
}

static int lane_init(struct lane *lane, size_t capacity)
{
	int err = spool_new(&lane->spool, capacity);

	if (err)
		return err;

	lane->record.size = sizeof(struct head) + BYTES_MAX;
	lane->record.data = malloc(lane->record.size);
	return lane->record.data ? 0 : -ENOMEM;
}

int capture_open(struct capture **out, struct loop *agent_loop, struct loop *media_loop,
	const char *path, struct fault *why)
{
	struct capture *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return path_fault(why, -ENOMEM, path);

	self->loop = agent_loop;
	self->said_epoch_ns = loop_wall(agent_loop) - loop_now(agent_loop);
	self->sound_epoch_ns = loop_wall(media_loop) - loop_now(media_loop);
	self->tap = (struct media_tap){take_datagram, self};
	self->work = (struct work){work_run, work_done};
	self->late.run = run_late;
	list_init(&self->streams);
	timer_init(&self->timer, agent_loop, look, self);
	self->path = slice_copy(slice_of(path));
	err = self->path ? lane_init(&self->said, SAID_CAPACITY) : -ENOMEM;
	if (!err)
		err = lane_init(&self->sound, SOUND_CAPACITY);
	if (err)
		path_fault(why, err, path);
	else
		err = capture_file_create(&self->file, path, why);
	if (err) {
		destroy(self);
		return err;
	}
	timer_start_in(&self->timer, period_ns);
	*out = self;
	return 0;
}

const struct media_tap *capture_tap(const struct capture *capture)
{
	return &capture->tap;
}

void capture_close(struct capture *capture, capture_done *done, void *arg)
{
	assert(!capture->done);

	capture->done = done;
	capture->arg = arg;
	timer_stop(&capture->timer);
	if (!capture->working)
		start_work(capture);
}
