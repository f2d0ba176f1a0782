#!/bin/sh
# Usage: findings/curl-cert-status-leaf-alone.sh     (Debian or a derivative, with openssl 3.0; no
#                                                     root needed)
# curl 7.88.1-10+deb12u15 (OpenSSL 3.0): a server staples that its certificate is good, and the
# root that signed both stands in --cacert. With --cert-status curl ends with 91, "Error computing
# OCSP ID", where the server sends its certificate alone, and is content where the server sends
# that same root along: the issuer is looked for in the chain that was sent, not in the one that was
# built. Without --cert-status curl, and `openssl s_client -status` in both cases, are content.
# Who tests stapling with a small CA, signing leaves by its root, takes that for a fault of the staple.
# Seen: alone 0, alone with --cert-status 91, with the root 0; s_client good both times.
set -eu
version='7.88.1-10+deb12u15'
work=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq "curl=$version" "libcurl4=$version" >/dev/null
for package in *.deb; do dpkg-deb -x "$package" root; done
libraries=$(dirname "$(find "$work/root" -name 'libcurl.so.4' | head -n 1)")

make_key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null ||
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }
make_key root
make_key leaf
openssl req -x509 -key root.key -out root.pem -days 30 -subj '/CN=A root' 2>/dev/null
openssl req -new -key leaf.key -out leaf.csr -subj '/CN=localhost' 2>/dev/null
echo 'subjectAltName=DNS:localhost' >names
openssl x509 -req -in leaf.csr -CA root.pem -CAkey root.key -set_serial 4096 -days 30 \
  -extfile names -out leaf.pem 2>/dev/null
printf 'V\t991231235959Z\t\t1000\tunknown\t/CN=localhost\n' >index
openssl ocsp -issuer root.pem -cert leaf.pem -reqout asked >/dev/null 2>&1
openssl ocsp -index index -rsigner root.pem -rkey root.key -CA root.pem -reqin asked \
  -respout good -ndays 7 >/dev/null 2>&1

serve() { # what it sends beside its certificate
  port=$((20000 + $$ % 20000 + ${tried:-0}))
  tried=$((${tried:-0} + 1))
  openssl s_server -accept "127.0.0.1:$port" -cert leaf.pem -key leaf.key "$@" \
    -status_file good -www >/dev/null 2>&1 &
  server=$!
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    openssl s_client -connect "127.0.0.1:$port" </dev/null >/dev/null 2>&1 && break
    sleep 0.2
  done
}
fetch() {
  code=0
  LD_LIBRARY_PATH=$libraries "$work/root/usr/bin/curl" -sS "$@" --cacert root.pem \
    --resolve "localhost:$port:127.0.0.1" -o /dev/null "https://localhost:$port/" 2>err || code=$?
  echo "$code $(grep -o 'Error computing OCSP ID' err | head -n 1)" | sed 's/ $//'
}
stapled() {
  openssl s_client -connect "127.0.0.1:$port" -servername localhost -status -CAfile root.pem \
    </dev/null 2>/dev/null | grep -o 'Cert Status: .*'
}
stop() {
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=''
}

{
  serve
  echo "alone: $(fetch)"
  echo "alone, --cert-status: $(fetch --cert-status)"
  echo "alone, s_client: $(stapled)"
  stop
  serve -cert_chain root.pem
  echo "with the root, --cert-status: $(fetch --cert-status)"
  echo "with the root, s_client: $(stapled)"
  stop
} >seen
cat seen

cat >expected <<'SEEN'
alone: 0
alone, --cert-status: 91 Error computing OCSP ID
alone, s_client: Cert Status: good
with the root, --cert-status: 0
with the root, s_client: Cert Status: good
SEEN
if diff expected seen; then echo "as stated, $version"; else echo "it has changed" >&2; exit 1; fi
