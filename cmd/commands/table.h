/*
 * The rows of the command table, a file each; cmd/command.c puts them into their order. And what
 * several of them do alike.
 */
#pragma once

#include "cmd/command.h"
#include "cmd/desk.h"
#include "core/base/loop.h"

/* How long the far end may take to agree to a change: no answer counts after 32 s (RFC 3261,
 * section 17.1.1.2), and one that crosses theirs goes again up to 4 s later (section 14.1). What
 * somebody else has asked the contrary of meanwhile is never told. */
#define COMMAND_CHANGE_NS (40 * NS_PER_S)

extern const struct command command_accounts;
extern const struct command command_answer;
extern const struct command command_audio_match;
extern const struct command command_call;
extern const struct command command_calls;
extern const struct command command_codec;
extern const struct command command_contacts;
extern const struct command command_devices;
extern const struct command command_dial;
extern const struct command command_expect;
extern const struct command command_hangup;
extern const struct command command_help;
extern const struct command command_history;
extern const struct command command_hold;
extern const struct command command_ladder;
extern const struct command command_mute;
extern const struct command command_number;
extern const struct command command_ping;
extern const struct command command_play;
extern const struct command command_quit;
extern const struct command command_record;
extern const struct command command_reject;
extern const struct command command_register;
extern const struct command command_resume;
extern const struct command command_set;
extern const struct command command_stats;
extern const struct command command_unregister;
extern const struct command command_wait;

/* The call of argument arg, or the current one: to out. Else it has failed, and this is false. */
bool pick_call(struct desk_call **out, struct command_run *run, size_t arg);

/* The same of calls that are answered. */
bool pick_talking(struct desk_call **out, struct command_run *run, size_t arg);

/* The same of calls that wait for an answer of ours, the oldest where none is named. */
bool pick_incoming(struct desk_call **out, struct command_run *run, size_t arg);

/* What a function of the agent returned for the call at hand, if that is an error. */
enum command_state fail_call(struct command_run *run, int err);

/* The call ended before what was waited for; the event has told so itself. */
enum command_state fail_ended(struct command_run *run, const struct ua_event *event);

/* Whether an event is about the call that is waited for. */
bool is_mine(const struct command_run *run, const struct ua_event *event);

/* The event function of a command that waits for its call to be answered. */
enum command_state see_answer(struct command_run *run, const struct ua_event *event);
