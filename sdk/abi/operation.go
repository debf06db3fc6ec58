package abi

// Operation is the name of an export by which a module shows an ability.
type Operation string

// The operations. Each is a method of sdk.Runtime or of one of its optional
// interfaces.
const (
	Start         Operation = "ls_start"
	Stop          Operation = "ls_stop"
	WaitHealthy   Operation = "ls_wait_healthy"
	Ping          Operation = "ls_ping"
	Validate      Operation = "ls_validate"
	Prepared      Operation = "ls_prepared"
	Prepare       Operation = "ls_prepare"
	Inspect       Operation = "ls_inspect"
	List          Operation = "ls_list"
	Remove        Operation = "ls_remove"
	Logs          Operation = "ls_logs"
	Exec          Operation = "ls_exec"
	NetworkEnsure Operation = "ls_network_ensure"
	NetworkRemove Operation = "ls_network_remove"
	VolumeEnsure  Operation = "ls_volume_ensure"
	VolumeList    Operation = "ls_volume_list"
	VolumeRemove  Operation = "ls_volume_remove"
	RestartPolicy Operation = "ls_restart_policy"
	Env           Operation = "ls_env"
	Ports         Operation = "ls_ports"
	Events        Operation = "ls_events"
)

// Ability is a group of operations that only make sense together. A module that
// exports some of a group but not all is refused.
type Ability struct {
	// Name is a word for people.
	Name string
	// Interface is the interface of sdk that the operations make up.
	Interface  string
	Operations []Operation
}

// Abilities returns all abilities. The first is what every module must have,
// but for WaitHealthy, which a host can make of Inspect.
func Abilities() []Ability {
	return []Ability{
		{"run", "Runtime", []Operation{Start, Stop, WaitHealthy}},
		{"ping", "Pinger", []Operation{Ping}},
		{"validate", "Validator", []Operation{Validate}},
		{"prepare", "Preparer", []Operation{Prepared, Prepare}},
		{"inspect", "Inspector", []Operation{Inspect}},
		{"list", "Lister", []Operation{List}},
		{"remove", "Remover", []Operation{Remove}},
		{"logs", "Logger", []Operation{Logs}},
		{"exec", "Execer", []Operation{Exec}},
		{"network", "Networker", []Operation{NetworkEnsure, NetworkRemove}},
		{"volume", "Volumer", []Operation{VolumeEnsure, VolumeList, VolumeRemove}},
		{"restart_policy", "Restarter", []Operation{RestartPolicy}},
		{"env", "EnvReader", []Operation{Env}},
		{"ports", "PortFinder", []Operation{Ports}},
		{"events", "Watcher", []Operation{Events}},
	}
}
