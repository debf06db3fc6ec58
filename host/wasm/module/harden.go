package module

import "encoding/binary"

// checkpoint is an empty loop. The engine looks at the deadline wherever a loop
// begins, and nowhere else.
var checkpoint = []byte{opLoop, 0x40, opEnd}

// Harden returns the module with a checkpoint where each function begins and
// before each instruction that works on memory of any size. So code without
// loops (a tree of calls, a row of memory.fill) meets its deadline, too, and the
// rest of the program, whose garbage collector has to wait for code that never
// looks up, is not held up either. What the module computes is the same.
//
// The segments of its memory are merged, which makes an instance begin faster.
// An empty loop in front needs no type, whatever the function returns, and moves
// no label. data has to be what [Inspect] accepted.
func Harden(data []byte) ([]byte, error) {
	b, err := parse(data)
	if err != nil {
		return nil, err
	}
	return b.harden(data), nil
}

func (b *parsed) harden(data []byte) []byte {
	if b.bodies == 0 {
		return data
	}
	grown := 0
	for _, body := range b.checkpoints {
		grown += len(body.places)*len(checkpoint) + binary.MaxVarintLen32
	}
	hardened := make([]byte, 0, len(data)+grown+2*binary.MaxVarintLen32)
	hardened = append(hardened, data[:b.code.from]...)

	content := make([]byte, 0, b.code.to-b.code.content+grown)
	content = binary.AppendUvarint(content, uint64(len(b.checkpoints)))
	for _, body := range b.checkpoints {
		content = binary.AppendUvarint(content, uint64(len(body.body)+len(body.places)*len(checkpoint)))
		copied := 0
		for _, place := range body.places {
			content = append(content, body.body[copied:place]...)
			content = append(content, checkpoint...)
			copied = place
		}
		content = append(content, body.body[copied:]...)
	}
	hardened = append(hardened, sectionCode)
	hardened = binary.AppendUvarint(hardened, uint64(len(content)))
	hardened = append(hardened, content...)
	if b.counted || b.segments.from < b.code.to {
		return append(hardened, data[b.code.to:]...)
	}
	hardened = append(hardened, data[b.code.to:b.segments.from]...)
	merged := mergeData(data[b.segments.content:b.segments.to])
	hardened = append(hardened, sectionData)
	hardened = binary.AppendUvarint(hardened, uint64(len(merged)))
	hardened = append(hardened, merged...)
	return append(hardened, data[b.segments.to:]...)
}
