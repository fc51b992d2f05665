#!/bin/sh
# Makes the shipped certificates anew, with OpenSSL 3: run it here. The key stays if it is there.
# They are for loopback only, and all but the first have something wrong with them on purpose.
# Valid from 2020 (clocks of test machines are often behind) to 2069, except for the expired one;
# the extensions are those that OpenSSL's strict verification (Python 3.13's default) wants.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: > "$work/index.txt"
cat > "$work/ca.cnf" <<'CONFIG'
[req]
distinguished_name = name
prompt = no
[name]
CN = $ENV::NAME
[ca]
default_ca = self
[self]
database = $ENV::WORK/index.txt
new_certs_dir = $ENV::WORK
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = loopback
[any]
commonName = supplied
[loopback]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = $ENV::HOSTS
CONFIG
export WORK="$work" NAME HOSTS

# Each has a name of its own: a client that trusts one of them must not find it in another.
make() {
    NAME=$2 HOSTS=$3
    openssl req -new -key loopback.key -config "$work/ca.cnf" -out "$work/request.pem"
    openssl ca -batch -selfsign -notext -config "$work/ca.cnf" -keyfile loopback.key \
        -startdate 20200101000000Z -enddate "$4" -in "$work/request.pem" -out "$1.pem"
}

[ -e loopback.key ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
    -out loopback.key
loopback="DNS:localhost, IP:127.0.0.1, IP:::1"
make loopback "kab loopback only - this key is public" "$loopback" 20690101000000Z
make wrong-host "kab wrong host - this key is public" "DNS:wrong-host.invalid" 20690101000000Z
make expired "kab expired - this key is public" "$loopback" 20200102000000Z
make untrusted "kab untrusted - this key is public" "$loopback" 20690101000000Z
