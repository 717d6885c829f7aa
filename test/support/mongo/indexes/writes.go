package sqlite

import (
	"context"
	"sync"
)

// Writers of all databases take turns: first come, first served.
var (
	writes sync.Mutex
	// turns counts those of each database.
	turns = map[string]int{}
)

// Readers that overlap keep SQLite from beginning its log anew by itself. Then each write looks whether it can, and each
// read searches a longer one. So it is made to now and then, when nobody writes; who reads is waited for a moment.
const (
	checkpointEvery = 500
	checkpoint      = "PRAGMA busy_timeout(100); PRAGMA wal_checkpoint(RESTART); PRAGMA busy_timeout(10000)"
)

// turn waits until the collection may be written to, and returns what ends that.
func (c *collection) turn(ctx context.Context) (end func()) {
	writes.Lock()
	turns[c.dbName]++
	if turns[c.dbName]%checkpointEvery == 0 {
		if db := c.r.DatabaseGetExisting(ctx, c.dbName); db != nil {
			_, _ = db.ExecContext(context.WithoutCancel(ctx), checkpoint)
		}
	}
	return writes.Unlock
}
