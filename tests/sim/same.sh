#!/bin/sh
# same.sh RUN RUN...: whether each build of run puts the same bytes on the wires, whatever the compiler
# and its options; RUN is the program of a build, as build/tests/sim/run. Each goes twice.
set -eu

[ $# -gt 0 ] || {
	echo "usage: same.sh RUN..." >&2
	exit 2
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# all but how long it took
play() {
	"$@" | sed 's/, [0-9.]* s, [0-9]* calls\/s$//'
}

number=0
for run; do
	for _ in once twice; do
		number=$((number + 1))
		out=$folder/$number
		{
			play "$run" --seed 7 --trace
			play "$run" --seed 1 --count 100
			play "$run" --seed 7 --media --trace
			play "$run" --seed 1 --count 50 --media
		} >"$out"
		[ $number -eq 1 ] || cmp "$folder/1" "$out" || {
			echo "same.sh: $run differs from $1:" >&2
			diff "$folder/1" "$out" | head -n 20 >&2
			exit 1
		}
	done
done
grep sha256 "$folder/1"
echo "the same in $number runs"
