#!/bin/sh
# Installs zsh and fish for the tests of the completion scripts, where it is root on a
# Debian. A second run changes nothing and needs no network.
#
# Without them those tests are skipped, so this says so and ends well; with CI=true it is
# an error.
name=shells
lost='completion in zsh and fish will not be tested'
. "$(dirname -- "$0")/../fetch.sh"

both() { command -v zsh >/dev/null 2>&1 && command -v fish >/dev/null 2>&1; }
both || install_packages "zsh and fish" zsh fish || both ||
	fail "there is no zsh or no fish" "install zsh and fish to have it tested"
