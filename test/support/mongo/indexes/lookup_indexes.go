// Package metadata: indexes beside FerretDB's own, whose last field is a value and not its JSON text: they serve
// ranges, sorts and numbers.
package metadata

import (
	"fmt"
	"strings"
)

// lookupIndex returns the statement that creates the index beside another one; empty when there is no use for it.
func lookupIndex(table string, index IndexInfo) string {
	last := len(index.Key) - 1
	if last > 1 || (last == 0 && !index.Unique) {
		return ""
	}
	columns := make([]string, len(index.Key))
	for i, key := range index.Key {
		segments := strings.Split(key.Field, ".")
		expression := DefaultColumn
		for j, segment := range segments {
			operator := "->"
			if i == last && j == len(segments)-1 {
				operator = "->>"
			}
			expression += fmt.Sprintf("%s%q", operator, segment)
		}
		columns[i] = expression
	}
	return fmt.Sprintf("CREATE INDEX %q ON %q (%s)", table+"_"+index.Name+"_lookup", table, strings.Join(columns, ", "))
}
