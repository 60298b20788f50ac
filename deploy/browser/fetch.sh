#!/bin/sh
# Fetches what drives a browser in the tests of the pages into .cache/browser of
# the checkout (or into the folder named as first argument), and sees to it that
# a Chromium is on the machine: as root it is installed from the distribution.
# npm verifies the integrity hashes of package-lock.json and runs none of the
# packages' scripts. A second run with the right version in place changes nothing
# and needs no network.
#
# Without Node.js or Chromium the tests in a browser are skipped, so this says so
# and ends well; with CI=true it is an error.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-$(dirname -- "$(dirname -- "$here")")/.cache/browser}

fail() {
	echo "browser: $1" >&2
	[ "${CI:-}" != true ] || exit 1
	echo "browser: tests in a browser (TestBrowser…) will be skipped; $2" >&2
	exit 0
}

chromium() {
	[ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1
}

install_chromium() {
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
	echo "browser: installing Chromium with apt-get (once)" >&2
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null 2>&1 ||
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1
}

for tool in node npm; do
	command -v $tool >/dev/null 2>&1 ||
		fail "$tool was not found" "install Node.js 20 or newer to run them"
done
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] ||
	fail "Node.js is older than 20" "install Node.js 20 or newer to run them"
chromium || install_chromium || fail "Chromium was not found" "install it (Debian: chromium) to run them, or name it with CHROMIUM=/path"

# The stamp is written last, so a stopped fetch is never taken for a whole one.
if cmp -s "$here/package-lock.json" "$target/fetched-lock.json"; then
	exit 0
fi

echo "browser: fetching what drives a browser into $target (about 15 MB, once)" >&2
mkdir -p "$target"
rm -f "$target/fetched-lock.json"
cp "$here/package.json" "$here/package-lock.json" "$target/"
(cd "$target" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
	fail "npm could not fetch the packages" "check the network and npm's registry setting"
cp "$here/package-lock.json" "$target/fetched-lock.json"
