#!/bin/sh
# Fetches OpenFeature's clients of OFREP (Node.js, browsers, Python, Java) and the flag
# systems whose assignments are recomputed into .cache/openfeature. A second run with
# the right versions in place changes nothing and needs no network.
#
# Without Node.js, Python, Java or Maven the tests on real clients are skipped, so this
# says so and ends well; with CI=true it is an error.
name=openfeature
lost='tests on real clients (TestClients…, TestVendors…) will be skipped'
. "$(dirname -- "$0")/../fetch.sh"

need_node
for tool in python3 java mvn; do
	command -v $tool >/dev/null 2>&1 ||
		fail "$tool was not found" "install Python 3.10, Java 17 and Maven 3 to run them"
done
npm_packages 'clients for Node.js and browsers, about 40 MB,'

fetched requirements.txt fetched.txt || {
	rm -f "$target/fetched.txt"
	python3 -m venv "$target/python" || fail "no environment could be made" "look at what python3 -m venv says"
	"$target/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2 ||
		fail "pip could not fetch the packages" "check the network and pip's index setting"
	cp "$here/requirements.txt" "$target/fetched.txt"
}

# GrowthBook's public cases are in its module for Go, whose checksum go verifies.
[ -s "$target/growthbook-cases.json" ] || {
	module=$(cd / && go mod download -json github.com/growthbook/growthbook-golang@v0.7.0 | sed -n 's/.*"Dir": "\(.*\)",*$/\1/p')
	[ -n "$module" ] || fail "GrowthBook's cases could not be fetched" "check the network and GOPROXY"
	cp "$module/cases.json" "$target/growthbook-cases.json"
	chmod u+w "$target/growthbook-cases.json"
}

fetched pom.xml fetched-pom.xml && exit
rm -rf "$target/lib"
cp "$here/pom.xml" "$target/pom.xml"
(cd "$target" && mvn -q -B --strict-checksums dependency:copy-dependencies -DoutputDirectory=lib >&2) ||
	fail "Maven could not fetch the jars" "check the network and Maven's settings"
cp "$here/pom.xml" "$target/fetched-pom.xml"
