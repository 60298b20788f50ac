// Package simulate stands in for the world around assay: a product with users,
// the flag service that it asks for variants, and the events that it sends. The
// demo runs on it, and benchmarks take their load from it.
//
// It knows nothing of guardrails or results. The traffic asks the flag service
// for every assignment, as a product would; when a flag is off it logs no
// exposure and its users go on as before. What is true of a variant (how often
// users buy, what breaks) stands in a Story, so that what assay finds can be
// held against it.
//
// What a visitor does is a function of the seed and the visitor's number alone:
// Visit reads no clock and sends nothing. Traffic, FlagService and FlagClient
// are the doors around it.
package simulate
