// Package yardstick holds methods that no result of assay is made with. They are
// what other platforms and libraries use, kept to compare with.
package yardstick
