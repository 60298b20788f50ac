#!/bin/sh
# Builds what checks the Helm chart into .cache/helm of the checkout (or into the folder
# named as first argument): helm, kubectl-validate, and beside them the definitions of
# the Prometheus operator's resources. The two builds take minutes, once; a second run
# changes nothing and needs no network.
#
# Without them the chart's tests are skipped, so this says so and ends well; with CI=true
# it is an error.
name=helm
lost='the Helm chart (TestChart…) will not be checked'
. "$(dirname -- "$0")/../fetch.sh"

go_programs v4.3.2 helm.sh/helm/v4/cmd/helm
go_programs v0.0.4 sigs.k8s.io/kubectl-validate

operator=github.com/prometheus-operator/prometheus-operator@v0.85.0
crds=$target/crds-${operator##*@}
if [ ! -d "$crds" ]; then
	echo "helm: fetching the Prometheus operator's definitions into $target (once)" >&2
	(cd / && GOFLAGS='' go mod download "$operator") ||
		fail "the Prometheus operator's definitions could not be fetched" "check the network and GOPROXY"
	work=$(mktemp -d "$target/.crds-XXXXXX")
	for kind in servicemonitors prometheusrules; do
		cp "$(cd / && go list -m -f '{{.Dir}}' "$operator")/example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml" "$work/"
	done
	chmod -R u+w,go+rX "$work"
	mv "$work" "$crds"
fi
