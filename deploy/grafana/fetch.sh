#!/bin/sh
# Builds what holds the Grafana dashboard against Grafana's own types, from check/ and the
# sources that its go.sum pins, into .cache/grafana of the checkout (or into the folder
# named as first argument). A second run changes nothing and needs no network.
#
# Without it that test is skipped, so this says so and ends well; with CI=true it is an
# error.
name=grafana
lost="the dashboard will not be held against Grafana's types"
. "$(dirname -- "$0")/../fetch.sh"

fetched check/main.go main.go && fetched check/go.sum go.sum && exit
echo "grafana: building the check of the dashboard in $target (once)" >&2
mkdir -p "$target"
rm -f "$target/go.sum"
(cd "$here/check" && GOFLAGS='' CGO_ENABLED=0 go build -buildvcs=false -ldflags '-s -w' -o "$target/check" .) >&2 ||
	fail "the check could not be built" "check the network and GOPROXY"
cp "$here/check/main.go" "$here/check/go.sum" "$target/"
