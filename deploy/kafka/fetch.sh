#!/bin/sh
# Fetches the jars of a real Apache Kafka for the tests into .cache/kafka. Maven verifies
# each file's checksum. A second run with the right version in place changes nothing and
# needs no network.
#
# Without Maven or Java the tests on a real broker are skipped, so this says so and ends
# well; with CI=true it is an error.
name=kafka
lost='tests on a real broker (TestBroker…) will be skipped'
. "$(dirname -- "$0")/../fetch.sh"

for tool in java mvn; do
	command -v $tool >/dev/null 2>&1 ||
		fail "$tool was not found" "install Java 17 and Maven 3 to run them"
done
fetched pom.xml fetched-pom.xml && exit

echo "kafka: fetching Apache Kafka into $target (about 44 MB, once)" >&2
rm -rf "$target"
mkdir -p "$target"
cp "$here/pom.xml" "$target/pom.xml"
(cd "$target" && mvn -q -B --strict-checksums dependency:copy-dependencies -DoutputDirectory=lib >&2) ||
	fail "Maven could not fetch the jars" "check the network and Maven's settings"
cp "$here/pom.xml" "$target/fetched-pom.xml"
