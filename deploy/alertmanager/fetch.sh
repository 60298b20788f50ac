#!/bin/sh
# Builds an Alertmanager for the tests from its pinned source into
# .cache/alertmanager of the checkout (or into the folder named as first argument).
# Go's checksum database vouches for what the module proxy hands out. A second run
# changes nothing and needs no network. Debian's package would not do without being
# installed: its program reads a template from /usr/share.
#
# Without one the tests on a real Alertmanager are skipped, so this says so and ends
# well; with CI=true it is an error.
set -eu

version=v0.28.1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-$(dirname -- "$(dirname -- "$here")")/.cache/alertmanager}/$version

[ ! -x "$target/alertmanager" ] || exit 0

echo "alertmanager: building Alertmanager $version in $target (once)" >&2
mkdir -p "$target"
work=$(mktemp -d "$target/.build-XXXXXX")
trap 'rm -rf "$work"' EXIT
if ! GOBIN="$work" GOFLAGS='' CGO_ENABLED=0 go install -ldflags '-s -w' "github.com/prometheus/alertmanager/cmd/alertmanager@$version" >&2; then
	[ "${CI:-}" != true ] || exit 1
	echo "alertmanager: tests on a real Alertmanager (TestAlertmanager…) will be skipped; check the network and GOPROXY to run them" >&2
	exit 0
fi
# The program gets its name last, so a stopped build is never taken for a whole one.
mv "$work/alertmanager" "$target/alertmanager"
