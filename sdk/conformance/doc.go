// Package conformance is the contract of [sdk.Runtime] and its optional
// interfaces as a suite of checks. Each check proves one promise of the
// contract's documentation, on a runtime that is really there.
//
// In a test a runtime passes it with a few lines:
//
//	conformance.Test(t, conformance.Target{
//		Runtime:  runtime,
//		Level:    conformance.Full,
//		Workload: func(args ...string) sdk.Spec { return sdk.Spec{Image: image, Command: args} },
//		Program:  []string{"/tiny"},
//	})
//
// [Run] does the same without a test and returns a [Report]. What a runtime
// doesn't offer is said, never passed over: a check ends as passed, failed,
// refused (the runtime says that it can't honour a field, as the contract
// wants), excluded (the target gives the engine's reason), or not offered.
//
// What runs in the containers is the program of package workload.
package conformance
