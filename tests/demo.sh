#!/bin/sh
# A phone call of this machine with itself, without account, server or sound card: one sipcall waits
# and sends back what it hears, the other speaks to it and listens. usage: tests/demo.sh PROGRAM
set -eu
program=$1
here=$(dirname "$0")
speech=$here/data/speech.wav
seconds=8
folder=$(mktemp -d "${TMPDIR:-/tmp}/sipcall-demo.XXXXXX")

fail() {
	echo "demo: $*" >&2
	exit 1
}

# A free port of the loopback interface, as the one who answers tells it.
mkfifo "$folder/events"
"$program" --answer -l udp:127.0.0.1:0 -i loop -o null -n 1 --json >"$folder/events" &
answerer=$!
trap 'kill "$answerer" 2>/dev/null || true; rm -f "$folder/events"' EXIT
exec 3<"$folder/events"
read -r listening <&3 || fail 'the answering end did not start'
port=$(printf '%s\n' "$listening" | sed -n 's/.*"event": *"listening".*"port": *\([0-9]*\).*/\1/p')
[ -n "$port" ] || fail "no port in: $listening"
cat <&3 >"$folder/answerer.json" &

echo "$program calls itself on port $port of 127.0.0.1 and hears its own words come back."
echo
code=0
"$program" -v "sip:echo@127.0.0.1:$port" -i "file:$speech" -o "file:$folder/heard.wav" \
	--record "$folder/call.wav" -d $seconds || code=$?
[ $code -eq 0 ] || fail "the call ended with $code"
wait "$answerer" || fail "the answering end ended with $?"

echo
measured=$(python3 "$here/e2e/speech.py" "$speech" "$folder/heard.wav" opus) ||
	fail "what came back is not the speech that was sent: $measured"
echo "What came back is the speech that was sent: ${measured%% *} alike, where 1 is the same, and 0.75 is"
echo 'what Opus has to reach.'
cat <<TEXT

The whole call, left what was said, right what was heard: $folder/call.wav

Do it again by hand, in two terminals:
  $program --answer -l udp:127.0.0.1:5070 -i loop -o null -n 1
  $program -v sip:echo@127.0.0.1:5070 -i file:$speech -o file:heard.wav -d $seconds
TEXT
