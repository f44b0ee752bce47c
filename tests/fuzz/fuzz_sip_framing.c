/*
 * core/sip/framing: any stream, cut at places that its first bytes choose: the same messages come
 * out as when it is not cut.
 */
#include "core/sip/framing.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 4 };

/* What came out, in one number. */
struct sum {
	uint64_t value;
	struct sip_framing framing;
};

static void add(struct sum *sum, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		sum->value = (sum->value ^ p[i]) * UINT64_C(0x100000001b3);
}

static void feed(struct sum *sum, struct slice from)
{
	struct sip_frame frame;

	do {
		if (sum->framing.broken || sip_framing_next(&frame, &sum->framing, &from))
			return;
		if (frame.kind == SIP_FRAME_MORE)
			return;
		add(sum, &frame.kind, sizeof(frame.kind));
		if (frame.kind == SIP_FRAME_MESSAGE)
			add(sum, frame.bytes.data, frame.bytes.len);
	} while (frame.kind != SIP_FRAME_BROKEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {data, size};
	struct sum whole = {0}, cut = {0};
	struct slice cuts, part;

	if (slice_take(&cuts, &rest, CUTS))
		return 0;
	feed(&whole, rest);
	for (size_t i = 0; i < CUTS; i++)
		if (slice_take(&part, &rest, cuts.data[i]) == 0)
			feed(&cut, part);
	feed(&cut, rest);
	assert(whole.value == cut.value);
	assert(sip_framing_is_amid(&whole.framing) == sip_framing_is_amid(&cut.framing));
	sip_framing_close(&whole.framing);
	sip_framing_close(&cut.framing);
	return 0;
}
