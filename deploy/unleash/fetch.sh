#!/bin/sh
# Fetches the Unleash server and its own SDK for the tests into .cache/unleash, and sees
# to it that PostgreSQL is on the machine, which the server keeps its flags in: as root
# it is installed from the distribution. A second run with the right version in place
# changes nothing and needs no network.
#
# Without Node.js or PostgreSQL the tests on a real Unleash are skipped, so this says so
# and ends well; with CI=true it is an error.
name=unleash
lost='tests on a real Unleash (TestUnleash…) will be skipped'
. "$(dirname -- "$0")/../fetch.sh"

# Distributions keep the server's programs out of PATH.
postgres() {
	command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

need_node
postgres || install_packages PostgreSQL postgresql ||
	fail "PostgreSQL was not found" "install it (Debian: postgresql) to run them"
npm_packages 'the Unleash server, about 190 MB,'
