// Package bucketing computes anew what flag systems assign: from the unit and what the
// system was told, as its SDKs do it. It is pure. Sources are named at each system.
package bucketing
