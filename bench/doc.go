// Command bench compares LightShuttle with docker compose and with a floor: a
// program that calls the engine's API by hand, as well as it can be done. All
// take turns within one run, so that the machine's moods hit all of them, and
// what counts are the ratios. Losses are printed like wins.
package main
