package sdk

// The labels by which LightShuttle knows what is its own. Nothing without
// LabelProject is ever reused or removed.
const (
	LabelProject  = "lightshuttle.project"
	LabelResource = "lightshuttle.resource"
	LabelKind     = "lightshuttle.kind"
	// LabelHash is the hash of the resolved spec; a different one means that
	// the container has to be recreated.
	LabelHash = "lightshuttle.hash"
	// LabelDependsOn holds the names of the dependencies, separated by commas,
	// so that a stack can be stopped in order without its manifest.
	LabelDependsOn = "lightshuttle.depends_on"
	// LabelGrace holds the grace period in milliseconds, if the manifest gave
	// one, for the same reason.
	LabelGrace = "lightshuttle.stop_grace_ms"
	// LabelParts holds short hashes of the parts of the resolved spec, as
	// "part=hash,part=hash", so that it can be said what has changed.
	LabelParts = "lightshuttle.parts"
	// LabelRun identifies the run that created the container, so that a
	// rollback removes exactly what its run created.
	LabelRun = "lightshuttle.run"
	// LabelAnonymous marks a volume that came with a container and goes with it.
	LabelAnonymous = "lightshuttle.anonymous"
)
