package module

import (
	"bytes"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// The ids of sections.
const (
	sectionCustom    = 0
	sectionType      = 1
	sectionImport    = 2
	sectionFunction  = 3
	sectionTable     = 4
	sectionMemory    = 5
	sectionGlobal    = 6
	sectionExport    = 7
	sectionStart     = 8
	sectionElement   = 9
	sectionCode      = 10
	sectionData      = 11
	sectionDataCount = 12
	sectionTag       = 13
)

// order is the place of each section; custom sections may be anywhere.
var order = map[byte]int{
	sectionType: 1, sectionImport: 2, sectionFunction: 3, sectionTable: 4, sectionMemory: 5, sectionGlobal: 6,
	sectionExport: 7, sectionStart: 8, sectionElement: 9, sectionDataCount: 10, sectionCode: 11, sectionData: 12,
}

var sectionNames = map[byte]string{
	sectionCustom: "custom section", sectionType: "type section", sectionImport: "import section", sectionFunction: "function section",
	sectionTable: "table section", sectionMemory: "memory section", sectionGlobal: "global section", sectionExport: "export section",
	sectionElement: "element section", sectionCode: "code section", sectionData: "data section", sectionDataCount: "data count section",
}

// The kinds of imports and exports.
const (
	kindFunction = 0
	kindTable    = 1
	kindMemory   = 2
	kindGlobal   = 3
)

var kindNames = map[byte]string{kindFunction: "function", kindTable: "table", kindMemory: "memory", kindGlobal: "global"}

type importEntry struct {
	module, name string
	kind         byte
	signature    signature
}

type exportEntry struct {
	name  string
	kind  byte
	index uint32
}

// parsed is a module taken apart.
type parsed struct {
	types     []signature
	imports   []importEntry
	functions []uint32 // the types of the functions, without the imported ones
	memories  []uint32 // pages that each begins with
	exports   []exportEntry
	bodies    int
	codeBytes int
	data      int
	tables    int // entries that tables begin with
	globals   int
	variables []uint32 // the globals that aren't constant
	manifests [][]byte
	// code is the section's place in the file, and checkpoints say for each body
	// where it begins and where the places are that Harden guards.
	code        span
	checkpoints []checkpoints
	// segments is the place of the data section, and counted whether code may refer
	// to its segments by number.
	segments span
	counted  bool
}

// checkpoints are the places in a body that Harden guards, in order.
type checkpoints struct {
	body   []byte
	places []int
}

// span is a part of the file: from the section's id up to its end, with the
// place where its content begins.
type span struct{ from, content, to int }

var (
	magic            = []byte("\x00asm")
	versionCore      = []byte{1, 0, 0, 0}
	layerOfComponent = []byte{1, 0} // the last two bytes of a component's version
)

// parse takes a module apart.
func parse(data []byte) (*parsed, error) {
	if err := checkHead(data); err != nil {
		return nil, err
	}
	c := &cursor{data: data, at: 8}
	b := &parsed{}
	place, sections := 0, 0
	for c.left() > 0 {
		sections++
		if sections > maxSections {
			return nil, tooMuch("more than %d sections", maxSections)
		}
		from := c.at
		id := c.byte()
		content := c.bytes(c.u32())
		if c.err != nil {
			return nil, c.err
		}
		switch place := (span{from: from, content: c.at - len(content), to: c.at}); id {
		case sectionCode:
			b.code = place
		case sectionData:
			b.segments = place
		case sectionDataCount:
			b.counted = true
		}
		if id != sectionCustom {
			if order[id] == 0 {
				return nil, unknownSection(id)
			}
			if order[id] <= place {
				return nil, malformed("the %s is in the wrong place or there twice", sectionNames[id])
			}
			place = order[id]
		}
		if err := b.section(id, content); err != nil {
			return nil, within(sectionNames[id], err)
		}
	}
	if b.bodies != len(b.functions) {
		return nil, malformed("%d functions are declared, but %d have code", len(b.functions), b.bodies)
	}
	return b, nil
}

func checkHead(data []byte) error {
	if len(data) == 0 {
		return refused(hintDamaged, "the file is empty")
	}
	if len(data) > MaxSize {
		return refused(hintTooMuch, "the file has %d MiB, more than the %d MiB that are allowed", len(data)>>20, MaxSize>>20)
	}
	if !bytes.HasPrefix(magic, data[:min(4, len(data))]) {
		return notAModule(data)
	}
	if len(data) < 8 {
		return errTruncated
	}
	if bytes.Equal(data[6:8], layerOfComponent) {
		return refused("build a core module: with wit-bindgen or cargo-component leave out the component step; "+hintGo,
			"this is a module of the component model, and plugins are core modules")
	}
	if !bytes.Equal(data[4:8], versionCore) {
		return refused(hintDamaged, "this is WebAssembly of version %d, and only version 1 is known", uint32(data[4])|uint32(data[5])<<8|uint32(data[6])<<16|uint32(data[7])<<24)
	}
	return nil
}

// notAModule guesses what a file is that isn't WASM.
func notAModule(data []byte) error {
	head := data[:min(512, len(data))]
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")), bytes.HasPrefix(head, []byte("MZ")), bytes.HasPrefix(head, []byte("\xcf\xfa\xed\xfe")):
		return refused("build it for WASM; "+hintGo, "this is a program of the operating system, not a WASM module")
	case bytes.HasPrefix(head, []byte("\x1f\x8b")), bytes.HasPrefix(head, []byte("PK")), bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return refused("unpack it first", "this is a compressed file, not a WASM module")
	case bytes.Contains(head, []byte("(module")):
		return refused("turn it into a binary with wat2wasm", "this is WebAssembly in text form, not a WASM module")
	case isText(head):
		return refused("a plugin is a .wasm file; "+hintGo, "this is a text file, not a WASM module")
	}
	return refused("a plugin is a .wasm file; "+hintGo, "this isn't a WASM module")
}

