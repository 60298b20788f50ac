#!/bin/sh
# Fetches what drives a browser in the tests of the pages into .cache/browser, and sees
# to it that a Chromium is on the machine: as root it is installed from the distribution.
# A second run with the right version in place changes nothing and needs no network.
#
# Without Node.js or Chromium the tests in a browser are skipped, so this says so and
# ends well; with CI=true it is an error.
name=browser
lost='tests in a browser (TestBrowser…) will be skipped'
. "$(dirname -- "$0")/../fetch.sh"

has_chromium() {
	[ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1
}

need_node
has_chromium || install_packages Chromium chromium fonts-dejavu-core ||
	fail "Chromium was not found" "install it (Debian: chromium) to run them, or name it with CHROMIUM=/path"
npm_packages 'what drives a browser, about 15 MB,'
