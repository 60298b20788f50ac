#!/bin/sh
# Fetches the Unleash server and its own SDK for the tests into .cache/unleash of
# the checkout (or into the folder named as first argument), and sees to it that
# PostgreSQL is on the machine, which the server keeps its flags in: as root it
# is installed from the distribution. npm verifies the integrity hashes of
# package-lock.json and runs none of the packages' scripts. A second run with the
# right version in place changes nothing and needs no network.
#
# Without Node.js or PostgreSQL the tests on a real Unleash are skipped, so this
# says so and ends well; with CI=true it is an error.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-$(dirname -- "$(dirname -- "$here")")/.cache/unleash}

fail() {
	echo "unleash: $1" >&2
	[ "${CI:-}" != true ] || exit 1
	echo "unleash: tests on a real Unleash (TestUnleash…) will be skipped; $2" >&2
	exit 0
}

# Distributions keep the server's programs out of PATH.
postgres() {
	command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

install_postgres() {
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
	echo "unleash: installing PostgreSQL with apt-get (once)" >&2
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -qq --no-install-recommends postgresql >/dev/null 2>&1 ||
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql; } >/dev/null 2>&1
}

for tool in node npm; do
	command -v $tool >/dev/null 2>&1 ||
		fail "$tool was not found" "install Node.js 20 or newer to run them"
done
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] ||
	fail "Node.js is older than 20" "install Node.js 20 or newer to run them"
postgres || install_postgres || fail "PostgreSQL was not found" "install it (Debian: postgresql) to run them"

# The stamp is written last, so a stopped fetch is never taken for a whole one.
if cmp -s "$here/package-lock.json" "$target/fetched-lock.json"; then
	exit 0
fi

echo "unleash: fetching the Unleash server into $target (about 190 MB, once)" >&2
mkdir -p "$target"
rm -f "$target/fetched-lock.json"
cp "$here/package.json" "$here/package-lock.json" "$target/"
(cd "$target" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
	fail "npm could not fetch the packages" "check the network and npm's registry setting"
cp "$here/package-lock.json" "$target/fetched-lock.json"