func isText(head []byte) bool {
	for _, b := range head {
		if b < 0x20 && b != '\n' && b != '\r' && b != '\t' {
			return false
		}
	}
	return true
}

func unknownSection(id byte) error {
	if id == sectionTag {
		return refused("build it without WASM exceptions", "the module uses exceptions, which plugins don't have")
	}
	return malformed("unknown section %d", id)
}

// section reads the content of one section.
func (b *parsed) section(id byte, content []byte) error {
	c := &cursor{data: content}
	switch id {
	case sectionCustom:
		if c.name() == abi.ManifestSection && c.err == nil {
			b.manifests = append(b.manifests, c.data[c.at:])
		}
		return c.err
	case sectionType:
		b.readTypes(c)
	case sectionImport:
		b.readImports(c)
	case sectionFunction:
		b.readFunctions(c)
	case sectionTable:
		b.readTables(c)
	case sectionMemory:
		b.readMemories(c)
	case sectionGlobal:
		b.readGlobals(c)
	case sectionExport:
		b.readExports(c)
	case sectionStart:
		return refused("do that work in an export called "+abi.Initialize+" (in AssemblyScript: --exportStart "+abi.Initialize+")",
			"the module has a start section, which would run code before anything is set up")
	case sectionElement:
		c.count("element segments", 1, maxElements)
		return c.err // the engine reads the rest
	case sectionCode:
		b.readCode(c)
	case sectionData:
		b.data = c.count("data segments", 1, maxDataSegments)
		return c.err // the engine reads the rest
	case sectionDataCount:
		c.u32()
	}
	if c.err == nil && c.left() > 0 {
		return malformed("%d bytes too many", c.left())
	}
	return c.err
}

func (b *parsed) readTypes(c *cursor) {
	for range c.count("types", 3, maxTypes) {
		if form := c.byte(); form != 0x60 && c.err == nil {
			c.fail(refused("build it without garbage collection", "the module uses types of form 0x%02x, which plugins don't have", form))
		}
		b.types = append(b.types, signature{c.valueTypes(maxParams, "parameters"), c.valueTypes(maxResults, "results")})
		if c.err != nil {
			return
		}
	}
}

func (b *parsed) typeAt(c *cursor, index uint32) signature {
	if int64(index) >= int64(len(b.types)) {
		c.fail(malformed("there is no type %d", index))
		return signature{}
	}
	return b.types[index]
}

