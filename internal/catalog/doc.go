// Package catalog is the read model: what the API, the pages and the report show of
// experiments, and what follows from it in plain words. It reads looks that were
// stored and computes no statistic; what to do is said in one place, here.
package catalog
