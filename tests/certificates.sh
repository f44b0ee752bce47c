#!/bin/sh
# Certificates for the tests of TLS, made when they are needed so that none grows old:
# certificates.sh FOLDER leaves NAME.pem and NAME.key there. ca has signed all but self, which has
# signed itself; other is an authority that signed nothing of these.
set -eu
cd "$1"

# authority NAME
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-keyout "$1.key" -out "$1.pem" -subj "/CN=$1" 2>/dev/null
}

# signed NAME DAYS SAN
signed() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1.test" \
		-keyout "$1.key" -out "$1.csr" 2>/dev/null
	printf '%s' "${3:+subjectAltName=$3}" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 8)" \
		-days "$2" -extfile "$1.ext" -out "$1.pem" 2>/dev/null
}

authority ca
authority other
signed good 2 DNS:localhost,IP:127.0.0.1
signed named 2 DNS:localhost
signed expired -1 DNS:localhost,IP:127.0.0.1
signed wrong 2 DNS:www.example.org
signed domain 2 DNS:sip.test
signed server 2 DNS:proxy.sip.test
signed wild 2 'DNS:*.example.org'
signed uri 2 URI:sip:localhost,DNS:host.example.org
signed bare 2 ''
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout self.key \
	-out self.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
openssl ec -in good.key -aes128 -passout pass:secret -out locked.key 2>/dev/null
