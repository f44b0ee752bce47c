#!/bin/sh
# Installs a package in a fresh, small Debian and uses it there: what it asks for, where its files
# are, and a call between two of them. As root. usage: tests/deb.sh PACKAGE
set -eu
package=$1
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
# The mirror that this machine has its own packages from.
mirror=$(apt-cache policy base-files | sed -n 's/^ *[0-9]* \(http[^ ]*\) .*/\1/p' | head -n 1)
place=$(mktemp -d "${TMPDIR:-/tmp}/sipcall-deb.XXXXXX")
trap 'rm -rf "$place"' EXIT

fail() {
	echo "deb: $*" >&2
	exit 1
}

inside() {
	chroot "$place" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@"
}

[ "$(id -u)" -eq 0 ] || fail 'only root can make a fresh Debian'
echo "a fresh Debian $release"
debootstrap --variant=minbase "$release" "$place" "$mirror" >"$place.log" 2>&1 || {
	cat "$place.log"
	fail 'debootstrap failed'
}
rm -f "$place.log"

echo "installing $(basename "$package")"
cp "$package" "$place/sipcall.deb"
inside apt-get install -y -qq /sipcall.deb >"$place/log" 2>&1 || {
	cat "$place/log"
	fail 'the package cannot be installed'
}

version=$(inside sipcall --version)
[ "$version" = "sipcall $(dpkg-deb -f "$package" Version)" ] || fail "is $version"
inside sipcall -e help >"$place/help" || fail "sipcall -e help ends with $?"
grep -q '^  call ' "$place/help" || fail "sipcall -e help says: $(cat "$place/help")"
for path in man/man1/sipcall.1.gz man/man5/sipcall.conf.5.gz applications/sipcall.desktop \
	sipcall/events.schema.json bash-completion/completions/sipcall \
	fish/vendor_completions.d/sipcall.fish zsh/vendor-completions/_sipcall; do
	[ -s "$place/usr/share/$path" ] || fail "/usr/share/$path is not there"
done

echo 'a call between two of them, with each codec'
for codec in $(inside sipcall --list-codecs | cut -d ' ' -f 1); do
	mkfifo "$place/told"
	inside sipcall --answer -l udp:127.0.0.1:0 -i loop -o null -n 1 --json >"$place/told" &
	answerer=$!
	exec 3<"$place/told"
	rm "$place/told"
	read -r listening <&3 || fail 'the answering end did not start'
	port=$(printf '%s\n' "$listening" | sed -n 's/.*"port":\([0-9]*\).*/\1/p')
	inside sipcall -i tone:440 -o file:/heard.wav -d 0.5 --codecs "$codec" \
		"sip:x@127.0.0.1:$port" >"$place/log" 2>&1 || {
		cat "$place/log"
		fail "the call with $codec ended with $?"
	}
	cat <&3 >/dev/null
	exec 3<&-
	wait "$answerer" || fail "the answering end ended with $?"
	[ "$(wc -c <"$place/heard.wav")" -gt 4000 ] || fail "nothing was heard with $codec"
	rm "$place/heard.wav"
done

echo 'and without what it only recommends'
# shellcheck disable=SC2046 # a list of words
inside apt-get purge -y -qq --auto-remove $(dpkg-deb -f "$package" Recommends | tr -d ,) \
	>/dev/null 2>&1
inside sipcall -e quit || fail "sipcall -e quit ends with $?"
inside apt-get purge -y -qq sipcall >/dev/null 2>&1
left=$(find "$place/usr" -name '*sipcall*')
[ -z "$left" ] || fail "left behind: $left"
echo '1 passed, 0 failed'
