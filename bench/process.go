package main

import (
	"context"
	"debug/elf"
	"errors"
	"os"
)

// often is how many more runs there are of what takes milliseconds, and is
// noisier for it.
const often = 5

// processStart measures what every command pays before it does anything. The
// floor is a Go program with the engine's client in it, which ends at once.
func processStart(ctx context.Context, h *harness) error {
	took, err := h.programs(ctx, map[string][]string{
		us:    {h.program, "version"},
		rival: {h.compose, "version"},
		best:  {h.self, "floor", "nothing"},
	})
	if err != nil {
		return err
	}
	h.report.add("version", "ms", took)
	h.report.compare("version ÷ compose version", took[us], took[rival], 0.6)
	h.report.compare("version ÷ floor's process start", took[us], took[best], none)
	return nil
}

// validate measures reading and checking a large manifest.
func validate(ctx context.Context, h *harness) error {
	files, err := large(200).write(h.dir, h.engine.prefix)
	if err != nil {
		return err
	}
	took, err := h.programs(ctx, map[string][]string{
		us:    {h.program, "validate", "-f", files.manifest},
		rival: {h.compose, "-f", files.compose, "config", "-q"},
	})
	if err != nil {
		return err
	}
	h.report.add("validate 200", "ms", took)
	h.report.compare("validate 200 ÷ compose config", took[us], took[rival], 0.4)
	return nil
}

// programs runs the command line of each subject in turn, many times.
func (h *harness) programs(ctx context.Context, commands map[string][]string) (figures, error) {
	took := figures{}
	err := h.turns(ctx, h.runs*often, func(who subject, counts bool) error {
		command, ok := commands[who.name]
		if !ok {
			return nil
		}
		d, _, err := h.once(ctx, command[0], command[1:]...)
		if err == nil && counts {
			took.add(who.name, milliseconds(d))
		}
		return err
	})
	return took, err
}

// binarySize looks at what is shipped: the stripped program.
func binarySize(_ context.Context, h *harness) error {
	info, err := os.Stat(h.program)
	if err != nil {
		return err
	}
	stripped, err := isStripped(h.program)
	if err != nil {
		return err
	}
	if !stripped {
		return errors.New("the program isn't stripped; make build does that")
	}
	h.report.limit("stripped binary", megabytes(info.Size()), 40, "MB")
	return nil
}

// isStripped says whether an ELF file has no symbols. Other formats are taken
// as they are.
func isStripped(path string) (bool, error) {
	file, err := elf.Open(path)
	if _, ok := errors.AsType[*elf.FormatError](err); ok {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	return file.Section(".symtab") == nil && file.Section(".debug_info") == nil, nil
}
