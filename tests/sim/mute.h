/*
 * A codec that stands in SDP as PCMU and never has anything to say, in the longest packets that
 * there are: with it a call is signalling and next to nothing else. A constant: any thread.
 */
#pragma once

#include "codecs/codec.h"

extern const struct codec codec_mute;
