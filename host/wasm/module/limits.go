package module

// What a module may have. The biggest Go guest that was seen (with net/http and
// text/template, 10 MB) stays well below each; in a function it has 20 variables, 800 blocks 550 deep
// and 1,000 branches.
const (
	MaxSize = 32 << 20
	// MaxMemoryPages bounds the memory that a module may begin with, in pages of
	// 64 KiB.
	MaxMemoryPages = 1024

	maxBody         = 128 << 10 // bytes of a function
	maxFunctions    = 50_000
	maxTypes        = 20_000
	maxParams       = 100
	maxResults      = 16
	maxLocals       = 10_000 // of a function
	maxImports      = 1_000
	maxExports      = 50_000
	maxGlobals      = 20_000
	maxTableEntries = 100_000 // that a table begins with
	maxElements     = 20_000
	maxDataSegments = 200_000
	maxNesting      = 1_000 // of blocks
	maxBlocks       = 4_000 // in a function
	maxBranchTable  = 8_000 // targets of all br_table in a function
	// maxMerges bounds variables times blocks of a function: where blocks meet, a
	// compiler has to merge each variable, and its time grows faster than that.
	maxMerges = 100_000
	// blocksOfBulk is how many blocks a memory.fill or memory.copy counts as.
	blocksOfBulk = 16
	maxSections  = 10_000
)
