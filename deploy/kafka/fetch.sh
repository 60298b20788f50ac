#!/bin/sh
# Fetches the jars of a real Apache Kafka for the tests into .cache/kafka of the
# checkout (or into the folder named as first argument). Maven verifies each
# file's checksum. A second run with the right version in place changes nothing
# and needs neither Maven nor a network.
#
# Without Maven or Java the tests on a real broker are skipped, so this says so
# and ends well; with CI=true it is an error.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-$(dirname -- "$(dirname -- "$here")")/.cache/kafka}

fail() {
	echo "kafka: $1" >&2
	[ "${CI:-}" != true ] || exit 1
	echo "kafka: tests on a real broker (TestBroker…) will be skipped; $2" >&2
	exit 0
}

for tool in java mvn; do
	command -v $tool >/dev/null 2>&1 ||
		fail "$tool was not found" "install Java 17 and Maven 3 to run them"
done

# The stamp is written last, so a stopped fetch is never taken for a whole one.
if cmp -s "$here/pom.xml" "$target/fetched-pom.xml"; then
	exit 0
fi

echo "kafka: fetching Apache Kafka into $target (about 44 MB, once)" >&2
rm -rf "$target"
mkdir -p "$target"
cp "$here/pom.xml" "$target/pom.xml"
(cd "$target" && mvn -q -B --strict-checksums dependency:copy-dependencies -DoutputDirectory=lib >&2) ||
	fail "Maven could not fetch the jars" "check the network and Maven's settings"
cp "$here/pom.xml" "$target/fetched-pom.xml"
