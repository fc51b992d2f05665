#!/bin/sh
# Makes loopback.pem and loopback.key anew: run it here, with OpenSSL 3.
# Valid from 2020 (clocks of test machines are often behind) to 2069, for loopback names only;
# the extensions are those that OpenSSL's strict verification (Python 3.13's default) wants.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: > "$work/index.txt"
cat > "$work/ca.cnf" <<'END'
[req]
distinguished_name = name
prompt = no
[name]
CN = kab loopback only - this key is public
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
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
END
export WORK="$work"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -config "$work/ca.cnf" -keyout loopback.key -out "$work/request.pem"
openssl ca -batch -selfsign -notext -config "$work/ca.cnf" -keyfile loopback.key \
    -startdate 20200101000000Z -enddate 20690101000000Z \
    -in "$work/request.pem" -out loopback.pem
