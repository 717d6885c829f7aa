package sqlite

import "sync"

// Writers of all databases take turns: first come, first served.
var writes sync.Mutex
