#!/bin/sh
# Builds an Alertmanager and its amtool for the tests from their pinned source into
# .cache/alertmanager of the checkout (or into the folder named as first argument). A
# second run changes nothing and needs no network. Debian's package would not do without
# being installed: its program reads a template from /usr/share.
#
# Without one the tests on a real Alertmanager are skipped, so this says so and ends
# well; with CI=true it is an error.
version=v0.28.1
name=alertmanager
lost='tests on a real Alertmanager (TestAlertmanager…) will be skipped'
. "$(dirname -- "$0")/../fetch.sh"

go_programs "$version" github.com/prometheus/alertmanager/cmd/alertmanager github.com/prometheus/alertmanager/cmd/amtool