func (b *parsed) readImports(c *cursor) {
	for range c.count("imports", 4, maxImports) {
		entry := importEntry{module: c.name(), name: c.name(), kind: c.byte()}
		if c.err != nil {
			return
		}
		if entry.kind != kindFunction {
			c.fail(refused("the host offers functions and nothing else", "it imports the %s %q of module %q", kindName(entry.kind), entry.name, entry.module))
			return
		}
		entry.signature = b.typeAt(c, c.u32())
		b.imports = append(b.imports, entry)
	}
}

func kindName(kind byte) string {
	if name, ok := kindNames[kind]; ok {
		return name
	}
	return "thing"
}

func (b *parsed) readFunctions(c *cursor) {
	n := c.count("functions", 1, maxFunctions)
	b.functions = make([]uint32, 0, n)
	for range n {
		index := c.u32()
		b.typeAt(c, index)
		if c.err != nil {
			return
		}
		b.functions = append(b.functions, index)
	}
}

func (b *parsed) readTables(c *cursor) {
	for range c.count("tables", 3, 1) {
		if t := c.byte(); t != typeFuncref && c.err == nil {
			c.fail(refused("build it without reference types", "the module has a table of type 0x%02x; plugins have only tables of functions", t))
		}
		least, _ := c.limits("table")
		if least > maxTableEntries {
			c.fail(tooMuch("a table of %d entries, more than the %d that are allowed", least, maxTableEntries))
		}
		b.tables += int(least)
	}
}

func (b *parsed) readMemories(c *cursor) {
	for range c.count("memories", 2, 1) {
		least, _ := c.limits("memory")
		if least > MaxMemoryPages {
			c.fail(tooMuch("a memory that begins with %d MiB, more than the %d MiB that are allowed", least>>4, MaxMemoryPages>>4))
		}
		b.memories = append(b.memories, least)
	}
}

func (b *parsed) readGlobals(c *cursor) {
	b.globals = c.count("globals", 5, maxGlobals)
	for i := range b.globals {
		c.valueType()
		switch mutable := c.byte(); mutable {
		case 0:
		case 1:
			b.variables = append(b.variables, uint32(i))
		default:
			c.fail(malformed("a global is neither constant nor variable"))
		}
		c.constant()
		if c.err != nil {
			return
		}
	}
}

// constant passes over a constant expression.
func (c *cursor) constant() {
	for c.err == nil {
		switch op := c.byte(); op {
		case 0x0b:
			return
		case 0x41:
			c.skipSigned(5)
		case 0x42:
			c.skipSigned(10)
		case 0x43:
			c.bytes(4)
		case 0x44:
			c.bytes(8)
		case 0x23:
			c.u32()
		default:
			c.fail(malformed("instruction 0x%02x in a constant", op))
		}
	}
}

func (b *parsed) readExports(c *cursor) {
	n := c.count("exports", 3, maxExports)
	names := make(map[string]bool, n)
	for range n {
		entry := exportEntry{name: c.name(), kind: c.byte(), index: c.u32()}
		if c.err != nil {
			return
		}
		if names[entry.name] {
			c.fail(malformed("two exports of the name %q", entry.name))
			return
		}
		names[entry.name] = true
		b.exports = append(b.exports, entry)
	}
}

func (b *parsed) readCode(c *cursor) {
	b.bodies = c.count("functions", 2, maxFunctions)
	b.codeBytes = len(c.data)
	for i := range b.bodies {
		body := c.bytes(c.u32())
		if c.err != nil {
			return
		}
		if len(body) > maxBody {
			c.fail(tooMuch("a function of %d KiB (number %d), more than the %d KiB that are allowed", len(body)>>10, i, maxBody>>10))
			return
		}
		code := &cursor{data: body}
		variables := code.locals()
		if i < len(b.functions) {
			variables += len(b.types[b.functions[i]].params)
		}
		if code.err != nil {
			c.fail(code.err)
			return
		}
		places, err := scan(body, code.at, variables, []int{code.at})
		if err != nil {
			c.fail(err)
			return
		}
		b.checkpoints = append(b.checkpoints, checkpoints{body, places})
	}
}

// signatureOf is the type of a function by its index, imported ones first.
func (b *parsed) signatureOf(index uint32) (signature, bool) {
	i := int64(index)
	if i < int64(len(b.imports)) {
		return b.imports[i].signature, true
	}
	i -= int64(len(b.imports))
	if i >= int64(len(b.functions)) {
		return signature{}, false
	}
	return b.types[b.functions[i]], true
}
