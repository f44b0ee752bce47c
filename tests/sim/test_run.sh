#!/bin/sh
# test_run.sh RUN: how the program itself answers: its exit codes, its words, plays as text.
set -eu

run=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
	echo "test_run.sh: $*" >&2
	exit 1
}

# expect CODE WORDS ARGUMENT...: run ends so, and says these words on stderr
expect() {
	code=$1 words=$2
	shift 2
	got=0
	"$run" "$@" >"$folder/out" 2>"$folder/err" || got=$?
	[ $got -eq "$code" ] || fail "$* ended with $got"
	[ -z "$words" ] || grep -qF -- "$words" "$folder/err" || {
		cat "$folder/err" >&2
		fail "$* did not say: $words"
	}
}

printf 'phone a\nphone b answers lasts 1s\nat 1s a calls b\n' >"$folder/good.play"
printf 'phone a\nat 1s a sings\n' >"$folder/bad.play"
printf 'seed 3\nmedia 3 # with sound\n\nplay good.play\n' >"$folder/list"
printf 'sead 3\n' >"$folder/bad-list"

expect 0 '' --seed 3
grep -q '^sha256 [0-9a-f]\{64\}$' "$folder/out" || fail 'no hash'
expect 0 '' --scenario "$folder/good.play" --trace
grep -q 'event    b call.answered 1' "$folder/out" || fail 'no event in the trace'
grep -q 'arrived  10.0.0.1:5060 > 10.0.0.2:5060 INVITE' "$folder/out" || fail 'no message in it'
grep -q '^1 plays, 1 calls (2 ends answered)' "$folder/out" || fail 'it counts wrongly'
expect 0 '' --list "$folder/list"
[ "$(grep -c sha256 "$folder/out")" -eq 3 ] || fail 'not all of the list was played'

expect 2 'usage: run' --sead 3
expect 2 'usage: run' 3
expect 2 'a number was expected' --seed x
expect 2 "bad.play:2: no such verb: sings" --scenario "$folder/bad.play"
expect 2 'No such file' --scenario "$folder/no.play"
expect 2 'bad-list:1: seed N, media N or play FILE' --list "$folder/bad-list"

# what is printed, is read, and is the same play
expect 0 '' --seed 5 --print
cp "$folder/out" "$folder/5.play"
expect 0 '' --scenario "$folder/5.play" --print
cmp "$folder/out" "$folder/5.play" || fail 'a play changes when it is read'
expect 0 '' --scenario "$folder/5.play"
grep sha256 "$folder/out" >"$folder/a"
expect 0 '' --seed 5
grep sha256 "$folder/out" >"$folder/b"
cmp "$folder/a" "$folder/b" || fail 'a play that was read goes another way'

# another seed, other bytes
expect 0 '' --seed 6
grep sha256 "$folder/out" >"$folder/b"
! cmp -s "$folder/a" "$folder/b" || fail 'the hash does not look at the bytes'
